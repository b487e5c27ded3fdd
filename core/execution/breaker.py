"""The circuit breaker for entries, and the counts of refused orders.

Circuit breaker for entries: a broker that does not answer receives no order that opens or adds (EX-15).
It blocks only entries: exits, cancels and queries always go. It is a slice, folded from facts, so it survives a
restart. `core/workflows/orders/request_reserve.py` counts and decides.

Count per day the orders that the desk refused to send, and those that the broker refused (EX-11).
It is a slice. Broker refusals that validation could have caught should be rare: watch that figure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import Enum

from core import facts
from core.model.lazy_dataclass import dataclass
from core.model.order import Elsewhere, OrderStatus
from core.model.values import ClientOrderId

HOUR = timedelta(hours=1)
ORDER_CALL = "order"
"""The name of a submission or a replacement in `CallFailed` and `CallAnswered`."""


class BreakerPhase(Enum):
    CLOSED = "closed"
    """Entries pass."""
    OPEN = "open"
    """No entry passes before a set time."""
    HALF_OPEN = "half-open"
    """One entry passes, and its answer decides."""
    LATCHED = "latched"
    """No entry passes until the operator clears it."""


@dataclass(slots=True)
class BreakerState:
    """The breaker's state.

    Attributes
    ----------
    failures, slow
        Consecutive failed and slow requests.
    order_failures
        Consecutive failed orders. An answered query does not end them.
    until
        When one entry may be tried; None while it is closed or latched.
    openings
        The newest opening, and those in the hour before it.
    trial
        The entry that was let through and has no answer yet.
    """

    failures: int = 0
    slow: int = 0
    opened_at: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    openings: tuple[datetime, ...] = ()
    trial: ClientOrderId | None = None
    order_failures: int = 0

    @property
    def in_a_row(self) -> int:
        """The failures that are compared with the limit: of all requests, or of orders alone."""
        return max(self.failures, self.order_failures)


class Breaker:
    """The slice of the circuit breaker."""

    name = "breaker"

    def __init__(self) -> None:
        self.state = BreakerState()
        self.folds = {
            facts.CallFailed: self._failed,
            facts.CallAnswered: self._answered,
            facts.BreakerOpened: self._opened,
            facts.BreakerClosed: self._closed,
            facts.OrderCreated: self._created,
            facts.SubmissionBlocked: self._blocked,
            facts.EngineStarted: self._started,
        }

    def restore(self, state: BreakerState) -> None:
        self.state = state

    def phase(self, at: datetime) -> BreakerPhase:
        if self.state.opened_at is None:
            return BreakerPhase.CLOSED
        if self.state.until is None:
            return BreakerPhase.LATCHED
        return BreakerPhase.OPEN if at < self.state.until else BreakerPhase.HALF_OPEN

    def refusal(self, at: datetime) -> str | None:
        """Return why no entry may leave now, or None."""
        match self.phase(at):
            case BreakerPhase.CLOSED:
                return None
            case BreakerPhase.LATCHED:
                return f"latched until you clear it in the commands: {self.state.reason}"
            case BreakerPhase.OPEN:
                assert self.state.until is not None
                left = (self.state.until - at).total_seconds()
                return f"open for {left:.0f} s more: {self.state.reason}"
            case BreakerPhase.HALF_OPEN:
                return "half-open: one entry was let through, and its answer decides" if self.state.trial else None

    def openings_within_an_hour(self, at: datetime) -> tuple[datetime, ...]:
        return tuple(opened for opened in self.state.openings if at - opened < HOUR)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _failed(self, _at: datetime, fact: facts.CallFailed) -> None:
        self.state.failures += 1
        if fact.call == ORDER_CALL:
            self.state.order_failures = fact.orders_in_a_row

    def _answered(self, _at: datetime, fact: facts.CallAnswered) -> None:
        self.state.failures = 0
        if fact.call == ORDER_CALL:
            self.state.order_failures = 0
        if fact.took is not None:  # only orders are timed
            self.state.slow = self.state.slow + 1 if fact.is_slow else 0

    def _opened(self, at: datetime, fact: facts.BreakerOpened) -> None:
        self.state.openings = (*self.openings_within_an_hour(at), at)
        self.state.opened_at, self.state.until, self.state.reason = at, fact.until, fact.reason
        self._forget()

    def _closed(self, _at: datetime, _fact: facts.BreakerClosed) -> None:
        self.state.opened_at, self.state.until, self.state.reason = None, None, ""
        self._forget()

    def _forget(self) -> None:
        self.state.failures = self.state.order_failures = self.state.slow = 0
        self.state.trial = None

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        if not fact.order.effect.only_reduces and self.phase(at) is BreakerPhase.HALF_OPEN and self.state.trial is None:
            self.state.trial = fact.order.client_order_id

    def _blocked(self, _at: datetime, fact: facts.SubmissionBlocked) -> None:
        if fact.client_order_id == self.state.trial:
            self.state.trial = None

    def _started(self, _at: datetime, _fact: facts.EngineStarted) -> None:
        """Forget the trial: its answer went to the previous run, and another entry is tried."""
        self.state.trial = None


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
            facts.ProposalSkipped: self._skipped,
            facts.ConfirmationRefused: self._refused,
            facts.OrderCreated: self._created,
            facts.OrderStateChanged: self._state_changed,
        }

    def restore(self, state: RefusalCountsState) -> None:
        self.state = state

    def _today(self, at: datetime) -> RefusalCountsState:
        day = self.trading_day(at)
        if self.state.day != day:
            self.state = RefusalCountsState(day)
        return self.state

    def _skipped(self, at: datetime, fact: facts.ProposalSkipped) -> None:
        self._today(at).invalid += is_invalid(fact.checks)

    def _refused(self, at: datetime, fact: facts.ConfirmationRefused) -> None:
        self._today(at).invalid += is_invalid(fact.checks)

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        self._today(at).sent += fact.role is not Elsewhere.CLOSED

    def _state_changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        if fact.after is OrderStatus.REJECTED and fact.source is not facts.Source.DESK:
            self._today(at).rejected += 1


def is_invalid(checks: tuple[str, ...]) -> bool:
    """Whether one of the refusing checks knows a broker rule that the order would have broken."""
    return not VALIDATIONS.isdisjoint(checks)
