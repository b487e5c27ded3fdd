"""SMA crossover: buy when a fast average crosses over a slow one, sell when the same pair crosses back (ST-05).

If several pairs cross on one bar the slowest is used. The confidence of a crossing is from 0 to 1: the mean of the
share of pairs on its side, whether the slow average moves in its direction, and the distance of the close from the slow
average, in units of two standard deviations of that window. The weights are our choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap

from core.model.bar import Bar
from core.model.order import Side
from core.model.signal import ExitReason, NoTrade, NoTradeReason
from core.model.values import CENT, ZERO
from core.settings.strategies import SmaSettings
from core.strategies.base import NO_SETUP, Context, Figures, text
from core.strategies.indicators import AverageRange, Deviation, Mean
from core.strategies.trade_plan import Setup, TradePlanState, TradePlanStrategy

WRONG_REGIME = NoTrade(NoTradeReason.WRONG_REGIME)
LOW_CONFIDENCE = NoTrade(NoTradeReason.LOW_CONFIDENCE)
ONE, TWO, THREE = Decimal(1), Decimal(2), Decimal(3)


@dataclass(slots=True)
class Pair:
    """A fast and a slow average, and their difference at the last bar and before.

    Attributes
    ----------
    gap, gap_before
        Fast less slow, multiplied by both lengths so that no digit is lost; None until the slow window is full.
    slope
        The slow window's gain at the last bar, USD times its length.
    """

    fast: Mean
    slow: Deviation
    gap: Decimal | None = None
    gap_before: Decimal | None = None
    slope: Decimal = ZERO

    @classmethod
    def over(cls, fast: int, slow: int) -> Pair:
        return cls(Mean(fast), Deviation.over(slow))

    @property
    def lengths(self) -> tuple[int, int]:
        return self.fast.length, self.slow.length

    def take(self, close: Decimal) -> None:
        fast, slow = self.fast, self.slow.mean
        before, self.gap_before = slow.total, self.gap
        fast.take(close)
        slow.take(close)
        if slow.is_full:
            self.gap = fast.total * slow.length - slow.total * fast.length
        if self.gap_before is not None:
            self.slope = slow.total - before

    @property
    def crossing(self) -> Side | None:
        """The direction in which it crossed on the last bar: from not over to over, from not under to under."""
        gap, before = self.gap, self.gap_before
        if gap is None or before is None:
            return None
        if gap > ZERO:
            return Side.BUY if before <= ZERO else None
        return Side.SELL if gap < ZERO <= before else None

    def agrees(self, side: Side) -> bool:
        return self.gap is not None and (self.gap > ZERO if side is Side.BUY else self.gap < ZERO)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossing on a bar, traded or not: side, pair, and confidence, 0 to 1."""

    bar_start: datetime
    side: Side
    pair: tuple[int, int]
    confidence: Decimal


@dataclass(slots=True, kw_only=True)
class SmaState(TradePlanState):
    """The pairs, and the average of the regime filter.

    Attributes
    ----------
    said
        The crossing of the last bar; None if nothing crossed.
    entered_on
        The pair of its last entry signal; None before the first.
    """

    pairs: list[Pair] = field(default_factory=list)
    regime: Mean
    said: Crossing | None = None
    entered_on: tuple[int, int] | None = None

    @classmethod
    def fresh(cls, terms: SmaSettings) -> SmaState:
        pairs = sorted(terms.pairs, key=lambda pair: (pair[1], pair[0]))
        return cls(
            ranges=AverageRange.over(terms.range_bars),
            pairs=list(starmap(Pair.over, pairs)),
            regime=Mean(terms.regime_bars if terms.regime_filter else 1),
        )

    def fits(self, terms: SmaSettings) -> bool:
        """Return whether its windows have the configured lengths."""
        fresh = SmaState.fresh(terms)
        return (self.ranges.length, self.regime.length, [pair.lengths for pair in self.pairs]) == (
            fresh.ranges.length,
            fresh.regime.length,
            [pair.lengths for pair in fresh.pairs],
        )


