"""What a strategy would do on each bar, whatever is held: the parts that all have in common, and the SMA crossover.

Averages are sums of integers, so a crossing is exact. The confidence of a crossing is compared as a float only where it
is far from the least one; near it, the engine's own strategy answers for the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

import numpy as np
from pydantic import BaseModel

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.signal import EntrySignal
from core.model.values import Money, Price, Quantity, rounded_down
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars, moment
from core.research.kernel.layout import CLOSE, ENTERS, HIGH, LEAVES, LOW, PRICE_UNITS, Integers, compiled
from core.research.kernel.sizes import PLAN_UNITS, RANGE_BARS, STOP_RANGES, TARGET_RANGES
from core.settings.strategies import SmaSettings, TradePlanSettings
from core.strategies.base import Context
from core.strategies.base import Strategy as EngineStrategy
from core.strategies.sma import SmaStrategy


@dataclass(frozen=True, slots=True)
class Plan:
    """The terms of an entry, USD: `way` is the distance to the stop before that is rounded."""

    limit: Decimal
    stop: Decimal
    way: Decimal
    target: Decimal | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What of a position's own state ends it, beside the signals of the bars.

    Attributes
    ----------
    reason
        Of an exit by a signal.
    level_bars
        A close under the highest price of so many bars before the entry's bar leaves; 0 for none.
    longest
        The time in microseconds after which it leaves; 0 for none.
    """

    reason: int = reg.BY_SIGNAL
    level_bars: int = 0
    longest: int = 0


class Strategy(Protocol):
    """A strategy of the kernel.

    Attributes
    ----------
    name
        The name of its settings table.
    """

    @property
    def name(self) -> str: ...

    @property
    def leaving(self) -> Leaving: ...

    @property
    def signal_terms(self) -> Sequence[object]:
        """Return everything that signals depend on beside the bars; empty if they are not to be kept."""
        ...

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        """Write for each bar 0 or 1 + the rule that enters, and the rules that leave, a bit for each.

        Return whether they depend on `signal_terms` alone, and on no plan.
        """
        ...

    def plan(self, bars: KernelBars, bar: int) -> Plan | None:
        """Return the terms of an entry on a bar; None if it has none."""
        ...

    def write_terms(self, terms: Integers) -> Integers:
        """Write how the loop plans an entry into its terms; return limit, stop and target of each bar, or no row.

        A strategy that writes nothing is asked for the plan of each entry.
        """
        ...


# ── what all have in common ──────────────────────────────────────────────────────────────────────────────────────────

UNSURE = 1 << 20
"""Marks a bar on which the engine's own strategy has to answer."""
NO_LIMIT = Money(Decimal(10**9))


def settle(make: Callable[[], EngineStrategy], bars: KernelBars, signals: Integers) -> bool:
    """Let the engine's own strategy answer on each marked bar, from as many bars before it as it needs.

    Return whether no bar is marked: the engine's strategy looks at its plan as well.
    """
    enters, numbers = signals[ENTERS], bars.columns[reg.SESSION]
    marked = np.flatnonzero(enters >= UNSURE)
    for bar in map(int, marked):
        strategy = make()
        needed = getattr(strategy, "bars_needed", 0)
        first = max(bar - needed + 1, 0) if needed else int(np.searchsorted(numbers, numbers[bar]))
        answer = None
        for number in range(first, bar + 1):
            answer = strategy.on_bar(_bar(bars, number), _free_to_enter(bars, number))
        enters[bar] = enters[bar] - UNSURE + 1 if isinstance(answer, EntrySignal) else 0
    return not len(marked)


def terms_without(terms: BaseModel, *names: str) -> Sequence[object]:
    """Return a strategy's settings with their names, except for some."""
    return [type(terms), *(each for each in terms if each[0] not in names)]


def _bar(bars: KernelBars, number: int) -> Bar:
    rows = (reg.OPEN, reg.HIGH, reg.LOW, reg.CLOSE)
    opened, high, low, close = (Price(Decimal(int(bars.columns[row][number])) / PRICE_UNITS) for row in rows)
    volume = Quantity(Decimal(int(bars.columns[reg.VOLUME][number])))
    return Bar(bars.symbol, moment(int(bars.columns[reg.START][number])), opened, high, low, close, volume)


def _free_to_enter(bars: KernelBars, number: int) -> Context:
    """Return a context without a position, in which the bars alone decide."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    session = bars.sessions[int(bars.columns[reg.SESSION][number])]
    return Context(session, ((first, last),), last, 1, XNYS, risk_per_trade=NO_LIMIT, max_notional=NO_LIMIT)


class ByRanges:
    """A strategy whose stop and target are average ranges away."""

    _terms: TradePlanSettings

    @property
    def signal_terms(self) -> Sequence[object]:
        return terms_without(self._terms, "stop_ranges", "target_ranges")

    def plan(self, bars: KernelBars, bar: int) -> Plan | None:
        terms = self._terms
        average = average_range(bars, bar, terms.range_bars)
        close = Decimal(int(bars.columns[CLOSE][bar])) / PRICE_UNITS
        return planned(close, average * terms.stop_ranges, average * terms.target_ranges)

    def write_terms(self, terms: Integers) -> Integers:
        """Plan by average ranges, if the settings are whole numbers of the kernel's units."""
        settings = self._terms
        ranges = (settings.stop_ranges * PLAN_UNITS, settings.target_ranges * PLAN_UNITS)
        if all(number == int(number) for number in ranges):
            terms[RANGE_BARS] = settings.range_bars
            terms[STOP_RANGES], terms[TARGET_RANGES] = map(int, ranges)
        return np.zeros((0, 3), np.int64)


