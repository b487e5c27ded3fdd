"""A fearful market moves further: the level of VIX lowers the risk of a trade (RK-10, RK-19).

The measure is the desk's one, as it was last recorded, however old: its day stands beside it. Where nobody measured it
the risk is the fixed one, and the reason is said.
"""

from __future__ import annotations

from core.model.regime import NoVix, VixLevel, VixReading
from core.model.sizing import WHOLE, LeftOut, Term
from core.model.values import Fraction
from core.risk.size_factors.base import Conditions, WantedEntry, told
from core.settings.size_factors import VixSettings


class VixScale:
    name = "VIX"

    def weigh(self, _wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, vix = conditions.settings.vix, conditions.vix
        if not terms.enabled:
            return None
        if isinstance(vix, NoVix):
            return LeftOut(self.name, vix.reason)
        return Term(self.name, factor_of(vix, terms), f"{vix.level.value} on {vix.measured_on}")


def factor_of(vix: VixReading | NoVix, terms: VixSettings) -> Fraction:
    """What the VIX leaves of the risk of a trade: all of it where it is not known, or switched off."""
    if not terms.enabled or isinstance(vix, NoVix):
        return WHOLE
    if vix.level is VixLevel.HIGH:
        return told(terms.high)
    return told(terms.elevated) if vix.level is VixLevel.ELEVATED else WHOLE
