"""What is measured outside is recorded here: the regime where it says something new, the days before today's.

RK-19, RK-08, RK-16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.desk import Desk
from core.effects import Effect
from core.facts import PastTaken, RegimeMeasured
from core.inputs import PastArrived, RegimeArrived


class Measuring:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.after_measurement: Callable[[], None] = lambda: None

    def on_past(self, message: PastArrived) -> Iterable[Effect]:
        if message.past.days:
            self.desk.record(PastTaken(message.past))
        return ()

    def on_regime(self, message: RegimeArrived) -> Iterable[Effect]:
        """What the measurement lacks stays as it was last known."""
        known = self.desk.regime.regime
        found = message.regime.after(known)
        if found != known:
            self.desk.record(RegimeMeasured(found))
            self.after_measurement()
        return ()
