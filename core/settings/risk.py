"""Limits on entries: of an order, of the account, of conduct, of sizes and of the regime.

The defaults limit nothing, because older journals had no such control. Every profile sets limits.

If no requirement names a figure, the docstring of its table gives the source.
"""

from __future__ import annotations

from datetime import time
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.model.session import HOME
from core.settings.protections import ProtectionsSettings
from core.settings.types import (
    LARGEST_AMOUNT,
    MOST_ENTRIES,
    AmountSettings,
    GrowingSettingsTable,
    LessIsLooser,
    MoreIsLooser,
    NotNegative,
    Positive,
    Ratio,
    Seconds,
    SettingsTable,
    TimeOfDay,
    Trades,
    Url,
    no_direction,
    strictest,
)

ANY_DEFICITS = 1000
"""A number of deficit days that means they are not counted."""


class MarginSettings(GrowingSettingsTable):
    """The distance to maintenance that a margin account must keep (RK-14); a cash account has none.

    The distances are our choice: an account with twice its equity in positions, at a requirement of 0.3, is at 0.40; a
    fall of all its holdings by a sixth brings it to 0.25, by a quarter to 0.10.

    Since 2026-06-04 a margin deficit within the day is a call, and an unmet one brings a freeze of 90 days (FINRA 4210,
    SR-FINRA-2025-017). That the third day with one within 90 ends borrowing here is our choice.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"deficit_limit", "deficit_days"})

    warn_at: tuple[Ratio, ...] = Field(
        (Decimal("0.25"), Decimal("0.10")), description="distances to maintenance that warn, as shares of equity"
    )
    refuse_at: LessIsLooser[Ratio] = Field(
        Decimal(0), description="an entry that would leave less is refused; 0: one under maintenance"
    )
    holds_overnight: LessIsLooser[bool] = Field(
        False, description="true: an entry over the night's buying power is refused; false: it warns"
    )
    deficit_limit: MoreIsLooser[Annotated[int, Field(ge=1, le=ANY_DEFICITS)]] = Field(
        ANY_DEFICITS, description="days with a margin deficit at which nothing more is borrowed; 1000 counts none"
    )
    deficit_days: LessIsLooser[Annotated[int, Field(ge=1, le=366)]] = Field(90, description="days in which they count")

    @property
    def counts_deficits(self) -> bool:
        return self.deficit_limit < ANY_DEFICITS


UNLIMITED = Decimal(10)
"""An exposure that limits nothing: no account can borrow so much."""


Multiple = Annotated[Decimal, Field(gt=0, le=UNLIMITED)]
"""Of equity."""


class PortfolioSettings(GrowingSettingsTable):
    """The largest exposure of all positions, of a symbol and of a sector (RK-16, RK-23).

    The defaults limit nothing; every profile sets limits.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"symbol_exposure", "sector_exposure"})

    max_exposure: MoreIsLooser[Multiple] = Field(
        UNLIMITED, description="value of all positions, long and short, as a multiple of equity; 10 limits nothing"
    )
    reserve: LessIsLooser[NotNegative] = Field(Decimal(0), description="USD; entries leave as much buying power free")

    symbol_exposure: MoreIsLooser[Multiple] = Field(
        UNLIMITED, description="value of one symbol, as a multiple of equity; 10 limits nothing"
    )
    sector_exposure: MoreIsLooser[Multiple] = Field(
        UNLIMITED, description="value of one sector of sectors.toml, as a multiple of equity; 10 limits nothing"
    )

    @property
    def limits_concentration(self) -> bool:
        return self.symbol_exposure < UNLIMITED or self.sector_exposure < UNLIMITED

    @property
    def limits_nothing(self) -> bool:
        return self.max_exposure == UNLIMITED and not self.reserve


class HoursSettings(SettingsTable):
    """Separate limits for hours with thin books and inactive stops (RK-20); the half is our choice."""

    part: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="of risk.per_trade and of risk.max_notional")
    spread_limit: MoreIsLooser[Ratio] = Field(
        Decimal("0.002"), description="of mid; a wider one refuses limit orders too"
    )


