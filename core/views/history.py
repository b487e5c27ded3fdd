"""Orders and trades of one day, from its journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.model.values import NO_MONEY, ClientOrderId, Money, Symbol


class HistoryKind(StrEnum):
    ORDER = "order"
    TRADE = "trade"
    PART = "part"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An order created on that day, a trade that ended on it, or an exit that closed part of a position.

    Attributes
    ----------
    order
        The order's id, or that of the exit that closed the trade; its chain explains the row.
    at
        When it was created or closed, UTC.
    text
        The order or trade and its result, as text.
    profit
        Of a trade and of a partial exit, less fees, USD; None for an order.
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
    """`days` are the journal's days, oldest first; `rows` are in the order in which they ended.

    `realised` is the profit of all fills of the day, less their fees, USD (AN-01).
    """

    day: date
    days: tuple[date, ...]
    rows: tuple[HistoryRow, ...] = ()
    realised: Money = NO_MONEY
