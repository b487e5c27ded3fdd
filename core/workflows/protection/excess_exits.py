"""Fit exits at the broker to the position, and propose an expired one again (EX-13, EX-22).

An exit with nothing left to close is cancelled. One that still closes something is replaced by the same order for less,
so that its shares stay protected; if the broker does not accept that, or does not have the replacement after a lost
answer, it is cancelled, and a stop for the held shares follows as soon as it is gone, as does a smaller exit at any
price. Orders that have not left are withdrawn here. If the fill of one of a pair made the other too large, the broker
itself reduces or ends that one: it is looked up first, and not waited for.

The person who requested it may be absent, as after a night without a desk: it is reported like an exit of a rule.
Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.execution.corporate_actions import was_adjusted
from core.execution.order import Order, nearest_first
from core.execution.stop_coverage import (
    beyond,
    exits_beyond,
    free_of_exits,
    takes_any_price,
    unanswered_exits,
    unreserved,
)
from core.facts import OrderStateChanged, StopCut
from core.messages.commands import Kill
from core.messages.effects import Effect
from core.messages.inputs import LookUpAnswered
from core.model.codes import CUT, CancelCode, GuardCode
from core.model.order import AnyRole, OrderClass, OrderRequest, OrderStatus, TimeInForce, order_id_of
from core.model.position import Position
from core.model.reconciliation import APART, EXPLAINED_WITHIN
from core.model.rescaling import Rescaling
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_recovery import told_of
from core.workflows.orders.submission import Submission
from core.workflows.protection.owed_stops import StopRenewal
from core.workflows.protection.protective_stops import CLOSED, ProtectiveStops
from core.workflows.staging.exit_change_refusals import unguarded_of
from core.workflows.staging.proposal_intake import left_to_close
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.workflow import answers, apart, done_apart, follows

TOO_MUCH = ("it is for more than is held", CancelCode.TOO_MUCH)
NONE_AT_THE_BROKER = ("the broker's books show none of it", CancelCode.NONE_AT_THE_BROKER)
GOOD_FOR = timedelta(days=1)
"""Validity of a reduced order's approval: it only reduces, and is requested again if it never left."""


