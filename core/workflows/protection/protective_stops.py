"""Protect a fill at once: send the confirmed ticket's stop for the filled quantity, without a second key (OP-06)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import count

from core import facts
from core.execution.order import Order
from core.execution.stop_coverage import unreserved
from core.messages.effects import Effect
from core.messages.inputs import LookUpAnswered, SubmissionStopped
from core.model.codes import AuthorizationCode, CancelCode, EndCode, OwedReason
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderStatus, OrderType, Side, TimeInForce, order_id_of, traded_in
from core.model.position import Position
from core.model.rescaling import ONE
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, StandingAuthorization
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol
from core.risk.checks.other_orders import is_wash_trade
from core.staging import approvals
from core.staging.sale_lines import restored_stop_id
from core.staging.stage_state import AuthorizationUse
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_recovery import OrderRecovery, told_of
from core.workflows.orders.submission import Intent, Submission
from core.workflows.protection.owed_stops import PERMITTED_NO_MORE, StopRenewal, per_share_of_today
from core.workflows.staging.proposal_intake import closing_side, left_to_close
from core.workflows.staging.proposal_lifecycle import Proposals, timeframe_of
from core.workflows.workflow import answers, apart, follows

CLOSED = "the position is closed"
NOTHING_LEFT = "nothing is left to protect"
BARS = "the broker refuses the position's stop while it rests"


class ProtectiveStops:
    """If the broker created the entry's stop as a leg, that leg protects the fill, and nothing is sent.

    A leg waits until its entry is completely filled. The filled part of an entry that ended otherwise gets its own stop
    as soon as its legs are gone (EX-13).
    """

    def __init__(
        self,
        state: TradingState,
        submission: Submission,
        cancellation: Cancellation,
        proposals: Proposals,
        order_recovery: OrderRecovery,
        stop_renewal: StopRenewal,
    ) -> None:
        self.state = state
        self.submission = submission
        self.cancellation = cancellation
        self.proposals = proposals
        self.order_recovery = order_recovery
        self.stop_renewal = stop_renewal
        self._told: set[str] = set()

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> Iterator[Effect]:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        for sibling in self.state.ledger.legs.oco_siblings(order):
            if sibling.is_working:  # the broker reduces or ends it: look up which
                yield from self.order_recovery.ask(sibling)
        self.proposals.withdraw_loose_exits(order.request.symbol)
        if self.state.ledger.position(order.request.symbol, order.strategy) is not None:
            yield from self.cover(order.id)
        else:
            self._end_what_is_sold(order.request.symbol)

    def _end_what_is_sold(self, symbol: Symbol) -> None:
        """End stops owed for closed positions. A later entry's shares have their own signed stop."""
        for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP):
            entry = self.state.ledger.order(use.authorization.parent)
            if entry is None or entry.filled_quantity <= use.released or not entry.status.is_terminal:
                continue
            if entry.request.symbol == symbol and not self.state.ledger.position(symbol, entry.strategy):
                self.state.record(
                    facts.AuthorizationEnded(use.authorization.id, NOTHING_LEFT, AuthorizationCode.NOTHING_LEFT)
                )

    @follows(facts.OrderStateChanged)
    def after_end(self, fact: facts.OrderStateChanged) -> Iterator[Effect]:
        """Protect the filled part of an entry that ended early, or whose leg ended."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is None or not fact.after.is_terminal:
            return
        self._end_what_is_sold(order.request.symbol)
        if order.is_protective and order.status is OrderStatus.REJECTED and not order.is_sent_again:
            yield from self._make_way_for(order)
        if _is_lost(order) and order.role is None:
            # The authorization of a stop that the broker is proven to have lost, and send another (EX-22).
            authorization_id = None if order.permit is None else order.permit.authorization_id
            for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP):
                if (
                    use.authorization.id == authorization_id
                    and self.state.at <= use.authorization.ends_at
                    and order.remaining > 0
                ):
                    self.state.record(facts.PermissionReturned(order.id, use.authorization.id, order.remaining))
                    yield from self.cover(use.authorization.parent)
        if not order.request.legs and order.role is None:
            return
        for leg in self.state.ledger.legs.of(order.id):
            if leg.is_working and self.state.ledger.legs.is_orphan(leg):
                if order.is_lost:  # the broker does not know it: no end of the leg is to follow
                    yield from self.order_recovery.ask(leg)
                else:
                    self.order_recovery.watch(leg)
        yield from self.cover(order.id if order.role is None else order.parent or order.id)

    def _make_way_for(self, stop: Order) -> Iterator[Effect]:
        """Cancel entries that bar a stop at a broker with Alpaca's wash-trade table, so its ticket can be sent.

        The rest of that entry is not cancelled: it fills or ends.
        """
        capabilities = self.state.sightings.capabilities
        if not capabilities.refuses_wash_trades:
            return
        for entry in self.state.ledger.working_entries(stop.request.symbol):
            is_other_side = entry.request.side is not stop.request.side
            if (
                is_other_side
                and entry.id != stop.parent
                and not entry.is_cancelling
                and is_wash_trade(stop.request, entry)
            ):
                yield from apart(self.state, partial(self.cancellation.cancel, entry, BARS, CancelCode.MAKES_WAY))

    @answers(SubmissionStopped)
    def on_stopped(self, _reply: SubmissionStopped) -> Iterator[Effect]:
        for order in self.submission.take_kept_back():
            yield from apart(self.state, partial(self._after_block, order))

    def _after_block(self, stop: Order) -> Iterator[Effect]:
        """Send a stop again as signed that the gateway blocked.

        One that is no longer authorized, or was blocked twice under its authorization, waits on a ticket.
        """
        if not stop.is_protective:
            return
        signed = self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
        uses = [use for use in signed if stop.id in use.returned]
        if any(len(use.returned) == 1 for use in uses):
            for use in uses:
                yield from self.cover(use.authorization.parent)
        elif self.stop_renewal.ask_for_blocked(stop):
            for use in uses:
                self.state.record(
                    facts.StopAskedFor(use.authorization.parent, use.authorization.id, stop.request.quantity)
                )

    @answers(LookUpAnswered)
    def on_looked_up(self, reply: LookUpAnswered) -> Iterable[Effect]:
        order = told_of(self.state, reply)
        return () if order is None else self.after_look_up(order)

    def after_look_up(self, order: Order) -> Iterator[Effect]:
        """Protect an entry that has no legs; cancel a leg whose entry has ended."""
        if order.is_bare:
            yield from self.cover(order.id)
        if order.is_working and not order.is_cancelling and self.state.ledger.legs.is_orphan(order):
            yield from self.cancellation.cancel(order, "what it was made with has ended", CancelCode.ORPHANED)

    def resume(self, but: Collection[Symbol] = ()) -> Iterator[Effect]:
        """Send stops of fills that were not recorded or could not be requested, at each comparison of the books.

        Symbols in `but`, whose books differ too much, are skipped.
        """
        for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP):
            if use.authorization.symbol not in but:
                yield from apart(self.state, partial(self.cover, use.authorization.parent))

    def give_what_is_due(self, but: Collection[Symbol] = ()) -> Iterator[Effect]:
        """Send stops that are owed and not under way, after all other steps of a comparison.

        If protecting legs ended, another stop is sent as signed; else it waits for a key.
        """
        for position in self.state.ledger.positions():
            owing = self.state.owed_stops.of(position)
            if owing is None or self.state.may_have_unknown_orders(position.symbol):
                continue
            if self.state.why_owed(owing) is OwedReason.DUE and position.symbol not in but:
                yield from apart(self.state, partial(self._give_due, position, owing.quantity))

    def _give_due(self, position: Position, owed: Quantity) -> Iterator[Effect]:
        # The model of the stop that is due: the last that ended, or one that the broker reduced.
        exits = self.state.ledger.exits
        working = (order for order in exits.working(position.symbol, position.strategy) if order.is_protective)
        last, side, naked_at = exits.last_stop(position), closing_side(position), self.state.owed_stops.state.naked_at
        if self.state.control.naked_at is not None:
            return
        if last is None or (naked_at is not None and last.created_at <= naked_at):
            last = next(working, None)
        sold = exits.last_stop(position, is_sold=True)  # the broker may have made it less before that
        if last is None and sold is not None and (naked_at is None or sold.created_at > naked_at):
            last = sold
        if last is None:
            self._ask_for_one_of_several(position)
            return
        last = exits.in_its_place(last)
        for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP):
            entry = self.state.ledger.order(use.authorization.parent)
            if entry is None or (entry.request.symbol, entry.strategy) != (position.symbol, position.strategy):
                continue
            if use.authorization.terms != last.request.terms:
                continue
            bought = min(entry.filled_quantity - use.released, self._bare_at(position, use.authorization))
            left = min(bought, self._unprotected(entry, side), owed)
            if left > 0 and self._is_of_what_is_held(entry) and self.state.at <= use.authorization.ends_at:
                yield from self.release_stop(use, entry, Quantity(left))
        if not last.is_asked_for:
            self.stop_renewal.ask(last, PERMITTED_NO_MORE)

    def _bare_at(self, position: Position, signed: StandingAuthorization) -> Decimal:
        """Return the shares whose entries' tickets named a stop of these terms, less those that such a stop guards."""
        its, ledger = (position.symbol, position.strategy), self.state.ledger
        uses = self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
        entries = [ledger.order(use.authorization.parent) for use in uses if use.authorization.terms == signed.terms]
        own = [e for e in entries if e is not None and (e.request.symbol, e.strategy) == its]
        bought, names = (e.filled_quantity for e in own), {e.id for e in own}
        exits = (o for o in ledger.state.orders.values() if o.only_reduces and o.parent in names)
        sold = sum((o.filled_quantity for o in exits), ZERO)
        working = (o for o in ledger.exits.working(*its) if o.is_protective and o.request.terms == signed.terms)
        return sum(bought, ZERO) - sold - sum((ledger.exits.claim(order) for order in working), ZERO)

    def _ask_for_one_of_several(self, position: Position) -> None:
        """Request a stop for shares that only the broker's books show, and that several lost entries may have bought.

        It is the nearest one that their tickets name.
        """
        entries = [] if position.entry_order else self._lost_entries(position)
        for entry in (entry for entry in entries if not entry.request.legs):
            for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, entry.id):
                order = self._stop(use, entry, Quantity(abs(position.quantity)), TimeInForce.DAY)
                self.stop_renewal.ask_for(order, entry.strategy)

    def _lost_entries(self, position: Position) -> list[Order]:
        """Return the owner's entries of today that the broker did not have and that may have bought more."""
        lost = self.state.ledger.lost_today(position.symbol, self.state.at)
        return [o for o in lost if not o.only_reduces and o.strategy == position.strategy and o.remaining > 0]

    def cover(self, entry_id: ClientOrderId) -> Iterator[Effect]:
        """Send the owed stop of an entry, even while killed, but not after NAKED: its authorization is older."""
        entry = self.state.ledger.order(entry_id)
        for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, entry_id):
            if entry is None or not self._is_of_what_is_held(entry):
                continue
            if self._is_left_to_its_legs(entry):
                yield from self.order_recovery.ask_for_legs(entry)
                continue
            owed = entry.filled_quantity + self._taken_in(entry) - use.released
            if owed <= 0 or self.state.control.naked_at is not None:
                continue
            quantity = min(owed, self._unprotected(entry, use.authorization.side))
            if quantity > 0:
                yield from self.release_stop(use, entry, Quantity(quantity))

    def _is_of_what_is_held(self, entry: Order) -> bool:
        """Whether its shares are still held; not if all of them were closed: the position is another ticket's then."""
        position = self.state.ledger.position(entry.request.symbol, entry.strategy)
        if position is None or entry.ended_at is None or entry.late_fill or self._taken_in(entry):
            return True
        return position.entry_order == entry.id or entry.ended_at >= position.began

    def _taken_in(self, entry: Order) -> Quantity:
        """Shares that the broker's books showed after it had lost the entry: they are its, until its fill is told; of
        several lost ones nobody can say whose.
        """
        position = self.state.ledger.position(entry.request.symbol, entry.strategy)
        if position is None or not entry.is_lost or entry.ended_at is None or position.entry_order:
            return NO_SHARES
        if self._lost_entries(position) != [entry]:
            return NO_SHARES
        is_its_side = (position.quantity > 0) is (entry.request.side is Side.BUY)
        is_since = is_its_side and position.opened_at >= entry.ended_at
        return min(Quantity(abs(position.quantity)), entry.remaining) if is_since else NO_SHARES

    def _is_left_to_its_legs(self, entry: Order) -> bool:
        """Whether the broker's legs protect its fills, or may; after a complete fill always, unless they were lost.

        A fill after another end finds no legs: they ended with the entry. Nor does one that was taken back before.
        """
        if not entry.request.legs or entry.is_bare:
            return False
        legs = self.state.ledger.legs.of(entry.id)
        if entry.is_working or not legs or any(leg.is_working for leg in legs):
            return True
        return entry.status is OrderStatus.FILLED and not entry.taken_back and not any(map(_is_lost, legs))

    def _unprotected(self, entry: Order, side: Side) -> Decimal:
        """Return the shares that no working exit would close nor, for a leg's entry, an authorized one that waits."""
        symbol, strategy = entry.request.symbol, entry.strategy
        ledger = self.state.ledger
        free = unreserved(ledger, symbol, strategy, side) - ledger.legs.left_to_legs(symbol, strategy, but=entry)
        if not entry.request.legs:
            return free
        return min(free, left_to_close(self.state, entry.request.symbol, entry.strategy, side))

    def release_stop(
        self, use: AuthorizationUse, parent: Order, quantity: Quantity, lasts: TimeInForce = TimeInForce.DAY
    ) -> Iterator[Effect]:
        """Send a stop within its authorization, even while killed; the quantity beyond it waits for a key.

        `parent` is its entry; or the stop that it replaces if the entry is forgotten.
        """
        confirmed = self.state.stage.state.confirmations.get(use.authorization.ticket_id)
        signed_at = confirmed.received_at if confirmed is not None else None
        if self.state.may_have_been_sold(use.authorization.symbol, use.authorization.side, signed_at):
            return
        if use.is_of_before:
            self._ask_since_split(use, parent, quantity, lasts)
            return
        signed = Quantity(use.authorization.quantity - use.released)
        if ZERO < signed < quantity and self.state.at <= use.authorization.ends_at:
            yield from self._release_part(use, parent, signed, lasts)
            quantity = Quantity(quantity - signed)
        yield from self._release_part(use, parent, quantity, lasts)

    def _release_part(
        self, use: AuthorizationUse, parent: Order, quantity: Quantity, lasts: TimeInForce
    ) -> Iterator[Effect]:
        authorization = use.authorization
        order = self._stop(use, parent, quantity, lasts)
        approval = approvals.permit(self.state.stage, use, order, self.state.account_name, self.state.at)
        if isinstance(approval, str):
            self._ask(use, order, parent.strategy, approval)
            return
        yield from self.submission.release(
            approval,
            Intent(
                order=order,
                proposal_id=parent.proposal_id,
                strategy=parent.strategy,
                signal_time=parent.signal_time,
                stop=None,
                parent=(parent.parent if parent.is_protective else None) or parent.id,
                exit_reason=ExitReason.STOP_LOSS,
                intended_price=authorization.stop_price,
                reference=parent.reference,
                expires_at=None,
            ),
        )

    def _stop(self, use: AuthorizationUse, parent: Order, quantity: Quantity, lasts: TimeInForce) -> OrderRequest:
        authorization = use.authorization
        order = OrderRequest(
            client_order_id=self._next_id(use, parent),
            symbol=authorization.symbol,
            side=authorization.side,
            effect=OrderEffect.CLOSE if authorization.side is Side.SELL else OrderEffect.COVER,
            quantity=quantity,
            type=OrderType.STOP,
            time_in_force=lasts if quantity % 1 == 0 else TimeInForce.DAY,
            stop_price=authorization.stop_price,
        )
        return in_terms(traded_in(parent.request.instrument, order), authorization)

    def _ask_since_split(self, use: AuthorizationUse, parent: Order, quantity: Quantity, lasts: TimeInForce) -> None:
        """Let a stop that was signed before a corporate action wait for a key, at its price for a share of today."""
        order = per_share_of_today(self._stop(use, parent, quantity, lasts), use.rescaling)
        became = "paid a special dividend" if use.rescaling.ratio == ONE else "was split"
        words = f"{order.symbol} {became} after it was signed"
        if use.signed_for is not None:
            words = f"{order.symbol} was {use.signed_for} when it was signed"
        self._ask(use, order, parent.strategy, words)

    def _ask(self, use: AuthorizationUse, order: OrderRequest, strategy: str, refusal: str) -> None:
        """Stage the owed stop for a key, once for these shares, as its authorization no longer permits it (OP-02).

        If it cannot wait, as beyond a market that has passed it, it is tried again at the next comparison.
        """
        authorization = use.authorization
        if authorization.id not in self._told:
            self._told.add(authorization.id)
            self.state.record(facts.SubmissionBlocked(order.client_order_id, refusal))
        if not self.stop_renewal.ask_for(order, strategy):
            return
        self.state.record(facts.StopAskedFor(authorization.parent, authorization.id, order.quantity))
        if authorization.kind is AuthorizationKind.RESTORE_STOP:
            self.state.record(
                facts.AuthorizationEnded(
                    authorization.id, "the stop waits for its key", AuthorizationCode.WAITS_FOR_KEY
                )
            )

    def _next_id(self, use: AuthorizationUse, parent: Order) -> ClientOrderId:
        """Return the next unused id, counted by its authorization, which outlives the ledger's memory."""
        names = (child_order_id(use.authorization, index, parent) for index in count(use.releases + 1))
        return next(name for name in names if not self.state.ledger.has(name))

    def _position(self, symbol: str, strategy: str) -> Position | None:
        return next(
            (p for p in self.state.ledger.positions() if p.symbol == symbol and p.strategy == strategy),
            None,
        )

    def after_correction(self, symbol: Symbol) -> Iterator[Effect]:
        """Withdraw and cancel exits with nothing to close after a correction: they would open the other side."""
        self.proposals.withdraw_loose_exits(symbol)
        self._end_what_is_sold(symbol)
        for order in self.state.ledger.working():
            if order.request.symbol == symbol and self.is_loose(order) and not order.is_cancelling:
                yield from apart(self.state, partial(self.cancellation.cancel, order, CLOSED, CancelCode.FLAT))

    def is_loose(self, order: Order) -> bool:
        """Whether it is an exit with nothing to close."""
        position = self._position(order.request.symbol, order.strategy)
        has_its_side = position is not None and closing_side(position) is order.request.side
        return order.only_reduces and not has_its_side


