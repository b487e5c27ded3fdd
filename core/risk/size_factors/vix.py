"""At a high VIX the market moves further: its level lowers the risk of a trade (RK-10, RK-19).

The level is the desk's last recorded one, however old, shown with its day. Without one the fixed risk applies, with the
reason.
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
    """Return the factor by the VIX; 1 if it is unknown or switched off."""
    if not terms.enabled or isinstance(vix, NoVix):
        return WHOLE
    if vix.level is VixLevel.HIGH:
        return told(terms.high)
    return told(terms.elevated) if vix.level is VixLevel.ELEVATED else WHOLE
