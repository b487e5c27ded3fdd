"""What the entries of a trading day are worth together, whoever made them: the measure of the day's cap (RK-23).

An entry counts with what was filled of it today, at its price; with what is still to come while it works, in doubt too;
and from the turn of its key. What was sold again counts: the cap is on what is opened, not on what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

from core.execution.ledger import Ledger
from core.facts import OrderFilled
from core.model.instrument import Instrument
from core.model.order import OrderRequest
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money

Confirmed: TypeAlias = Callable[[], Sequence[tuple[ClientOrderId, Money]]]
"""Entries whose key was turned, the first one first, with what each costs; they may be in the books already."""


@dataclass(slots=True)
class DayValueState:
    """USD of entries that were `filled` on `day`, wholly or in part."""

    day: date | None = None
    filled: Money = NO_MONEY

    def filled_on(self, day: date) -> Money:
        """USD on a trading day; nothing on any but the last."""
        return self.filled if self.day == day else NO_MONEY


class DayValue:
    """The slice.

    Parameters
    ----------
    opens
        What an order trades, where it opens or adds; None of one that only reduces.
    day_of
        The trading day of an instant.
    """

    name = "day_value"

    def __init__(self, opens: Callable[[ClientOrderId], Instrument | None], day_of: Callable[[datetime], date]) -> None:
        self._opens, self._day_of = opens, day_of
        self.state = DayValueState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {OrderFilled: self._filled}

    def restore(self, state: DayValueState) -> None:
        self.state = state

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        """A fill of an earlier day that is heard late is none of the day that is counted."""
        instrument, day = self._opens(fact.fill.client_order_id), self._day_of(fact.fill.at)
        if instrument is None or (self.state.day is not None and day < self.state.day):
            return
        if self.state.day != day:
            self.state.day, self.state.filled = day, NO_MONEY
        self.state.filled = Money(self.state.filled + instrument.cost(fact.fill.quantity, fact.fill.price))


class ValueTaken(NamedTuple):
    """USD of a day's entries: what was filled of them, what is to come of those that work, and what is confirmed."""

    filled: Money
    working: Money
    confirmed: Money

    @property
    def total(self) -> Money:
        return Money(self.filled + self.working + self.confirmed)


def value_taken(
    day: date, of_day: DayValueState, ledger: Ledger, confirmed: Confirmed, but: OrderRequest | None = None
) -> ValueTaken:
    """On a trading day; `but` and what that replaces are left out, and what was confirmed after it.

    One that is to take another's place counts with what it costs more.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    working = ZERO
    for order in ledger.working_entries():
        if order.id not in left_out:
            old = ledger.chains.replaced(order)
            counted = ZERO if old is None or old.id in left_out else old.cost_to_come
            working += max(order.cost_to_come - counted, ZERO)
    to_come = ZERO
    for order_id, cost in confirmed():
        if but is not None and order_id == but.client_order_id:
            break
        if not ledger.has(order_id):
            to_come += cost
    return ValueTaken(of_day.filled_on(day), Money(working), Money(to_come))
