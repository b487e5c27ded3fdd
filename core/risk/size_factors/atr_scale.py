"""A stop closer than the market's usual noise is likely to be hit: the order is sized as if its stop
were further away.
"""

from __future__ import annotations

from core.model.sizing import WHOLE, LeftOut, Term
from core.model.values import SUB_PENNY, plain
from core.risk.size_factors.base import Conditions, WantedEntry, told


class AtrScale:
    name = "ATR"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, atr = conditions.settings.atr, conditions.atr
        if not terms.enabled:
            return None
        if atr is None:
            return LeftOut(self.name, f"fewer than {terms.bars} bars yet")
        noise = terms.multiple * atr
        words = f"{plain(terms.multiple)} × ATR is {noise.quantize(SUB_PENNY)}, the stop {plain(wanted.way)} USD away"
        return Term(self.name, told(wanted.way / noise) if noise > wanted.way else WHOLE, words)
