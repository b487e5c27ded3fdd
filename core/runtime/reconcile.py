"""`keyturn reconcile`: the start of a desk and its comparison with the broker, without a desk (EX-09).

Looking changes nothing: the engine writes to a discarded journal, and only queries are sent. Accepting is a regular
start, including orders in flight and stops that are due; then the broker's position is accepted wherever a difference
remains.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from core.brokers.port import Broker
from core.engine import Engine
from core.execution.gateway import Gateway
from core.execution.reconciliation import Comparison
from core.facts import Fact
from core.messages import effects, inputs
from core.model.broker import BrokerBooks, NoAnswer
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import Difference
from core.ports import Journal, KillSwitch, OperatorError, Recorded
from core.runtime.inbox import HaltLatch

QUESTIONS = (effects.FetchBooks, effects.FetchAccount, effects.LookUpOrder)
REASON = "compared with the broker"


@dataclass(frozen=True, slots=True)
class ComparedBooks:
    """The result of a comparison: the counts of positions and working orders at the broker, and the differences."""

    positions: int
    orders: int
    differences: tuple[Difference, ...]


class Reconciling:
    """One engine and one broker, without an operator.

    Parameters
    ----------
    now
        UTC; never before the journal's last record.
    switch
        The kill switch; None if only queries may be sent.
    """

    def __init__(self, engine: Engine, broker: Broker, now: Callable[[], datetime], switch: KillSwitch | None) -> None:
        self.engine = engine
        self.broker = broker
        self.now = now
        self.gateway: Gateway | None = None
        if switch is not None:
            self.latch = HaltLatch(switch)
            self.gateway = Gateway(engine.state.account_name, self.latch, engine.state.calendar.venue)
        self._effects: deque[effects.Effect] = deque()

    def look(self) -> ComparedBooks:
        """Start, compare, and return the differences.

        Raises
        ------
        OperatorError
            The broker does not answer.
        """
        self._take(inputs.Start())
        found = self.engine.state.control.state.differences
        books = self._books(self._fetched())
        return replace(books, differences=found or books.differences)  # including those that a start would correct

    def accept(self) -> ComparedBooks:
        """Look, then accept the broker's values for the remaining differences. Raises `OperatorError`."""
        self.look()
        self._take(inputs.AcceptBroker(self._fetched()))
        books = self._books(self._fetched())
        self._take(inputs.Stop(REASON))
        return books

    def _fetched(self) -> BrokerBooks:
        fetched = self.broker.books()
        if isinstance(fetched, NoAnswer):
            raise OperatorError(f"the broker cannot be reached: {fetched.reason}; nothing was changed, try again")
        return fetched

    def _books(self, fetched: BrokerBooks) -> ComparedBooks:
        state = self.engine.state
        comparison = Comparison(state.ledger, fetched, state.control.settings.reconciliation)
        working = sum(1 for report in fetched.orders if report.status is None or report.status.is_working)
        return ComparedBooks(len(fetched.positions), working, (*comparison.positions(), *comparison.orders()))

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, message: inputs.Input) -> None:
        """Handle an input and all immediate consequences; deadlines are left to the next start."""
        self._effects.extend(self.engine.handle(self._at(), message))
        while self._effects:
            answer = self._answer(self._effects.popleft())
            if answer is not None:
                self._effects.extend(self.engine.handle(self._at(), answer))

    def _at(self) -> datetime:
        return max(self.now(), self.engine.state.at)

    def _answer(self, effect: effects.Effect) -> inputs.Input | None:
        broker = self.broker
        if self.gateway is None and not isinstance(effect, QUESTIONS):
            return None
        match effect:
            case effects.SubmitOrder() | effects.ReplaceOrder():
                return self._sent(effect)
            case effects.CancelOrder():
                answer = broker.cancel(effect.client_order_id, effect.broker_order_id)
                return inputs.CancelAnswered(effect.client_order_id, answer)
            case effects.LookUpOrder():
                found = broker.look_up(effect.client_order_id, with_legs=effect.with_legs)
                return inputs.LookUpAnswered(effect.client_order_id, found)
            case effects.FetchAccount():
                return inputs.AccountFetched(broker.account())
            case effects.FetchBooks():
                return inputs.BooksFetched(broker.books())
        return None

    def _sent(self, effect: effects.SubmitOrder | effects.ReplaceOrder) -> inputs.Input:
        assert self.gateway is not None
        order, at = effect.order, self._at()
        self.latch.note(self.engine.state.control.refusal())
        withheld = self.gateway.refusal(effect, at)
        if withheld is not None:
            return inputs.SubmissionStopped(order.client_order_id, withheld.words, code=withheld.code)
        if isinstance(effect, effects.ReplaceOrder):
            return inputs.SubmissionAnswered(
                order.client_order_id, self.broker.replace(order, effect.broker_order_id), at
            )
        return inputs.SubmissionAnswered(order.client_order_id, self.broker.submit(order), at)


class Forgotten:
    """A journal that continues another one and writes nothing, for read-only use."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.sequence = journal.sequence
        self.last_at = journal.last_at
        self.past = journal.past

    def append(self, at: datetime, _fact: Fact) -> int:
        self.sequence += 1
        self.last_at = at
        return self.sequence

    def flush(self) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""

    def records(self, after: int = 0) -> Iterator[Recorded]:
        return self._journal.records(after)

    def backwards(self) -> Iterator[Recorded]:
        return self._journal.backwards()
