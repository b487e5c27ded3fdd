"""The regime is measured outside; here a measurement that says something new is recorded (RK-19)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.desk import Desk
from core.effects import Effect
from core.facts import RegimeMeasured
from core.inputs import RegimeArrived


class Measuring:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.after_measurement: Callable[[], None] = lambda: None

    def on_regime(self, message: RegimeArrived) -> Iterable[Effect]:
        """What the measurement lacks stays as it was last known."""
        known = self.desk.regime.regime
        found = message.regime.after(known)
        if found != known:
            self.desk.record(RegimeMeasured(found))
            self.after_measurement()
        return ()
