"""How many of a day's entries are taken, for a strategy over all symbols, and for typed orders among their own (RK-12).

An entry is taken when it was filled today, wholly or in part; while it works, in doubt too, for it may still fill, what
was filled of it on an earlier day or not; and from the turn of its key, before it is sent. One that ends without a fill
of today gives its place back. An order that takes another's place takes no place of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.execution.ledger import Ledger
from core.model.values import ClientOrderId

Signed = Callable[[str], Sequence[ClientOrderId]]
"""Entries of a strategy whose key was turned, the first one first; they may be in the books already."""


@dataclass(frozen=True, slots=True)
class EntriesTaken:
    """Entries that were filled on the day, those that work without a fill of it, and those signed and not sent yet."""

    filled: int
    working: int
    signed: int

    @property
    def total(self) -> int:
        return self.filled + self.working + self.signed

    def __str__(self) -> str:
        """`1 filled, 1 working`; `none so far`."""
        parts = ((self.filled, "filled"), (self.working, "working"), (self.signed, "confirmed"))
        return ", ".join(f"{count} {word}" for count, word in parts if count) or "none so far"


def entries_taken(
    strategy: str, day: date, ledger: Ledger, signed: Signed, but: ClientOrderId | None = None
) -> EntriesTaken:
    """On a trading day; `but` is the order that asks: of what is signed, what was signed before it counts against it.

    So of two keys that are turned together the first one has the entry that is left.
    """
    working = [order.id for order in ledger.unfilled_entries(strategy, day) if order.id != but]
    to_come = [order_id for order_id in signed(strategy) if not ledger.has(order_id)]
    if but in to_come:
        del to_come[to_come.index(but) :]
    return _counted(ledger.entries_filled(strategy, day), len(working), len(to_come))


_counted = lru_cache(maxsize=64)(EntriesTaken)
