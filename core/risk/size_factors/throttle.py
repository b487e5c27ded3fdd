"""After a part of a loss limit the risk of a trade is less, until a new week or a profitable day (RK-11)."""

from __future__ import annotations

from core.model.sizing import LeftOut, Term
from core.risk.size_factors.base import Conditions, WantedEntry


class ThrottleScale:
    name = "throttle"

    def weigh(self, _wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        if conditions.throttle is None:
            return LeftOut(self.name, "equity at the start of today is not known")
        return Term(self.name, conditions.throttle.factor, conditions.throttle.words)