class SmaStrategy(TradePlanStrategy):
    """SMA crossover of one symbol (ST-05).

    Enters when the fast average of one of `pairs` crosses over its slow one, with a confidence of at least
    `minimum_confidence`. With `regime_filter` the close must be above the average of `regime_bars`.

    Exits when the pair of the entry crosses back. After an adopted recommendation any pair does.

    Refuses a recommendation while every pair is on the other side.

    Known failure regimes, and the control for each:

    - In a sideways market averages cross without a trend: `LOW_CONFIDENCE` under `minimum_confidence`.
    - In a falling market a crossing is a pause of the fall: `WRONG_REGIME` if `regime_filter`.
    - Averages follow late, and a fast fall is over before they cross back: the stop is `stop_ranges` away.
    - Losses come in a row: the check `loss streak`, and ten of them retire it (`evaluation.losses_in_a_row`).
    """

    name = "sma"

    def __init__(self, terms: SmaSettings, state: SmaState | None = None) -> None:
        self.terms: SmaSettings = terms
        self.state = state if state is not None and state.fits(terms) else SmaState.fresh(terms)

    @property
    def bars_needed(self) -> int:
        """Number of bars after which earlier ones no longer matter."""
        slowest = max(slow for _, slow in self.terms.pairs)
        return max(slowest + 1, self.terms.regime_bars if self.terms.regime_filter else 1, self.terms.range_bars + 1)

    def figures(self, day: date) -> Figures:
        return tuple((f"SMA {pair.fast.length}/{pair.slow.length}", _stands(pair)) for pair in self.state.pairs)

    def _take(self, bar: Bar) -> None:
        state = self.state
        state.ranges.take(bar)
        state.regime.take(bar.close)
        for pair in state.pairs:
            pair.take(bar.close)
        state.said = None
        for pair in reversed(state.pairs):
            if side := pair.crossing:
                state.said = Crossing(bar.start, side, pair.lengths, self._confidence(bar.close, pair, side))
                return

    def _confidence(self, close: Decimal, pair: Pair, side: Side) -> Decimal:
        agreeing = Decimal(sum(other.agrees(side) for other in self.state.pairs)) / len(self.state.pairs)
        going = ONE if (pair.slope > ZERO if side is Side.BUY else pair.slope < ZERO) else ZERO
        mean, deviation = pair.slow.mean.value, pair.slow.value
        if not mean or not deviation:
            return (agreeing / THREE).quantize(CENT)
        way = close - mean if side is Side.BUY else mean - close
        far = min(max(way / (TWO * deviation), ZERO), ONE)
        return ((agreeing + going + far) / THREE).quantize(CENT)

    @property
    def _is_warm(self) -> bool:
        """Whether the fastest pair, which is the first, can cross; the filter waits for its own window."""
        return self.state.ranges.is_full and self.state.pairs[0].gap_before is not None

    def _setup(self, bar: Bar) -> Setup | NoTrade:
        said, regime = self.state.said, self.state.regime.value
        if said is None or said.side is not Side.BUY:
            return NO_SETUP
        if self.terms.regime_filter and (regime is None or bar.close <= regime):
            return WRONG_REGIME
        if said.confidence < self.terms.minimum_confidence:
            return LOW_CONFIDENCE
        fast, slow = self.state.entered_on = said.pair
        words = f"the average of {fast} crossed over that of {slow}, confidence {said.confidence}"
        pair = next(pair for pair in self.state.pairs if pair.lengths == said.pair)
        return Setup(words, pair.slow.mean.value or bar.close, said.confidence)

    def _contradicts(self, bar: Bar) -> bool:
        """Return whether every pair is on the other side."""
        return all(pair.agrees(Side.SELL) for pair in self.state.pairs)

    def _reason_to_leave(self, bar: Bar, context: Context) -> tuple[ExitReason, str] | None:
        plan = self.state.plan
        entered_on = None if plan is None or plan.level is None else self.state.entered_on
        for pair in self.state.pairs:
            if pair.crossing is Side.SELL and entered_on in (None, pair.lengths):
                fast, slow = pair.lengths
                return ExitReason.SIGNAL, f"the average of {fast} crossed under that of {slow}"
        return None


def _stands(pair: Pair) -> str:
    fast, slow = pair.fast.value, pair.slow.mean.value
    if fast is None or slow is None:
        return "not yet"
    return f"{text(fast)} {'over' if fast > slow else 'not over'} {text(slow)}"