def _is_lost(stop: Order) -> bool:
    """Whether the broker lost a stop whose cancel nobody requested."""
    return stop.is_protective and stop.end_code is EndCode.LOST_THERE and stop.cancel_requested_at is None


def in_terms(order: OrderRequest, authorization: StandingAuthorization) -> OrderRequest:
    """Return the stop with the type and prices that were signed."""
    if authorization.terms is None:
        return order
    kind, limit_price, stop_price, trail_price, trail_fraction = authorization.terms
    return replace(
        order,
        type=kind,
        limit_price=limit_price,
        stop_price=stop_price,
        trail_price=trail_price,
        trail_fraction=trail_fraction,
    )


def child_order_id(authorization: StandingAuthorization, index: int, parent: Order) -> ClientOrderId:
    """Return the signal's id with a child index (EX-04); a manual or changed order's hash of its order id instead.

    A restored stop does not belong to the signal: it hashes the order whose ticket signed it, and its authorization.
    """
    side = authorization.side
    if authorization.kind is AuthorizationKind.RESTORE_STOP:
        return restored_stop_id(authorization, index)
    is_by_hand = parent.strategy == MANUAL or parent.exit_reason in (ExitReason.MANUAL, ExitReason.KILL)
    is_by_hand = is_by_hand or parent.request.type.trails or parent.is_target
    if is_by_hand or parent.request.replaces is not None:
        return order_id_of(parent.id, side.value, str(index))
    start = f"{parent.signal_time:%Y-%m-%dT%H:%M:%SZ}"
    return order_id_of(parent.strategy, parent.request.symbol, timeframe_of(parent), start, side.value, str(index))
