"""Settings of strategies: one table each, their evaluation, and the exit rules (ST-02, ST-06, ST-10, ST-09).

The settings table of a user strategy: the desk's keys, and those of the strategy itself.
Its own settings are in the journal as plain values, so that they decode when the strategy's file is gone (SP-03).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from core.model.order import StopHolder
from core.model.session import HOME
from core.model.values import exact_percent, plain
from core.settings.entry_windows import WrittenWindow, joined
from core.settings.types import (
    LARGEST_AMOUNT,
    MOST_ENTRIES,
    AmountSettings,
    AnyChangeIsLooser,
    Direction,
    GrowingSettingsTable,
    LessIsLooser,
    Looser,
    MoreIsLooser,
    MoreOrZeroIsLooser,
    NotNegative,
    Positive,
    Ratio,
    SettingsTable,
    Trades,
    no_direction,
    strictest,
)

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


EntryWindows = Annotated[tuple[WrittenWindow, ...], Field(max_length=48), AfterValidator(joined)]
NO_LIMIT = AmountSettings(usd=Decimal(LARGEST_AMOUNT), of_equity=None)


class StrategyLimits(GrowingSettingsTable):
    """Limits of one strategy; the account's hold as well, so that a looser figure here changes nothing (RK-07)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"windows", "per_trade", "max_notional", "entries_a_day", "daily_loss"})

    windows: Annotated[EntryWindows, Looser(Direction.WIDER)] = Field(
        (), description=f"bar starts of its entries, {HOME.name}, both ends included; none: the account's window"
    )
    per_trade: MoreIsLooser[AmountSettings] = Field(
        NO_LIMIT, description=f"loss at the stop; {LARGEST_AMOUNT} USD: the account's limit"
    )
    max_notional: MoreIsLooser[AmountSettings] = Field(
        NO_LIMIT, description=f"largest order; {LARGEST_AMOUNT} USD: the account's limit"
    )
    entries_a_day: MoreIsLooser[Annotated[int, Field(ge=0, le=MOST_ENTRIES)]] = Field(
        MOST_ENTRIES, description=f"entries a day; {MOST_ENTRIES}: the account's limit, which is for each strategy"
    )
    daily_loss: MoreIsLooser[AmountSettings] = Field(
        NO_LIMIT, description=f"its loss of the day that blocks its entries; {LARGEST_AMOUNT} USD: the account's alone"
    )


class CapitalSettings(GrowingSettingsTable):
    """A strategy's share of the account, and its limits; without an allocation it uses the common capital (ST-08)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"allocation", "position_part", "limits"})

    allocation: Annotated[
        Annotated[Decimal, Field(gt=0, le=1)] | None,
        no_direction("it changes at a day's start alone, within the whole of equity (ST-08)"),
    ] = Field(None, description="of equity, its own share; not set: it shares all of it with the others")
    position_part: MoreIsLooser[Annotated[Decimal, Field(gt=0, le=1)]] = Field(
        Decimal(1), description="of its allocation, the most that one position may cost"
    )
    limits: StrategyLimits = StrategyLimits()


class VwapSettings(CapitalSettings):
    """VWAP micro mean reversion (ST-02)."""

    LATER: ClassVar[frozenset[str]] = CapitalSettings.LATER | {"filters", "adaptive"}

    enabled: bool = True
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    entry_deviation: Annotated[Decimal, Field(gt=0, lt=1)] = Field(Decimal("0.003"), description="below VWAP")
    stop_fraction: MoreIsLooser[Annotated[Decimal, Field(gt=0, lt=1)]] = Field(
        Decimal("0.003"), description="below the entry"
    )
    minimum_bars: Annotated[int, Field(ge=1)] = Field(20, description="bars of the session before it looks")
    minimum_volume: NotNegative = Field(Decimal(1000), description="shares of the session before it looks")
    quantity_step: Positive = Field(Decimal("0.001"), description="shares; sizes are rounded down to it")
    stop_holder: Annotated[HeldStop, strictest(StopHolder.BROKER)] = Field(
        StopHolder.BROKER, description="broker: a stop order at each fill; desk: the bar rule alone"
    )
    flat_minutes: LessIsLooser[Annotated[int, Field(ge=0, le=HOME.session_minutes)]] = Field(
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
    requires_recommendation: LessIsLooser[bool] = Field(
        False, description="enters on what the operator adopted, and on nothing else"
    )
    price_tolerance: Ratio = Field(Decimal("0.005"), description="an adopted entry further from the close waits")
    range_bars: Bars = Field(14, description="bars of the average true range that stop and target are measured by")
    stop_ranges: Times = Field(Decimal(2), description="average true ranges from the entry to the stop")
    target_ranges: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(3), description="average true ranges from the entry to the target; 0 is no target"
    )
    quantity_step: Positive = Field(Decimal("0.001"), description="shares; sizes are rounded down to it")
    stop_holder: Annotated[HeldStop, strictest(StopHolder.BROKER)] = Field(
        StopHolder.BROKER, description="broker: a stop order at each fill; desk: the bar rule alone"
    )
    flat_minutes: LessIsLooser[Annotated[int, Field(ge=0, le=HOME.session_minutes)]] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    holds_overnight: MoreIsLooser[bool] = Field(False, description="it need not be flat by the close")


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
    max_hold_hours: MoreIsLooser[Annotated[Decimal, Field(gt=0, le=10_000)]] = Field(
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


OWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
"""The name of a user strategy; its file has the same name."""


ALIKE = 0.7
"""Similarity of two names, 0 to 1, from which one counts as a misspelling of the other."""


class UserStrategySettings(CapitalSettings):
    """A user strategy: the desk's keys; the rest are the strategy's own."""

    enabled: bool = False
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    flat_minutes: LessIsLooser[Annotated[int, Field(ge=0, le=HOME.session_minutes)]] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    holds_overnight: MoreIsLooser[bool] = Field(False, description="it need not be flat by the close")
    terms: dict[str, JsonValue] = Field({}, description="what the strategy itself reads")

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep unknown keys as the strategy's own."""
        known = {key: value for key, value in values.items() if key in cls.model_fields}
        given = {key: as_plain(value) for key, value in values.items() if key not in cls.model_fields}
        return {**known, "terms": {**known.get("terms", {}), **given}} if given else known