class SessionSettings(SettingsTable):
    """Hours in which entries are allowed (RK-20).

    With `include_extended` a limit order typed in extended hours acts in them, within their limits. Strategies enter in
    the regular session alone. No crypto is traded yet: its limits have no effect.
    """

    policy: Annotated[Literal["regular_only", "include_extended"], strictest("regular_only")] = Field(
        "regular_only", description="which hours typed entries may have; strategies enter in regular hours alone"
    )
    extended: HoursSettings = HoursSettings()
    crypto: HoursSettings = HoursSettings()


ANY_PRICE = Decimal(1)
"""A band that refuses no price."""
ANY_SPREAD = Decimal(1000)
"""A multiple of the usual spread that refuses no market order."""


class CollarSettings(SettingsTable):
    """The price collar of entries (RK-23). 3 %, 10 spreads and 15 % are the requirement's own figures.

    5 % in five minutes is the band of the exchanges' own Limit Up-Limit Down plan for the most traded shares.
    """

    band: MoreIsLooser[Ratio] = Field(
        ANY_PRICE, description="an entry that would pay more than this over the middle of the quote; 1 refuses none"
    )
    spreads: MoreIsLooser[Annotated[Decimal, Field(ge=1, le=ANY_SPREAD)]] = Field(
        ANY_SPREAD, description="a market entry at more than so many usual spreads of its symbol; 1000 refuses none"
    )
    period_band: MoreIsLooser[Ratio] = Field(
        ANY_PRICE, description="an entry that would pay more than this over the price of then; 1 refuses none"
    )
    period_minutes: Annotated[int, Field(ge=1, le=30)] = Field(5, description="before now, when that price was")
    passive_band: MoreIsLooser[Ratio] = Field(
        Decimal("0.15"), description="a price that rests further away warns, where risk.collar.band is below 1"
    )

    @property
    def is_on(self) -> bool:
        """Whether it replaces `risk.price_band`."""
        return self.band < ANY_PRICE


ANY_QUANTITY = Decimal(LARGEST_AMOUNT)
"""A number of shares that limits no order."""
ALL_OF_IT = Decimal(1)
"""A part of the volume that limits no order."""


class OrderSizeSettings(SettingsTable):
    """The largest number of shares of an order (RK-23). 1 % of the average volume is the requirement's own figure."""

    shares: MoreIsLooser[Positive] = Field(ANY_QUANTITY, description="shares an order; 1000000000 limits nothing")
    of_volume: MoreIsLooser[Ratio] = Field(
        ALL_OF_IT, description="of the average volume of twenty days, an order; 1 limits nothing"
    )


LONGEST_TWIN = 3600
"""Seconds for which entries are remembered."""
SHORTEST_TWIN = 1
"""No one confirms twice within less, so that nothing would be a twin."""


MOST_MESSAGES = 1_000_000
Messages = Annotated[int, Field(ge=1, le=MOST_MESSAGES)]


class MessageSettings(SettingsTable):
    """Messages to the broker; entries leave a reserve for reducing orders (RK-24).

    Messages are submissions, replacements and cancels.
    """

    enabled: LessIsLooser[bool] = True
    per_second: MoreIsLooser[Messages] = Field(50, description="messages to the broker")
    per_minute: MoreIsLooser[Messages] = Field(
        180, description="the same; no more than the broker takes, which at Alpaca is 200"
    )
    per_day: MoreIsLooser[Messages] = Field(10_000, description="the same of a trading day")
    reserve: LessIsLooser[Annotated[Decimal, Field(ge=0, le=Decimal("0.9"))]] = Field(
        Decimal("0.25"), description="of each, kept for exits and cancels; it leaves entries one at least"
    )

    @model_validator(mode="after")
    def entries_may_use_one(self) -> Self:
        """Refuse a limit that is all reserve, which would refuse every entry for good."""
        for name in ("per_second", "per_minute", "per_day"):
            if beside_the_reserve(getattr(self, name), self.reserve) < 1:
                least = int((1 / (1 - self.reserve)).to_integral_value(ROUND_CEILING))
                raise ValueError(
                    f"{name} leaves entries no message beside the reserve; give it {least} or more, or reserve less"
                )
        return self


