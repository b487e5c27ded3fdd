"""Every setting, typed, with its unit and its default, and the profiles that give a trader's set of them.

Ratios are fractions (0.003), money is USD. The figures are those of the requirements: RK and ST name each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from core.model.account import Mode
from core.model.order import StopHolder
from core.model.values import plain
from core.model.venues import HOME
from core.settings.advisers import AdvisersSettings
from core.settings.evaluation import EvaluationSettings
from core.settings.exits import ExitSettings
from core.settings.portfolio import MarginSettings, PortfolioSettings, SessionSettings
from core.settings.protections import FREQTRADE, ProtectionsSettings
from core.settings.regime import FrequencySettings, RegimeSettings
from core.settings.size_factors import SizingSettings
from core.settings.strategies import (
    BreakoutSettings,
    CapitalSettings,
    HeldStop,
    MeanReversionSettings,
    MomentumSettings,
    SmaSettings,
    TradePlanSettings,
    VwapAdaptive,
    VwapFilters,
)
from core.settings.types import (
    NOTHING_ODD,
    AmountSettings,
    Delay,
    GrowingSettingsTable,
    HistoricalValue,
    NotNegative,
    Positive,
    Ratio,
    Seconds,
    SettingsTable,
    is_loopback,
)
from core.settings.user_strategies import OWN_NAME, UserStrategySettings, sorted_out

HOUSE_NAMES = ("vwap", "momentum", "breakout", "mean_reversion", "sma")
"""The strategies of the house, by the name of their table."""


def _without_zone(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError(f'must have no zone: times of day are {HOME.name}\'s, as in "10:00"')
    return moment


TimeOfDay = Annotated[time, AfterValidator(_without_zone)]


NAME = r"^[a-z][a-z0-9_-]{0,30}$"


class AccountSettings(GrowingSettingsTable):
    """Whose money, and what it is called."""

    LATER: ClassVar[frozenset[str]] = frozenset({"data"})

    mode: Mode = Field(Mode.PAPER, description="paper or live; live also needs KEYTURN_ALLOW_LIVE=1")
    broker: Annotated[str, Field(pattern=NAME)] = Field("alpaca", description="where orders go: alpaca or simulated")
    data: Annotated[str, Field(pattern=f"^$|{NAME}")] = Field(
        "", description="where prices come from: alpaca; empty is the broker's own source"
    )


class RiskSettings(GrowingSettingsTable):
    """Limits on what may be opened (RK)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"several_strategies_a_symbol"})

    per_trade: AmountSettings = Field(
        AmountSettings(usd=Decimal("1.50"), of_equity=None), description="loss at the stop (RK-02)"
    )
    min_notional: NotNegative = Field(Decimal(1), description="smallest order, USD")
    max_notional: AmountSettings = Field(AmountSettings(usd=Decimal(50), of_equity=None), description="largest order")
    max_open_positions: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="positions at a time (EX-08)")
    several_strategies_a_symbol: bool = Field(
        False, description="true: strategies may hold a symbol side by side, each a position of its own (EX-08)"
    )
    daily_loss: AmountSettings = Field(
        AmountSettings(usd=Decimal(10), of_equity=None), description="blocks entries for the day (RK-03)"
    )
    weekly_loss: AmountSettings = Field(
        AmountSettings(usd=Decimal(25), of_equity=None), description="blocks entries for the week (RK-03)"
    )
    entries_a_day: Annotated[int, Field(ge=0, le=10_000)] = Field(1, description="entries a day and strategy")
    window_start: TimeOfDay = Field(time(10, 0), description=f"first bar start for an entry, {HOME.name} (RK-07)")
    window_end: TimeOfDay = Field(time(11, 30), description=f"last bar start for an entry, {HOME.name}, included")
    on_missing_equity: Literal["refuse", "allow"] = Field(
        "refuse",
        description="entries without an account value; allow: every check that needs it lets them pass, and says so",
    )
    spread_limit: Ratio = Field(Decimal("0.002"), description="of mid (RK-17)")
    spread_of_stop_limit: Ratio = Field(Decimal("0.20"), description="of the way to the stop (RK-17)")
    quote_age_seconds: Seconds = Field(Decimal(15), description="older blocks a market entry (RK-17)")
    quote_age_seconds_iex: Seconds = Field(Decimal(60), description="the same on the IEX feed")
    price_band: Ratio = Field(Decimal("0.05"), description="a limit further from the quote warns (EX-11)")
    clock_skew_seconds: Seconds = Field(Decimal(1), description="more between desk and broker warns")
    clock_wrong_seconds: Seconds = Field(Decimal(15), description="more between desk and broker refuses entries")
    clock_jump_seconds: Seconds = Field(Decimal(2), description="a jump of this machine's clock that shuts entries")
    clock_steady_seconds: Seconds = Field(Decimal(60), description="without another jump, after which they pass again")
    margin: MarginSettings = MarginSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    session: SessionSettings = SessionSettings()
    protections: ProtectionsSettings = ProtectionsSettings()
    frequency: FrequencySettings = FrequencySettings()
    sizing: SizingSettings = SizingSettings()

    @model_validator(mode="after")
    def some_order_is_neither_too_small_nor_too_large(self) -> Self:
        if self.max_notional.usd is not None and self.min_notional > self.max_notional.usd:
            raise ValueError(
                "risk.min_notional is over risk.max_notional, so that no order passes; change one of the two"
            )
        return self


