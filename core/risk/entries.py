"""Count a day's entries per strategy over all symbols, manual ones separately (RK-12).

An entry counts if it was filled today, wholly or in part; while it works, also in doubt, because it may still fill,
even if it was filled in part on an earlier day; and from its confirmation on, before it is sent. An entry that ends
without a fill today no longer counts. A replacement does not count itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.execution.ledger import Ledger
from core.model.values import ClientOrderId

Signed = Callable[[str], Sequence[ClientOrderId]]
"""Confirmed entries of a strategy, the first one first; they may already be in the ledger."""


@dataclass(frozen=True, slots=True)
class EntriesTaken:
    """Entries filled on the day, working ones without a fill that day, and confirmed ones that are not sent yet."""

    filled: int
    working: int
    signed: int

    @property
    def total(self) -> int:
        return self.filled + self.working + self.signed

    def __str__(self) -> str:
        """As in `1 filled, 1 working`; `none so far`."""
        parts = ((self.filled, "filled"), (self.working, "working"), (self.signed, "confirmed"))
        return ", ".join(f"{count} {word}" for count, word in parts if count) or "none so far"


def entries_taken(
    strategy: str, day: date, ledger: Ledger, signed: Signed, but: ClientOrderId | None = None
) -> EntriesTaken:
    """Count the entries of a trading day; against the asking order `but`, only earlier confirmations count.

    So of two confirmations at the same time the first one gets the last entry.
    """
    working = [order.id for order in ledger.unfilled_entries(strategy, day) if order.id != but]
    to_come = [order_id for order_id in signed(strategy) if not ledger.has(order_id)]
    if but in to_come:
        del to_come[to_come.index(but) :]
    return _counted(ledger.entries_filled(strategy, day), len(working), len(to_come))


_counted = lru_cache(maxsize=64)(EntriesTaken)
