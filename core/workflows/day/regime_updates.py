"""What is measured outside is recorded here: the regime where it says something new, the days before today's.

RK-19, RK-08, RK-16.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.facts import PastDaysLoaded, RegimeMeasured
from core.messages.effects import Effect
from core.messages.inputs import PastArrived, RegimeArrived
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers


class RegimeUpdates:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(PastArrived)
    def on_past(self, message: PastArrived) -> Iterable[Effect]:
        if message.past.days:
            self.state.record(PastDaysLoaded(message.past))
        return ()

    @answers(RegimeArrived)
    def on_regime(self, message: RegimeArrived) -> Iterable[Effect]:
        """What the measurement lacks stays as it was last known."""
        known = self.state.regime.regime
        found = message.regime.after(known)
        if found != known:
            self.state.record(RegimeMeasured(found))
        return ()
