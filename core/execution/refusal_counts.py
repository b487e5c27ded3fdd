"""Count per day the orders that the desk refused to send, and those that the broker refused (EX-11).

It is a slice. Broker refusals that validation could have caught should be rare: watch that figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from core.facts import ConfirmationRefused, OrderCreated, OrderStateChanged, ProposalSkipped, Source
from core.model.order import OrderStatus

VALIDATIONS = frozenset(
    {"session and clock", "tradable", "quantity", "price", "self-cross", "notional", "buying power"}
)
"""The checks that know the broker's rules: an order that passes them should not be refused."""


@dataclass(slots=True)
class RefusalCountsState:
    """The counts of one trading day."""

    day: date | None = None
    invalid: int = 0
    sent: int = 0
    rejected: int = 0


class RefusalCounts:
    """The slice of refusal counts."""

    name = "tally"

    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = RefusalCountsState()
        self.folds = {
            ProposalSkipped: self._skipped,
            ConfirmationRefused: self._refused,
            OrderCreated: self._created,
            OrderStateChanged: self._state_changed,
        }

    def restore(self, state: RefusalCountsState) -> None:
        self.state = state

    def _today(self, at: datetime) -> RefusalCountsState:
        day = self.trading_day(at)
        if self.state.day != day:
            self.state = RefusalCountsState(day)
        return self.state

    def _skipped(self, at: datetime, fact: ProposalSkipped) -> None:
        self._today(at).invalid += is_invalid(fact.checks)

    def _refused(self, at: datetime, fact: ConfirmationRefused) -> None:
        self._today(at).invalid += is_invalid(fact.checks)

    def _created(self, at: datetime, _fact: OrderCreated) -> None:
        self._today(at).sent += 1

    def _state_changed(self, at: datetime, fact: OrderStateChanged) -> None:
        if fact.after is OrderStatus.REJECTED and fact.source is not Source.DESK:
            self._today(at).rejected += 1


def is_invalid(checks: tuple[str, ...]) -> bool:
    """Whether one of the refusing checks knows a broker rule that the order would have broken."""
    return not VALIDATIONS.isdisjoint(checks)
