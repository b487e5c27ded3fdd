"""Recover from doubt whether a request arrived: look it up by client order id, send nothing again in doubt (EX-06).

An order that the broker is proven not to have ends as never arrived; a stop or an exit is sent again under the same id
and authorization, so that two can never work (EX-22).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution import order_status
from core.execution.order import Order
from core.execution.reconciliation import Comparison
from core.facts import CancelFailed, OrderKept, OrderNotFound, OrderStateUnknown, Source, UpdateIgnored
from core.messages.effects import Effect
from core.messages.inputs import LookUpAnswered
from core.model.broker import BrokerBooks, NoAnswer, NotFound, OrderReport
from core.model.codes import BY_A_PERSON, EndCode
from core.model.order import OrderStatus, Side
from core.model.staging import Approval
from core.model.values import ClientOrderId, Symbol
from core.trading_state.state import TradingState
from core.workflows.orders.order_updates import OrderUpdates, is_ours, look_up
from core.workflows.orders.sale_chains import SaleChains
from core.workflows.workflow import answers, follow_up

A_MOMENT = timedelta(seconds=1)
"""Time in which a cancel that the broker accepted but has not carried out is not repeated."""
MISSED_WHILE_CANCELLING = 2
APART = timedelta(seconds=10)
"""Least number of misses, and their least span, of an order being cancelled: a close waits for it."""
MISSED_WHILE_TOO_LARGE = 2
"""Misses of a request for a smaller exit before the larger one, which works meanwhile, is cancelled (EX-13)."""
EXITS_AGAIN = timedelta(minutes=2)
"""Age up to which an exit that never arrived is sent again."""
SENT_WITHIN = timedelta(seconds=30)
"""Time allowed for sending it again: the books are compared first."""
MAY_HAVE_FILLED = timedelta(minutes=1)
"""Time for which a missing order does not end while the books differ by a quantity that it may have filled."""
TOGETHER = 3
"""Number of due look-ups from which the whole books cost fewer requests."""


class OrderRecovery:
    """Look-ups at 2, 4, 8 … s. Their times are not kept over a restart, which looks up at once."""

    RUNS_WITH_OTHERS = True

    def __init__(self, state: TradingState, order_updates: OrderUpdates) -> None:
        self.state = state
        self.order_updates = order_updates
        self.sale_chains = SaleChains(state)
        self.next_look_up: dict[ClientOrderId, tuple[datetime, timedelta]] = {}
        self._in_books: set[ClientOrderId] = set()
        self._missing_since: dict[ClientOrderId, datetime] = {}
        self._cancelled_again: dict[ClientOrderId, datetime] = {}
        self._misses: dict[ClientOrderId, tuple[int, datetime]] = {}
        self._differs_since: dict[ClientOrderId, datetime] = {}
        self._unlisted: set[ClientOrderId] = set()

    def begin(self, order: Order, reason: str) -> Iterator[Effect]:
        """Put an order in doubt, and look it up."""
        self.state.record(OrderStateUnknown(order.id, reason))
        yield from self.ask(order)

    def ask(self, order: Order) -> Iterator[Effect]:
        """Look it up now, and repeat until its end."""
        if not self.state.sightings.departing.is_here(order):
            self.watch(order)
            yield look_up(order)

    def ask_for_legs(self, order: Order) -> Iterator[Effect]:
        """Look up an order whose legs are not named: only a look-up of the order itself is believed (EX-13)."""
        if self.order_updates.adopting.wants_more(order) and order.id not in self.next_look_up:
            yield from self.ask(order)

    def watch(self, order: Order) -> None:
        """Look the order up until it, or its doubt, has ended; never one that has not left (EX-06)."""
        first = self._first_pause()
        if not self.state.sightings.departing.is_here(order):
            self.next_look_up.setdefault(order.id, (self.state.at + first, first))

    def begin_anew(self) -> None:
        """Make every look-up due at once, with the first pause again: the broker can be reached."""
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
        self._unlisted.discard(order.id)
        if not self._is_followed(order) and not self._hides_legs(order, reply.answer):
            self.next_look_up.pop(order.id, None)
        if not is_ours(self.state, order, reply.answer):
            # Report another order under our id; it is never adopted (EX-04). `TakenIds` handles one not yet accepted.
            if order.status is not OrderStatus.PENDING:
                found = f"{reply.answer.side_word} {reply.answer.quantity} {reply.answer.symbol}"
                self.state.record(UpdateIgnored(order.id, f"the broker's order with this id is another: {found}"))
            return
        yield from self.order_updates.absorb(order, reply.answer, Source.LOOK_UP)
        yield from self._follow_cancel(order)

    @property
    def in_books(self) -> Collection[ClientOrderId]:
        """Orders for which the books were requested instead of single look-ups."""
        return self._in_books

    def on_books(self, order: Order, *, is_listed: bool) -> Iterator[Effect]:
        """Process the broker's books for an order that was to be looked up in them; if they lack it, look it up."""
        if is_listed:
            self._unlisted.discard(order.id)
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
        """End an order that the books lack and no look-up found.

        If the books differ by a quantity that it may have filled, it is looked up for a limited time first (EX-05,
        EX-09).
        """
        missed_at = order.first_not_found_at
        if order.status is not OrderStatus.PENDING or (missed_at and comparison.books.account.at >= missed_at):
            self._unlisted.add(order.id)
        self._doubt_unknown(order)
        if not self._may_end(order, comparison.books):
            return
        if comparison.may_hide_a_fill(order):
            since = self._differs_since.setdefault(order.id, self.state.at)
            if self.state.at - since < MAY_HAVE_FILLED:
                return
            self.state.sightings.differing |= {order.request.symbol}
        self._differs_since.pop(order.id, None)
        is_new = order.status is OrderStatus.PENDING
        yield from self._never_arrived(order) if is_new else self._end_lost(order)

    def is_given_up(self, less: Order) -> bool:
        """Whether a request for a smaller exit is no longer waited for; the larger one is to be cancelled (EX-13).

        Once that is cancelled, the smaller one cannot arrive any more. At a kill a single miss decides (OP-07).
        """
        if less.status is not OrderStatus.PENDING or less.first_not_found_at is None:
            return False
        if self.state.control.killed_by is not None or self.state.at >= less.first_not_found_at + APART:
            return True
        return less.not_found >= MISSED_WHILE_TOO_LARGE and less.id in self._unlisted

    def owner_of(self, symbol: Symbol, growth: Decimal) -> str | None:
        """Return the owner of a lost order of today that can explain the broker's larger position.

        None if there is none, or several owners.
        """
        way = Side.BUY if growth > 0 else Side.SELL
        owners = {
            order.strategy
            for order in self.state.ledger.lost_today(symbol, self.state.at)
            if not order.only_reduces and order.request.side is way and order.remaining >= abs(growth)
        }
        return owners.pop() if len(owners) == 1 else None

    def _may_end(self, order: Order, books: BrokerBooks) -> bool:
        """Whether these books are as new as its last doubt, and nothing unreadable in them may be this order."""
        since = self._missing_since.get(order.id)
        if since is None or not order.is_working or books.account.at < since:
            return False
        symbols = {one.symbol for one in books.unreadable if one.client_order_id is None}
        return symbols.isdisjoint({order.request.symbol, None})

    def _is_followed(self, order: Order) -> bool:
        """Whether it is looked up until it has ended, whatever its status."""
        return order.is_cancelling or order.is_being_replaced

    def _hides_legs(self, order: Order, report: OrderReport) -> bool:
        """Whether the broker reports legs of which none is known."""
        return report.hides_legs and bool(order.request.legs) and not self.state.ledger.legs.of(order.id)

    def _follow_cancel(self, order: Order) -> Iterator[Effect]:
        """Repeat the cancel of an order that the broker still works: it was lost, and a second one is harmless.

        One that the broker has is dropped if its reason was given up, and else waited for. A cancel repeated a moment
        ago counts as failed, and follows after its pause.
        """
        is_lost = order.is_working and order.is_cancelling and order.cancel_failed_at is None
        if not is_lost or order.status is OrderStatus.PENDING:
            return
        if order.is_leaving and self.sale_chains.is_waited_for(order):
            return
        last = self._cancelled_again.get(order.id)
        if last is not None and self.state.at - last < A_MOMENT:
            self.state.record(CancelFailed(order.id, "the broker works it all the same", None))
            return
        self._cancelled_again[order.id] = self.state.at
        yield from self.sale_chains.cancel_again(order)

    def _not_found(self, order: Order) -> Iterator[Effect]:
        """Count the misses: five over a minute, and the books must lack it too (EX-06).

        One is enough if the order that it was to replace ended otherwise: then it cannot arrive any more.
        """
        if order.status is not OrderStatus.PENDING:
            self._miss(order)
            return
        if self.state.sightings.departing.is_on_its_way(order):
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
        elif order.not_found >= MISSED_WHILE_TOO_LARGE and order.permit is not None and order.permit.less_of:
            self.state.sightings.books_are_wanted = True  # for `is_given_up`

    def _miss(self, order: Order) -> None:
        """Count misses of an order that the broker had: it ends by the same rule as one that never arrived."""
        if not order.is_working:
            self.next_look_up.pop(order.id, None)
            return
        self.watch(order)
        limits = self.state.control.settings.execution
        times, since = self._misses.get(order.id, (0, self.state.at))
        self._misses[order.id] = times + 1, since
        self._doubt_unknown(order)
        missed, passed = times + 1, self.state.at - since
        is_certain = missed >= limits.not_found_times and passed >= timedelta(seconds=float(limits.not_found_seconds))
        is_wanted = order.is_cancelling and missed >= MISSED_WHILE_CANCELLING and passed >= APART
        if is_certain or is_wanted:
            self._missing_since.setdefault(order.id, self.state.at)
            self.state.sightings.books_are_wanted = True

    def _doubt_unknown(self, order: Order) -> None:
        """Put an exit in doubt that neither the books nor a look-up know: it covers nothing, and is not sent twice.

        Not one that a person cancelled: it is wanted away.
        """
        is_ours_to_keep = order.only_reduces and order.is_working and order.cancel_code not in BY_A_PERSON
        if not is_ours_to_keep or order.in_doubt_since is not None or order.id not in self._misses:
            return
        if order.id in self._unlisted:
            self.state.record(OrderStateUnknown(order.id, "the broker does not know it any more"))
        else:
            self.state.sightings.books_are_wanted = True

    def _end_lost(self, order: Order) -> Iterator[Effect]:
        self.next_look_up.pop(order.id, None)
        self._missing_since.pop(order.id, None)
        self._misses.pop(order.id, None)
        self._unlisted.discard(order.id)
        gone, reason = OrderStatus.CANCELLED, "the broker knows it no more"
        self.state.record(order_status.change(order, gone, Source.LOOK_UP, None, reason, EndCode.LOST_THERE))
        yield from follow_up(self.state)

    def _never_arrived(self, order: Order) -> Iterator[Effect]:
        """Send a stop or an exit again that is still authorized, under the same id; end anything else."""
        self.next_look_up.pop(order.id, None)
        self._missing_since.pop(order.id, None)
        approval = self.permitted_again(order)
        if approval is not None:
            self.state.record(OrderKept(order.id, approval, self.state.at, is_absent=True))
            return
        gone, code = OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED
        self.state.record(order_status.change(order, gone, Source.LOOK_UP, None, "never arrived", code))
        yield from follow_up(self.state)

    def permitted_again(self, order: Order) -> Approval | None:
        """Return the approval to send an order again that the broker does not have, or refused; else None (EX-22).

        A signed authorization ends at its own time. An approval of a key does not lapse meanwhile: a stop is
        sent again within its day, another exit once, so that its stop is soon restored if it fails again.
        """
        approval, is_wanted = order.permit, order.only_reduces and order.cancel_requested_at is None
        if approval is None or not is_wanted or order.request.replaces is not None:
            return None
        if self.state.at <= approval.lapses_at:
            return approval
        if order.is_protective:
            day_of = self.state.calendar.trading_day
            is_due = approval.authorization_id is None and day_of(self.state.at) == day_of(order.created_at)
        else:
            is_due = self.state.at - order.created_at <= EXITS_AGAIN
        return replace(approval, lapses_at=self.state.at + SENT_WITHIN) if is_due else None

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        yield from (at for at, _ in self.next_look_up.values())
        for order_id in self.next_look_up:
            order = self.state.ledger.order(order_id)
            if order is not None and order.first_not_found_at is not None and order.request.replaces is not None:
                given_up_at = order.first_not_found_at + APART
                if given_up_at > self.state.at:
                    yield given_up_at

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
        yield from self.look_up_all(due)

    def look_up_all(self, due: list[Order]) -> Iterator[Effect]:
        """Look orders up by id; several that the broker is known to have, at once in its books (EX-17)."""
        known = [order.id for order in due if self._is_in_books(order)]
        together = set(known) if len(known) >= TOGETHER else set()
        for order in due:
            if order.id not in together:
                yield look_up(order)
        if together:
            self._in_books |= together
            self.state.sightings.books_are_wanted = True

    def _is_in_books(self, order: Order) -> bool:
        """Whether the books suffice for it: they are not believed about legs."""
        return order.status is not OrderStatus.PENDING and not self.order_updates.adopting.wants_more(order)


def told_of(state: TradingState, reply: LookUpAnswered) -> Order | None:
    """Return our order that a look-up found; None if it found none, or another one."""
    order = state.ledger.order(reply.client_order_id)
    is_found = order is not None and isinstance(reply.answer, OrderReport) and is_ours(state, order, reply.answer)
    return order if is_found else None