class ExcessExits:
    def __init__(
        self,
        state: TradingState,
        submission: Submission,
        cancellation: Cancellation,
        protective_stops: ProtectiveStops,
        stop_renewal: StopRenewal,
    ) -> None:
        self.state = state
        self.submission = submission
        self.cancellation = cancellation
        self.protective_stops = protective_stops
        self.stop_renewal = stop_renewal
        self._seen: dict[ClientOrderId, Decimal] = {}
        self._asked: dict[ClientOrderId, tuple[Decimal, datetime]] = {}

    # ── each step ────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self, _asked: list[Effect]) -> Iterator[Effect]:
        """Check after every act that no exit works for more than is held."""
        for order, left in self._beyond():
            waits = self._awaits_the_broker(order, left) or self._awaits_an_answer(order, left)
            if not order.is_cancelling and not waits:
                yield from apart(self.state, partial(self._fit, order, left))

    @answers(Kill)
    def on_kill(self, _command: Kill) -> Iterator[Effect]:
        """Fit all exits at a kill without a look-up first (OP-07)."""
        for order, left in self._beyond():
            if not order.is_cancelling:
                yield from apart(self.state, partial(self._fit, order, left))
        if self.state.control.naked_at is not None:
            yield from self._guard_again()

    def _beyond(self) -> list[tuple[Order, Quantity]]:
        told = self._told
        return self.state.of_all_but_bars(("beyond", *told.items()), lambda: exits_beyond(self.state.ledger, told))

    @property
    def _told(self) -> Mapping[Symbol, Quantity]:
        """The positions to trust in doubt: a quantity that both books contain, before a person is asked.

        A report that nothing is held, or a single reading, is believed only while killed, when nothing may open:
        otherwise no stop is removed from shares that may exist (OP-07).
        """
        return self.state.drifted if self.state.control.killed_by is None else self.state.told_at_a_kill

    def _fit(self, order: Order, left: Quantity) -> Iterator[Effect]:
        if left <= 0:
            yield from self.cancellation.cancel(order, *self._why(order))
        elif self._are_books_in_doubt(order) or self._is_just_restated(order, left):
            return
        elif self._waits_here(order):
            yield from self.cancellation.cancel(order, *TOO_MUCH)
        elif self._is_in_hand(order):
            return
        elif not self._is_replacement_missing(order) and self._can_be_less(order, left):
            request = replace(
                order.request, client_order_id=self.submission.next_id(order, "less"), quantity=left, replaces=order.id
            )
            self._say_what_is_owed(order, order.remaining)
            yield from self._release(request, order, order.role)
        else:
            for one in (order, *self.state.ledger.legs.oco_siblings(order)):  # the sibling reserves the shares too
                if one.is_working and not one.is_cancelling:
                    yield from self.cancellation.cancel(one, *TOO_MUCH)

    def _why(self, order: Order) -> tuple[str, CancelCode]:
        if order.request.symbol in self.state.sightings.gone:
            return NONE_AT_THE_BROKER
        is_flat = self.state.ledger.position(order.request.symbol, order.strategy) is None
        return (CLOSED, CancelCode.FLAT) if is_flat else TOO_MUCH

    def _waits_here(self, order: Order) -> bool:
        """Whether it has not left our own queue: it is withdrawn there, and a smaller one goes out at once."""
        return order.kept is None and self.state.sightings.departing.is_here(order)

    def _is_in_hand(self, order: Order) -> bool:
        """Whether the broker has not answered for it, or for its replacement."""
        is_being_replaced = order.is_being_replaced and not self._is_replacement_missing(order)
        return order.status is OrderStatus.PENDING or is_being_replaced

    def _is_replacement_missing(self, order: Order) -> bool:
        """Whether the request for its replacement had no answer, and the replacement is not waited for any more."""
        following = self.state.ledger.order(order.replacement) if order.replacement is not None else None
        return following is not None and self.cancellation.order_recovery.is_given_up(following)

    def _are_books_in_doubt(self, order: Order) -> bool:
        """Whether the position is uncertain: a stop that may be needed stays as it is, and is reported.

        If the broker has less than our books without an explanation, its figure is enough for this.
        """
        symbol = order.request.symbol
        is_differing = symbol in self.state.sightings.differing
        return symbol not in self._told and (is_differing or not self._is_agreed(order))

    def _is_just_restated(self, order: Order, left: Quantity) -> bool:
        """Whether the broker changed it, and two readings of its positions do not prove yet that it exceeds them.

        If it divided the price by the ratio by which the order exceeds the position, a split may reach the positions
        later: it waits for as long as an explanation may.
        """
        made, seen_at = order.restated_at, self.state.sightings.books_at
        if made is None:
            return False
        is_as_split = was_adjusted(order, Rescaling(order.remaining / left), order.restated_from)
        is_waiting = seen_at is None or seen_at < made + (EXPLAINED_WITHIN if is_as_split else APART)
        self.state.sightings.books_are_wanted |= is_waiting and not is_as_split
        return is_waiting

    def _is_agreed(self, order: Order) -> bool:
        """Whether the broker's last books have the same quantity of this symbol, even in a read-only desk."""
        symbol, theirs = order.request.symbol, self.state.sightings.held_by_the_broker
        if self.state.control.state.is_reconciled:
            return True
        return theirs is not None and theirs.get(symbol, NO_SHARES) == self.state.ledger.net_quantity(symbol)

    # ── the broker's own changes ─────────────────────────────────────────────────────────────────────────────────────

    def _awaits_the_broker(self, order: Order, left: Quantity) -> bool:
        """Whether a fill of its sibling made it too large, and the broker has not reported its reaction yet."""
        siblings = self.state.ledger.legs.oco_siblings(order)
        filled = sum((sibling.filled_quantity for sibling in siblings), ZERO)
        is_left_over = left <= 0 and not any(sibling.status is OrderStatus.FILLED for sibling in siblings)
        if not filled or is_left_over or self._seen.get(order.id) == filled:
            return False
        if self._asked.get(order.id, (None,))[0] != filled:
            self._asked[order.id] = filled, self.state.at
        return self.state.at < self._asked[order.id][1] + self._timeout()

    def _awaits_an_answer(self, order: Order, left: Quantity) -> bool:
        """Whether a stop is too large only if the broker accepts an exit beside it: it may refuse that for the stop."""
        is_there = order.is_protective and order.status is not OrderStatus.PENDING
        return is_there and order.remaining - left <= unanswered_exits(self.state.ledger, order)

    @answers(LookUpAnswered)
    def on_looked_up(self, reply: LookUpAnswered) -> Iterable[Effect]:
        order = told_of(self.state, reply)
        if order is not None:
            self.after_look_up(order)
        return ()

    def after_look_up(self, order: Order) -> None:
        """Note that the broker has reported its current size."""
        if order.is_working and order.id in self._asked:
            self._seen[order.id] = self._asked[order.id][0]

    def _timeout(self) -> timedelta:
        return timedelta(seconds=float(self.state.control.settings.execution.look_up_first_seconds))

    # ── reductions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _can_be_less(self, order: Order, left: Quantity) -> bool:
        """Whether the broker can reduce it: whole shares of a waiting order, and no earlier refusal.

        An OCO would be created again as a whole: its two new ids could not be told from two pairs.
        """
        is_whole = left % 1 == 0 and order.remaining % 1 == 0
        refused = any(
            o.request.replaces == order.id and o.request.terms == order.request.terms and o.status.is_terminal
            for o in self.state.ledger.state.orders.values()
        )
        is_oco = any(
            one.request.order_class is OrderClass.OCO for one in (order, *self.state.ledger.legs.oco_siblings(order))
        )
        return is_whole and order.stands_by and not refused and not is_oco

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> Iterator[Effect]:
        """Continue when the last oversized order may have ended: first orders at any price, then stops."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is None or not fact.after.is_terminal or not order.only_reduces:
            return
        cut = self._cut_with(order)
        if not any(map(self._may_work, cut)):
            ended = (one for one in cut if one.status is OrderStatus.CANCELLED and not one.made_way)
            for one in [one for one in ended if takes_any_price(one)]:
                quantity = Quantity(min(self._unprotected_of(one), one.remaining))
                if quantity > 0:
                    yield from self._release(self._again(one, quantity), one, None)
        yield from self._guard_again()

    def _cut_with(self, order: Order) -> list[Order]:
        """Return the order, its pair, and the orders cancelled with them; empty if that was for another reason."""
        pair = [order, *self.state.ledger.legs.oco_siblings(order)]
        asked = {one.cancel_requested_at for one in pair if one.cancel_code is CancelCode.TOO_MUCH}
        if not asked:
            return []
        with_them = (
            one
            for one in self.state.ledger.state.orders.values()
            if (one.request.symbol, one.strategy, one.request.side)
            == (order.request.symbol, order.strategy, order.request.side)
            and one.cancel_code is CancelCode.TOO_MUCH
            and one.cancel_requested_at in asked
        )
        return [*pair, *(one for one in with_them if one not in pair)]

    def after_comparison(self) -> Iterator[Effect]:
        """Restore stops reduced by the broker's books with their shares, or drop the claim once the books agree."""
        return self._guard_again()

    def _guard_again(self) -> Iterator[Effect]:
        """Restore the stops of held, unprotected shares, the nearest first, once all oversized orders are gone.

        This is derived from the books, so a crash in between loses nothing.
        """
        for stop in nearest_first(self.state.ledger.exits.cut_stops()):
            yield from apart(self.state, partial(self._again_of, stop))

    def _again_of(self, stop: Order) -> Iterator[Effect]:
        if self.state.control.is_naked(stop.created_at):
            self._say_what_is_owed(stop, NO_SHARES)
            return
        symbol, is_known = stop.request.symbol, stop.owed is not None
        for left_over in self._left_of_its_pair(stop):
            yield from self.cancellation.cancel(left_over, *TOO_MUCH)
        if any(o.is_cancelling and o.cancel_code in CUT and self._may_work(o) for o in self._beside(stop)):
            return
        owed = stop.remaining if stop.owed is None else min(stop.owed, stop.remaining)
        is_settled = self._is_settled(symbol)
        is_in_doubt = is_known and not is_settled and symbol not in self.state.drifted
        there = NO_SHARES if is_in_doubt else Quantity(min(self._unprotected_of(stop), owed))
        if there > 0 and (self._was_refused_since(stop) or not self._is_good_yet(stop)):
            is_asked_for = is_settled and self.stop_renewal.ask_for_cut(stop)
            self._say_what_is_owed(stop, NO_SHARES if is_asked_for else owed)
            return
        self._say_what_is_owed(stop, there if is_settled else owed)
        if there > 0:
            yield from self._release(self._again(stop, there), stop, None)

    def _may_work(self, order: Order) -> bool:
        """Whether the broker may work it: not a replacement of an order that ended otherwise."""
        return order.is_working and not self.state.ledger.chains.is_forestalled(order)

    def _left_of_its_pair(self, stop: Order) -> list[Order]:
        """Return the rest of a pair whose stop was cancelled as too large, to be cancelled as well.

        Alone it would reserve the shares until its price comes, and the broker may not know the two as a pair.
        """
        pair = self.state.ledger.legs.oco_siblings(stop)
        is_alone = stop.cancel_code in CUT and not stop.made_way
        if not is_alone or any(one.is_protective and one.is_working for one in pair):
            return []
        return [one for one in pair if one.is_working and not one.is_cancelling]

    def _unprotected_of(self, stop: Order) -> Decimal:
        """Return the shares that no exit would close, no authorization covers and no entry's legs are to cover.

        At most the quantity in the broker's books.
        """
        symbol, strategy, side = stop.request.symbol, stop.strategy, stop.request.side
        held = free_of_exits(self.state.ledger, symbol, strategy, side, self._told)
        entry = self.state.ledger.order(stop.parent) if stop.parent is not None else None
        free = unreserved(self.state.ledger, symbol, strategy, side)
        free -= self.state.ledger.legs.left_to_legs(symbol, strategy, but=entry)
        return max(min(held, free, left_to_close(self.state, symbol, strategy, side)), ZERO)

    def _beside(self, stop: Order) -> Iterator[Order]:
        exits = self.state.ledger.exits.working(stop.request.symbol, stop.strategy)
        return (order for order in exits if order.request.side is stop.request.side)

    def _is_good_yet(self, stop: Order) -> bool:
        """Whether it would still work without the reduction: a day order ends with its day."""
        day_of = self.state.calendar.trading_day
        return stop.request.time_in_force is TimeInForce.GTC or day_of(self.state.at) == day_of(stop.created_at)

    def _was_refused_since(self, stop: Order) -> bool:
        """Whether the broker refused the same stop for these shares since: another one waits on a ticket."""
        ended = stop.ended_at or stop.created_at
        return any(
            o.status is OrderStatus.REJECTED and o.created_at >= ended and o.request.terms == stop.request.terms
            for o in self.state.ledger.state.orders.values()
            if (o.request.symbol, o.strategy, o.request.side) == (stop.request.symbol, stop.strategy, stop.request.side)
        )

    def _is_settled(self, symbol: Symbol) -> bool:
        """Whether both books agree on the symbol: shares that are missing then are owed to nobody."""
        return self.state.sightings.held_by_the_broker is not None and symbol not in self.state.sightings.differing

    def _say_what_is_owed(self, stop: Order, owed: Quantity) -> None:
        if stop.owed != owed:
            self.state.record(StopCut(stop.id, owed))

    def _again(self, stop: Order, quantity: Quantity) -> OrderRequest:
        return replace(
            stop.request,
            client_order_id=self.submission.next_id(stop, "again"),
            quantity=quantity,
            replaces=None,
            order_class=OrderClass.SIMPLE,
            legs=(),
            time_in_force=stop.request.time_in_force if quantity % 1 == 0 else TimeInForce.DAY,
        )

    def _release(self, request: OrderRequest, order: Order, role: AnyRole | None) -> Iterator[Effect]:
        """Release less of the same order: the authorization of more permits it (OP-02)."""
        yield from self.submission.release_for(order, request, self.state.at + GOOD_FOR, role)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        """Yield when the broker's time to react to a fill has passed."""
        for order_id, (filled, at) in list(self._asked.items()):
            order = self.state.ledger.order(order_id)
            if order is None or not beyond(self.state.ledger, order, self._told):
                del self._asked[order_id]
                self._seen.pop(order_id, None)
            elif self._seen.get(order_id) != filled and at + self._timeout() > self.state.at:
                yield at + self._timeout()

    def due(self) -> Iterator[Effect]:
        """Do nothing: `settle` runs after each input."""
        return iter(())