class BasketSettings(GrowingSettingsTable):
    """How long a plan waits, and for what (OP-05, EX-10)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"entries_seconds"})

    life_seconds: Seconds = Field(Decimal(180), description="an unsigned plan's life (OP-05)")
    run_seconds: Seconds = Field(Decimal(900), description="from the signing, after which nothing of a plan goes out")
    entries_seconds: Seconds = Field(
        Decimal(5), description="for entries taken back to be gone; after it a flattening sells all the same (OP-07)"
    )
    sells_seconds: Seconds = Field(Decimal(60), description="for the sells to fill; then the plan asks (EX-10)")
    poll_seconds: Seconds = Field(Decimal(2), description="between questions for sells that are not filled (EX-10)")
    buys_seconds: Seconds = Field(Decimal(5), description="for the buys to fill before the report is asked for")
    report_seconds: Seconds = Field(Decimal(10), description="for the broker to answer for the report")


class StagingSettings(GrowingSettingsTable):
    """How long things live, and how far a price may move under a ticket (OP-02 to OP-04)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"plan"})

    ticket_seconds: Seconds = Field(Decimal(60), description="a ticket's life")
    signal_seconds: Seconds = Field(Decimal(90), description="an entry's life from its bar's end (ST-03)")
    manual_seconds: Seconds = Field(Decimal(300), description="a typed order's life as a proposal")
    approval_seconds: Seconds = Field(Decimal(5), description="an approval's life (OP-02)")
    review_seconds: Seconds = Field(Decimal(3), description="no fresh figures in this time refuse an entry (OP-03)")
    close_seconds: Seconds = Field(
        Decimal(60), description="from a confirmed close to its sale, its stop being cancelled"
    )
    move_of_stop: Ratio = Field(Decimal("0.25"), description="adverse move, of the way to the stop (OP-04)")
    move: Ratio = Field(Decimal("0.002"), description="adverse move where there is no stop (OP-04)")
    plan: BasketSettings = BasketSettings()


class ConfirmSettings(SettingsTable):
    """What a turned key needs beside its ticket (OP-04)."""

    silent_seconds: Annotated[Decimal, Field(ge=4, le=60)] = Field(
        Decimal(5), description="nothing over the data or trade link, a pong included, and an entry is reviewed again"
    )


class ExecutionSettings(SettingsTable):
    """Look-ups and time to live (EX-06, EX-07)."""

    answer_seconds: Seconds = Field(Decimal(8), description="no answer to a request in this time: in doubt")
    look_up_first_seconds: Seconds = Field(Decimal(2), description="doubles at each look-up, up to the longest")
    look_up_longest_seconds: Seconds = Field(Decimal(32), description="longest wait between look-ups")
    not_found_times: Annotated[int, Field(ge=1)] = Field(5, description="stated before it is believed")
    not_found_seconds: Seconds = Field(Decimal(60), description="least time over which they were stated")
    cancel_retry_seconds: Seconds = Field(
        Decimal(2), description="until a cancel that failed is tried again; doubles at each failure, up to the longest"
    )
    cancel_longest_seconds: Seconds = Field(Decimal(16), description="longest wait between tries of a cancel (EX-15)")
    warning_seconds: Seconds = Field(
        Decimal(30), description="an entry that the broker warns of is taken back, unless confirmed (OP-11)"
    )
    breaker_failures: Annotated[int, Field(ge=1)] = Field(5, description="in a row that open the breaker (EX-15)")
    breaker_slow_seconds: Seconds = Field(Decimal(5), description="an answer to an order after more than this is slow")
    breaker_slow_times: Annotated[int, Field(ge=1)] = Field(3, description="in a row that open the breaker")
    breaker_seconds: Seconds = Field(Decimal(60), description="until an open breaker lets one entry through")
    breaker_openings: Annotated[int, Field(ge=1)] = Field(3, description="in an hour that latch it")
    max_queued: Annotated[int, Field(ge=1)] = Field(
        10, description="orders without an answer; over it strategies propose no entry, and none is staged"
    )


