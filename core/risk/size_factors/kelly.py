"""Half of Kelly's fraction, from the strategy's own closed trades; off by default (RK-10).

Kelly = wins − losses ÷ (mean gain ÷ mean loss), as parts of all trades: the part of equity to risk. It only ever lowers
the risk of a trade; a strategy that has lost so far gets none.
"""

from __future__ import annotations

from decimal import Decimal

from core.model.sizing import LeftOut, Term
from core.model.values import ZERO
from core.risk.size_factors.base import Conditions, Edge, WantedEntry, told


class KellyScale:
    name = "half-Kelly"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, edge = conditions.settings.kelly, conditions.edge
        if not terms.enabled:
            return None
        if edge.trades < terms.trade_limit:
            return LeftOut(self.name, f"{edge.trades} of {terms.trade_limit} trades yet")
        if conditions.equity is None or not wanted.risk:
            return LeftOut(self.name, "equity is not known")
        part = max(kelly(edge) * terms.fraction, ZERO)
        words = f"{part * 100:.2f} % of equity, from {edge.trades} trades"
        return Term(self.name, told(part * conditions.equity / wanted.risk), words)


def kelly(edge: Edge) -> Decimal:
    """Return the share of equity to risk by the formula; below zero if the trades lost."""
    losses = edge.trades - edge.wins
    if not edge.gained or not edge.lost:
        return Decimal(1 if edge.gained else -1)
    won, lost = Decimal(edge.wins) / edge.trades, Decimal(losses) / edge.trades
    return won - lost * (edge.lost / losses) / (edge.gained / edge.wins)
