"""Where orders go: Alpaca, and the simulated exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from core.model.activity import read_events
from core.model.session import HOME
from core.settings.types import (
    Delay,
    GrowingSettingsTable,
    NotNegative,
    Positive,
    Ratio,
    Seconds,
    SettingsTable,
    checked_url,
)


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
