"""Momentum: buy a fast rise on volume that is not exhausted yet, sell when it ends (ST-04)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.model.bar import Bar
from core.model.signal import ExitReason, NoTrade
from core.model.values import ZERO, percent
from core.settings.strategies import MomentumSettings
from core.strategies.base import NO_SETUP, THIN_VOLUME, WEAK_SETUP, Context, Figures
from core.strategies.indicators import AverageRange, Gain, Mean, Strength
from core.strategies.trade_plan import Setup, TradePlanState, TradePlanStrategy


@dataclass(slots=True, kw_only=True)
class MomentumState(TradePlanState):
    """The strategy's windows."""

    gain: Gain
    strength: Strength
    volume: Mean

    @classmethod
    def fresh(cls, terms: MomentumSettings) -> MomentumState:
        return cls(
            ranges=AverageRange.over(terms.range_bars),
            gain=Gain(terms.bars),
            strength=Strength.over(terms.strength_bars),
            volume=Mean(terms.volume_bars),
        )

    def fits(self, terms: MomentumSettings) -> bool:
        """Return whether its windows have the configured lengths."""
        lengths = (self.ranges.length, self.gain.length, self.strength.length, self.volume.length)
        return lengths == (terms.range_bars, terms.bars, terms.strength_bars, terms.volume_bars)


class MomentumStrategy(TradePlanStrategy):
    """Momentum of one symbol (ST-04).

    Enters when the close is `minimum_gain` over that of `bars` ago, on a bar of at least `volume_factor` times the
    average volume, while the relative strength index is not over `strength_limit`.

    Exits when the close is no higher than that of `bars` ago.

    Refuses a recommendation when the close is no higher than that of `bars` ago.

    Known failure regimes, and the control for each:

    - A rise that is spent turns at once: `WEAK_SETUP` over `strength_limit`.
    - A rise on thin volume is a few orders: `THIN_VOLUME` under `volume_factor`.
    - In a sideways market rises end before they pay: the check `low profit` rests it, and the night pauses it in a
      regime that loses (`evaluation.regime_trades`).
    - A gap through the stop fills below it: the check `daily loss` ends the day (RK-03).
    """

    name = "momentum"

    def __init__(self, terms: MomentumSettings, state: MomentumState | None = None) -> None:
        self.terms: MomentumSettings = terms
        self.state = state if state is not None and state.fits(terms) else MomentumState.fresh(terms)

    @property
    def bars_needed(self) -> int:
        """Number of bars after which earlier ones no longer matter."""
        terms = self.terms
        return max(terms.bars, terms.strength_bars, terms.volume_bars, terms.range_bars) + 1

    def figures(self, day: date) -> Figures:
        gain, strength = self.state.gain.value, self.state.strength.value
        return (
            ("gain", "not yet" if gain is None else f"{percent(gain)}, at least {percent(self.terms.minimum_gain)}"),
            ("strength", "not yet" if strength is None else f"{strength:.0f}, at most {self.terms.strength_limit:.0f}"),
        )

    def _take(self, bar: Bar) -> None:
        state = self.state
        state.ranges.take(bar)
        state.gain.take(bar.close)
        state.strength.take(bar.close)
        state.volume.take(bar.volume)

    @property
    def _is_warm(self) -> bool:
        state = self.state
        return None not in (state.ranges.value, state.gain.value, state.strength.value, state.volume.value)

    def _setup(self, bar: Bar) -> Setup | NoTrade:
        gain, strength, volume = self.state.gain.value, self.state.strength.value, self.state.volume.value
        if gain is None or strength is None or volume is None or gain < self.terms.minimum_gain:
            return NO_SETUP
        if bar.volume < volume * self.terms.volume_factor:
            return THIN_VOLUME
        if strength > self.terms.strength_limit:
            return WEAK_SETUP
        words = f"up {percent(gain)} in {self.terms.bars} bars, strength {strength:.0f}"
        return Setup(words, self.state.gain.values[0])

    def _contradicts(self, bar: Bar) -> bool:
        return self._has_turned

    def _reason_to_leave(self, bar: Bar, context: Context) -> tuple[ExitReason, str] | None:
        if not self._has_turned:
            return None
        return ExitReason.SIGNAL, f"no higher than {self.terms.bars} bars ago"

    @property
    def _has_turned(self) -> bool:
        gain = self.state.gain.value
        return gain is not None and gain <= ZERO
