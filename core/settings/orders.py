"""Brokers, and orders: in flight, in the books, and waiting for a person (EX-06, EX-07, EX-15, EX-09, OP-02, OP-05)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from core.model.reconciliation import read_events
from core.model.session import HOME
from core.settings.types import (
    Delay,
    GrowingSettingsTable,
    LessIsLooser,
    MoreIsLooser,
    MoreOrZeroIsLooser,
    NotNegative,
    Positive,
    Ratio,
    Seconds,
    SettingsTable,
    checked_url,
    no_direction,
    ranked,
)

MOST_IN_A_ROW = 100
"""Largest number of consecutive missing or late answers: it takes 15 minutes of time-outs, which counts as off."""
MOST_QUEUED = 1000
"""Largest number of orders without an answer: more than Alpaca accepts in five minutes, which counts as off."""
HOW_OFTEN = no_direction("how often is asked")
InARow = Annotated[int, Field(ge=1, le=MOST_IN_A_ROW)]


class ExecutionSettings(SettingsTable):
    """Look-ups and time to live (EX-06, EX-07)."""

    answer_seconds: Annotated[
        Seconds, no_direction("when an answer is doubted: late costs time, early costs a look-up")
    ] = Field(Decimal(8), description="no answer to a request in this time: in doubt")
    look_up_first_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(2), description="doubles at each look-up, up to the longest"
    )
    look_up_longest_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(32), description="longest wait between look-ups"
    )
    not_found_times: LessIsLooser[Annotated[int, Field(ge=1)]] = Field(5, description="stated before it is believed")
    not_found_seconds: LessIsLooser[Seconds] = Field(Decimal(60), description="least time over which they were stated")
    cancel_retry_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(2), description="until a cancel that failed is tried again; doubles at each failure, up to the longest"
    )
    cancel_longest_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(16), description="longest wait between tries of a cancel (EX-15)"
    )
    warning_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(30), description="an entry that the broker warns of is taken back, unless confirmed (OP-11)"
    )
    breaker_failures: MoreIsLooser[InARow] = Field(
        5, description="in a row that open the breaker (EX-15); 100 counts as off"
    )
    breaker_slow_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(5), description="an answer to an order after more than this is slow"
    )
    breaker_slow_times: MoreIsLooser[InARow] = Field(3, description="in a row that open the breaker; 100 counts as off")
    breaker_seconds: LessIsLooser[Seconds] = Field(
        Decimal(60), description="until an open breaker lets one entry through"
    )
    breaker_openings: MoreIsLooser[InARow] = Field(3, description="in an hour that latch it")
    max_queued: MoreIsLooser[Annotated[int, Field(ge=1, le=MOST_QUEUED)]] = Field(
        10,
        description="orders without an answer; over it strategies propose no entry, and none is staged; "
        "1000 counts as off",
    )


class OrdersSettings(SettingsTable):
    """Settings of every order that this desk sends."""

    ttl_seconds: MoreOrZeroIsLooser[Delay] = Field(
        Decimal(0), description="a limit entry without its own time is cancelled after so long; 0 is never (EX-07)"
    )


class ReconciliationSettings(SettingsTable):
    """How far the broker's books may differ from ours before the operator must decide (EX-09)."""

    max_missing: MoreIsLooser[Annotated[int, Field(ge=0)]] = Field(
        3, description="positions that one side alone may have"
    )
    max_drift: MoreIsLooser[Ratio] = Field(Decimal("0.05"), description="of a quantity")
    split_tolerance: MoreIsLooser[Ratio] = Field(
        Decimal("0.01"), description="of quantity and price, for a split to be named"
    )
    every_seconds: MoreOrZeroIsLooser[Delay] = Field(
        Decimal(60), description="between comparisons while the market trades; 0 is never"
    )
    poll_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(5), description="between them while orders work and their stream is silent"
    )
    again_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(10), description="until the broker is asked again after no or no clear answer"
    )
    apart_seconds: Annotated[Seconds, HOW_OFTEN] = Field(Decimal(2), description="least time between two questions")
    max_unanswered: MoreIsLooser[Annotated[int, Field(ge=1)]] = Field(
        3, description="in a row that make a reconciled desk read-only"
    )


