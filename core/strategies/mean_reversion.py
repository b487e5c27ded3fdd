"""Mean reversion: buy far below the average, sell when it is back, or when it took too long (ST-04)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from core.model.bar import Bar
from core.model.signal import ExitReason, NoTrade
from core.model.values import plain
from core.settings.strategies import MeanReversionSettings
from core.strategies.base import NO_SETUP, Context, Figures, text
from core.strategies.indicators import AverageRange, Deviation
from core.strategies.trade_plan import Setup, TradePlanState, TradePlanStrategy


@dataclass(slots=True, kw_only=True)
class MeanReversionState(TradePlanState):
    """The strategy's windows."""

    spread: Deviation

    @classmethod
    def fresh(cls, terms: MeanReversionSettings) -> MeanReversionState:
        return cls(ranges=AverageRange.over(terms.range_bars), spread=Deviation.over(terms.bars))

    def fits(self, terms: MeanReversionSettings) -> bool:
        """Return whether its windows have the configured lengths."""
        return (self.ranges.length, self.spread.length) == (terms.range_bars, terms.bars)


class MeanReversionStrategy(TradePlanStrategy):
    """Mean reversion of one symbol (ST-04).

    Enters when the close is `deviations` standard deviations below the average of `bars`.

    Exits when a close is back at the average, and when the position is older than `max_hold_hours`.

    Refuses a recommendation when the close is at or over the average.

    Known failure regimes, and the control for each:

    - A trend goes on and takes the average with it: the stop is `stop_ranges` away, and `max_hold_hours` ends the wait.
    - News moves the price to another level: the checks `volatility halt` (RK-08) and `trading halt` (MD-06).
    - A wide spread eats the reversion: the check `spread` compares it with the way to the stop (RK-17).
    - Several falls in a row stop it out in each: the checks `cooldown` and `stop loss guard`.
    """

    name = "mean_reversion"

    def __init__(self, terms: MeanReversionSettings, state: MeanReversionState | None = None) -> None:
        self.terms: MeanReversionSettings = terms
        self.state = state if state is not None and state.fits(terms) else MeanReversionState.fresh(terms)
        self._longest = timedelta(hours=float(terms.max_hold_hours))

    @property
    def bars_needed(self) -> int:
        """Number of bars after which earlier ones no longer matter."""
        return max(self.terms.bars, self.terms.range_bars + 1)

    def figures(self, day: date) -> Figures:
        mean, deviation = self.state.spread.mean.value, self.state.spread.value
        if mean is None or deviation is None:
            return (("average", "not yet"),)
        return (("average", text(mean)), ("entry below", text(mean - deviation * self.terms.deviations)))

    def _take(self, bar: Bar) -> None:
        self.state.ranges.take(bar)
        self.state.spread.take(bar.close)

    @property
    def _is_warm(self) -> bool:
        state: MeanReversionState = self.state
        return state.ranges.is_full and state.spread.is_full

    def _setup(self, bar: Bar) -> Setup | NoTrade:
        mean, deviation = self.state.spread.mean.value, self.state.spread.value
        if not mean or not deviation or bar.close >= mean - deviation * self.terms.deviations:
            return NO_SETUP
        words = f"close {text(bar.close)} is {(mean - bar.close) / deviation:.1f} deviations below {text(mean)}"
        return Setup(words, mean)

    def _contradicts(self, bar: Bar) -> bool:
        """Return whether the price is at or over its average, so that there is no reversion left."""
        mean = self.state.spread.mean.value
        return mean is not None and bar.close >= mean

    def _reason_to_leave(self, bar: Bar, context: Context) -> tuple[ExitReason, str] | None:
        mean = self.state.spread.mean.value
        if mean is not None and bar.close >= mean:
            return ExitReason.MEAN_REVERSION, f"close {text(bar.close)} is back at the average {text(mean)}"
        if context.entered_at is not None and bar.end - context.entered_at >= self._longest:
            return ExitReason.TIME_EXIT, f"held for {plain(self.terms.max_hold_hours)} h and not back"
        return None
