"""What is measured outside is recorded here: the regime where it says something new, the days before today's.

RK-19, RK-08, RK-16.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.desk import Desk
from core.effects import Effect
from core.facts import PastTaken, RegimeMeasured
from core.inputs import PastArrived, RegimeArrived
from core.workflows.contract import answers


class Measuring:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @answers(PastArrived)
    def on_past(self, message: PastArrived) -> Iterable[Effect]:
        if message.past.days:
            self.desk.record(PastTaken(message.past))
        return ()

    @answers(RegimeArrived)
    def on_regime(self, message: RegimeArrived) -> Iterable[Effect]:
        """What the measurement lacks stays as it was last known."""
        known = self.desk.regime.regime
        found = message.regime.after(known)
        if found != known:
            self.desk.record(RegimeMeasured(found))
        return ()