def beside_the_reserve(limit: int, reserve: Decimal) -> int:
    """Return the part of a limit that is not reserved for exits and cancels."""
    return limit - int((limit * reserve).to_integral_value(ROUND_CEILING))


class TwinSettings(SettingsTable):
    """Entries like a recent one, which need the word TWIN (RK-25)."""

    enabled: LessIsLooser[bool] = True
    seconds: LessIsLooser[Annotated[Decimal, Field(gt=0, le=LONGEST_TWIN)]] = Field(
        Decimal(60), description="older ones are no twins; less than 1 counts as off"
    )
    quantity: LessIsLooser[Ratio] = Field(Decimal("0.10"), description="a quantity that differs by no more is like it")
    price: LessIsLooser[Ratio] = Field(Decimal("0.002"), description="a price that differs by no more is like it")


class SelfCrossSettings(SettingsTable):
    """Entries that would meet an order of one's own (RK-25)."""

    enabled: LessIsLooser[bool] = True


class FrequencySettings(SettingsTable):
    """Entries a day by SPY's range against its average (RK-12)."""

    enabled: bool = Field(True, description="false: entries_a_day whatever the range is")
    none_over: MoreIsLooser[Positive] = Field(Decimal("1.5"), description="of the average: no entry that day")
    one_more_under: MoreIsLooser[Positive] = Field(Decimal("0.8"), description="of the average: one entry more")


CBOE = "https://cdn.cboe.com/api/global/us_indices/daily_prices/VIX_History.csv"
"""The exchange's own file of every close of the VIX, public and without a key."""
CBOE_NOW = "https://cdn.cboe.com/api/global/delayed_quotes/quotes/_VIX.json"
"""The exchange's own value of the VIX in the day, 15 minutes late, public and without a key."""


Points = Annotated[Decimal, Field(gt=0, le=200)]


class RegimeSettings(GrowingSettingsTable):
    """The measure of the market (RK-19)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"vix_low", "vix_elevated", "vix_high", "vix_now_url"})

    vix_low: Annotated[Points, no_direction("nothing is sized by it: low and normal are traded alike")] = Field(
        Decimal(15), description="points of the VIX; under them it is low"
    )
    vix_elevated: MoreIsLooser[Points] = Field(
        Decimal(20), description="points from which it is elevated, and sizes shrink"
    )
    vix_high: MoreIsLooser[Points] = Field(
        Decimal(30), description="points over which it is high, and sizes shrink further"
    )
    vix_url: Url = Field(CBOE, description="a CSV with DATE and CLOSE; empty: the VIX is not asked for")
    vix_now_url: Url = Field(
        CBOE_NOW, description="a JSON with the value in the day, as Cboe's delayed quote; empty: closes alone"
    )
    connect_seconds: Seconds = Field(Decimal(3), description="until a connection stands")
    read_seconds: Seconds = Field(Decimal(5), description="until the next piece of the answer")
    answer_seconds: Seconds = Field(Decimal(15), description="until the whole answer has come")

    @model_validator(mode="after")
    def levels_rise(self) -> Self:
        if not self.vix_low <= self.vix_elevated <= self.vix_high:
            raise ValueError("regime.vix_low, vix_elevated and vix_high: none may be over the next")
        return self


class AtrSettings(SettingsTable):
    """Two average ranges are a usual distance of a stop; 14 bars is Wilder's own figure."""

    enabled: LessIsLooser[bool] = True
    multiple: LessIsLooser[Positive] = Field(
        Decimal(2), description="average ranges; a nearer stop is sized as if it stood there"
    )
    bars: Annotated[int, Field(ge=2, le=1000)] = Field(14, description="one-minute bars that it is averaged over")