def is_of_the_user(name: str, files: Collection[str], house: Collection[str]) -> bool:
    """Return whether a table under `strategies` can be a user strategy's: its file exists, or no built-in name is
    similar.

    A missing file does not keep the desk from starting, and a misspelled built-in name is reported. So is a table that
    could be meant for all strategies, or for what no strategy opens: its limits would hold for nothing.
    """
    is_of_none = name in OF_NO_STRATEGY or name in CapitalSettings.model_fields
    is_new = not is_of_none and not get_close_matches(name, house, 1, ALIKE)
    return bool(OWN_NAME.fullmatch(name)) and (name in files or is_new)


def sorted_out(values: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    """Move unknown tables of `strategies` to the user's own; a value that is no table stays, to be refused."""
    own = {key: value for key, value in values.items() if key not in known and isinstance(value, Mapping)}
    named = values.get("own", {})
    if not own or not isinstance(named, Mapping):
        return values
    return {**{key: v for key, v in values.items() if key not in own}, "own": {**named, **own}}


def as_plain(value: object) -> Any:
    """Convert a value of a settings file to JSON; decimals and times become their exact text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(inner) for inner in value]
    return value


EvaluationDays = Annotated[int, Field(ge=1, le=366)]
Sharpe = Annotated[Decimal, Field(ge=-100, le=100)]
PROPOSES = no_direction("proposes alone")


class EvaluationSettings(SettingsTable):
    """The evaluation of strategies after the close: which are retired, paused, or proposed for more."""

    enabled: LessIsLooser[bool] = Field(True, description="strategies are judged once a trading day")
    minutes_after_close: Annotated[int, Field(ge=1, le=360), no_direction("when it is judged")] = Field(
        30, description="when, after the session's close"
    )
    least_days: MoreIsLooser[EvaluationDays] = Field(
        14, description="from its first trade, before a strategy is judged"
    )
    window_days: Annotated[EvaluationDays, no_direction("a longer window counts more good and more bad trades")] = (
        Field(30, description="calendar days of trades that count")
    )
    least_trades: MoreIsLooser[Trades] = Field(10, description="of them, for a win rate")
    losses_in_a_row: MoreIsLooser[Trades] = Field(10, description="retire it")
    least_sharpe: LessIsLooser[Sharpe] = Field(
        Decimal("0.5"), description="a year; a lower Sharpe ratio retires it, compared a session: / √252"
    )
    least_win_rate: LessIsLooser[Ratio] = Field(Decimal("0.40"), description="a lower win rate retires it")
    more_over_sharpe: Annotated[Sharpe, PROPOSES] = Field(
        Decimal("1.5"), description="as least_sharpe; more, with the two beside it, is proposed for more"
    )
    more_over_win_rate: Annotated[Ratio, PROPOSES] = Field(Decimal("0.60"), description="see more_over_sharpe")
    more_over_profit_factor: Annotated[Positive, PROPOSES] = Field(Decimal("1.8"), description="see more_over_sharpe")
    more: Annotated[Ratio, PROPOSES] = Field(
        Decimal("0.10"), description="of the allocation, by which it is proposed to grow; 0 never"
    )
    regime_trades: MoreIsLooser[Trades] = Field(10, description="of a strategy in one regime, before that is judged")
    vix_over: MoreIsLooser[Positive] = Field(Decimal(30), description="points, on each of vix_days: strategies pause")
    vix_days: MoreIsLooser[Annotated[int, Field(ge=1, le=10)]] = Field(5, description="closes of the VIX in a row")
    vix_under: MoreIsLooser[Positive] = Field(Decimal(25), description="points; a lower close ends that pause")


OF_NO_STRATEGY = frozenset({"manual", "broker"})
"""Owners of positions from manual orders, or taken over from the broker's books."""
Days = Annotated[int, Field(ge=0, le=3660)]


class ExitSettings(SettingsTable):
    """Exits for positions of strategies, beside the strategy's own (ST-09).

    A stop or a target that came with the entry stays as confirmed; `stop` and `profit_target` are for entries without
    one.
    """

    enabled: LessIsLooser[bool] = True
    not_for: AnyChangeIsLooser[tuple[str, ...]] = Field(("vwap",), description="strategies whose own rules rule alone")
    profit_target: Annotated[Ratio, no_direction("where a gain is taken: what is lost stays bounded by the stop")] = (
        Field(Decimal("0.02"), description="gain at which the profit is taken; 0: none")
    )
    stop: MoreOrZeroIsLooser[Ratio] = Field(
        Decimal("0.01"), description="loss at which shares are sold that no stop covers; 0: none"
    )
    trail: MoreOrZeroIsLooser[Ratio] = Field(
        Decimal(0), description="behind the best price since the entry; 0: no trailing stop"
    )
    trail_from: MoreIsLooser[Ratio] = Field(
        Decimal(0), description="gain that the best price must show before it trails"
    )
    stale_days: MoreOrZeroIsLooser[Days] = Field(
        5, description="days of the calendar; held longer, it must show stale_gain; 0: never"
    )
    stale_gain: LessIsLooser[Ratio] = Field(
        Decimal("0.02"), description="gain that keeps a position which is held for long"
    )
    max_days: MoreOrZeroIsLooser[Days] = Field(
        0, description="days of the calendar that anything is held at most; 0: no limit"
    )
    flat_minutes: LessIsLooser[Annotated[int, Field(ge=0, le=HOME.session_minutes)]] = Field(
        5, description="minutes before the close to be flat, where the strategy holds nothing over night"
    )
    manual: LessIsLooser[bool] = Field(
        False, description="watch what was typed, or taken over from the broker, too; w in Positions chooses for one"
    )
    overnight: AnyChangeIsLooser[tuple[str, ...]] = Field(
        (), description="strategies that hold over night, beside those whose table says so"
    )

    def of(self, strategy: str, *, is_stop_ours: bool, is_watched: bool | None = None) -> ExitSettings | None:
        """Return the terms for a strategy's positions; None if only its own rules apply.

        A stop that a manual ticket left to this desk is watched, even if everything else is off.
        """
        if self.guards(strategy, is_watched=is_watched):
            return self
        return ONLY_THE_STOP if is_stop_ours and strategy in OF_NO_STRATEGY else None

    def guards(self, strategy: str, *, is_watched: bool | None = None) -> bool:
        """Return whether the rules apply to this strategy's positions; `is_watched` is the choice for one of yours."""
        is_left_out = strategy in OF_NO_STRATEGY and not (self.manual if is_watched is None else is_watched)
        return self.enabled and not is_left_out and strategy not in self.not_for


ONLY_THE_STOP = ExitSettings(profit_target=Decimal(0), stop=Decimal(0), stale_days=0)
"""Only the stop that came with the entry."""


HOUSE_NAMES = ("vwap", "momentum", "breakout", "mean_reversion", "sma")
"""The built-in strategies, by the name of their table."""


class StrategiesSettings(GrowingSettingsTable):
    """The strategies: built-in ones and your own, each with a table of its name."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"momentum", "breakout", "mean_reversion", "sma", "own", "folder", "slow_milliseconds", "faults"}
    )

    folder: str = Field("", description="where your own strategies are; empty is `strategies` beside this file")
    slow_milliseconds: MoreIsLooser[Annotated[Decimal, Field(gt=0, le=60_000)]] = Field(
        Decimal(50), description="a strategy that takes longer for a bar is shown (ST-07)"
    )
    faults: MoreIsLooser[Annotated[int, Field(ge=1, le=1000)]] = Field(
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
        """Treat unknown tables as those of user strategies."""
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
        """Every strategy that has a table: built-in ones first, then the user's by name."""
        return (*HOUSE_NAMES, *sorted(self.own))

    def of(self, name: str) -> VwapSettings | TradePlanSettings | UserStrategySettings:
        """Return the table of a strategy; a disabled one if there is none."""
        if name not in HOUSE_NAMES:
            return self.own.get(name) or UserStrategySettings()
        table: VwapSettings | TradePlanSettings = getattr(self, name)
        return table

    @model_validator(mode="after")
    def nobody_gets_more_than_there_is(self) -> Self:
        shares = {name: self.of(name).allocation for name in self.names if self.of(name).enabled}
        given = {name: share for name, share in shares.items() if share is not None}
        if (total := sum(given.values(), Decimal(0))) > 1:
            named = " and ".join(f"strategies.{name}.allocation {plain(share)}" for name, share in given.items())
            raise ValueError(f"{named} are {exact_percent(total)} of equity together; lower one to fit into 100 %")
        return self
