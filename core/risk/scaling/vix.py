"""A fearful market moves further: the level of VIX lowers the risk of a trade (RK-10, RK-19)."""

from __future__ import annotations

from core.model.sizing import FEARFUL, WHOLE, LeftOut, Term, VixLevel
from core.risk.scaling.contract import Conditions, Wanted, told


class VixScale:
    name = "VIX"

    def weigh(self, _wanted: Wanted, conditions: Conditions) -> Term | LeftOut | None:
        terms, level = conditions.settings.vix, conditions.vix
        if not terms.enabled:
            return None
        if level is VixLevel.UNKNOWN:
            return LeftOut(self.name, "not known")
        if level not in FEARFUL:
            return Term(self.name, WHOLE, level.value)
        return Term(self.name, told(terms.high if level is VixLevel.HIGH else terms.elevated), level.value)
