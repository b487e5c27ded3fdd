"""Not knowing whether a request arrived: the broker is asked by our own id, and nothing is sent again in doubt (EX-06).

An order that the broker is proven not to have has ended as never arrived; a stop or an exit goes again by its own name
and permission, so that two of it can never work (EX-22).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution import order_states
from core.execution.order import Order
from core.execution.reconciliation import Comparison
from core.facts import CancelFailed, OrderKept, OrderNotFound, OrderStateUnknown, Source, UpdateIgnored
from core.messages.effects import Effect
from core.messages.inputs import LookUpAnswered
from core.model.broker import BrokerPicture, NoAnswer, NotFound, OrderReport
from core.model.codes import EndCode
from core.model.order import OrderStatus, Side
from core.model.staging import Approval
from core.model.values import ClientOrderId, Symbol
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.follow_up import follow_up
from core.workflows.orders.closing_sales import ClosingSales
from core.workflows.orders.order_updates import OrderUpdates, is_ours, look_up

A_MOMENT = timedelta(seconds=1)
"""Within which a cancel that the broker took, and does not follow, is not sent once more."""
MISSED_WHILE_CANCELLING = 2
APART = timedelta(seconds=10)
"""So often, and over so long, the broker says that it does not know an order which is to end: a close waits for it."""
EXITS_AGAIN = timedelta(minutes=2)
"""Since it was written: for so long an exit that never arrived is sent again."""
SENT_WITHIN = timedelta(seconds=30)
"""In which what is sent again has left: the books are compared first."""
MAY_HAVE_FILLED = timedelta(minutes=1)
"""For so long an order that the broker lacks does not end while its books differ by what it may have filled."""
TOGETHER = 3
"""Orders to be looked up at once for which the books as a whole are fewer requests."""


class OrderRecovery:
    """Look-ups at 2, 4, 8 … s. Their times are not remembered over a restart, which asks anew at once."""

    def __init__(self, state: TradingState, order_updates: OrderUpdates) -> None:
        self.state = state
        self.order_updates = order_updates
        self.closing_sales = ClosingSales(state)
        self.next_look_up: dict[ClientOrderId, tuple[datetime, timedelta]] = {}
        self._in_books: set[ClientOrderId] = set()
        self._missing_since: dict[ClientOrderId, datetime] = {}
        self._cancelled_again: dict[ClientOrderId, datetime] = {}
        self._misses: dict[ClientOrderId, tuple[int, datetime]] = {}
        self._differs_since: dict[ClientOrderId, datetime] = {}

    def begin(self, order: Order, reason: str) -> Iterator[Effect]:
        """Put an order in doubt, and ask."""
        self.state.record(OrderStateUnknown(order.id, reason))
        yield from self.ask(order)

    def ask(self, order: Order) -> Iterator[Effect]:
        """Look it up now, and again."""
        if not self.state.sightings.departing.is_here(order):
            self.watch(order)
            yield look_up(order)

    def ask_for_legs(self, order: Order) -> Iterator[Effect]:
        """An answer or the books told of an order without its legs: only the order itself is believed (EX-13)."""
        if self.order_updates.adopting.wants_more(order) and order.id not in self.next_look_up:
            yield from self.ask(order)

    def watch(self, order: Order) -> None:
        """Look the order up again and again until it has ended, or its doubt has; never what never left (EX-06)."""
        first = self._first_pause()
        if not self.state.sightings.departing.is_here(order):
            self.next_look_up.setdefault(order.id, (self.state.at + first, first))

    def begin_anew(self) -> None:
        """The broker can be asked again: every look-up is due at once, and the pauses grow from the first."""
        for order_id in self.next_look_up:
            self.next_look_up[order_id] = self.state.at, self._first_pause() / 2

    def _first_pause(self) -> timedelta:
        return timedelta(seconds=float(self.state.control.settings.execution.look_up_first_seconds))

    @answers(LookUpAnswered)
    def on_answered(self, reply: LookUpAnswered) -> Iterator[Effect]:
        order = self.state.ledger.order(reply.client_order_id)
        if order is None and isinstance(reply.answer, OrderReport):
            order = self.state.order_of(reply.answer)
        if order is None or isinstance(reply.answer, NoAnswer):
            return
        if isinstance(reply.answer, NotFound):
            yield from self._not_found(order)
            return
        self._missing_since.pop(order.id, None)
        self._misses.pop(order.id, None)
        self._differs_since.pop(order.id, None)
        if not self._is_followed(order) and not self._hides_legs(order, reply.answer):
            self.next_look_up.pop(order.id, None)
        if not is_ours(self.state, order, reply.answer):
            yield from self._not_ours(order, reply.answer)
            return
        yield from self.order_updates.absorb(order, reply.answer, Source.LOOK_UP)
        yield from self._follow_cancel(order)

    @property
    def in_books(self) -> Collection[ClientOrderId]:
        """Orders because of which the books were asked for: they are to be looked up in them."""
        return self._in_books

    def on_books(self, order: Order, *, is_listed: bool) -> Iterator[Effect]:
        """The broker's books came. One that was to be looked up in them is asked for where they lack it."""
        if order.id not in self._in_books:
            return
        self._in_books.discard(order.id)
        if not is_listed:
            yield look_up(order)
            return
        if not self._is_followed(order):
            self.next_look_up.pop(order.id, None)
        yield from self._follow_cancel(order)

    def end_missing(self, order: Order, comparison: Comparison) -> Iterator[Effect]:
        """The books lack it, and all that they list is taken in. It ends where no look-up found it, unless what it may
        have filled is what they differ by (EX-05, EX-09): then it is asked for until a stated time is over.
        """
        if not self._may_end(order, comparison.picture):
            return
        if comparison.may_hide_a_fill(order):
            since = self._differs_since.setdefault(order.id, self.state.at)
            if self.state.at - since < MAY_HAVE_FILLED:
                return
            self.state.sightings.differing |= {order.request.symbol}
        self._differs_since.pop(order.id, None)
        is_new = order.status is OrderStatus.PENDING
        yield from self._never_arrived(order) if is_new else self._end_lost(order)

    def owner_of(self, symbol: Symbol, growth: Decimal) -> str | None:
        """Whose order ended today because the broker lacked it, and can have bought what its books show more; None
        where none can, or several owners'.
        """
        way = Side.BUY if growth > 0 else Side.SELL
        owners = {
            order.strategy
            for order in self.state.ledger.lost_today(symbol, self.state.at)
            if not order.only_reduces and order.request.side is way and order.remaining >= abs(growth)
        }
        return owners.pop() if len(owners) == 1 else None

    def _may_end(self, order: Order, picture: BrokerPicture) -> bool:
        """These books are no older than the last doubt of it, and nothing unreadable in them may be this order."""
        since = self._missing_since.get(order.id)
        if since is None or not order.is_working or picture.account.at < since:
            return False
        symbols = {one.symbol for one in picture.unreadable if one.client_order_id is None}
        return symbols.isdisjoint({order.request.symbol, None})

    def _is_followed(self, order: Order) -> bool:
        """Whether it is looked up until it has ended, whatever it is meanwhile."""
        return order.is_cancelling or order.is_being_replaced

    def _hides_legs(self, order: Order, report: OrderReport) -> bool:
        """Whether the broker says that it has legs, and we know none of them."""
        return report.hides_legs and bool(order.request.legs) and not self.state.ledger.legs.of(order.id)

    def _follow_cancel(self, order: Order) -> Iterator[Effect]:
        """The broker knows it and works it: the cancel was lost without a word, and a second one does no harm. One that
        was asked for a moment ago has failed, and comes again after its pause.
        """
        is_lost = order.is_working and order.is_cancelling and order.cancel_failed_at is None
        if not is_lost or order.status is OrderStatus.PENDING:
            return
        last = self._cancelled_again.get(order.id)
        if last is not None and self.state.at - last < A_MOMENT:
            self.state.record(CancelFailed(order.id, "the broker works it all the same", None))
            return
        self._cancelled_again[order.id] = self.state.at
        yield from self.closing_sales.cancel_again(order)

    def _not_found(self, order: Order) -> Iterator[Effect]:
        """Counted before it is believed: five times over a minute, and the broker's books lack it too (EX-06).

        Once is enough where the order that it was to replace has ended otherwise: then it cannot arrive any more.
        """
        if order.status is not OrderStatus.PENDING:
            self._miss(order)
            return
        if order.in_doubt_since is None:
            self.state.record(OrderStateUnknown(order.id, "the broker did not find it"))
        self.state.record(OrderNotFound(order.id))
        limits = self.state.control.settings.execution
        since = order.first_not_found_at or self.state.at
        is_long = self.state.at - since >= timedelta(seconds=float(limits.not_found_seconds))
        if self.state.ledger.chains.is_forestalled(order):
            yield from self._never_arrived(order)
        elif order.not_found >= limits.not_found_times and is_long:
            self._missing_since.setdefault(order.id, self.state.at)
            self.state.sightings.books_are_wanted = True

    def _miss(self, order: Order) -> None:
        """The broker had it and does not find it: it is as gone as one that never arrived, once that is as certain."""
        if not order.is_working:
            self.next_look_up.pop(order.id, None)
            return
        self.watch(order)
        limits = self.state.control.settings.execution
        times, since = self._misses.get(order.id, (0, self.state.at))
        self._misses[order.id] = times + 1, since
        missed, passed = times + 1, self.state.at - since
        is_certain = missed >= limits.not_found_times and passed >= timedelta(seconds=float(limits.not_found_seconds))
        is_wanted = order.is_cancelling and missed >= MISSED_WHILE_CANCELLING and passed >= APART
        if is_certain or is_wanted:
            self._missing_since.setdefault(order.id, self.state.at)
            self.state.sightings.books_are_wanted = True

    def _end_lost(self, order: Order) -> Iterator[Effect]:
        self.next_look_up.pop(order.id, None)
        self._missing_since.pop(order.id, None)
        self._misses.pop(order.id, None)
        gone, reason = OrderStatus.CANCELLED, "the broker knows it no more"
        self.state.record(order_states.change(order, gone, Source.LOOK_UP, None, reason, EndCode.LOST_THERE))
        yield from follow_up(self.state)

    def _never_arrived(self, order: Order) -> Iterator[Effect]:
        """A stop or an exit that is permitted yet is sent again, by its own name; anything else has ended."""
        self.next_look_up.pop(order.id, None)
        self._missing_since.pop(order.id, None)
        approval = self._permitted_again(order)
        if approval is not None:
            self.state.record(OrderKept(order.id, approval, self.state.at, is_absent=True))
            return
        gone, code = OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED
        self.state.record(order_states.change(order, gone, Source.LOOK_UP, None, "never arrived", code))
        yield from follow_up(self.state)

    def _permitted_again(self, order: Order) -> Approval | None:
        """What lets an order go once more that the broker is proven not to have; None where nothing does (EX-22).

        What was signed for it ends when it ends. What a key permitted for seconds does not run out while the broker is
        asked: a stop goes again within its day, another exit once, so that its stop is soon back where it fails again.
        """
        approval, is_wanted = order.permit, order.only_reduces and order.cancel_requested_at is None
        if approval is None or not is_wanted or order.request.replaces is not None:
            return None
        if self.state.at <= approval.lapses_at:
            return approval
        if order.is_protective:
            day_of = self.state.calendar.trading_day
            is_due = approval.mandate_id is None and day_of(self.state.at) == day_of(order.created_at)
        else:
            is_due = self.state.at - order.created_at <= EXITS_AGAIN
        return replace(approval, lapses_at=self.state.at + SENT_WITHIN) if is_due else None

    def _not_ours(self, order: Order, report: OrderReport) -> Iterator[Effect]:
        """Another order has our id: it is shown, never adopted (EX-04)."""
        found = f"{report.side_word} {report.quantity} {report.symbol}"
        self.state.record(UpdateIgnored(order.id, f"the broker's order with this id is another: {found}"))
        if order.status is OrderStatus.PENDING:
            reason = f"the broker has another order with this id: {found}"
            self.state.record(order_states.change(order, OrderStatus.REJECTED, Source.LOOK_UP, None, reason))
            yield from follow_up(self.state)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (at for at, _ in self.next_look_up.values())

    def due(self) -> Iterator[Effect]:
        longest = timedelta(seconds=float(self.state.control.settings.execution.look_up_longest_seconds))
        due: list[Order] = []
        for order_id, (at, wait) in list(self.next_look_up.items()):
            order = self.state.ledger.order(order_id)
            wants_more = order is not None and self.order_updates.adopting.wants_more(order)
            if order is None or not (order.is_working or order.is_given_up or wants_more):
                del self.next_look_up[order_id]
                continue
            if self.state.at < at:
                continue
            longer = min(wait * 2, longest)
            self.next_look_up[order_id] = (self.state.at + longer, longer)
            due.append(order)
        yield from self._look_up(due)

    def _look_up(self, due: list[Order]) -> Iterator[Effect]:
        """Each by its id; several that the broker is known to have, all at once in its books (EX-17)."""
        known = [order.id for order in due if self._is_in_books(order)]
        together = set(known) if len(known) >= TOGETHER else set()
        for order in due:
            if order.id not in together:
                yield look_up(order)
        if together:
            self._in_books |= together
            self.state.sightings.books_are_wanted = True

    def _is_in_books(self, order: Order) -> bool:
        """Whether they tell what is wanted of it: of legs they are not believed."""
        return order.status is not OrderStatus.PENDING and not self.order_updates.adopting.wants_more(order)


def told_of(state: TradingState, reply: LookUpAnswered) -> Order | None:
    """The order of ours that a look-up found; None where it found none, or another's."""
    order = state.ledger.order(reply.client_order_id)
    is_found = order is not None and isinstance(reply.answer, OrderReport) and is_ours(state, order, reply.answer)
    return order if is_found else None
