"""The regime: one measure of the market for the whole desk, and the entries a day that it allows.

Volatility is the average true range over 14 days, with Wilder's smoothing (J. Welles Wilder, New Concepts in Technical
Trading Systems, 1978), against its own mean of 50 days. Over 1.5 and under 0.8 are the borders of RK-12. The trend is
by the closes' means of 50 and 200 days, the usual pair of charts: up if the close is above both and the fast one above
the slow one, down if all of this is reversed, else sideways.

The slice of the regime: the last measurement, as the whole desk sees it (RK-19).
Only a recorded measurement changes it. An old measurement stays, with its day, until there is a newer one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from core.facts import RegimeMeasured, VixMeasured
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.sizing import (
    UNKNOWN,
    DailyBar,
    DailyValue,
    MarketMeasure,
    NoMarket,
    Regime,
    Trend,
    VixLevel,
    VixReading,
    Volatility,
)
from core.model.values import Price, Symbol
from core.settings.risk import FrequencySettings, RegimeSettings, RiskSettings


@dataclass(frozen=True, slots=True)
class VixLevels:
    """The borders between the levels, in points."""

    low_under: Decimal
    elevated_from: Decimal
    high_over: Decimal


def levels_of(settings: RegimeSettings) -> VixLevels:
    return VixLevels(settings.vix_low, settings.vix_elevated, settings.vix_high)


USUAL = levels_of(RegimeSettings())
"""The default borders; the value on the disk, shared by every process, is measured by them."""
BAND = Decimal(1)
"""Points under a border before the level below it counts.

Our choice: from one close to the next the VIX moves 0.7 points in the median (2008 to 2026), so that a point is more
than a usual day; with it the level changes a third less often.
"""
ORDER = tuple(VixLevel)
REGULAR_FROM, REGULAR_UNTIL = time(9, 30), time(16, 20)
"""The stock market's own hours by its clock; the last value is of 16:15."""
CLOSES = 10
"""Trading days that a reading reports; the settings ask for no more (ST-10)."""


def plain_level(value: Decimal, levels: VixLevels = USUAL) -> VixLevel:
    """Return the level by the borders alone: low < 15, normal 15 to 20, elevated 20 to 30, high > 30 by default."""
    if value > levels.high_over:
        return VixLevel.HIGH
    if value >= levels.elevated_from:
        return VixLevel.ELEVATED
    return VixLevel.LOW if value < levels.low_under else VixLevel.NORMAL


def level_after(value: Decimal, before: VixLevel | None, levels: VixLevels = USUAL) -> VixLevel:
    """Return the level after a new value, given the level before; None if there was none."""
    level = plain_level(value, levels)
    if before is None:
        return level
    held = min(before, plain_level(value + BAND, levels), key=ORDER.index)
    return max(level, held, key=ORDER.index)


def can_leave(value: Decimal, level: VixLevel) -> bool:
    """Return whether a value can result in the level: by the borders, or by a fall of less than a point under it."""
    return level in (plain_level(value), *(level_after(value, before) for before in VixLevel))


def by_levels(reading: VixReading, levels: VixLevels, before: VixLevel | None = None) -> VixReading:
    """Return the reading at its level by these borders.

    A close keeps the level of its whole history by the default borders. A value in the day begins at the level
    `before` it, so that it does not flap either.
    """
    if reading.measured_at is not None and before is not None:
        return replace(reading, level=level_after(reading.value, before, levels))
    return reading if levels == USUAL and reading.measured_at is None else at_levels(reading, levels)


def at_levels(reading: VixReading, levels: VixLevels) -> VixReading:
    """Return the reading at the level of its last closes by these borders, whatever borders it was measured by."""
    own = DailyValue(reading.measured_on, reading.value)
    history = reading.closes if reading.closes and reading.measured_at is None else (*reading.closes, own)
    again = last_reading(history, levels)
    return reading if again is None else replace(reading, level=again.level)


