"""Orders and trades of one day, as its journal tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.model.values import ClientOrderId, Money, Symbol


class HistoryKind(StrEnum):
    ORDER = "order"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An order that was made that day, or a trade that ended on it.

    Attributes
    ----------
    order
        The order's, or that of the exit which closed the trade: what explains it.
    at
        When it was made, or closed, UTC.
    text
        What it was and how it ended, in words.
    profit
        Of a trade, less fees, USD; None of an order.
    """

    kind: HistoryKind
    order: ClientOrderId
    at: datetime
    symbol: Symbol
    strategy: str
    text: str
    profit: Money | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.order}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """`days` are those that the journal has, the oldest first; `rows` stand in the order in which they ended."""

    day: date
    days: tuple[date, ...]
    rows: tuple[HistoryRow, ...]