class VixSettings(SettingsTable):
    """The ratio of the middle of the normal range, 17.5, to the middle of the elevated range, 25, and to 35."""

    enabled: LessIsLooser[bool] = True
    elevated: MoreIsLooser[Ratio] = Field(Decimal("0.7"), description="factor where VIX is elevated")
    high: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="factor where VIX is high")

    @model_validator(mode="after")
    def fear_makes_nothing_larger(self) -> Self:
        if self.high > self.elevated:
            raise ValueError(
                "risk.sizing.vix.high exceeds risk.sizing.vix.elevated; a size must not rise with the VIX; change one"
            )
        return self


class TrendSettings(SettingsTable):
    """Half the risk against SPY's trend or in a volatile market: as much as a high VIX leaves."""

    enabled: LessIsLooser[bool] = False
    against: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="factor of an entry against the trend")
    volatile: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="factor where SPY's range is wild")


class CorrelationSettings(SettingsTable):
    """Two positions that move together have one risk: half of it each. Twenty days are a month of trading."""

    enabled: LessIsLooser[bool] = True
    limit: MoreIsLooser[Ratio] = Field(Decimal("0.7"), description="a higher correlation with a position cuts (RK-16)")
    factor: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="factor where it does")
    days: Annotated[int, Field(ge=3, le=60)] = Field(
        20, description="newest daily returns in common; fewer are not judged"
    )


class ThrottleSettings(SettingsTable):
    """After a part of a loss limit the risk of a trade is less (RK-11)."""

    daily_part: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="of the daily limit, lost")
    daily_factor: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="factor from there on")
    weekly_part: MoreIsLooser[Ratio] = Field(Decimal("0.6"), description="of the weekly limit, lost")
    weekly_factor: MoreIsLooser[Ratio] = Field(Decimal("0.25"), description="factor from there on")


class KellySettings(SettingsTable):
    """Thirty trades are the fewest with a useful mean; the last hundred describe the current strategy."""

    enabled: bool = False
    fraction: MoreIsLooser[Ratio] = Field(Decimal("0.5"), description="of what Kelly's formula allows: half-Kelly")
    trade_limit: Trades = Field(30, description="closed trades of the strategy; fewer are not judged")


class SizingSettings(GrowingSettingsTable):
    """The terms that scale the risk of a trade, and the bound of all of them together."""

    LATER: ClassVar[frozenset[str]] = frozenset({"trend"})

    atr: AtrSettings = AtrSettings()
    vix: VixSettings = VixSettings()
    trend: TrendSettings = TrendSettings()
    correlation: CorrelationSettings = CorrelationSettings()
    throttle: ThrottleSettings = ThrottleSettings()
    kelly: KellySettings = KellySettings()
    budget: MoreIsLooser[Ratio] = Field(Decimal("0.15"), description="of equity, lost if every stop fills (RK-21)")
    raise_to_minimum: MoreIsLooser[bool] = Field(
        False, description="a size under the smallest order becomes it where every limit allows (RK-18)"
    )


DAILY, WEEKLY = "daily_loss", "weekly_loss"
"""The settings of the two loss limits, and the names of their protections."""