class BasketSettings(GrowingSettingsTable):
    """Lifetimes and waiting times of a basket (OP-05, EX-10)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"entries_seconds"})

    life_seconds: MoreIsLooser[Seconds] = Field(Decimal(180), description="an unsigned basket's life (OP-05)")
    run_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(900), description="from the signing, after which nothing of a basket goes out"
    )
    entries_seconds: Annotated[Seconds, no_direction("a flattening waits so long, and sells all the same")] = Field(
        Decimal(5), description="for entries taken back to be gone; after it a flattening sells all the same (OP-07)"
    )
    sells_seconds: Annotated[Seconds, no_direction("when a basket asks, and nothing goes without the answer")] = Field(
        Decimal(60), description="for the sells to fill; then the basket asks (EX-10)"
    )
    poll_seconds: Annotated[Seconds, HOW_OFTEN] = Field(
        Decimal(2), description="between questions for sells that are not filled (EX-10)"
    )
    buys_seconds: Annotated[Seconds, no_direction("when the report is asked for")] = Field(
        Decimal(5), description="for the buys to fill before the report is asked for"
    )
    report_seconds: Annotated[Seconds, no_direction("how long the report is waited for")] = Field(
        Decimal(10), description="for the broker to answer for the report"
    )


class StagingSettings(GrowingSettingsTable):
    """Lifetimes, and how far a price may move under a ticket (OP-02 to OP-04)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"basket"})

    ticket_seconds: MoreIsLooser[Seconds] = Field(Decimal(60), description="a ticket's life")
    signal_seconds: MoreIsLooser[Seconds] = Field(Decimal(90), description="an entry's life from its bar's end (ST-03)")
    manual_seconds: MoreIsLooser[Seconds] = Field(Decimal(300), description="a typed order's life as a proposal")
    approval_seconds: MoreIsLooser[Seconds] = Field(Decimal(5), description="an approval's life (OP-02)")
    review_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(3), description="no fresh figures in this time refuse an entry (OP-03)"
    )
    close_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(60), description="from a confirmed close to its sale, its stop being cancelled"
    )
    move_of_stop: MoreIsLooser[Ratio] = Field(
        Decimal("0.25"), description="adverse move, of the way to the stop (OP-04)"
    )
    move: MoreIsLooser[Ratio] = Field(Decimal("0.002"), description="adverse move where there is no stop (OP-04)")
    basket: BasketSettings = BasketSettings()


class ConfirmSettings(GrowingSettingsTable):
    """Conditions of a confirmation beside its ticket (OP-04, OP-15)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"touch", "touch_above_usd"})

    silent_seconds: MoreIsLooser[Annotated[Decimal, Field(ge=4, le=60)]] = Field(
        Decimal(5), description="nothing over the data or trade link, a pong included, and an entry is reviewed again"
    )
    touch: Annotated[Literal["never", "live", "always"], ranked("never", "live", "always")] = Field(
        "never",
        description="an order that opens needs the touch of an enrolled security key: on a live account, or on each",
    )
    touch_above_usd: MoreIsLooser[NotNegative] = Field(
        Decimal(0), description="cost in USD above which the touch is needed; 0: of any size"
    )


# ── brokers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Where orders go: Alpaca, and the simulated exchange.


class AlpacaSettings(SettingsTable):
    """Alpaca: its addresses and time-outs. Keys are never part of the settings."""

    trading_url: str = Field("", description="another server for orders; empty is Alpaca's own")
    data_url: str = Field("", description="another server for market data")
    trade_stream_url: str = Field("", description="another server for order updates")
    data_stream_url: str = Field("", description="another server for bars and quotes")
    feed: Literal["iex", "sip"] = Field("iex", description="sip needs a subscription")
    connect_seconds: Seconds = Field(Decimal(3), description="until a connection stands")
    read_seconds: Seconds = Field(Decimal(5), description="until an answer has come")
    silence_seconds: Seconds = Field(Decimal(20), description="without a word in session hours: asked, then polled")

    @field_validator("trading_url", "data_url", "trade_stream_url", "data_stream_url")
    @classmethod
    def plain_only_on_loopback(cls, url: str) -> str:
        return checked_url(url, "http", "ws")


REALISTIC: Mapping[str, str] = {
    "slippage": "0.0002",
    "slippage_by_size": "0.0008",
    "partial_fills": "0.1",
    "rejections": "0.005",
    "halts": "0.002",
    "margin_interest": "0.12",
}
"""The frictions of a backtest, and of `exchange.frictions = "realistic"`.