WITH_ITS_DAY = "its exit ended with the day"


class ExpiredExits:
    """`_asked` holds the exits that were proposed again, once per run."""

    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals
        self._asked: set[ClientOrderId] = set()

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> None:
        order = self.state.ledger.order(fact.client_order_id)
        if order is not None and fact.after is OrderStatus.EXPIRED:
            self._ask_again(order)

    def resume(self) -> None:
        """Propose exits of today that a crash kept from being proposed, at each comparison of the books."""
        for position in self.state.ledger.positions():
            is_bare = unguarded_of(self.state, position) > 0 and not self.proposals.is_leaving(position)
            for order in self._expired_today(position) if is_bare else ():
                done_apart(self.state, partial(self._ask_again, order))

    def _expired_today(self, position: Position) -> list[Order]:
        day_of, today = self.state.calendar.trading_day, self.state.calendar.trading_day(self.state.at)
        expired = [o for o in self.state.ledger.state.orders.values() if o.status is OrderStatus.EXPIRED]
        of_it = [o for o in expired if (o.request.symbol, o.strategy) == (position.symbol, position.strategy)]
        return [o for o in of_it if o.id not in self._asked and o.ended_at and day_of(o.ended_at) == today]

    def _ask_again(self, order: Order) -> None:
        """Propose the unsold quantity if no stop or other exit has those shares."""
        symbol = order.request.symbol
        position = self.state.ledger.position(symbol, order.strategy)
        is_of_a_key = order.only_reduces and not order.is_protective and order.role is None and not order.is_target
        if position is None or not is_of_a_key or order.remaining <= 0 or order.cancel_requested_at is not None:
            return
        if symbol in self.state.sightings.differing or unguarded_of(self.state, position) <= 0:
            return
        self._asked.add(order.id)
        if not self.state.ledger.has(order_id_of("again", order.id)):
            self.proposals.stage_again(order, WITH_ITS_DAY, GuardCode.EXIT_WITH_ITS_DAY)
