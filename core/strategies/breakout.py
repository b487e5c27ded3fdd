"""Breakout: buy a close over the highest price of the bars before, sell when it falls back under it (ST-04).

A breakout is false if a close is under its level again within a few bars. False ones are counted per symbol, traded or
not; with too many of them in the last bars, the strategy does not enter until they are forgotten: after a session of
minutes, or, for daily bars, after a quarter of sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.model.bar import Bar
from core.model.signal import ExitReason, NoTrade, NoTradeReason
from core.settings.strategies import BreakoutSettings
from core.strategies.base import NO_SETUP, THIN_VOLUME, Context, Figures, text
from core.strategies.indicators import AverageRange, Highest, Mean
from core.strategies.trade_plan import Setup, TradePlanState, TradePlanStrategy

FALSE_BREAKOUTS = NoTrade(NoTradeReason.FALSE_BREAKOUTS)
ONE = Decimal(1)


@dataclass(slots=True)
class Attempt:
    """A breakout that may still prove false: its level, USD, and its age in bars."""

    level: Decimal
    age: int = 0


@dataclass(slots=True, kw_only=True)
class BreakoutState(TradePlanState):
    """The strategy's windows.

    Attributes
    ----------
    level
        Highest price of the bars before the last one; None until there are enough.
    attempts, false_ages
        Undecided breakouts, and the age in bars of each false one since it proved false.
    is_over, is_new
        Whether the last bar closed over its level, and whether the one before it did not.
    """

    highest: Highest
    volume: Mean
    level: Decimal | None = None
    attempts: list[Attempt] = field(default_factory=list)
    false_ages: list[int] = field(default_factory=list)
    is_over: bool = False
    is_new: bool = False

    @classmethod
    def fresh(cls, terms: BreakoutSettings) -> BreakoutState:
        return cls(
            ranges=AverageRange.over(terms.range_bars), highest=Highest(terms.bars), volume=Mean(terms.volume_bars)
        )

    def fits(self, terms: BreakoutSettings) -> bool:
        """Return whether its windows have the configured lengths."""
        lengths = (self.ranges.length, self.highest.length, self.volume.length)
        return lengths == (terms.range_bars, terms.bars, terms.volume_bars)


class BreakoutStrategy(TradePlanStrategy):
    """Breakouts of one symbol (ST-04).

    Enters on the first close that is `buffer` over the highest price of the `bars` before, on a bar of at least
    `volume_factor` times the average volume.

    Exits when a close is back under the level of its breakout. An adopted recommendation has no such level.

    Refuses a recommendation while too many false breakouts shut the symbol.

    Known failure regimes, and the control for each:

    - In a range breakouts are false: `FALSE_BREAKOUTS` from `maximum_false` of them in `counted_bars`.
    - A breakout on thin volume is a few orders: `THIN_VOLUME` under `volume_factor`.
    - The price leaves an unfilled limit: it is not chased and ends after `staging.signal_seconds` (ST-03, EX-07).
    - A burst of volatility breaks every level: the check `volatility halt` (RK-08).
    - A gap through the stop fills below it: the check `daily loss` ends the day (RK-03).
    """

    name = "breakout"

    def __init__(self, terms: BreakoutSettings, state: BreakoutState | None = None) -> None:
        self.terms: BreakoutSettings = terms
        self.state = state if state is not None and state.fits(terms) else BreakoutState.fresh(terms)

    @property
    def bars_needed(self) -> int:
        """Number of bars after which earlier ones no longer matter."""
        terms = self.terms
        counted = terms.bars + 1 + terms.confirming_bars + terms.counted_bars
        return max(counted, terms.volume_bars, terms.range_bars + 1)

    def figures(self, day: date) -> Figures:
        level = self.state.highest.value
        return (
            ("entry over", "not yet" if level is None else text(level * (ONE + self.terms.buffer))),
            ("false breakouts", f"{len(self.state.false_ages)}, shut at {self.terms.maximum_false}"),
        )

    def _take(self, bar: Bar) -> None:
        state, terms = self.state, self.terms
        state.ranges.take(bar)
        state.volume.take(bar.volume)
        state.false_ages = [age + 1 for age in state.false_ages if age + 1 < terms.counted_bars]
        self._judge(bar)
        state.level = state.highest.value
        is_over = state.level is not None and bar.close > state.level * (ONE + terms.buffer)
        state.is_new = is_over and not state.is_over
        state.is_over = is_over
        if state.level is not None and state.is_new:
            state.attempts.append(Attempt(state.level))
        state.highest.take(bar.high)

    def _judge(self, bar: Bar) -> None:
        """Mark an open attempt as false when the close is under its level; forget one that lasted."""
        open_ones = []
        for attempt in self.state.attempts:
            attempt.age += 1
            if bar.close < attempt.level:
                self.state.false_ages.append(0)
            elif attempt.age < self.terms.confirming_bars:
                open_ones.append(attempt)
        self.state.attempts = open_ones

    @property
    def _is_warm(self) -> bool:
        state = self.state
        return None not in (state.ranges.value, state.level, state.volume.value)

    def _setup(self, bar: Bar) -> Setup | NoTrade:
        level, volume = self.state.level, self.state.volume.value
        if level is None or volume is None or not self.state.is_new:
            return NO_SETUP
        if bar.volume < volume * self.terms.volume_factor:
            return THIN_VOLUME
        if self._is_shut:
            return FALSE_BREAKOUTS
        words = f"close {text(bar.close)} is over {text(level)}, the highest of {self.terms.bars} bars"
        return Setup(words, level)

    @property
    def _is_shut(self) -> bool:
        return len(self.state.false_ages) >= self.terms.maximum_false

    def _contradicts(self, bar: Bar) -> bool:
        return self._is_shut

    def _reason_to_leave(self, bar: Bar, context: Context) -> tuple[ExitReason, str] | None:
        """Exit when the close is back under the level of the bought breakout."""
        plan = self.state.plan
        if plan is None or plan.level is None or bar.close >= plan.level:
            return None
        return ExitReason.SIGNAL, f"close {text(bar.close)} is back under the level {text(plan.level)}"
