"""The built-in strategies but the SMA crossover, compiled: where each enters and leaves, whatever is held (AN-08).

Sums are integers. A comparison of quotients is a float only where it is further from its limit than its largest error;
elsewhere the bar is marked, and the engine's own strategy answers for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from core.model.instrument import STOCK_TICKS
from core.model.values import rounded_down
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars
from core.research.kernel.layout import ENTERS, LEAVES, PRICE_UNITS, RATE_UNITS, Integers, allocating, compiled
from core.research.kernel.quotes import highest
from core.research.kernel.signals import (
    UNSURE,
    ByRanges,
    Leaving,
    Plan,
    SmaCrossover,
    Strategy,
    settle,
    terms_without,
)
from core.research.kernel.sizes import BY_FRACTION, RANGE_BARS, STOP_RANGES, Floats, side_of
from core.settings.settings import Settings
from core.settings.strategies import BreakoutSettings, MeanReversionSettings, MomentumSettings, VwapSettings
from core.strategies.breakout import BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.momentum import MomentumStrategy
from core.strategies.vwap_mean_reversion import VwapStrategy

MICROSECOND = timedelta(microseconds=1)
LEFT_OPEN = 1e-6
"""The relative distance from a limit of deviations within which a float does not decide."""
MOST_STRENGTH = 100
"""No index of relative strength is higher, so that as a limit it is none."""


def strategy_of(settings: Settings) -> Strategy:
    """Return the enabled built-in strategy, the SMA crossover if none is."""
    terms = settings.strategies
    if terms.vwap.enabled:
        return VwapReversion(terms.vwap)
    if terms.momentum.enabled:
        return Momentum(terms.momentum)
    if terms.breakout.enabled:
        return Breakout(terms.breakout)
    return MeanReversion(terms.mean_reversion) if terms.mean_reversion.enabled else SmaCrossover(terms.sma)


# ── mean reversion ───────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def reversions(close: Integers, length: int, range_bars: int, deviations: float, signals: Integers) -> None:
    """Write where a close is far below its average, and where it is not below it."""
    total, warm = 0, max(length - 1, range_bars)
    for bar in range(len(close)):
        price = close[bar]
        total += price
        if bar >= length:
            total -= close[bar - length]
        if bar < length - 1:
            continue
        below = total - length * price
        if below <= 0:
            signals[LEAVES, bar] = 1
            continue
        if bar < warm:
            continue
        squares = 0.0
        for back in range(length):
            way = float(close[bar - back] - price)
            squares += way * way
        part = float(below) * float(below)
        reached = deviations * deviations * (length * squares - part) / part
        if reached < 1.0 - LEFT_OPEN:
            signals[ENTERS, bar] = 1
        elif reached < 1.0 + LEFT_OPEN:
            signals[ENTERS, bar] = UNSURE


class MeanReversion(ByRanges):
    """The strategy `mean_reversion`, by its settings."""

    name = "mean_reversion"

    def __init__(self, terms: MeanReversionSettings) -> None:
        self._terms: MeanReversionSettings = terms
        longest = timedelta(hours=float(terms.max_hold_hours)) // MICROSECOND
        self.leaving = Leaving(reg.BY_REVERSION, longest=longest)

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        terms = self._terms
        reversions(bars.columns[reg.CLOSE], terms.bars, terms.range_bars, float(terms.deviations), signals)
        return settle(lambda: MeanReversionStrategy(terms), bars, signals)


# ── momentum ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def thinness(volume: int, total: int, length: int, factor: float) -> int:
    """Return -1 for a volume of less than a factor of the mean, 1 for more, 0 if a float cannot tell."""
    return side_of(float(volume) * length / total, factor) if total else 1


@compiled
def momenta(bars: Integers, lengths: Integers, least_gain: int, most: float, factor: float, signals: Integers) -> None:
    """Write where the price has risen fast on volume, and where it is no higher than some bars before."""
    over, changes, traded = lengths[0], lengths[1], lengths[2]
    close, volume = bars[reg.CLOSE], bars[reg.VOLUME]
    rises, falls, total = 0, 0, 0
    warm = max(over, changes, traded - 1, lengths[3])
    for bar in range(len(close)):
        price = close[bar]
        total += volume[bar]
        if bar >= traded:
            total -= volume[bar - traded]
        if bar > 0:
            change = price - close[bar - 1]
            rises, falls = rises + max(change, 0), falls + max(-change, 0)
        if bar > changes:
            change = close[bar - changes] - close[bar - changes - 1]
            rises, falls = rises - max(change, 0), falls - max(-change, 0)
        if bar < over:
            continue
        before = close[bar - over]
        if price <= before:
            signals[LEAVES, bar] = 1
        if bar < warm or price * RATE_UNITS < before * (RATE_UNITS + least_gain):
            continue
        both = rises + falls
        strength = 100.0 * rises / both if both else 50.0
        is_strong, is_thick = side_of(strength, most), thinness(volume[bar], total, traded, factor)
        if is_strong <= 0 and is_thick >= 0:
            signals[ENTERS, bar] = UNSURE if is_strong == 0 or is_thick == 0 else 1


class Momentum(ByRanges):
    """The strategy `momentum`, by its settings."""

    name = "momentum"
    leaving = Leaving()

    def __init__(self, terms: MomentumSettings) -> None:
        self._terms: MomentumSettings = terms

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        terms = self._terms
        lengths = np.array((terms.bars, terms.strength_bars, terms.volume_bars, terms.range_bars), np.int64)
        most = np.inf if terms.strength_limit >= MOST_STRENGTH else float(terms.strength_limit)
        momenta(bars.columns, lengths, int(terms.minimum_gain * RATE_UNITS), most, float(terms.volume_factor), signals)
        return settle(lambda: MomentumStrategy(terms), bars, signals)


# ── breakout ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@allocating
def breakouts(bars: Integers, lengths: Integers, buffer: int, factor: float, signals: Integers) -> None:
    """Write where a close breaks out over the bars before it, unless too many of the last breakouts were false."""
    length, traded, confirming, counted, most_false = lengths[0], lengths[1], lengths[2], lengths[3], lengths[5]
    high, close, volume = bars[reg.HIGH], bars[reg.CLOSE], bars[reg.VOLUME]
    levels, begun = np.zeros(confirming + 1, np.int64), np.zeros(confirming + 1, np.int64)
    proved = np.zeros(len(close), np.int16)
    undecided, false, total, level, was_over = 0, 0, 0, 0, False
    warm = max(lengths[4], length, traded - 1)
    for bar in range(len(close)):
        price = close[bar]
        total += volume[bar]
        if bar >= traded:
            total -= volume[bar - traded]
        if bar >= counted:
            false -= proved[bar - counted]
        kept = 0
        for number in range(undecided):
            if price < levels[number]:
                proved[bar] += 1
            elif bar - begun[number] < confirming:
                levels[kept], begun[kept] = levels[number], begun[number]
                kept += 1
        undecided = kept
        false += proved[bar]
        if bar < length:
            continue
        if bar == length or high[bar - length - 1] == level:
            level = highest(high, bar - length, bar)
        else:
            level = max(level, high[bar - 1])
        is_over = price * RATE_UNITS > level * (RATE_UNITS + buffer)
        is_new, was_over = is_over and not was_over, is_over
        if not is_new:
            continue
        levels[undecided], begun[undecided] = level, bar
        undecided += 1
        if bar >= warm and false < most_false:
            side = thinness(volume[bar], total, traded, factor)
            if side >= 0:
                signals[ENTERS, bar] = 1 if side else UNSURE


class Breakout(ByRanges):
    """The strategy `breakout`, by its settings."""

    name = "breakout"

    def __init__(self, terms: BreakoutSettings) -> None:
        self._terms: BreakoutSettings = terms
        self.leaving = Leaving(level_bars=terms.bars)

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        terms = self._terms
        lengths = (terms.bars, terms.volume_bars, terms.confirming_bars, terms.counted_bars, terms.range_bars)
        whole = np.array((*lengths, terms.maximum_false), np.int64)
        breakouts(bars.columns, whole, int(terms.buffer * RATE_UNITS), float(terms.volume_factor), signals)
        return settle(lambda: BreakoutStrategy(terms), bars, signals)


# ── VWAP mean reversion ──────────────────────────────────────────────────────────────────────────────────────────────


@allocating
def dips(bars: Integers, least: Integers, parts: Floats, signals: Integers) -> None:
    """Write where a close is far enough below its session's VWAP, and where it is not below it.

    `least` has bars and volume of the session, volume of the bar, and bars of the slope, 0 without; `parts` are of
    VWAP: the entry's, and the filter's.
    """
    close, volume, numbers = bars[reg.CLOSE], bars[reg.VOLUME], bars[reg.SESSION]
    size = least[3] + 1
    earlier = np.zeros((size, 2), np.float64)
    count, traded, weighted, session = 0, 0, 0, -1
    for bar in range(len(close)):
        if numbers[bar] != session:
            count, traded, weighted, session = 0, 0, 0, numbers[bar]
        count += 1
        traded += volume[bar]
        weighted += (bars[reg.HIGH, bar] + bars[reg.LOW, bar] + close[bar]) * volume[bar]
        earlier[count % size, 0], earlier[count % size, 1] = weighted, traded
        if traded == 0:
            continue
        if 3 * close[bar] * traded >= weighted:
            signals[LEAVES, bar] = 1
            continue
        if count < least[0] or traded < least[1] or volume[bar] <= least[2]:
            continue
        of_vwap = 3.0 * close[bar] * traded / weighted
        side = max(side_of(of_vwap, parts[0]), side_of(of_vwap, parts[1]))
        if size > 1 and side <= 0:
            before = earlier[(count + 1) % size]
            if count < size or before[1] == 0.0:
                continue
            side = max(side, -side_of(weighted * (before[1] / before[0]), float(traded)))
        if side <= 0:
            signals[ENTERS, bar] = 1 if side else UNSURE


class VwapReversion:
    """The strategy `vwap`, by its settings; thresholds that adapt are not modelled."""

    name = "vwap"
    leaving = Leaving(reg.BY_REVERSION)

    def __init__(self, terms: VwapSettings) -> None:
        self._terms = terms

    @property
    def signal_terms(self) -> Sequence[object]:
        return terms_without(self._terms, "stop_fraction")

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        terms, filters = self._terms, self._terms.filters
        volume = int(terms.minimum_volume.to_integral_value(ROUND_CEILING))
        of_bar = int(filters.bar_volume.to_integral_value(ROUND_FLOOR)) if filters.enabled else -1
        least = np.array((terms.minimum_bars, volume, of_bar, filters.slope_bars if filters.enabled else 0), np.int64)
        distance = terms.entry_deviation * (filters.distance if filters.enabled else 0)
        dips(bars.columns, least, np.array((1 - float(terms.entry_deviation), 1 - float(distance))), signals)
        return settle(lambda: VwapStrategy(terms), bars, signals)

    def plan(self, bars: KernelBars, bar: int) -> Plan | None:
        close = Decimal(int(bars.columns[reg.CLOSE][bar])) / PRICE_UNITS
        limit = rounded_down(close, STOCK_TICKS.at(close))
        stop = STOCK_TICKS.nearest(limit * (1 - self._terms.stop_fraction))
        return Plan(limit, stop, limit * self._terms.stop_fraction, None) if 0 < stop < limit else None

    def write_terms(self, terms: Integers) -> Integers:
        """Plan by a fraction of the price, if it is a whole number of the kernel's units."""
        fraction = self._terms.stop_fraction * RATE_UNITS
        if fraction == int(fraction):
            terms[RANGE_BARS], terms[STOP_RANGES] = BY_FRACTION, int(fraction)
        return np.zeros((0, 3), np.int64)
