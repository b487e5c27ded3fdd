"""Close shares that our own stop reserves: cancel it, wait, sell; restore the stop for the rest (EX-21).

If the broker limits requests, a close begins at the end of the act in which all its requests have room; until then its
stop stays in force, and its time-out does not run (RK-24).

The stop is restored at once for the shares that the sale leaves, and for the rest when nothing of the sale's line works
any more: for the shares unprotected then, never for shares acquired after the sale, nor for those that other legs are
to cover.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.execution.order import LATE, Order
from core.execution.stop_coverage import free_of_exits, unreserved
from core.facts import (
    AuthorizationEnded,
    AuthorizationProlonged,
    CancelDropped,
    CorporateActionApplied,
    OrderStateChanged,
    PositionCorrected,
    SubmissionBlocked,
)
from core.messages.commands import TakeBackExits
from core.messages.effects import Effect
from core.model.codes import MADE_WAY, AuthorizationCode, CancelCode
from core.model.order import AnyOrder, OrderClass, OrderRequest, OrderStatus, Side, TimeInForce, order_id_of
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, Proposal, Ticket
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol, plain
from core.staging import approvals
from core.staging.stage_state import AuthorizationUse
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.request_reserve import RequestRoom, begun_exits, held_exits, late_at
from core.workflows.orders.sale_chains import SaleChains
from core.workflows.orders.submission import Intent, Submission
from core.workflows.protection.protective_stops import NOTHING_LEFT, ProtectiveStops
from core.workflows.staging.proposal_intake import terms_of
from core.workflows.staging.ticket_checks import aimed_at_sending
from core.workflows.workflow import answers, apart, follows

MAKES_WAY = "its position is being closed"
BY_A_TRAIL = "replaced by a trailing stop"
BY_A_STOP = "replaced by another stop"
BY_A_PAIR = "replaced by a target with a stop (OCO)"
WANTED_NO_MORE = "taken back by the operator before it sold: its stop stays"


class PositionClose:
    """Its whole state is in the authorizations of the confirmed ticket, so a restart continues where it stopped."""

    RUNS_WITH_OTHERS = True

    def __init__(
        self,
        state: TradingState,
        submission: Submission,
        cancellation: Cancellation,
        protective_stops: ProtectiveStops,
        room: RequestRoom,
    ) -> None:
        self.state = state
        self.submission = submission
        self.cancellation = cancellation
        self.protective_stops = protective_stops
        self.room = room
        self.sale_chains = SaleChains(state)

    def begin(self, ticket: Ticket) -> Iterator[Effect]:
        if self.room.limit is None:
            stops = (self.state.ledger.order(order_id) for order_id in ticket.cancels)
            yield from self._take_out((stop for stop in stops if stop is not None), ticket.order)
        yield from self.go_on()

    def settle(self, asked: list[Effect]) -> Iterator[Effect]:
        """Begin the closes that wait for room, in the order of confirmation, while there is room."""
        if not self.state.control.state.was_compared:
            return
        for held in held_exits(self.state):
            if block := self.state.account_block.reason:
                self._end(held.use, f"close again: the broker accepts no orders: {block}", AuthorizationCode.REFUSED)
                continue
            if not self.room.has(held.requests, asked):
                return
            self.room.begin(held.requests)
            yield from self._take_out(held.stops, held.ticket.order)

    @answers(TakeBackExits)
    def on_take_back(self, command: TakeBackExits) -> Iterator[Effect]:
        """End a close that has not begun, or whose stop is not gone in time: the stop stays, or comes back if it goes.

        A sale that was sent is an order to cancel.
        """
        its = (command.symbol, command.strategy)
        late = [begun for begun in begun_exits(self.state) if self.state.at >= late_at(self.state, begun)]
        for held in (*held_exits(self.state), *late):
            if (held.proposal.symbol, held.proposal.strategy) == its:
                self._end(held.use, WANTED_NO_MORE, AuthorizationCode.TAKEN_BACK)
                yield from apart(self.state, partial(self._guard_what_entries_left, held.use))
        yield from self.go_on()

    def _take_out(self, stops: Iterable[Order], exit: OrderRequest) -> Iterator[Effect]:
        for stop in stops:
            if stop.is_working and not stop.is_cancelling:
                reason, code = _why_cancelled(stop, exit)
                yield from apart(self.state, partial(self.cancellation.cancel, stop, reason, code))

    def go_on(self, but: Collection[Symbol] = ()) -> Iterator[Effect]:
        """Continue every waiting close: sell if the stops and other reservations are gone, and settle finished sales.

        Symbols in `but`, whose books differ too much, are skipped. Nothing continues before the first answer of a run
        for the broker's books.
        """
        if not self.state.sightings.books_were_answered:
            return
        for use in self._standing(but):
            is_to_sell = use.authorization.kind is AuthorizationKind.CLOSE and use.is_unused
            if is_to_sell and not self._may_have_been_sold(use) and not self._stops_left(use):
                yield from apart(self.state, partial(self._sell, use))
        sales = _sales(self._standing(but))
        over = [parent for parent in sales if self._is_over(parent)]
        settled: set[ClientOrderId] = set()
        for parent in reversed(sales):  # of consecutive closes, the latest stop is restored
            if parent in over or self._is_under_way(parent):
                yield from apart(self.state, partial(self._settle, parent, settled))
        for parent in [parent for parent in over if parent in settled]:
            yield from apart(self.state, partial(self._end_both, parent))

    def _may_have_been_sold(self, use: AuthorizationUse) -> bool:
        signed = self.state.stage.state.confirmations.get(use.authorization.ticket_id)
        signed_at = signed.received_at if signed is not None else None
        return self.state.may_have_been_sold(use.authorization.symbol, use.authorization.side, signed_at)

    def _standing(self, but: Collection[Symbol]) -> list[AuthorizationUse]:
        """Return the authorizations of closes, oldest first."""
        kinds = (AuthorizationKind.CLOSE, AuthorizationKind.RESTORE_STOP)
        if not any(map(self.state.stage.authorizations, kinds)):
            return []
        uses = self.state.stage.state.authorizations.values()
        return [use for use in uses if use.authorization.kind in kinds and use.authorization.symbol not in but]

    @follows(CorporateActionApplied, PositionCorrected)
    def after_split(self, fact: CorporateActionApplied | PositionCorrected) -> Iterator[Effect]:
        """End the closes that have not sold: they were confirmed for the shares before it."""
        to = fact.to if isinstance(fact, CorporateActionApplied) else None
        if fact.split_ratio is None and to is None:
            return
        became = "was split" if to is None else f"is {to} now"
        for use in self.state.stage.authorizations(AuthorizationKind.CLOSE):
            if use.is_unused and use.authorization.symbol == (to or fact.symbol) and self.sale_chains.ticket(use):
                self._end(use, f"close again: {fact.symbol} {became}", AuthorizationCode.REFUSED)
                yield from apart(self.state, partial(self._guard_what_entries_left, use))
        yield from self.go_on()

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> Iterable[Effect]:
        """Continue when an order ended: it may be the awaited stop, or the last of a sale's line."""
        return self.go_on() if fact.after.is_terminal else ()

    @follows(CancelDropped)
    def after_drop(self, _fact: CancelDropped) -> Iterable[Effect]:
        """Continue when a cancel was dropped: that stop stays, and the stops cancelled before it are restored."""
        return self.go_on()

    def under_way(self) -> tuple[Symbol, ...]:
        """Return the symbols whose stop is being cancelled or gone while the exit after it has not left."""
        leaving = [o.request.symbol for o in self.state.ledger.working() if o.only_reduces and o.is_cancelling]
        closes = (use for use in self.state.stage.authorizations(AuthorizationKind.CLOSE) if use.is_unused)
        held = [one.use for one in held_exits(self.state)]
        waiting = [use.authorization.symbol for use in closes if self.sale_chains.ticket(use) and use not in held]
        return tuple(dict.fromkeys((*leaving, *waiting)))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        held = held_exits(self.state)
        if held and self.state.control.state.was_compared:
            yield self.room.free_at(held[0].requests)
        its = [one.use for one in held]
        for use in self.state.stage.authorizations(AuthorizationKind.CLOSE):
            if use.is_unused:
                is_at_half_time = use in its or self._acts_at_half_time(use) or self._is_held_by_doubt(use)
                yield self._prolonged_at(use) if is_at_half_time else use.authorization.ends_at
        for use in self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP):
            let_go = (stop.let_go_at + LATE for stop in self.sale_chains.stops(use) if stop.let_go_at is not None)
            yield from (at for at in let_go if at > self.state.at)

    def due(self) -> Iterator[Effect]:
        held = [one.use for one in held_exits(self.state)]
        for use in self.state.stage.authorizations(AuthorizationKind.CLOSE):
            if use.is_unused and self.state.at >= use.authorization.ends_at:
                self._end(use, "close again: the stop was not gone in time", AuthorizationCode.NOT_IN_TIME)
                yield from apart(self.state, partial(self._guard_what_entries_left, use))
                self._ask_again(use)
            elif (
                use.is_unused
                and self.state.at >= self._prolonged_at(use)
                and (use in held or self._waits_in_doubt(use) or self._is_held_by_doubt(use))
            ):
                self.state.record(AuthorizationProlonged(use.authorization.id, self.state.at + self._timeout()))
        yield from self.go_on()

    def _acts_at_half_time(self, use: AuthorizationUse) -> bool:
        is_passed_over = self.state.at < self._prolonged_at(use) and self._passes_over(self._working(use))
        return self._waits_in_doubt(use) or is_passed_over

    def _is_held_by_doubt(self, use: AuthorizationUse) -> bool:
        """Whether it does not lapse: the clock is in doubt, and its stops work meanwhile, all of them (EX-23)."""
        if not self.state.control.is_clock_in_doubt or _hold_nothing(self._working(use)):
            return False
        restores = self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP, use.authorization.parent)
        return not any(map(self.sale_chains.to_go_back, restores))

    def _waits_in_doubt(self, use: AuthorizationUse) -> bool:
        """Whether a stop to be cancelled is in doubt at the broker: the time-out does not run meanwhile.

        A close that lapsed while the desk was off stays lapsed: it was confirmed for that time.
        """
        if self._passes_over(self._working(use)):
            return False
        unanswered = (o for o in self.sale_chains.stops(use) if o.status is OrderStatus.PENDING)
        return any(self.state.ledger.chains.is_in_doubt(stop) for stop in unanswered)

    def _prolonged_at(self, use: AuthorizationUse) -> datetime:
        """Return the middle of its last time-out period, so at least as much is left when the doubt ends."""
        return use.authorization.ends_at - self._timeout() / 2

    def _timeout(self) -> timedelta:
        return timedelta(seconds=float(self.state.control.settings.staging.close_seconds))

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stops_left(self, use: AuthorizationUse) -> bool:
        """Whether a stop that reserves the shares still works; True also while the close has not begun."""
        if self.sale_chains.ticket(use) is None:
            return True
        working = self._working(use)
        return bool(working) and not (self._passes_over(working) and self.state.at >= self._prolonged_at(use))

    def _passes_over(self, working: Collection[Order]) -> bool:
        """Whether only entries are left that reserve no shares of it, and the broker accepts the sale beside them.

        After half of its time-out an unanswered cancel of such an entry delays the exit no longer.
        """
        is_taken = not self.state.sightings.capabilities.refuses_wash_trades
        return bool(working) and is_taken and _hold_nothing(working)

    def _working(self, use: AuthorizationUse) -> list[Order]:
        return [order for order in self.sale_chains.stops(use) if order.is_working]

    def _ask_again(self, use: AuthorizationUse) -> None:
        """Stage the close again if only an entry with an unanswered cancel blocks it, as a wash trade."""
        working, confirmation = self._working(use), self.state.stage.state.confirmations[use.authorization.ticket_id]
        proposal, wanted = confirmation.proposal, confirmation.ticket.order
        position = self.state.ledger.position(wanted.symbol, proposal.strategy)
        is_barred = bool(working) and _hold_nothing(working)
        if not is_barred or position is None or self.state.stage.exit_waiting(position.symbol, position.strategy):
            return
        self.protective_stops.proposals.staging.stage_close(
            position,
            wanted.quantity,
            order_id=order_id_of("again", wanted.client_order_id),
            signal_time=self.state.at if proposal.strategy == MANUAL else proposal.signal_time,
            exit_reason=proposal.exit_reason or ExitReason.MANUAL,
            intended=proposal.intended_price,
            reference=proposal.reference,
            reason="an entry in its way was not gone in time",
            terms=terms_of(wanted),
        )

    def _is_over(self, parent: ClientOrderId) -> bool:
        """Whether the sale will not be sent, or nothing of its line works any more.

        A stop that was to be cancelled but stays is not waited for.
        """
        uses = self._of(parent)
        waits = any(use.authorization.kind is AuthorizationKind.CLOSE and use.is_unused for use in uses)
        return not waits and all(self.sale_chains.is_over(use) and not self._is_stop_going(use) for use in uses)

    def _is_under_way(self, parent: ClientOrderId) -> bool:
        """Whether shares are free beside the last sale of its line, which was released and works: stops go back."""
        uses = self._of(parent)
        if not any(self._has_free_shares(use) for use in uses):  # as a rule: the line is long to follow
            return False
        followers = (close for use in uses for close in self.sale_chains.followers(use))
        closes = [use for use in (*uses, *followers) if use.authorization.kind is AuthorizationKind.CLOSE]
        is_released = bool(closes) and not any(use.is_unused for use in closes)
        return is_released and any(map(self.sale_chains.is_working, uses))

    def _has_free_shares(self, use: AuthorizationUse) -> bool:
        side = use.authorization.side
        return unreserved(self.state.ledger, use.authorization.symbol, self.sale_chains.owner(use), side) > 0

    def _is_stop_going(self, use: AuthorizationUse) -> bool:
        return self.sale_chains.ticket(use) is None or any(
            stop.is_cancelling and not _hold_nothing([stop]) for stop in self.sale_chains.stops(use)
        )

    def _may_owe_more(self, use: AuthorizationUse) -> bool:
        """Whether a stop that stayed may still end, or another exit of the owner is under way and may fail."""
        symbol, owner = use.authorization.symbol, self.sale_chains.owner(use)
        is_one_out = any(o.waits_at_limit or not o.stands_by for o in self.state.ledger.exits.working(symbol, owner))
        is_under_way = is_one_out or bool(self.sale_chains.closes_under_way(symbol, owner))
        return is_under_way or any(map(self.sale_chains.may_end_yet, self.sale_chains.stops(use)))

    def _of(self, parent: ClientOrderId) -> list[AuthorizationUse]:
        return [use for use in self._standing(()) if use.authorization.parent == parent]

    def _sell(self, use: AuthorizationUse) -> Iterator[Effect]:
        confirmation = self.state.stage.state.confirmations[use.authorization.ticket_id]
        proposal, wanted = confirmation.proposal, confirmation.ticket.order
        left = min(wanted.quantity, unreserved(self.state.ledger, wanted.symbol, proposal.strategy, wanted.side))
        if left <= 0:
            self._end(use, *self._why_nothing(wanted, proposal.strategy))
            if not self._may_owe_more(use):
                self._end_all(
                    AuthorizationKind.RESTORE_STOP,
                    use.authorization.parent,
                    NOTHING_LEFT,
                    AuthorizationCode.NOTHING_LEFT,
                )
            return
        order = replace(wanted, quantity=Quantity(left))
        context = self.state.figures_for(self.state.at, wanted.symbol, None)
        approval = approvals.permit(self.state.stage, use, order, self.state.account_name, self.state.at)
        if isinstance(approval, str):
            self.state.record(SubmissionBlocked(order.client_order_id, approval))
            self._end(use, approval, AuthorizationCode.REFUSED)
            yield from self._guard_what_entries_left(use)
            return
        yield from self.submission.release(
            approval,
            Intent(
                order=order,
                proposal_id=proposal.id,
                strategy=proposal.strategy,
                signal_time=proposal.signal_time,
                stop=None,
                parent=None,
                exit_reason=exit_reason_of(order, proposal),
                intended_price=aimed_at_sending(
                    order, proposal.intended_price, replace(context, quote=context.quote_of_now)
                ),
                reference=proposal.reference,
                expires_at=None,
            ),
        )

    def _why_nothing(self, wanted: AnyOrder, strategy: str) -> tuple[str, AuthorizationCode]:
        """Return why nothing is sold: flat or sold by another exit; else a restored stop reserves the shares."""
        held = self.state.ledger.position(wanted.symbol, strategy)
        exits = self.state.ledger.exits.working(wanted.symbol, strategy)
        is_held = held is not None and (held.quantity > 0) is (wanted.side is Side.SELL)
        if not is_held or any(not order.stands_by or order.waits_at_limit for order in exits):
            return "nothing is left to close", AuthorizationCode.NOTHING_LEFT
        words = f"close again: a stop that went back holds the shares of {wanted.symbol}"
        return words, AuthorizationCode.NOT_THROUGH

    def _settle(self, parent: ClientOrderId, settled: set[ClientOrderId]) -> Iterator[Effect]:
        """Restore the stops of the shares that the sale leaves, all of them if it failed (EX-13)."""
        for use in self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP, parent):
            yield from self._put_back(use)
        settled.add(parent)

    def _end_both(self, parent: ClientOrderId) -> Iterator[Effect]:
        """End the sale's authorizations once everything owed was requested and no more can follow."""
        closes = self.state.stage.authorizations(AuthorizationKind.CLOSE, parent)
        self._end_all(AuthorizationKind.CLOSE, parent, *self._how_it_ended(parent))
        for use in self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP, parent):
            if not self._may_owe_more(use):
                self._end(use, *self._what_guards_it(use))
        for use in closes:
            yield from self._guard_what_entries_left(use)

    def _how_it_ended(self, parent: ClientOrderId) -> tuple[str, AuthorizationCode]:
        made = self.sale_chains.own(parent)
        if not made or any(order.status is OrderStatus.FILLED for order in made):
            return "sold", AuthorizationCode.SOLD
        if any(order.cancel_code in MADE_WAY for order in made):
            return "another close took its place", AuthorizationCode.DISPLACED
        last = [order for order in made if order.role is None][-1]
        quantity = last.remaining - sum((order.filled_quantity for order in made if order.role is not None), ZERO)
        if last.cancel_code is CancelCode.OPERATOR and last.status is OrderStatus.CANCELLED:
            left = f"{plain(Quantity(quantity))} {last.request.symbol}"
            return f"{left} stays: its close was cancelled by the operator", AuthorizationCode.CANCELLED
        why = last.reason or last.status.value
        words = f"close again: {plain(Quantity(quantity))} {last.request.symbol} did not go through ({why})"
        return words, AuthorizationCode.NOT_THROUGH

    def _what_guards_it(self, use: AuthorizationUse) -> tuple[str, AuthorizationCode]:
        """Return the reason before the broker has answered for the stop: whether it is back is not known yet."""
        if self._owed(use) > 0:
            return (
                "its stop could not be asked for again; m in Positions gives it one",
                AuthorizationCode.NOT_ASKED_AGAIN,
            )
        if use.released:
            return "the stop was asked for again", AuthorizationCode.ASKED_AGAIN
        if any(stop.is_working for stop in self.sale_chains.stops(use)):
            return "the stop stayed where it was", AuthorizationCode.STAYED
        return NOTHING_LEFT, AuthorizationCode.NOTHING_LEFT

    def _guard_what_entries_left(self, use: AuthorizationUse) -> Iterator[Effect]:
        """Send the stop for shares of an entry that was cancelled for the sale, once the sale has ended or failed."""
        ticket = self.sale_chains.ticket(use)
        for order_id in ticket.cancels if ticket else ():
            yield from self.protective_stops.cover(order_id)

    def _put_back(self, use: AuthorizationUse) -> Iterator[Effect]:
        """Restore the stop for the owed quantity, within the authorization."""
        gone, quantity = self.sale_chains.to_go_back(use), self._owed(use)
        is_signed_no_more = not gone and not self.sale_chains.has_forgotten(
            use
        )  # another was signed in its place since
        confirmation = self.state.stage.state.confirmations[use.authorization.ticket_id]
        if is_signed_no_more or self._was_killed(use) or self.state.control.is_naked(confirmation.received_at):
            return
        if self.sale_chains.owed_at_most(use) > 0 and (targets := self.sale_chains.in_the_way(use)):
            yield from self._take_out(targets, confirmation.ticket.order)
            return
        if quantity <= 0:
            return
        parent = self._parent(use, gone)
        if parent is not None:
            lasts = gone[-1].request.time_in_force if gone and quantity % 1 == 0 else TimeInForce.DAY
            yield from self.protective_stops.release_stop(use, parent, quantity, lasts)

    def _parent(self, use: AuthorizationUse, gone: list[Order]) -> Order | None:
        """Return the entry of the cancelled stops; the position's entry if they were forgotten."""
        ledger, authorization = self.state.ledger, use.authorization
        if gone:
            return ledger.order(gone[-1].parent or gone[-1].id) or gone[-1]
        held = ledger.position(
            authorization.symbol, self.state.stage.state.confirmations[authorization.ticket_id].proposal.strategy
        )
        return ledger.order(held.entry_order) if held is not None else None

    def _owed(self, use: AuthorizationUse) -> Quantity:
        """Return the unprotected shares among those for which the stop was signed."""
        return Quantity(max(min(self._unprotected(use), self.sale_chains.owed_at_most(use)), ZERO))

    def _unprotected(self, use: AuthorizationUse) -> Decimal:
        """Return the shares that no exit, working or waiting, would close and no other entry's leg is to cover.

        At most the quantity in the broker's books.
        """
        authorization, strategy = use.authorization, self.sale_chains.owner(use)
        entries = [
            self.state.ledger.order(stop.parent) for stop in self.sale_chains.made_way(use) if stop.parent is not None
        ]
        told = self.state.drifted if self.state.control.killed_by is None else self.state.told_at_a_kill
        there = free_of_exits(self.state.ledger, authorization.symbol, strategy, authorization.side, told)
        free = min(there, unreserved(self.state.ledger, authorization.symbol, strategy, authorization.side))
        left_to_legs = self.state.ledger.legs.left_to_legs(
            authorization.symbol, strategy, but=entries[-1] if entries else None
        )
        return free - left_to_legs - self.sale_chains.kept_back(authorization.symbol, strategy)

    def _was_killed(self, use: AuthorizationUse) -> bool:
        """Whether a stop of the sale's own pair was cancelled by a kill that cancels stops too."""
        its_stops = (order for order in self.sale_chains.own(use.authorization.parent) if order.is_protective)
        return any(order.cancel_code is CancelCode.KILLED for order in its_stops)

    def _end(self, use: AuthorizationUse, reason: str, code: AuthorizationCode) -> None:
        self.state.record(AuthorizationEnded(use.authorization.id, reason, code))

    def _end_all(self, kind: AuthorizationKind, parent: ClientOrderId, reason: str, code: AuthorizationCode) -> None:
        for use in self.state.stage.authorizations(kind, parent):
            self._end(use, reason, code)