class RiskSettings(GrowingSettingsTable):
    """Limits on entries (RK)."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "several_strategies_a_symbol",
            *("collar", "order_size", "max_day_value", "sectors"),
            *("messages", "self_cross", "twins"),
        }
    )

    per_trade: MoreIsLooser[AmountSettings] = Field(
        AmountSettings(usd=Decimal("1.50"), of_equity=None), description="loss at the stop (RK-02)"
    )
    min_notional: NotNegative = Field(Decimal(1), description="smallest order, USD")
    max_notional: MoreIsLooser[AmountSettings] = Field(
        AmountSettings(usd=Decimal(50), of_equity=None), description="largest order"
    )
    max_day_value: MoreIsLooser[AmountSettings] = Field(
        AmountSettings(usd=Decimal(LARGEST_AMOUNT), of_equity=None),
        description="all entries of a day; 1000000000 USD limit nothing (RK-23)",
    )
    max_open_positions: MoreIsLooser[Annotated[int, Field(ge=1, le=1000)]] = Field(
        1, description="positions at a time (EX-08)"
    )
    several_strategies_a_symbol: MoreIsLooser[bool] = Field(
        False, description="true: strategies may hold a symbol side by side, each with its own position (EX-08)"
    )
    daily_loss: MoreIsLooser[AmountSettings] = Field(
        AmountSettings(usd=Decimal(10), of_equity=None), description="blocks entries for the day (RK-03)"
    )
    weekly_loss: MoreIsLooser[AmountSettings] = Field(
        AmountSettings(usd=Decimal(25), of_equity=None), description="blocks entries for the week (RK-03)"
    )
    entries_a_day: MoreIsLooser[Annotated[int, Field(ge=0, le=MOST_ENTRIES)]] = Field(
        1, description="entries a day and strategy"
    )
    window_start: LessIsLooser[TimeOfDay] = Field(
        time(10, 0), description=f"first bar start for an entry, {HOME.name} (RK-07)"
    )
    window_end: MoreIsLooser[TimeOfDay] = Field(
        time(11, 30), description=f"last bar start for an entry, {HOME.name}, included"
    )
    on_missing_equity: Annotated[Literal["refuse", "allow"], strictest("refuse")] = Field(
        "refuse",
        description="entries without an account value; allow: every check that needs it lets them pass, and says so",
    )
    spread_limit: MoreIsLooser[Ratio] = Field(Decimal("0.002"), description="of mid (RK-17)")
    spread_of_stop_limit: MoreIsLooser[Ratio] = Field(Decimal("0.20"), description="of the way to the stop (RK-17)")
    quote_age_seconds: MoreIsLooser[Seconds] = Field(Decimal(15), description="older blocks a market entry (RK-17)")
    quote_age_seconds_iex: MoreIsLooser[Seconds] = Field(Decimal(60), description="the same on the IEX feed")
    price_band: MoreIsLooser[Ratio] = Field(
        Decimal("0.05"), description="a limit further from the quote warns; risk.collar takes its place (EX-11)"
    )
    clock_skew_seconds: MoreIsLooser[Seconds] = Field(Decimal(1), description="more between desk and broker warns")
    clock_wrong_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(15), description="more between desk and broker refuses entries"
    )
    clock_jump_seconds: MoreIsLooser[Seconds] = Field(
        Decimal(2), description="a jump of this machine's clock that shuts entries"
    )
    clock_steady_seconds: LessIsLooser[Seconds] = Field(
        Decimal(2), description="without another jump, after which they pass again once the broker's clock agrees"
    )
    collar: CollarSettings = CollarSettings()
    order_size: OrderSizeSettings = OrderSizeSettings()
    margin: MarginSettings = MarginSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    session: SessionSettings = SessionSettings()
    messages: MessageSettings = MessageSettings()
    twins: TwinSettings = TwinSettings()
    self_cross: SelfCrossSettings = SelfCrossSettings()
    protections: ProtectionsSettings = ProtectionsSettings()
    frequency: FrequencySettings = FrequencySettings()
    sizing: SizingSettings = SizingSettings()
    sectors: dict[str, str] = Field({}, description="the sector of each symbol, out of sectors.toml (RK-23)")

    @model_validator(mode="after")
    def some_order_is_neither_too_small_nor_too_large(self) -> Self:
        if self.max_notional.usd is not None and self.min_notional > self.max_notional.usd:
            raise ValueError(
                "risk.min_notional exceeds risk.max_notional, so that no order passes; change one of the two"
            )
        return self
