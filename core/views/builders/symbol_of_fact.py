"""Find the symbol of a fact: its own, or that of the order, proposal or ticket that it names."""

from __future__ import annotations

from core.facts import Fact
from core.model.values import Symbol

PARTS = ("proposal", "order", "ticket", "fill", "trade", "signal")
"""Parts that a fact may contain; a ticket contains its order."""
NAMES = ("id", "client_order_id", "proposal_id", "ticket_id")
"""Fields by which later facts may name it."""
MOST = 4000
"""Names that are remembered."""


class SymbolOfFact:
    """Receives every fact in order: a fact that only names an order follows one that contained it."""

    def __init__(self) -> None:
        self._by_name: dict[str, Symbol] = {}

    def of(self, fact: Fact) -> Symbol | None:
        parts = [fact, *(part for name in PARTS if (part := getattr(fact, name, None)) is not None)]
        parts += [order for part in parts if (order := getattr(part, "order", None)) is not None]
        names = [name for part in parts for each in NAMES if isinstance(name := getattr(part, each, None), str)]
        told = (symbol for part in parts if isinstance(symbol := getattr(part, "symbol", None), str))
        symbol = next(told, None) or next((self._by_name[name] for name in names if name in self._by_name), None)
        if symbol is None:
            return None
        for name in names:
            self._by_name[name] = Symbol(symbol)
        while len(self._by_name) > MOST:
            del self._by_name[next(iter(self._by_name))]
        return Symbol(symbol)
