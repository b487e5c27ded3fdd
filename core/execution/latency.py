"""Measure the latency of orders from signal to last fill, span by span (EX-16), and when each departed (EX-22).

It is a slice: the instants of the day's orders, folded from facts, and their spans with percentiles. An order that a
person confirmed is measured from its signal. A stop that an entry's ticket authorized, and the legs that the broker
made with an entry, are measured from the fill that they are for. `keyturn latency` folds the journal of any day through
the same slice.

Doubt and every time-out after it count from the departure of the request. For an order of an earlier run that time is
unknown: it may have left as soon as it was recorded.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import ceil

from core import facts
from core.execution.order import Order
from core.execution.past_orders import KEPT
from core.model.account import PERCENTILES, LatencySpan
from core.model.bar import ONE_MINUTE
from core.model.codes import ProposalEnd
from core.model.counted_changes import CountsChanges
from core.model.lazy_dataclass import dataclass
from core.model.order import LegRole, OrderStatus, StopHolder
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, ProposalId, TicketId
from core.ports import Recorded


class TimedAs(StrEnum):
    """How an order came about, which decides its spans."""

    CONFIRMED = "confirmed"
    STOP = "stop"
    TARGET = "target"


@dataclass(slots=True)
class Timing(CountsChanges):
    """The instants of one order; None if one has not come, or was not measured.

    `signal` is the end of the bar, or the time of typing. `sent` is the gateway's release. `acknowledged` is when the
    desk first heard that the broker has the order, by answer or stream; fills are when it heard of them.

    Of a stop or a target, `entry_fill` is the first fill of its entry that had none yet, by the broker's clock, and
    `in_force` when it was acknowledged; a leg is in force once its entry has filled whole, too.
    """

    timed_as: TimedAs = TimedAs.CONFIRMED
    entry_fill: datetime | None = None
    in_force: datetime | None = None
    signal: datetime | None = None
    staged: datetime | None = None
    confirmed: datetime | None = None
    sent: datetime | None = None
    acknowledged: datetime | None = None
    first_fill: datetime | None = None
    filled: datetime | None = None


SPANS: Mapping[TimedAs, tuple[tuple[str, str, str], ...]] = {
    TimedAs.CONFIRMED: (
        ("signal to staged", "signal", "staged"),
        ("staged to confirmed", "staged", "confirmed"),
        ("confirmed to sent", "confirmed", "sent"),
        ("sent to acknowledged", "sent", "acknowledged"),
        ("acknowledged to first fill", "acknowledged", "first_fill"),
        ("first fill to filled", "first_fill", "filled"),
        ("confirmed to first fill", "confirmed", "first_fill"),
    ),
    TimedAs.STOP: (
        ("fill to stop sent", "entry_fill", "sent"),
        ("stop sent to acknowledged", "sent", "acknowledged"),
        ("fill to stop in force", "entry_fill", "in_force"),
    ),
    TimedAs.TARGET: (("fill to target in force", "entry_fill", "in_force"),),
}
"""The measured spans: a name, and the two instants of a `Timing`."""


@dataclass(slots=True)
class EntryFills:
    """An entry whose ticket named a stop.

    Attributes
    ----------
    first_fill, uncovered
        Its first fill, and the first one that has no stop yet; None without one.
    filled
        When it had filled whole; its legs are in force from then on.
    is_over
        Whether no more of it can fill.
    """

    first_fill: datetime | None = None
    uncovered: datetime | None = None
    filled: datetime | None = None
    is_over: bool = False


@dataclass(slots=True)
class HeldLeg:
    """A leg that waits until its entry has filled whole, or for its acknowledgement."""

    entry: ClientOrderId
    timed_as: TimedAs
    acknowledged: datetime | None = None


@dataclass(slots=True)
class LatenciesState:
    """One trading day. `staged` and `confirmed` wait for their order; `tickets` map from one to the other.

    `entries` and `legs` of orders that can still fill are kept for the next day.
    """

    day: date | None = None
    orders: dict[ClientOrderId, Timing] = field(default_factory=dict)
    staged: dict[ProposalId, tuple[datetime, datetime]] = field(default_factory=dict)
    tickets: dict[TicketId, ProposalId] = field(default_factory=dict)
    confirmed: dict[ProposalId, datetime] = field(default_factory=dict)
    entries: dict[ClientOrderId, EntryFills] = field(default_factory=dict)
    legs: dict[ClientOrderId, HeldLeg] = field(default_factory=dict)


class Latencies:
    """The slice of latencies."""

    name = "latencies"

    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = LatenciesState()
        self._took: dict[str, list[timedelta]] = {}
        self.restore(self.state)
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
        for timed_as, spans in SPANS.items():
            for name, first, last in spans:
                those = (timing for timing in state.orders.values() if timing.timed_as is timed_as)
                between = (_between(timing, first, last) for timing in those)
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
        of_it = [span for span in SPANS[timing.timed_as] if instant in span]
        before = [_between(timing, first, last) for _, first, last in of_it]
        setattr(timing, instant, at)
        for (name, first, last), old in zip(of_it, before, strict=True):
            took, now = self._took[name], _between(timing, first, last)
            if old is not None:
                del took[bisect_left(took, old)]
            if now is not None:
                insort(took, now)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_day(self, at: datetime) -> None:
        """Drop what was measured on an earlier day; entries that can still fill keep their legs."""
        day = self.trading_day(at)
        if day == self.state.day:
            return
        entries = {name: entry for name, entry in self.state.entries.items() if not entry.is_over}
        legs = {name: leg for name, leg in self.state.legs.items() if leg.entry in entries}
        self.restore(LatenciesState(day, entries=entries, legs=legs))

    def _staged(self, at: datetime, fact: facts.ProposalStaged) -> None:
        self._begin_day(at)
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

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        order, order_id = fact.order, fact.order.client_order_id
        if fact.stop is not None and fact.stop.holder is StopHolder.BROKER:
            self.state.entries[order_id] = EntryFills()
        entry = None if fact.parent is None else self.state.entries.get(fact.parent)
        if fact.role is not None:
            if fact.parent is not None and entry is not None:
                timed_as = TimedAs.STOP if fact.role is LegRole.STOP else TimedAs.TARGET
                self.state.legs[order_id] = HeldLeg(fact.parent, timed_as)
            return
        uncovered = None
        if entry is not None and order.type.is_stop:
            uncovered, entry.uncovered = entry.uncovered, None
        if order_id == ClientOrderId(str(fact.proposal_id)):
            self._begin_confirmed(fact)
        elif order.effect.only_reduces and order.type.is_stop:
            self._begin_day(at)
            self.state.orders[order_id] = Timing(timed_as=TimedAs.STOP, entry_fill=uncovered)

    def _begin_confirmed(self, fact: facts.OrderCreated) -> None:
        waited = self.state.staged.get(fact.proposal_id)
        if waited is None:
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
        order_id, after = fact.client_order_id, fact.after
        if order_id in self.state.legs or order_id in self.state.entries:
            self._begin_day(at)
        if (leg := self.state.legs.get(order_id)) is not None and after is OrderStatus.SUBMITTED:
            leg.acknowledged = at
            self._begin_leg(at, order_id, leg)
        if (entry := self.state.entries.get(order_id)) is not None and after.is_terminal:
            entry.is_over, entry.filled = True, at if after is OrderStatus.FILLED else None
            for name, held in [each for each in self.state.legs.items() if each[1].entry == order_id]:
                self._begin_leg(at, name, held)
        timing = self.state.orders.get(order_id)
        if timing is None:
            return
        if after is OrderStatus.SUBMITTED and timing.acknowledged is None:
            self._set(timing, "acknowledged", at)
            if timing.timed_as is not TimedAs.CONFIRMED:
                self._set(timing, "in_force", at)
        elif after is OrderStatus.FILLED:
            self._set(timing, "filled", at)

    def _begin_leg(self, at: datetime, order_id: ClientOrderId, leg: HeldLeg) -> None:
        """Begin the timing of a leg once it is acknowledged and its entry has filled whole; it is in force then."""
        entry = self.state.entries[leg.entry]
        if entry.filled is None or leg.acknowledged is None:
            return
        del self.state.legs[order_id]
        timing = self.state.orders[order_id] = Timing(timed_as=leg.timed_as, entry_fill=entry.first_fill)
        timing.acknowledged = leg.acknowledged
        if leg.timed_as is TimedAs.STOP:
            entry.uncovered = None
        self._set(timing, "in_force", at)

    def _filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        order_id = fact.fill.client_order_id
        if (entry := self.state.entries.get(order_id)) is not None:
            filled_at = min(at, fact.fill.at)  # by the broker's clock: a message may be late or lost
            entry.first_fill, entry.uncovered = entry.first_fill or filled_at, entry.uncovered or filled_at
        timing = self.state.orders.get(order_id)
        if timing is not None and timing.first_fill is None:
            self._set(timing, "first_fill", at)


def _between(timing: Timing, first: str, last: str) -> timedelta | None:
    before, after = getattr(timing, first), getattr(timing, last)
    return None if before is None or after is None else after - before


def percentile(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return the percentile by nearest rank: a measured value, never an interpolated one. `ordered` is not empty."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]


INSTANTS = ("signal", "staged", "confirmed", "entry_fill", "sent", "acknowledged", "in_force", "first_fill", "filled")


def latency_report(
    records: Iterable[Recorded], trading_day: Callable[[datetime], date], day: date | None
) -> dict[str, object]:
    """Return every timed order of the day with its instants, and every span with its percentiles in ms.

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
        "orders": sum(timing.timed_as is TimedAs.CONFIRMED for timing in kept.orders.values()),
        "stops": sum(timing.timed_as is not TimedAs.CONFIRMED for timing in kept.orders.values()),
        "spans": [
            {
                "name": span.name,
                "orders": span.orders,
                **{f"p{p}": _milliseconds(took) for p, took in zip(PERCENTILES, span.percentiles, strict=True)},
            }
            for span in slice_.spans()
        ],
        "timings": [
            {"order": order_id, "as": timing.timed_as.value, **{name: _iso(getattr(timing, name)) for name in INSTANTS}}
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

    def is_on_its_way(self, order: Order) -> bool:
        """Whether this run sent it and its answer is awaited: that the broker does not find it yet means nothing."""
        return order.status is OrderStatus.PENDING and order.in_doubt_since is None and order.id in self._left_at

    def is_held_up(self, order: Order, at: datetime) -> bool:
        """Whether it has waited for its lane for more than a moment."""
        return order.id in self._waiting and at - order.created_at > A_MOMENT

    def left_at(self, order: Order) -> datetime:
        """Return its departure time; for an order that still waits here, the earliest possible one."""
        return self._left_at.get(order.id, order.created_at)
