"""Closing shares that our own stop holds: cancel it, wait, sell; what the sale leaves gets its stop back (EX-21)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.desk import Desk
from core.effects import Effect
from core.execution.order import Order
from core.facts import MandateEnded, MandateProlonged, SubmissionBlocked
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, TimeInForce
from core.model.signal import ExitReason
from core.model.staging import Mandate, MandateKind, Proposal, Ticket
from core.model.values import ClientOrderId, Quantity, Symbol, plain
from core.staging.stage import MandateUse
from core.workflows.apart import apart
from core.workflows.cancelling import Cancelling
from core.workflows.protecting import NOTHING_LEFT, Protecting
from core.workflows.submitting import Intent, Submitting

MAKES_WAY = "its position is being closed"
CLOSE_AGAIN = "close again: "
"""With this begins the reason of every close that led to nothing: a person is told of those."""


class Closing:
    """Its whole state is in the mandates that the confirmed ticket gave, so that a restart goes on where it stood."""

    def __init__(self, desk: Desk, submitting: Submitting, cancelling: Cancelling, protecting: Protecting) -> None:
        self.desk = desk
        self.submitting = submitting
        self.cancelling = cancelling
        self.protecting = protecting
        cancelling.is_wanted = self._is_waited_for

    def begin(self, ticket: Ticket) -> Iterator[Effect]:
        for order_id in ticket.cancels:
            stop = self.desk.ledger.order(order_id)
            if stop is not None and stop.is_working and not stop.is_cancelling:
                yield from apart(self.desk, partial(self.cancelling.cancel, stop, MAKES_WAY))
        yield from self.go_on()

    def go_on(self, but: Collection[Symbol] = ()) -> Iterator[Effect]:
        """Every closing that waits: sell where the stops, and what else holds the shares, are gone.

        Not those of symbols whose books are too far apart, where that is said.
        """
        for use in self._waiting(MandateKind.CLOSE, but):
            if use.is_unused and not self._stops_left(use):
                yield from apart(self.desk, partial(self._sell, use))
        for use in self._waiting(MandateKind.RESTORE_STOP, but):
            if self._is_over(use) and not self._stops_left(use) and not self._is_followed(use):
                yield from apart(self.desk, partial(self._restore, use))

    def _waiting(self, kind: MandateKind, but: Collection[Symbol]) -> list[MandateUse]:
        return [use for use in self.desk.stage.mandates(kind) if use.mandate.symbol not in but]

    def after_end(self, order: Order) -> Iterator[Effect]:
        """An order ended: perhaps the stop that was waited for, perhaps the sale itself."""
        closes = list(self.desk.stage.mandates(MandateKind.CLOSE, order.id))  # putting a stop back ends them
        for use in self.desk.stage.mandates(MandateKind.RESTORE_STOP, order.id):
            if not self._is_followed(use):
                yield from apart(self.desk, partial(self._restore, use))
        for use in closes:
            yield from apart(self.desk, partial(self._guard_what_entries_left, use))
        yield from self.go_on()

    def under_way(self) -> tuple[Symbol, ...]:
        """Whose stop was asked to make way, or is gone already, while the exit behind it has not left."""
        leaving = [o.request.symbol for o in self.desk.ledger.working() if o.only_reduces and o.is_cancelling]
        waiting = [use for use in self.desk.stage.mandates(MandateKind.CLOSE) if use.is_unused and self._ticket(use)]
        return tuple(dict.fromkeys((*leaving, *(use.mandate.symbol for use in waiting))))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for use in self.desk.stage.mandates(MandateKind.CLOSE):
            if use.is_unused:
                yield self._prolonged_at(use) if self._waits_in_doubt(use) else use.mandate.ends_at

    def due(self) -> Iterator[Effect]:
        for use in self.desk.stage.mandates(MandateKind.CLOSE):
            if use.is_unused and self.desk.at >= use.mandate.ends_at:
                self._end(use, "close again: the stop was not gone in time")
                yield from apart(self.desk, partial(self._guard_what_entries_left, use))
            elif use.is_unused and self._waits_in_doubt(use) and self.desk.at >= self._prolonged_at(use):
                self.desk.record(MandateProlonged(use.mandate.id, self.desk.at + self._patience()))
        yield from self.go_on()

    def _waits_in_doubt(self, use: MandateUse) -> bool:
        """Whether nobody knows yet if a stop in its way is at the broker: its time does not run meanwhile.

        What a desk that was away found lapsed stays so: the key was turned for then.
        """
        ticket = self._ticket(use)
        stops = [self.desk.ledger.order(order_id) for order_id in (ticket.cancels if ticket else ())]
        return any(stop is not None and self.desk.ledger.is_in_doubt(stop) for stop in stops)

    def _prolonged_at(self, use: MandateUse) -> datetime:
        """Half of its time before its end, so that as much is left at least when the doubt is over."""
        return use.mandate.ends_at - self._patience() / 2

    def _patience(self) -> timedelta:
        return timedelta(seconds=float(self.desk.control.settings.staging.close_seconds))

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ticket(self, use: MandateUse) -> Ticket | None:
        confirmation = self.desk.stage.state.confirmations.get(use.mandate.ticket_id)
        return confirmation.ticket if confirmation and confirmation.is_decided else None

    def _stops_left(self, use: MandateUse) -> bool:
        """Whether a stop that holds the shares still works; True also while the closing has not begun."""
        ticket = self._ticket(use)
        if ticket is None:
            return True
        stops = (self.desk.ledger.order(order_id) for order_id in ticket.cancels)
        return any(stop is not None and stop.is_working for stop in stops)

    def _is_waited_for(self, order: Order) -> bool:
        """Whether a cancel that the broker did not take is asked for again: not where no close waits for it any more.

        The stop guards on then; taken back for nothing, it might be refused when it is to be put back.
        """
        waiting = (self._ticket(use) for use in self.desk.stage.mandates(MandateKind.CLOSE) if use.is_unused)
        is_for_a_close = order.cancel_reason == MAKES_WAY and order.stands_by
        return not is_for_a_close or any(ticket is not None and order.id in ticket.cancels for ticket in waiting)

    def _is_over(self, use: MandateUse) -> bool:
        """Whether the sale has ended (a crash may have come between that and its stop), or will not be sent."""
        sale = self.desk.ledger.order(use.mandate.parent)
        return sale.status.is_terminal if sale is not None else self._was_given_up(use)

    def _was_given_up(self, use: MandateUse) -> bool:
        """Whether the sale was never sent, and will not be."""
        sale_waits = any(close.is_unused for close in self.desk.stage.mandates(MandateKind.CLOSE, use.mandate.parent))
        return not sale_waits and not self.desk.ledger.has(use.mandate.parent)

    def _is_followed(self, use: MandateUse) -> bool:
        """Whether its sale waited at a limit and makes way for another close, which waits or works: the stop goes back
        when that is over.
        """
        for close in self._followers(use):
            sale = self.desk.ledger.order(close.mandate.parent)
            if close.is_unused or (sale is not None and sale.is_working):
                return True
        return False

    def _followers(self, use: MandateUse) -> list[MandateUse]:
        """The closes for which its sale made way, those for which they made way, and so on."""
        line, found = {use.mandate.parent}, []
        waiting = list(self.desk.stage.mandates(MandateKind.CLOSE))
        while following := [close for close in waiting if self._takes_the_place(close, line)]:
            found += following
            line |= {close.mandate.parent for close in following}
            waiting = [close for close in waiting if close not in following]
        return found

    def _takes_the_place(self, close: MandateUse, sales: Set[ClientOrderId]) -> bool:
        ticket = self._ticket(close)
        return ticket is not None and not sales.isdisjoint(ticket.cancels)

    def _sell(self, use: MandateUse) -> Iterator[Effect]:
        confirmation = self.desk.stage.state.confirmations[use.mandate.ticket_id]
        proposal, wanted = confirmation.proposal, confirmation.ticket.order
        left = min(wanted.quantity, self.protecting.uncovered(wanted.symbol, proposal.strategy, wanted.side))
        if left <= 0:
            self._end(use, "nothing is left to close")
            self._end_all(MandateKind.RESTORE_STOP, use.mandate.parent, NOTHING_LEFT)
            return
        order = replace(wanted, quantity=Quantity(left))
        approval = self.desk.stage.permit(use, order, self.desk.account_name, self.desk.at)
        if isinstance(approval, str):
            self.desk.record(SubmissionBlocked(order.client_order_id, approval))
            self._end(use, approval)
            yield from self._guard_what_entries_left(use)
            return
        yield from self.submitting.release(
            approval,
            Intent(
                order=order,
                proposal_id=proposal.id,
                strategy=proposal.strategy,
                signal_time=proposal.signal_time,
                stop=None,
                parent=None,
                exit_reason=exit_reason_of(order, proposal),
                intended_price=proposal.intended_price,
                reference=proposal.reference,
                expires_at=None,
            ),
        )
        for rest in self.desk.stage.mandates(MandateKind.RESTORE_STOP):
            if rest.mandate.parent == use.mandate.parent or use in self._followers(rest):
                yield from apart(self.desk, partial(self._put_back, rest))  # what this sale leaves (EX-13)

    def _restore(self, use: MandateUse) -> Iterator[Effect]:
        """The sale is over: its shares that are left get their stop back, all of them where it failed."""
        sale = self.desk.ledger.order(use.mandate.parent)
        is_sold = sale is not None and sale.status is OrderStatus.FILLED
        self._end_all(MandateKind.CLOSE, use.mandate.parent, "sold" if is_sold else self._why_not_closed(use, sale))
        yield from self._put_back(use)
        if use.mandate.id in self.desk.stage.state.mandates:
            self._end(use, self._what_guards_it(use))

    def _why_not_closed(self, use: MandateUse, sale: Order | None) -> str:
        if sale is not None and sale.cancel_reason == MAKES_WAY:
            return "another close took its place"
        quantity = sale.remaining if sale is not None else use.mandate.quantity
        why = "it was never sent" if sale is None else sale.reason or sale.status.value
        return f"close again: {plain(quantity)} {use.mandate.symbol} did not go through ({why})"

    def _what_guards_it(self, use: MandateUse) -> str:
        """What may be said before the broker has answered for the stop: that it is back is not known yet."""
        confirmation = self.desk.stage.state.confirmations[use.mandate.ticket_id]
        mandate = use.mandate
        stop = self._signed_last(use)
        free = self.protecting.uncovered(mandate.symbol, confirmation.proposal.strategy, mandate.side)
        if (free if stop is None else self._free(stop)) > 0:
            return "its stop could not be asked for again; m in Positions gives it one"
        return "the stop was asked for again" if use.released else NOTHING_LEFT

    def _guard_what_entries_left(self, use: MandateUse) -> Iterator[Effect]:
        """The sale is over, or does not come: what an entry filled that made way for it, and is held, gets its stop."""
        ticket = self._ticket(use)
        for order_id in ticket.cancels if ticket else ():
            yield from self.protecting.cover(order_id)

    def _put_back(self, use: MandateUse) -> Iterator[Effect]:
        """The same stop again, for what is held and not covered, within what was signed."""
        stop = self._signed_last(use)
        if stop is None or _was_taken_back(stop):
            return
        if self.desk.control.is_naked(self.desk.stage.state.confirmations[use.mandate.ticket_id].received_at):
            return
        quantity = Quantity(min(self._free(stop), use.mandate.quantity - use.released))
        if quantity > 0:
            parent = self._parent(stop)
            lasts = stop.request.time_in_force if quantity % 1 == 0 else TimeInForce.DAY
            yield from self.protecting.release_stop(use, parent, quantity, lasts)

    def _free(self, stop: Order) -> Decimal:
        """Shares for it: none that the legs of another entry guard, or will as soon as the broker names them."""
        return self.protecting.left_to_stops(self._parent(stop), stop.request.side)

    def _parent(self, stop: Order) -> Order:
        return self.desk.ledger.order(stop.parent or stop.id) or stop

    def _signed_last(self, use: MandateUse) -> Order | None:
        """The stop at this price that made way, unless another was signed for its shares since and not refused."""
        ticket = self._ticket(use)
        cancels = ticket.cancels if ticket else ()
        gone = [order for order_id in cancels if (order := self.desk.ledger.order(order_id)) is not None]
        refused = {o.id for o in gone if o.status is OrderStatus.REJECTED and o.request.replaces in cancels}
        standing = [o for o in gone if o.id not in refused]
        followed = {o.request.replaces for o in standing}
        last = [o for o in standing if o.id not in followed and _is_signed(o, use.mandate)]
        return last[-1] if last else None

    def _end(self, use: MandateUse, reason: str) -> None:
        self.desk.record(MandateEnded(use.mandate.id, reason))

    def _end_all(self, kind: MandateKind, parent: ClientOrderId, reason: str) -> None:
        for use in self.desk.stage.mandates(kind, parent):
            self._end(use, reason)


def _was_taken_back(stop: Order) -> bool:
    """Whether it ended by a cancel for another reason than to make way: the operator's, or the kill's own word."""
    return stop.cancel_requested_at is not None and stop.cancel_reason != MAKES_WAY


def _is_signed(stop: Order, mandate: Mandate) -> bool:
    """Whether this is the stop that was signed to be put back, by its type and prices."""
    request = stop.request
    return request.stop_price == mandate.stop_price if mandate.terms is None else request.terms == mandate.terms


def exit_reason_of(order: OrderRequest, proposal: Proposal) -> ExitReason | None:
    """What an exit is told as when it fills (EX-18): a pair's target and a trailing stop by what they are."""
    if order.order_class is OrderClass.OCO:
        return ExitReason.TAKE_PROFIT
    if order.type is OrderType.TRAILING_STOP and not proposal.is_guard:
        return ExitReason.TRAILING_STOP
    return proposal.exit_reason