def _hold_nothing(orders: Iterable[Order]) -> bool:
    """Whether none of them reserves shares to be sold: entries whose legs hold none."""
    return not any(order.only_reduces or (order.request.legs and order.filled_quantity) for order in orders)


def _sales(uses: Iterable[AuthorizationUse]) -> list[ClientOrderId]:
    """Return the sales of these authorizations, each once."""
    return list(dict.fromkeys(use.authorization.parent for use in uses))


def _why_cancelled(order: Order, exit: OrderRequest) -> tuple[str, CancelCode]:
    """Return why an order of its shares is cancelled for this exit: it is exchanged, or the position is closed."""
    is_pair = exit.order_class is OrderClass.OCO
    if not order.only_reduces or not (is_pair or exit.type.is_stop):
        return MAKES_WAY, CancelCode.MAKES_WAY
    return BY_A_PAIR if is_pair else BY_A_TRAIL if exit.type.trails else BY_A_STOP, CancelCode.EXCHANGED


def exit_reason_of(order: OrderRequest, proposal: Proposal) -> ExitReason | None:
    """Return the exit reason recorded at the fill (EX-18): a pair's target and a trailing stop have their own."""
    if order.order_class is OrderClass.OCO:
        return ExitReason.TAKE_PROFIT
    if order.type.trails and not proposal.is_guard:
        return ExitReason.TRAILING_STOP
    return proposal.exit_reason