class OrdersSettings(SettingsTable):
    """What holds for every order that this desk sends."""

    ttl_seconds: Delay = Field(
        Decimal(0), description="a limit entry without a time of its own is cancelled after so long; 0 is never (EX-07)"
    )


class ReconciliationSettings(SettingsTable):
    """How far the broker's books may differ from ours before a person must look (EX-09)."""

    max_missing: Annotated[int, Field(ge=0)] = Field(3, description="positions that one side alone may have")
    max_drift: Ratio = Field(Decimal("0.05"), description="of a quantity")
    split_tolerance: Ratio = Field(Decimal("0.01"), description="of quantity and price, for a split to be named")
    every_seconds: Delay = Field(Decimal(60), description="between comparisons while the market trades; 0 is never")
    poll_seconds: Seconds = Field(Decimal(5), description="between them while orders work and their stream is silent")
    again_seconds: Seconds = Field(
        Decimal(10), description="until the broker is asked again after no or no clear answer"
    )
    apart_seconds: Seconds = Field(Decimal(2), description="least time between two questions")
    max_unanswered: Annotated[int, Field(ge=1)] = Field(3, description="in a row that make a reconciled desk read-only")


class VwapSettings(CapitalSettings):
    """VWAP micro mean reversion (ST-02)."""

    LATER: ClassVar[frozenset[str]] = CapitalSettings.LATER | {"filters", "adaptive"}

    enabled: bool = True
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    entry_deviation: Annotated[Decimal, Field(gt=0, lt=1)] = Field(Decimal("0.003"), description="below VWAP")
    stop_fraction: Annotated[Decimal, Field(gt=0, lt=1)] = Field(Decimal("0.003"), description="below the entry")
    minimum_bars: Annotated[int, Field(ge=1)] = Field(20, description="bars of the session before it looks")
    minimum_volume: NotNegative = Field(Decimal(1000), description="shares of the session before it looks")
    quantity_step: Positive = Field(Decimal("0.001"), description="shares; sizes are rounded down to it")
    stop_holder: HeldStop = Field(
        StopHolder.BROKER, description="broker: a stop order at each fill; desk: the bar rule alone"
    )
    flat_minutes: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    filters: VwapFilters = VwapFilters()
    adaptive: VwapAdaptive = VwapAdaptive()

    @property
    def holds_overnight(self) -> bool:
        return False


class StrategiesSettings(GrowingSettingsTable):
    """Which strategies look at the bars: those of the house, and the user's own, each by a table of its name."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"momentum", "breakout", "mean_reversion", "sma", "own", "folder", "slow_milliseconds", "faults"}
    )

    folder: str = Field("", description="where your own strategies are; empty is `strategies` beside this file")
    slow_milliseconds: Annotated[Decimal, Field(gt=0, le=60_000)] = Field(
        Decimal(50), description="a strategy that takes longer for a bar is shown (ST-07)"
    )
    faults: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, description="bars in a row on which a strategy raised or was too slow, after which it is paused"
    )
    vwap: VwapSettings = VwapSettings()
    momentum: MomentumSettings = MomentumSettings()
    breakout: BreakoutSettings = BreakoutSettings()
    mean_reversion: MeanReversionSettings = MeanReversionSettings()
    sma: SmaSettings = SmaSettings()
    own: dict[str, UserStrategySettings] = Field({}, description="the tables of your own strategies")

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Other tables are the user's strategies."""
        return sorted_out(values, frozenset(cls.model_fields))

    @field_validator("own")
    @classmethod
    def each_has_a_name(cls, own: dict[str, UserStrategySettings]) -> dict[str, UserStrategySettings]:
        for name in own:
            if not OWN_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a strategy: small letters, digits and _, at most 24")
        return own

    @property
    def names(self) -> tuple[str, ...]:
        """Every strategy that has a table: the house's first, then the user's own by name."""
        return (*HOUSE_NAMES, *sorted(self.own))

    def of(self, name: str) -> VwapSettings | TradePlanSettings | UserStrategySettings:
        """The table of a strategy; that of one which is off where nobody wrote one."""
        if name not in HOUSE_NAMES:
            return self.own.get(name) or UserStrategySettings()
        table: VwapSettings | TradePlanSettings = getattr(self, name)
        return table

    def flat_minutes(self, name: str) -> int:
        """Minutes before the close in which it is flat; 0 for one that holds over night."""
        table = self.of(name) if name in self.names else self.vwap
        return 0 if table.holds_overnight else table.flat_minutes

    @model_validator(mode="after")
    def nobody_gets_more_than_there_is(self) -> Self:
        shares = {name: self.of(name).allocation for name in self.names if self.of(name).enabled}
        given = {name: share for name, share in shares.items() if share is not None}
        if (total := sum(given.values(), Decimal(0))) > 1:
            named = " and ".join(f"strategies.{name}.allocation {plain(share)}" for name, share in given.items())
            raise ValueError(f"{named} are {plain(total * 100)} % of equity together; lower one to fit into 100 %")
        return self


