"""The entries of the last seconds, and whether a new one is like one of them (RK-25).

A slice folded from the intents, so that a restart keeps it. An entry that ended without a fill does not count: nothing
can be doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.execution.ledger import Ledger
from core.facts import DayStarted, OrderCreated
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side
from core.model.session import Venue
from core.model.staging import Review
from core.model.values import SHORT_ID, ClientOrderId, Price, Quantity, Symbol, plain, priced
from core.settings.risk import LONGEST_TWIN, TwinSettings

WORD = "TWIN"
"""The word typed before confirming an entry like an earlier one."""


TWIN = "twin"
"""The check's name."""


KEPT = timedelta(seconds=LONGEST_TWIN)


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """An entry as it was sent; `price` is its price per share, USD, None if unknown."""

    id: ClientOrderId
    at: datetime
    side: Side
    quantity: Quantity
    price: Price | None

    def in_words(self, symbol: Symbol, venue: Venue) -> str:
        """As in `3f9a02 BUY 47 SPY 166.76 of 10:51:07`."""
        price = "" if self.price is None else f" {priced(self.price)}"
        what = f"{self.side.value.upper()} {plain(self.quantity)} {symbol}{price}"
        return f"{self.id[:SHORT_ID]} {what} of {venue.clock(self.at)}"


def word_of(review: Review) -> str:
    """Return the word to type before confirming an entry with this review; empty if none is needed."""
    return WORD if any(verdict.check == TWIN for verdict in review.warnings) else ""


@dataclass(slots=True)
class RecentEntriesState:
    """By symbol, oldest first."""

    by_symbol: dict[Symbol, list[SeenEntry]] = field(default_factory=dict)


class RecentEntries:
    name = "recent_entries"

    def __init__(self) -> None:
        self.state = RecentEntriesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            OrderCreated: self._created,
            DayStarted: self._day_started,
        }

    def restore(self, state: RecentEntriesState) -> None:
        self.state = state

    def twin_of(
        self, order: OrderRequest, price: Decimal | None, ledger: Ledger, at: datetime, terms: TwinSettings
    ) -> SeenEntry | None:
        """Return the last entry that this one is like; None for an order that only reduces, or a replacement.

        If one of the two prices is unknown, side and quantity decide.
        """
        if not terms.enabled or order.effect.only_reduces or order.replaces is not None:
            return None
        since = at - timedelta(seconds=float(terms.seconds))
        for seen in reversed(self.state.by_symbol.get(order.symbol, ())):
            if seen.at <= since:
                return None
            if _is_like(order, price, seen, terms) and seen.id != order.client_order_id and _may_double(seen, ledger):
                return seen
        return None

    def _created(self, at: datetime, fact: OrderCreated) -> None:
        order = fact.order
        if not isinstance(order, OrderRequest) or order.effect.only_reduces:
            return
        price = fact.counted_at or order.limit_price or fact.intended_price
        seen = SeenEntry(order.client_order_id, at, order.side, order.quantity, price)
        kept = [other for other in self.state.by_symbol.get(order.symbol, ()) if other.at > at - KEPT]
        self.state.by_symbol[order.symbol] = [*kept, seen]

    def _day_started(self, at: datetime, _fact: DayStarted) -> None:
        found = {
            symbol: [seen for seen in entries if seen.at > at - KEPT]
            for symbol, entries in self.state.by_symbol.items()
        }
        self.state.by_symbol = {symbol: entries for symbol, entries in found.items() if entries}


def _is_like(order: OrderRequest, price: Decimal | None, seen: SeenEntry, terms: TwinSettings) -> bool:
    if order.side is not seen.side or _differs(order.quantity, seen.quantity, terms.quantity):
        return False
    return price is None or seen.price is None or not _differs(price, seen.price, terms.price)


def _differs(new: Decimal, old: Decimal, by: Decimal) -> bool:
    """Return whether the two differ by more than a fraction of the old one."""
    return abs(new - old) > by * old


def _may_double(seen: SeenEntry, ledger: Ledger) -> bool:
    """Return whether the entry works, may be at the broker, or filled; an order no longer known may have."""
    order = ledger.order(seen.id)
    return order is None or order.is_working or order.filled_quantity > 0
