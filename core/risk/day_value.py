"""The total value of a trading day's entries, which the day's limit caps (RK-23).

An entry counts with its fills of today, at their prices; with its rest while it works, also in doubt; and from its
confirmation on. Shares sold again still count: the cap is on opened value, not on held value.
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
"""Confirmed entries and their costs, the first one first; they may already be in the ledger."""


@dataclass(slots=True)
class DayValueState:
    """USD of entries filled on `day`, wholly or in part."""

    day: date | None = None
    filled: Money = NO_MONEY

    def filled_on(self, day: date) -> Money:
        """USD filled on a trading day; only the last day is kept."""
        return self.filled if self.day == day else NO_MONEY


class DayValue:
    """The slice of the day's filled value.

    Parameters
    ----------
    opens
        The instrument of an order that opens or adds; None for an order that only reduces.
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
        """Add a fill of an entry; a late fill of an earlier day does not count."""
        instrument, day = self._opens(fact.fill.client_order_id), self._day_of(fact.fill.at)
        if instrument is None or (self.state.day is not None and day < self.state.day):
            return
        if self.state.day != day:
            self.state.day, self.state.filled = day, NO_MONEY
        self.state.filled = Money(self.state.filled + instrument.cost(fact.fill.quantity, fact.fill.price))


class ValueTaken(NamedTuple):
    """USD of a day's entries: filled, still to come from working ones, and confirmed."""

    filled: Money
    working: Money
    confirmed: Money

    @property
    def total(self) -> Money:
        return Money(self.filled + self.working + self.confirmed)


def value_taken(
    day: date, of_day: DayValueState, ledger: Ledger, confirmed: Confirmed, but: OrderRequest | None = None
) -> ValueTaken:
    """Return the value used on a trading day, without `but`, the order it replaces, and confirmations after it.

    A replacement counts with its extra cost.
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