Slippage from 2 to 10 basis points by size, margin interest at 12 % a year, partial fills (1 in 10), rejected orders (1
in 200) and five-minute halts (1 session in 500 per symbol). The last three rates are our own choice.
"""
BACKTEST_FRICTIONS = tuple(f"exchange.{name}={value}" for name, value in REALISTIC.items())
WITHOUT_FRICTIONS = ("exchange.frictions='none'",)
"""As the command line sets them; figures of the operator stay in a backtest without frictions."""


class ExchangeSettings(GrowingSettingsTable):
    """The simulated exchange: its accounts, its handling of orders, and its faults (AN-04)."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "slippage_by_size",
            "partial_fills",
            "rejections",
            "halts",
            "halt_minutes",
            "margin_interest",
            "events",
            "sec_fee",
            "taf_fee",
            "frictions",
        }
    )

    cash: Positive = Field(Decimal(200), description="opening balance, USD")
    multiplier: Annotated[Decimal, Field(ge=1, le=4)] = Field(Decimal(1), description="1 is a cash account, 2 margin")
    latency_seconds: Delay = Field(Decimal("0.1"), description="from a request to its effect, and for updates")
    answer_delay_seconds: Delay = Field(
        Decimal(0), description="more that the answer to a submission and the stream of updates take"
    )
    slippage: Annotated[Decimal, Field(ge=0, lt=1)] = Field(Decimal(0), description="of the price, on market fills")
    half_spread_ticks: Annotated[Decimal, Field(ge=0, le=1000)] = Field(
        Decimal(1), description="around the last price, without recorded quotes"
    )
    participation: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal("0.1"), description="of a bar's volume we may fill"
    )
    fee_per_share: NotNegative = Field(Decimal(0), description="USD")
    settlement_days: Annotated[int, Field(ge=0, le=5)] = Field(1, description="until a cash account may spend a sale")
    slippage_by_size: Annotated[Decimal, Field(ge=0, lt=1)] = Field(
        Decimal(0), description="more of the price, for an order as large as all that we may fill of a bar"
    )
    partial_fills: Ratio = Field(Decimal(0), description="of executions, those that get only a part")
    rejections: Ratio = Field(Decimal(0), description="of orders, those refused without a rule that says so")
    halts: Ratio = Field(Decimal(0), description="of sessions, those in which a symbol is halted once")
    halt_minutes: Annotated[int, Field(ge=1, le=HOME.session_minutes)] = Field(5, description="that a halt lasts")
    margin_interest: Ratio = Field(Decimal(0), description="a year, on what a margin account is lent over night")
    events: str = Field(
        "",
        description="what happens to the account: 2026-01-07 dividend SPY 0.25; 2026-01-12 split SPY 2:1 (also "
        "interest, fee and transfer of USD; shares SPY 10 at 101.50)",
    )
    sec_fee: Ratio = Field(Decimal(0), description="of the proceeds of sales, at the end of their day")
    taf_fee: NotNegative = Field(Decimal(0), description="USD a share sold, at the end of its day")
    frictions: Literal["none", "realistic"] = Field(
        "none", description="realistic: those of a backtest, for each figure that is not set itself"
    )

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**REALISTIC, **values} if values.get("frictions") == "realistic" else values

    def always_written(self) -> frozenset[str]:
        return frozenset(REALISTIC) if self.frictions == "realistic" else frozenset()

    @field_validator("events")
    @classmethod
    def _are_events(cls, text: str) -> str:
        read_events(text)
        return text

    @property
    def makes_activities(self) -> bool:
        """Whether the account has activities beside fills: then they are compared each day (AN-06)."""
        is_lent = self.margin_interest and self.multiplier > 1
        return bool(self.events or self.sec_fee or self.taf_fee or is_lent)
