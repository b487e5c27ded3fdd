"""Measure the latency of orders from signal to last fill, span by span (EX-16), and when each departed (EX-22).

It is a slice: the instants of all orders of the day that a person confirmed, folded from facts, and their spans with
percentiles. `keyturn latency` folds the journal of any day through the same slice.

Doubt and every time-out after it count from the departure of the request. For an order of an earlier run that time is
unknown: it may have left as soon as it was recorded.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil

from core import facts
from core.execution.order import Order
from core.execution.past_orders import KEPT
from core.model.account import PERCENTILES, LatencySpan
from core.model.bar import ONE_MINUTE
from core.model.codes import ProposalEnd
from core.model.counted_changes import CountsChanges
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, ProposalId, TicketId
from core.ports import Recorded


@dataclass(slots=True)
class Timing(CountsChanges):
    """The instants of one order; None if one has not come, or was not measured.

    `signal` is the end of the bar, or the time of typing. `sent` is the gateway's release. `acknowledged` is when the
    desk first heard that the broker has the order, by answer or stream; fills are when it heard of them.
    """

    signal: datetime | None = None
    staged: datetime | None = None
    confirmed: datetime | None = None
    sent: datetime | None = None
    acknowledged: datetime | None = None
    first_fill: datetime | None = None
    filled: datetime | None = None


SPANS: tuple[tuple[str, str, str], ...] = (
    ("signal to staged", "signal", "staged"),
    ("staged to confirmed", "staged", "confirmed"),
    ("confirmed to sent", "confirmed", "sent"),
    ("sent to acknowledged", "sent", "acknowledged"),
    ("acknowledged to first fill", "acknowledged", "first_fill"),
    ("first fill to filled", "first_fill", "filled"),
    ("confirmed to first fill", "confirmed", "first_fill"),
)
"""The measured spans: a name, and the two instants of a `Timing`."""


@dataclass(slots=True)
class LatenciesState:
    """One trading day. `staged` and `confirmed` wait for their order; `tickets` map from one to the other."""

    day: date | None = None
    orders: dict[ClientOrderId, Timing] = field(default_factory=dict)
    staged: dict[ProposalId, tuple[datetime, datetime]] = field(default_factory=dict)
    tickets: dict[TicketId, ProposalId] = field(default_factory=dict)
    confirmed: dict[ProposalId, datetime] = field(default_factory=dict)


class Latencies:
    """The slice of latencies."""

    name = "latencies"

    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = LatenciesState()
        self._took: dict[str, list[timedelta]] = {name: [] for name, _, _ in SPANS}
        self.folds = {
            facts.ProposalStaged: self._staged,
            facts.TicketOpened: self._ticket_opened,
            facts.TicketClosed: self._ticket_closed,
            facts.ConfirmationReceived: self._confirmed,
            facts.ProposalEnded: self._ended,
            facts.OrderCreated: self._created,
            facts.OrderSent: self._sent,
            facts.OrderStateChanged: self._state_changed,
            facts.OrderFilled: self._filled,
        }

    def restore(self, state: LatenciesState) -> None:
        self.state = state
        for name, first, last in SPANS:
            between = (_between(timing, first, last) for timing in state.orders.values())
            self._took[name] = sorted(took for took in between if took is not None)

    def spans(self) -> tuple[LatencySpan, ...]:
        """Return every span with its percentiles, without empty ones."""
        return tuple(
            LatencySpan(name, len(took), tuple(percentile(took, p) for p in PERCENTILES))
            for name, took in self._took.items()
            if took
        )

    def _set(self, timing: Timing, instant: str, at: datetime) -> None:
        """Set an instant of an order, and keep the sorted spans that it begins or ends."""
        of_it = [span for span in SPANS if instant in span]
        before = [_between(timing, first, last) for _, first, last in of_it]
        setattr(timing, instant, at)
        for (name, first, last), old in zip(of_it, before, strict=True):
            took, now = self._took[name], _between(timing, first, last)
            if old is not None:
                del took[bisect_left(took, old)]
            if now is not None:
                insort(took, now)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _staged(self, at: datetime, fact: facts.ProposalStaged) -> None:
        day = self.trading_day(at)
        if day != self.state.day:
            self.restore(LatenciesState(day))
        proposal = fact.proposal
        is_of_a_bar = proposal.strategy != MANUAL and proposal.reference is not None
        signal = proposal.signal_time + ONE_MINUTE if is_of_a_bar else proposal.signal_time
        self.state.staged[proposal.id] = (min(signal, at), at)

    def _ticket_opened(self, _at: datetime, fact: facts.TicketOpened) -> None:
        self.state.tickets[fact.ticket.id] = fact.ticket.proposal_id

    def _ticket_closed(self, _at: datetime, fact: facts.TicketClosed) -> None:
        self.state.tickets.pop(fact.ticket_id, None)

    def _ended(self, _at: datetime, fact: facts.ProposalEnded) -> None:
        if fact.end is not ProposalEnd.SENT:
            self._forget(fact.proposal_id)

    def _forget(self, proposal_id: ProposalId) -> None:
        """Forget an order that will not come, or has come."""
        self.state.staged.pop(proposal_id, None)
        self.state.confirmed.pop(proposal_id, None)

    def _confirmed(self, at: datetime, fact: facts.ConfirmationReceived) -> None:
        proposal_id = self.state.tickets.pop(fact.ticket_id, None)
        if proposal_id is not None:
            self.state.confirmed[proposal_id] = at

    def _created(self, _at: datetime, fact: facts.OrderCreated) -> None:
        """Begin the timing of a confirmed order; a stop sent by authorization has no signal and is not timed."""
        waited = self.state.staged.get(fact.proposal_id)
        if waited is None or fact.order.client_order_id != ClientOrderId(str(fact.proposal_id)):
            return
        timing = self.state.orders[fact.order.client_order_id] = Timing(signal=waited[0])
        self._set(timing, "staged", waited[1])
        confirmed = self.state.confirmed.get(fact.proposal_id)
        if confirmed is not None:
            self._set(timing, "confirmed", confirmed)
        self._forget(fact.proposal_id)

    def _sent(self, _at: datetime, fact: facts.OrderSent) -> None:
        timing = self.state.orders.get(fact.client_order_id)
        if timing is not None and timing.sent is None:
            self._set(timing, "sent", fact.sent_at)

    def _state_changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        timing = self.state.orders.get(fact.client_order_id)
        if timing is None:
            return
        if fact.after is OrderStatus.SUBMITTED and timing.acknowledged is None:
            self._set(timing, "acknowledged", at)
        elif fact.after is OrderStatus.FILLED:
            self._set(timing, "filled", at)

    def _filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        timing = self.state.orders.get(fact.fill.client_order_id)
        if timing is not None and timing.first_fill is None:
            self._set(timing, "first_fill", at)


def _between(timing: Timing, first: str, last: str) -> timedelta | None:
    before, after = getattr(timing, first), getattr(timing, last)
    return None if before is None or after is None else after - before


def percentile(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return the percentile by nearest rank: a measured value, never an interpolated one. `ordered` is not empty."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]


INSTANTS = ("signal", "staged", "confirmed", "sent", "acknowledged", "first_fill", "filled")


def latency_report(
    records: Iterable[Recorded], trading_day: Callable[[datetime], date], day: date | None
) -> dict[str, object]:
    """Return every order of the day with its instants, and every span with its percentiles in ms.

    `day` None means the last day on which an order was created.
    """
    slice_ = Latencies(trading_day)
    kept = LatenciesState(day)
    for record in records:
        fold = slice_.folds.get(type(record.fact))
        if fold is None:
            continue
        fold(record.at, record.fact)  # type: ignore[operator]
        state = slice_.state
        if state.orders and (day is None or state.day == day):
            kept = state
    slice_.restore(kept)
    return {
        "day": kept.day.isoformat() if kept.day else None,
        "orders": len(kept.orders),
        "spans": [
            {
                "name": span.name,
                "orders": span.orders,
                **{f"p{p}": _milliseconds(took) for p, took in zip(PERCENTILES, span.percentiles, strict=True)},
            }
            for span in slice_.spans()
        ],
        "timings": [
            {"order": order_id, **{name: _iso(getattr(timing, name)) for name in INSTANTS}}
            for order_id, timing in kept.orders.items()
        ],
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _milliseconds(took: timedelta) -> float:
    """Return milliseconds for display and plots, not for money."""
    return float(Decimal(took // timedelta(microseconds=1)) / 1000)


A_MOMENT = timedelta(seconds=2)
"""Time in the queue that is not reported as held up: its lane is usually free."""


class Departures:
    """Filled by the workflow that records an order, and by the runtime as it leaves; only in the engine's thread."""

    def __init__(self) -> None:
        self._waiting: set[ClientOrderId] = set()
        self._left_at: dict[ClientOrderId, datetime] = {}

    def queue(self, order_id: ClientOrderId) -> None:
        """Note that the order is recorded, or is to be sent again, and waits in its lane."""
        self._waiting.add(order_id)
        self._left_at.pop(order_id, None)

    def leave(self, order_id: ClientOrderId, at: datetime) -> None:
        """Note that its request has left."""
        self._waiting.discard(order_id)
        self._left_at.setdefault(order_id, at)
        while at - next(iter(self._left_at.values())) > KEPT:  # the oldest is the first
            del self._left_at[next(iter(self._left_at))]

    def end(self, order_id: ClientOrderId) -> None:
        """Note that it was answered, or never left and never will."""
        self._waiting.discard(order_id)

    def is_here(self, order: Order) -> bool:
        """Whether the broker cannot have it: it waits in our queue, or was kept when the desk stopped."""
        return order.status is OrderStatus.PENDING and (order.id in self._waiting or order.kept is not None)

    def is_held_up(self, order: Order, at: datetime) -> bool:
        """Whether it has waited for its lane for more than a moment."""
        return order.id in self._waiting and at - order.created_at > A_MOMENT

    def left_at(self, order: Order) -> datetime:
        """Return its departure time; for an order that still waits here, the earliest possible one."""
        return self._left_at.get(order.id, order.created_at)
