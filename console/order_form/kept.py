"""Drafts of closed order forms, kept by symbol while the desk is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.order_form.sizes import Way


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """The texts typed by the operator, by field, and the sizing if the quantity was not typed.

    Attributes
    ----------
    was_sent
        Whether Enter was pressed without an answer yet: the order may be in Proposals.
    """

    texts: Mapping[str, str]
    way: Way
    at: datetime
    advice: int | None = None
    was_sent: bool = False


class KeptOrders:
    """The drafts of one desk."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, KeptOrder] = {}

    def keep(self, symbol: str, order: KeptOrder) -> None:
        self._by_symbol[symbol] = order

    def drop(self, symbol: str) -> None:
        self._by_symbol.pop(symbol, None)

    def of(self, symbol: str) -> KeptOrder | None:
        return self._by_symbol.get(symbol)
