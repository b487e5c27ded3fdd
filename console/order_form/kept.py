"""What was typed into an order form that was left: kept by its symbol for as long as the desk is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.order_form.sizes import Way


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """What was typed by hand, by field, and how the quantity was sized where that was not typed.

    Attributes
    ----------
    was_sent
        Whether Enter was pressed on it and no answer had come: it may wait in Proposals.
    """

    texts: Mapping[str, str]
    way: Way
    at: datetime
    advice: int | None = None
    was_sent: bool = False


class KeptOrders:
    """One desk's."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, KeptOrder] = {}

    def keep(self, symbol: str, order: KeptOrder) -> None:
        self._by_symbol[symbol] = order

    def drop(self, symbol: str) -> None:
        self._by_symbol.pop(symbol, None)

    def of(self, symbol: str) -> KeptOrder | None:
        return self._by_symbol.get(symbol)