class ExchangeSettings(GrowingSettingsTable):
    """The simulated exchange: its accounts, how it treats orders, and what goes wrong there (AN-04)."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"slippage_by_size", "partial_fills", "rejections", "halts", "halt_minutes", "margin_interest"}
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


class AlpacaSettings(SettingsTable):
    """Alpaca: where it is reached and how long it is waited for. Keys never stand here."""

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
        if url and not (url.startswith(("https://", "wss://")) or is_loopback(url)):
            raise ValueError("https or wss; plain http and ws only on this machine (127.0.0.1, localhost, [::1])")
        return url


class DisplaySettings(SettingsTable):
    """The screen."""

    theme: Literal["keyturn", "light", "colour-blind", "high-contrast"] = Field(
        "keyturn", description="dark; light; blue and yellow alone; black and white with 7:1"
    )
    frames: Annotated[int, Field(ge=1, le=10)] = Field(10, description="a second, at most")


class Settings(GrowingSettingsTable):
    """Everything that can be set. The profile gives the defaults; file, environment and command line go over them."""

    LATER: ClassVar[frozenset[str]] = frozenset({"advisers", "confirm", "evaluation", "exits", "orders"})

    profile: Literal["micro", "swing", "freqtrade"] = "micro"
    symbols: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9./]{0,9}$")], ...] = ("SPY",)
    account: AccountSettings = AccountSettings()
    risk: RiskSettings = RiskSettings()
    staging: StagingSettings = StagingSettings()
    confirm: ConfirmSettings = ConfirmSettings()
    execution: ExecutionSettings = ExecutionSettings()
    orders: OrdersSettings = OrdersSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    strategies: StrategiesSettings = StrategiesSettings()
    exits: ExitSettings = ExitSettings()
    exchange: ExchangeSettings = ExchangeSettings()
    alpaca: AlpacaSettings = AlpacaSettings()
    regime: RegimeSettings = RegimeSettings()
    display: DisplaySettings = DisplaySettings()
    advisers: AdvisersSettings = AdvisersSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    keys: dict[str, str] = Field({}, description="other keys, by the identifier of the table's line")

    _odd: HistoricalValue = PrivateAttr(NOTHING_ODD)

    @property
    def odd(self) -> HistoricalValue:
        """What of them today's rules would not take; only settings out of a journal have any."""
        return self._odd

    def note(self, odd: HistoricalValue) -> None:
        """Said by whoever reads them out of a journal."""
        self._odd = odd

    @field_validator("symbols")
    @classmethod
    def each_symbol_once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(symbols)) < len(symbols):
            raise ValueError("must name each symbol once")
        return symbols

    @model_validator(mode="after")
    def window_is_a_window(self) -> Self:
        if self.risk.window_start > self.risk.window_end:
            raise ValueError("risk.window_start is after risk.window_end; change one of the two")
        return self

    @model_validator(mode="after")
    def strategies_look_at_symbols_of_the_desk(self) -> Self:
        for name in self.strategies.names:
            if unknown := sorted(set(self.strategies.of(name).symbols) - set(self.symbols)):
                raise ValueError(
                    f"strategies.{name}.symbols: {', '.join(unknown)}: not among the symbols; "
                    "add it there, or take it out"
                )
        return self


SMALL_ACCOUNT: dict[str, object] = {"max_exposure": "0.8"}
"""A fifth of a small account stays cash (RK-16)."""

PROFILES: dict[str, dict[str, object]] = {
    "micro": {"risk": {"portfolio": SMALL_ACCOUNT}},
    "swing": {
        "exchange": {"cash": "100000", "multiplier": "2"},
        "risk": {
            "per_trade": {"of_equity": "0.005"},
            "min_notional": "500",
            "max_notional": {"of_equity": "0.08"},
            "max_open_positions": 30,
            "daily_loss": {"of_equity": "0.02"},
            "weekly_loss": {"of_equity": "0.04"},
            "entries_a_day": 10,
            "window_start": "09:35",
            "window_end": "15:45",
            "frequency": {"enabled": False},
            "margin": {"holds_overnight": True},
            "portfolio": {"max_exposure": "0.9", "reserve": "10000"},
        },
    },
    "freqtrade": {"risk": {"protections": FREQTRADE, "portfolio": SMALL_ACCOUNT}},
}
"""What each profile lays over the defaults, as a settings file would."""