def is_of_regular_hours(reading: VixReading) -> bool:
    """Return whether it is a close, or a value of the hours in which its options are traded much."""
    at = reading.measured_at
    return at is None or REGULAR_FROM <= XNYS.local(at).time() < REGULAR_UNTIL


def lowers(later: VixReading, before: VixReading) -> bool:
    return ORDER.index(later.level) < ORDER.index(before.level)


def last_reading(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> VixReading | None:
    """Return the newest reading; None if the history is empty."""
    last = deque(readings(history, levels), maxlen=1)
    return last[0] if last else None


def readings(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> Iterator[VixReading]:
    """Yield each day's value with its level, in order of time."""
    level: VixLevel | None = None
    closes: deque[DailyValue] = deque(maxlen=CLOSES)
    for day in history:
        level = level_after(day.value, level, levels)
        closes.append(day)
        yield VixReading(day.value, day.day, level, tuple(closes))


ATR_DAYS = 14
AVERAGE_DAYS = 50
"""Days of the range's mean.

Our choice: a season. SPY was over 1.5 × it on one day in twenty (2008 to 2021), for five weeks on end in 2008 and for
six in 2020; over a mean of a year it was for three months in 2011 and again in 2018.
"""
FAST_DAYS, SLOW_DAYS = 50, 200
CONFIRMING_DAYS = 3
"""Closes in a row that must agree on another trend. Our choice: a day or two across an average is noise."""

WILD_OVER, CALM_UNDER = Decimal("1.5"), Decimal("0.8")
WILD_UNTIL, CALM_UNTIL = Decimal("1.35"), Decimal("0.88")
"""A tenth back from the border ends the label. Our choice."""
ENOUGH = SLOW_DAYS + CONFIRMING_DAYS
"""Bars after which every label is known."""
STEP = Decimal("0.000001")
"""Rounding of the range, USD."""


@dataclass(slots=True)
class MarketFold:
    """The state needed to judge the next bar."""

    symbol: Symbol
    bars_to: date | None = None
    close: Price | None = None
    ranges: list[Decimal] = field(default_factory=list)
    atr: Decimal | None = None
    atrs: deque[Decimal] = field(default_factory=lambda: deque(maxlen=AVERAGE_DAYS))
    closes: deque[Price] = field(default_factory=lambda: deque(maxlen=SLOW_DAYS))
    trend: Trend | None = None
    other_trend: Trend | None = None
    other_days: int = 0
    volatility: Volatility | None = None

    def take(self, bar: DailyBar) -> MarketMeasure:
        """Return the labels after one more session.

        Raises
        ------
        ValueError
            The bar is not of a later day than the last.
        """
        if self.bars_to is not None and bar.day <= self.bars_to:
            raise ValueError(f"daily bar of {bar.day} after that of {self.bars_to}")
        self._take_range(bar)
        self.bars_to, self.close = bar.day, bar.close
        self.closes.append(bar.close)
        self._take_trend(bar.close)
        self._take_volatility()
        return MarketMeasure(self.symbol, bar.day, self.trend, self.volatility, self.atr, self.atr_average)

    @property
    def atr_average(self) -> Decimal | None:
        if len(self.atrs) < AVERAGE_DAYS:
            return None
        return (sum(self.atrs, Decimal(0)) / AVERAGE_DAYS).quantize(STEP)

    def _take_range(self, bar: DailyBar) -> None:
        """Add a true range, which spans the gap from the close before; the first bar has none."""
        if self.close is None:
            return
        span = max(bar.high, self.close) - min(bar.low, self.close)
        if self.atr is not None:
            self.atr = ((self.atr * (ATR_DAYS - 1) + span) / ATR_DAYS).quantize(STEP)
        else:
            self.ranges.append(span)
            if len(self.ranges) < ATR_DAYS:
                return
            self.atr = (sum(self.ranges, Decimal(0)) / ATR_DAYS).quantize(STEP)
            self.ranges.clear()
        self.atrs.append(self.atr)

    def _take_trend(self, close: Price) -> None:
        if len(self.closes) < SLOW_DAYS:
            return
        found = _trend(close, _mean(list(self.closes)[-FAST_DAYS:]), _mean(list(self.closes)))
        if self.trend is None or found is self.trend:
            self.trend, self.other_trend, self.other_days = found, None, 0
            return
        self.other_days = self.other_days + 1 if found is self.other_trend else 1
        self.other_trend = found
        if self.other_days >= CONFIRMING_DAYS:
            self.trend, self.other_trend, self.other_days = found, None, 0

    def _take_volatility(self) -> None:
        average = self.atr_average
        if self.atr is None or not average:
            return
        ratio = self.atr / average
        wild = WILD_UNTIL if self.volatility is Volatility.WILD else WILD_OVER
        calm = CALM_UNTIL if self.volatility is Volatility.CALM else CALM_UNDER
        if ratio > wild:
            self.volatility = Volatility.WILD
        else:
            self.volatility = Volatility.CALM if ratio < calm else Volatility.USUAL


def market_of(symbol: Symbol, bars: Iterable[DailyBar]) -> MarketMeasure | NoMarket:
    """Return the labels after the last of these bars."""
    fold, market = MarketFold(symbol), None
    for bar in bars:
        market = fold.take(bar)
    return market or NoMarket(f"there are no daily bars of {symbol}")


def _trend(close: Decimal, fast: Decimal, slow: Decimal) -> Trend:
    if close > fast > slow:
        return Trend.UP
    return Trend.DOWN if close < fast < slow else Trend.SIDEWAYS


def _mean(prices: list[Price]) -> Decimal:
    return sum(prices, Decimal(0)) / len(prices)


OLDEST = timedelta(days=7)
"""Bars that ended earlier say nothing about a day. Our choice: the longest recent closure, in 2001, was shorter."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Allowed entries per day and strategy, with the reason."""

    entries: int
    reason: str
    is_shut: bool = False


def entries_allowed(profile: int, market: MarketMeasure | NoMarket, day: date, terms: FrequencySettings) -> Allowance:
    """Return the profile's entries a day; none if the range is wide, one more if it is narrow.

    Only sessions before `day` count. Without them the profile's figure applies; a profile of none stays at none.
    """
    if not terms.enabled:
        return Allowance(profile, "the profile's")
    if isinstance(market, NoMarket):
        return _of_the_profile(profile, market.reason)
    if not timedelta(0) < day - market.bars_to <= OLDEST:
        return Allowance(profile, f"the profile's: the daily bars of {market.symbol} end {market.bars_to:%d %B %Y}")
    ratio = market.atr_ratio
    if ratio is None:
        return Allowance(profile, f"the profile's: {market.symbol} has too few daily bars for an average range")
    measured = f"{market.symbol}'s range is {ratio:.2f} × its average"
    if ratio > terms.none_over:
        return Allowance(0, f"{measured}, over {terms.none_over}: none today", is_shut=True)
    if ratio < terms.one_more_under and profile > 0:
        return Allowance(profile + 1, f"{measured}, under {terms.one_more_under}: one more")
    return Allowance(profile, f"{measured}: the profile's")


@lru_cache(maxsize=8)
def _of_the_profile(profile: int, why: str) -> Allowance:
    """Until there is a measure: cached, because it is the same for each order of a day."""
    return Allowance(profile, f"the profile's: {why}")


@dataclass(slots=True)
class RegimeState:
    regime: Regime = UNKNOWN


class RegimeBook:
    name = "regime"

    def __init__(self, settings: Callable[[], RiskSettings]) -> None:
        self.settings = settings
        self.state = RegimeState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            RegimeMeasured: self._measured,
            VixMeasured: self._vix_measured,
        }

    def restore(self, state: RegimeState) -> None:
        self.state = state

    @property
    def regime(self) -> Regime:
        return self.state.regime

    def allowance(self, day: date) -> Allowance:
        """Return the entries that a strategy may have on this trading day (RK-12)."""
        risk = self.settings()
        return entries_allowed(risk.entries_a_day, self.regime.market, day, risk.frequency)

    def _measured(self, _at: datetime, fact: RegimeMeasured) -> None:
        self.state.regime = fact.regime

    def _vix_measured(self, _at: datetime, fact: VixMeasured) -> None:
        self.state.regime = with_vix(self.state.regime, fact)


def with_vix(regime: Regime, fact: VixMeasured) -> Regime:
    """Return the regime with a later value of the VIX; its level and closes stay."""
    if not isinstance(regime.vix, VixReading):
        return regime
    later = replace(regime.vix, value=fact.value, measured_on=fact.measured_on, measured_at=fact.measured_at)
    return replace(regime, vix=later)


Label = Trend | Volatility


@dataclass(frozen=True, slots=True)
class RegimeChange:
    """From the close of `day` on, `what` (vix, trend, volatility) is `after`; `before` is None for the first label.

    `measure` is the VIX in points, or the range against its average; None for a trend.
    """

    day: date
    what: str
    before: str | None
    after: str
    measure: Decimal | None


def vix_changes(history: Iterable[DailyValue], levels: VixLevels = USUAL) -> Iterator[RegimeChange]:
    last: VixReading | None = None
    for reading in readings(history, levels):
        if last is None or reading.level is not last.level:
            before = last.level.value if last is not None else None
            yield RegimeChange(reading.measured_on, "vix", before, reading.level.value, reading.value)
        last = reading


def market_changes(symbol: Symbol, bars: Iterable[DailyBar]) -> Iterator[RegimeChange]:
    """Yield changes of trend and of volatility, in order of time."""
    fold = MarketFold(symbol)
    trend: Trend | None = None
    volatility: Volatility | None = None
    for bar in bars:
        market = fold.take(bar)
        yield from _change(market, "trend", trend, market.trend, None)
        yield from _change(market, "volatility", volatility, market.volatility, market.atr_ratio)
        trend, volatility = market.trend, market.volatility


def _change(
    market: MarketMeasure, what: str, before: Label | None, after: Label | None, measure: Decimal | None
) -> Iterator[RegimeChange]:
    if after is not None and after is not before:
        yield RegimeChange(market.bars_to, what, before.value if before is not None else None, after.value, measure)


HUNDREDTH = Decimal("0.01")
LONG = 120
"""Minutes from which an age is shown in hours."""


@dataclass(frozen=True, slots=True)
class Look:
    """A report of the regime.

    Attributes
    ----------
    failure
        Why there is no newer VIX; empty if the request succeeded.
    seen_at
        When the source of the VIX was looked at, UTC; None if it is from a file, or unknown.
    """

    regime: Regime
    changes: tuple[RegimeChange, ...]
    allowance: Allowance
    failure: str = ""
    seen_at: datetime | None = None


def in_words(regime: Regime) -> str:
    """As in `VIX 18.70 of 2026-07-23, normal; SPY of 2026-07-23: trend up, volatility usual, range 0.93 ×
    its average`.
    """
    return f"{vix_in_words(regime)}; {market_in_words(regime)}"


def vix_in_words(regime: Regime) -> str:
    vix = regime.vix
    if not isinstance(vix, VixReading):
        return f"VIX unknown: {vix.reason}"
    return f"VIX {points(vix.value)} of {vix.when}, {vix.level.value}"


def when_in_words(vix: VixReading, at: datetime) -> str:
    """As in `at the close 1 d ago`; for a value in the day, as in `at 14:05, 17 min ago` with the clock's name."""
    ago = ago_in_words(vix, at)
    return f"at the close {ago}" if vix.measured_at is None else f"at {XNYS.told(vix.measured_at)}, {ago}"


def ago_in_words(vix: VixReading, at: datetime) -> str:
    days = (XNYS.day_of(at) - vix.measured_on).days
    minutes = minutes_ago(vix, at)
    if minutes is None or days > 1:
        return f"{days} d ago"
    return f"{minutes} min ago" if minutes < LONG else f"{minutes // 60} h ago"


def minutes_ago(vix: VixReading, at: datetime) -> int | None:
    """Return the age of a value in the day; None for a close."""
    return None if vix.measured_at is None else max(0, int((at - vix.measured_at).total_seconds()) // 60)


def market_in_words(regime: Regime) -> str:
    market = regime.market
    if not isinstance(market, MarketMeasure):
        return f"market unknown: {market.reason}"
    trend = market.trend.value if market.trend else "not known yet"
    volatility = market.volatility.value if market.volatility else "not known yet"
    ratio = market.atr_ratio
    measured = "" if ratio is None else f", range {ratio:.2f} × its average"
    return f"{market.symbol} of {market.bars_to}: trend {trend}, volatility {volatility}{measured}"


def change_in_words(change: RegimeChange) -> str:
    """As in `2020-02-24 vix normal → elevated at 25.03`."""
    at = "" if change.measure is None else f" at {points(change.measure)}"
    return f"{change.day} {change.what} {change.before or 'unknown'} → {change.after}{at}"


def in_lines(look: Look) -> Iterator[str]:
    """Yield one line per change, then the current regime."""
    yield from (change_in_words(change) for change in look.changes)
    vix, seen_at = look.regime.vix, look.seen_at
    age = f", {ago_in_words(vix, seen_at)}" if seen_at is not None and isinstance(vix, VixReading) else ""
    yield vix_in_words(look.regime) + age
    if look.failure and look.failure not in vix_in_words(look.regime):
        yield f"no newer VIX: {look.failure}"
    yield market_in_words(look.regime)
    yield f"entries a day and strategy: {look.allowance.entries}, {look.allowance.reason}"


def as_json(look: Look) -> dict[str, object]:
    """Return plain values; figures are text, to the hundredth."""
    return {
        "vix": {**_vix(look.regime, look.seen_at), "failure": look.failure or None},
        "market": _market(look.regime),
        "entries_a_day": {"allowed": look.allowance.entries, "reason": look.allowance.reason},
        "changes": [
            {
                "day": change.day.isoformat(),
                "what": change.what,
                "from": change.before,
                "to": change.after,
                "measure": None if change.measure is None else points(change.measure),
            }
            for change in look.changes
        ],
    }


def _vix(regime: Regime, seen_at: datetime | None) -> dict[str, object]:
    vix = regime.vix
    if not isinstance(vix, VixReading):
        return {"value": None, "level": "unknown", "measured_on": None, "age_days": None, "reason": vix.reason}
    return {
        "value": points(vix.value),
        "level": vix.level.value,
        "measured_on": vix.measured_on.isoformat(),
        "measured_at": None if vix.measured_at is None else vix.measured_at.isoformat(),
        "age_days": None if seen_at is None else (XNYS.day_of(seen_at) - vix.measured_on).days,
        "age_minutes": None if seen_at is None else minutes_ago(vix, seen_at),
    }


def _market(regime: Regime) -> dict[str, object]:
    market = regime.market
    if not isinstance(market, MarketMeasure):
        return {"symbol": None, "reason": market.reason}
    return {
        "symbol": market.symbol,
        "bars_to": market.bars_to.isoformat(),
        "trend": market.trend.value if market.trend else "unknown",
        "volatility": market.volatility.value if market.volatility else "unknown",
        "atr": None if market.atr is None else str(market.atr),
        "atr_average": None if market.atr_average is None else str(market.atr_average),
        "atr_ratio": None if market.atr_ratio is None else points(market.atr_ratio),
    }


def points(value: Decimal) -> str:
    return str(value.quantize(HUNDREDTH))
