"""The slice of the broker's activities: the recorded ones, and the expected values for the next list.

It starts with the first list: the account's earlier state is its starting point. From then on every fill and every
activity changes the cash that the broker should show next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.execution.activity_comparison import FillOfOurs
from core.execution.ledger import Ledger
from core.facts import (
    ActivitiesCompared,
    ActivityQuarantined,
    CashMoved,
    CorporateActionApplied,
    OrderFilled,
    SharesMoved,
)
from core.model.activity import ActivityId
from core.model.values import NO_MONEY, ZERO, Money

OVERLAP = timedelta(days=7)
"""How far before the last list the next one begins: a broker back-dates some things."""
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KnownActivity:
    """The recorded values of an id, to compare with the broker's later report."""

    day: date
    amount: Money = NO_MONEY


@dataclass(slots=True)
class ActivitiesState:
    """`cash` is the broker's expected cash, USD; `moved` lists the movements since the last list.

    Attributes
    ----------
    as_of
        The time of the last list; None before the first.
    fills_until
        Executions up to this time were compared.
    fills
        Recorded fills that were not compared with a list yet.
    known
        By the broker's id, or by the fault of an activity without one.
    """

    as_of: datetime | None = None
    fills_until: datetime | None = None
    cash: Money = NO_MONEY
    known: dict[str, KnownActivity] = field(default_factory=dict)
    moved: list[CashMoved] = field(default_factory=list)
    fills: list[FillOfOurs] = field(default_factory=list)


class Activities:
    """`day_of` returns the trading day of an instant."""

    name = "activities"

    def __init__(self, ledger: Ledger, day_of: Callable[[datetime], date]) -> None:
        self._ledger = ledger
        self._day_of = day_of
        self.state = ActivitiesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            OrderFilled: self._filled,
            CashMoved: self._cash,
            SharesMoved: self._shares,
            CorporateActionApplied: self._split,
            ActivityQuarantined: self._quarantined,
            ActivitiesCompared: self._compared,
        }

    def restore(self, state: ActivitiesState) -> None:
        self.state = state

    def since(self, at: datetime) -> date:
        """The first day of the next list."""
        return self._day_of(self.state.as_of or at) - OVERLAP

    def known(self, activity_id: str) -> KnownActivity | None:
        return self.state.known.get(activity_id)

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        order = self._ledger.order(fact.fill.client_order_id)
        if self.state.as_of is None or order is None:
            return
        fill, request = fact.fill, order.request
        ((_, signed),) = request.moves(fill.quantity)
        paid = request.instrument.cost(abs(signed), fill.price)
        self.state.cash = Money(self.state.cash - (paid if signed > ZERO else -paid) - fill.fee)
        if self.state.fills_until is None or fill.at > self.state.fills_until:
            self.state.fills = [known for known in self.state.fills if fill.at - known.at <= KEPT]
            self.state.fills.append(
                FillOfOurs(
                    fill.execution_id, order.id, order.broker_order_id, fill.at, request.symbol, request.side,
                    fill.quantity, fill.price,
                )
            )  # fmt: skip

    def _cash(self, _at: datetime, fact: CashMoved) -> None:
        self._know(fact.activity_id, fact.day, fact.amount)
        if self.state.as_of is not None:
            self.state.cash = Money(self.state.cash + fact.amount)
            self.state.moved.append(fact)

    def _shares(self, _at: datetime, fact: SharesMoved) -> None:
        self._know(fact.activity_id, fact.day)

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        for activity_id in fact.activity_ids:
            self._know(activity_id, fact.day)

    def _quarantined(self, at: datetime, fact: ActivityQuarantined) -> None:
        self._know(quarantined_as(fact.activity_id, fact.reason), self._day_of(at))

    def _know(self, activity_id: str, day: date, amount: Decimal = ZERO) -> None:
        before = self.state.known.get(activity_id, KnownActivity(day))
        self.state.known[activity_id] = KnownActivity(day, Money(before.amount + amount))

    def _compared(self, _at: datetime, fact: ActivitiesCompared) -> None:
        """Take over the broker's cash; so a difference is reported once."""
        state, since = self.state, self._day_of(fact.as_of) - KEPT
        state.as_of, state.fills_until, state.cash, state.moved = fact.as_of, fact.fills_until, fact.cash, []
        state.fills = [fill for fill in state.fills if fill.at > fact.fills_until]
        state.known = {name: known for name, known in state.known.items() if known.day >= since}


def quarantined_as(activity_id: ActivityId | None, reason: str) -> str:
    """Return the key of an unreadable activity."""
    return activity_id or f"? {reason}"