# ── the SMA crossover ────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def crossings(close: Integers, pairs: Integers, enters: Integers, leaves: Integers) -> None:
    """Write each pair's crossings; of those of one bar, the last pair's decides whether it enters."""
    for rule in range(len(pairs)):
        fast, slow = pairs[rule, 0], pairs[rule, 1]
        if len(close) <= slow:
            continue
        before = close[slow - fast : slow].sum() * slow - close[:slow].sum() * fast
        new, left_fast = close[slow:], close[slow - fast :]
        for bar in range(len(new)):
            price = new[bar]
            gap = before + (price - left_fast[bar]) * slow - (price - close[bar]) * fast
            if gap > 0 and before <= 0:
                enters[slow + bar] = 1 + rule
            elif gap < 0 and before >= 0:
                enters[slow + bar] = 0
                leaves[slow + bar] |= 1 << rule
            before = gap


@compiled
def confidence_of(close: Integers, pairs: Integers, bar: int, rule: int) -> float:
    """Return the confidence of an upward crossing, nearly."""
    agreeing = 0
    for number in range(len(pairs)):
        fast, slow = pairs[number, 0], pairs[number, 1]
        last = close[max(bar - slow + 1, 0) : bar + 1]
        if len(last) == slow and last[slow - fast :].sum() * slow > last.sum() * fast:
            agreeing += 1
    slow = pairs[rule, 1]
    mean, squares = close[bar - slow + 1 : bar + 1].sum() / slow, 0.0
    for back in range(slow):
        way = close[bar - back] - mean
        squares += way * way
    confidence = agreeing / len(pairs)
    deviation = np.sqrt(squares / slow)
    if deviation > 0.0:
        far = min(max((close[bar] - mean) / (2.0 * deviation), 0.0), 1.0)
        confidence += (1.0 if close[bar] > close[bar - slow] else 0.0) + far
    return float(confidence / 3.0)


@compiled
def sift(close: Integers, pairs: Integers, range_bars: int, regime_bars: int, least: float, enters: Integers) -> None:
    """Keep the entries that are warm, in the right regime and confident; `regime_bars` 0 is no filter."""
    warm = max(range_bars, pairs[0, 1])
    for bar in range(len(close)):
        if enters[bar] == 0:
            continue
        rule = enters[bar] - 1
        enters[bar] = 0
        if bar < max(warm, regime_bars - 1):
            continue
        if regime_bars and close[bar] * regime_bars <= close[bar - regime_bars + 1 : bar + 1].sum():
            continue
        confidence = confidence_of(close, pairs, bar, rule) if least > 0.0 else 1.0
        if confidence >= least - 0.005 + 1e-7:
            enters[bar] = 1 + rule
        elif confidence > least - 0.005 - 1e-7:
            enters[bar] = UNSURE + rule


class SmaCrossover(ByRanges):
    """The strategy `sma`, by its settings."""

    name = "sma"
    leaving = Leaving()

    def __init__(self, terms: SmaSettings) -> None:
        self._terms: SmaSettings = terms
        self._pairs = sorted(terms.pairs, key=lambda pair: (pair[1], pair[0]))

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        terms, close = self._terms, bars.columns[CLOSE]
        enters, leaves = signals[ENTERS], signals[LEAVES]
        regime = terms.regime_bars if terms.regime_filter else 0
        pairs = np.array(self._pairs, np.int64)
        crossings(close, pairs, enters, leaves)
        sift(close, pairs, terms.range_bars, regime, float(terms.minimum_confidence), enters)
        return settle(lambda: SmaStrategy(terms), bars, signals)


def average_range(bars: KernelBars, bar: int, length: int) -> Decimal:
    """Return the mean of the last true ranges, as `core.strategies.indicators.AverageRange` does."""
    high, low, close = (bars.columns[number] for number in (HIGH, LOW, CLOSE))
    last = slice(bar - length + 1, bar + 1)
    before = close[bar - length : bar]
    total = int((np.maximum(high[last], before) - np.minimum(low[last], before)).sum())
    return Decimal(total) / PRICE_UNITS / length


def planned(close: Decimal, way: Decimal, aim: Decimal) -> Plan | None:
    """Return the terms of an entry at a close, as `TradePlanStrategy` sets them; None without room for a stop."""
    limit = rounded_down(close, STOCK_TICKS.at(close))
    stop = STOCK_TICKS.nearest(limit - way)
    if not 0 < stop < limit:
        return None
    target = STOCK_TICKS.nearest(limit + aim) if aim else None
    return Plan(limit, stop, way, None if target == limit else target)
