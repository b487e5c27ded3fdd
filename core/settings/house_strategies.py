"""The built-in strategies, one table each: VWAP is on, the others are off by default (ST-02 to ST-06)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from core.model.order import StopHolder
from core.model.session import HOME
from core.settings.types import GrowingSettingsTable, NotNegative, Positive, Ratio, SettingsTable

Bars = Annotated[int, Field(ge=1, le=10_000)]
Times = Annotated[Decimal, Field(gt=0, le=100)]


def held_by_somebody(holder: StopHolder) -> StopHolder:
    if holder is StopHolder.YOU:
        raise ValueError("broker or desk; no strategy leaves its stop to you")
    return holder


HeldStop = Annotated[StopHolder, AfterValidator(held_by_somebody)]


class VwapFilters(SettingsTable):
    """Further conditions for a dip below VWAP, so that a marginal one is skipped (ST-06)."""

    enabled: bool = False
    distance: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal("1.5"), description="least distance from VWAP, in entry deviations; 0 asks for none"
    )
    bar_volume: NotNegative = Field(Decimal(100_000), description="shares that the bar must trade more than")
    slope_bars: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        15, description="VWAP must be higher than so many bars before; 0 asks for no slope"
    )


class VwapAdaptive(SettingsTable):
    """Thresholds that widen and narrow with the market's own moves, in a backtest and nowhere else (ST-06).

    The entry deviation and the stop fraction of the settings are for a market of the usual volatility. That of SPY, a
    deviation of 1 % a day, is about its average of the last decades.
    """

    enabled: bool = False
    days: Annotated[int, Field(ge=5, le=250)] = Field(20, description="daily returns that the volatility is taken of")
    usual: Annotated[Decimal, Field(gt=0, lt=1)] = Field(
        Decimal("0.01"), description="standard deviation of a daily return, at which nothing is scaled"
    )
    least: Annotated[Decimal, Field(gt=0, lt=1)] = Field(Decimal("0.002"), description="no threshold is narrower")
    most: Annotated[Decimal, Field(gt=0, lt=1)] = Field(Decimal("0.006"), description="no threshold is wider")

    @model_validator(mode="after")
    def bounds_are_in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(
                "strategies.vwap.adaptive.least exceeds strategies.vwap.adaptive.most; change one of the two"
            )
        return self


class CapitalSettings(GrowingSettingsTable):
    """A strategy's share of the account; without an allocation it uses the common capital (ST-08)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"allocation", "position_part"})

    allocation: Annotated[Decimal, Field(gt=0, le=1)] | None = Field(
        None, description="of equity, its own share; not set: it shares all of it with the others"
    )
    position_part: Annotated[Decimal, Field(gt=0, le=1)] = Field(
        Decimal(1), description="of its allocation, the most that one position may cost"
    )


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


class TradePlanSettings(CapitalSettings):
    """Common settings of strategies with a plan: symbols, size, stop and target."""

    enabled: bool = False
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    requires_recommendation: bool = Field(False, description="enters on what the operator adopted, and on nothing else")
    price_tolerance: Ratio = Field(Decimal("0.005"), description="an adopted entry further from the close waits")
    range_bars: Bars = Field(14, description="bars of the average true range that stop and target are measured by")
    stop_ranges: Times = Field(Decimal(2), description="average true ranges from the entry to the stop")
    target_ranges: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(3), description="average true ranges from the entry to the target; 0 is no target"
    )
    quantity_step: Positive = Field(Decimal("0.001"), description="shares; sizes are rounded down to it")
    stop_holder: HeldStop = Field(
        StopHolder.BROKER, description="broker: a stop order at each fill; desk: the bar rule alone"
    )
    flat_minutes: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    holds_overnight: bool = Field(False, description="it need not be flat by the close")


class MomentumSettings(TradePlanSettings):
    """Momentum: buys a rise on volume, and exits when it ends (ST-04)."""

    bars: Bars = Field(10, description="bars over which the gain is measured")
    minimum_gain: Ratio = Field(Decimal("0.003"), description="over those bars")
    strength_bars: Bars = Field(14, description="of the relative strength index")
    strength_limit: Annotated[Decimal, Field(gt=0, le=100)] = Field(
        Decimal(80), description="a higher index says that the rise is spent; 100 is no limit"
    )
    volume_bars: Bars = Field(20, description="of the average volume")
    volume_factor: NotNegative = Field(Decimal("1.2"), description="least volume of the bar, in averages")


class BreakoutSettings(TradePlanSettings):
    """Breakout: buys a close over the highest price of the bars before; exits when it falls back (ST-04)."""

    bars: Bars = Field(20, description="bars whose highest price is the level")
    buffer: Ratio = Field(Decimal("0.0005"), description="over the level, for a close to be a breakout")
    confirming_bars: Bars = Field(5, description="a close under the level within so many: the breakout was false")
    counted_bars: Bars = Field(
        HOME.session_minutes,
        description="bars in which false breakouts are counted: a session; of bars of days 60, a quarter",
    )
    maximum_false: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="as many of them shut the symbol")
    volume_bars: Bars = Field(20, description="of the average volume")
    volume_factor: NotNegative = Field(Decimal("1.2"), description="least volume of the bar, in averages")


class MeanReversionSettings(TradePlanSettings):
    """Mean reversion: buys far below the average, sells when it is back or took too long (ST-04)."""

    bars: Annotated[int, Field(ge=2, le=10_000)] = Field(20, description="bars of the average and its deviation")
    deviations: Times = Field(Decimal(2), description="below the average, for an entry")
    target_ranges: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(0), description="average true ranges from the entry to the target; 0: the average is the target"
    )
    max_hold_hours: Annotated[Decimal, Field(gt=0, le=10_000)] = Field(
        Decimal(2), description="by the clock, nights and weekends included; a longer position is sold"
    )


class SmaSettings(TradePlanSettings):
    """SMA crossover: buys when a fast average crosses over a slow one, sells when it crosses back (ST-05)."""

    pairs: Annotated[tuple[tuple[Bars, Bars], ...], Field(min_length=1, max_length=20)] = Field(
        ((5, 15), (10, 30), (20, 50)), description="bars of the fast and the slow average"
    )
    regime_filter: bool = Field(True, description="enters only while the close is above the average of regime_bars")
    regime_bars: Bars = Field(200, description="of the average that says which way the market goes")
    minimum_confidence: Ratio = Field(Decimal("0.6"), description="0 to 1; a weaker crossing is ignored")
    target_ranges: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(0), description="average true ranges from the entry to the target; 0: the crossing back ends it"
    )

    @field_validator("pairs")
    @classmethod
    def fast_before_slow(cls, pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        if any(fast >= slow for fast, slow in pairs):
            raise ValueError("each pair is a shorter and a longer average, as in [[20, 50]]")
        if len(set(pairs)) < len(pairs):
            raise ValueError("must name each pair once")
        return pairs
