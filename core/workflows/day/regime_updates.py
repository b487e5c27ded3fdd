"""Record external measurements: the regime if it changed, and the days before today.

RK-19, RK-08, RK-16. For a symbol that is only watched, only the last close is kept, and nothing is recorded (MD-06).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.facts import PastDaysLoaded, RegimeMeasured
from core.messages.effects import Effect
from core.messages.inputs import PastArrived, RegimeArrived
from core.model.regime import VixReading
from core.risk.regime.vix import VixLevels, at_levels, by_levels, levels_of
from core.trading_state.state import TradingState
from core.trading_state.traded_symbols import is_only_watched
from core.workflows.base.declarations import answers


class RegimeUpdates:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(PastArrived)
    def on_past(self, message: PastArrived) -> Iterable[Effect]:
        days = message.past.days
        if days and days[-1].close is not None:
            self.state.sightings.closes[message.past.symbol] = (days[-1].day, days[-1].close)
        if days and not is_only_watched(self.state, message.past.symbol):
            self.state.record(PastDaysLoaded(message.past))
        return ()

    @answers(RegimeArrived)
    def on_regime(self, message: RegimeArrived) -> Iterable[Effect]:
        """Values that the measurement lacks keep their last known value."""
        known = self.state.regime.regime
        found = message.regime.after(known)
        if isinstance(found.vix, VixReading):
            levels = levels_of(self.state.control.settings.regime)
            found = replace(found, vix=by_levels(found.vix, levels))
        if found != known:
            self.state.record(RegimeMeasured(found))
        return ()

    def use_levels(self, levels: VixLevels) -> None:
        """Measure the last value by other levels at once; the next measurement has the whole history."""
        known = self.state.regime.regime
        if isinstance(known.vix, VixReading) and (found := at_levels(known.vix, levels)) != known.vix:
            self.state.record(RegimeMeasured(replace(known, vix=found)))
