"""The ledger and its folds: all our orders, every execution once, the positions that they make, and the trades.

It folds facts and answers queries. It decides nothing, and no other class changes an order's status or a position. Each
of its parts covers one subject; further queries go to the part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from core import facts
from core.execution.corporate_actions import was_adjusted
from core.execution.entry_groups import EntryGroup
from core.execution.ledger_state import ExitClaims, LedgerIndex, LedgerState, Legs, OrderLines, ReplacementChains
from core.execution.order import Order
from core.execution.past_orders import OrderRetention, PastInMemory
from core.execution.position_book import PositionBook
from core.facts import DayStarted, OrdersRecalled
from core.model.account import Channel
from core.model.codes import BY_A_PERSON, MAY_BE_A_BLOCK, CancelCode, EndCode, IdleCode
from core.model.order import Elsewhere, OrderStatus, Side
from core.model.position import Position
from core.model.rescaling import ONE, SAME
from core.model.session import Calendar
from core.model.sizing import RegimeLabels
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Money, Price, Quantity, Symbol
from core.ports import PastIndex

# ── folds of facts into orders ───────────────────────────────────────────────────────────────────────────────────────
# Fold facts into orders: creation, status, doubt, cancels. It decides nothing.


class OrderFolds:
    """The only writer of an order, except for its fills."""

    def __init__(
        self, index: LedgerIndex, chains: ReplacementChains, require_new: Callable[[ClientOrderId], None]
    ) -> None:
        self.index, self.chains, self.require_new = index, chains, require_new
        self.folds: Mapping[Any, Any] = {
            facts.ApprovalRedeemed: self._redeemed,
            facts.EngineStarted: self._started,
            facts.OrderCreated: self._created,
            facts.StopCut: self._stop_cut,
            facts.ProposalStaged: self._staged,
            facts.LegResized: self._resized,
            facts.OrderRestated: self._restated,
            facts.OrderRevived: self._revived,
            facts.OrderIdled: self._idled,
            facts.OrderTradesAgain: self._trades_again,
            facts.ContingentOrdersMissing: self._legs_missing,
            facts.OrderStateChanged: self._state_changed,
            facts.OrderKept: self._kept,
            facts.KeptOrderReleased: self._kept_released,
            facts.StateRestored: self._restored,
            facts.OrderStateUnknown: self._in_doubt,
            facts.OrderNotFound: self._not_found,
            facts.CancelRequested: self._cancel_requested,
            facts.CancelFailed: self._cancel_failed,
            facts.CancelDropped: self._cancel_dropped,
            facts.BrokerWarned: self._warned,
            facts.WarningConfirmed: self._warning_confirmed,
            facts.UpdateIgnored: self._ignored,
            facts.BrokerMessagesQuarantined: self._quarantined,
        }

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        self.require_new(fact.order.client_order_id)
        created = Order(
            request=fact.order,
            proposal_id=fact.proposal_id,
            strategy=fact.strategy,
            signal_time=fact.signal_time,
            created_at=at,
            stop=fact.stop,
            parent=fact.parent,
            exit_reason=fact.exit_reason,
            intended_price=fact.intended_price,
            reference=fact.reference,
            expires_at=fact.expires_at,
            role=fact.role,
            target_price=fact.target_price,
            counted_at=fact.counted_at,
            again_of=fact.again_of,
        )
        self.index.orders[created.id] = created
        self.index.enter(created)
        self.index.state.orders_sent += fact.role is not Elsewhere.CLOSED
        created.permit = self.index.state.permits.pop(created.id, None)
        if (old := self.chains.predecessor(created)) is not None:
            old.replacement = created.id
            if created.request.terms == old.request.terms:
                created.restated_from, created.split, created.paid = old.restated_from, old.split, old.paid
            self.index.note(old)
        # Reduce the claim of a stop by the order just recorded for its shares, and not before (EX-20).
        less_of = self.index.state.redeemed.pop(created.id, None)
        cut = self.index.orders.get(less_of) if less_of is not None else None
        if cut is not None:
            cut.owed = Quantity(max((cut.owed or ZERO) - created.request.quantity, ZERO))
            self.index.note(cut)

    def _state_changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        order = self.index.orders[fact.client_order_id]
        self._mark_replaced(order, fact.after)
        if fact.after is OrderStatus.CANCELLED and fact.code is not EndCode.REPLACED:
            _count_a_dropped_cancel(order, at)
        order.status = fact.after
        _doubt_ends(order)
        order.reason = fact.reason or order.reason
        order.end_code = fact.code
        if fact.broker_order_id is not None:
            order.broker_order_id = fact.broker_order_id
        if order.submitted_at is None and fact.after is OrderStatus.SUBMITTED:
            order.submitted_at = at
        order.kept = order.again_at = None
        order.was_absent = False
        if fact.after.is_terminal:
            if fact.code is not EndCode.LOST_THERE and fact.refusal not in MAY_BE_A_BLOCK:
                order.permit = None
            order.ended_at = at
            order.idle, order.idle_word = None, ""
        self.index.note(order)

    def _mark_replaced(self, order: Order, after: OrderStatus) -> None:
        """Mark the old order as replaced once the broker took the new one; undo the mark if it did not."""
        old = self.chains.predecessor(order)
        if old is None:
            return
        if order.status is OrderStatus.PENDING and old.replacement == order.id:
            old.replacement = None
            old.replaced_by = order.id if after is OrderStatus.SUBMITTED else None
        elif after.is_terminal and after is not OrderStatus.FILLED and old.is_working:
            old.replaced_by = None  # the broker works the old one: it can be moved again
        if old.is_working and after in (OrderStatus.REJECTED, OrderStatus.CANCELLED):
            old.owed = None  # it was not reduced after all
        self.index.note(old)

    def _started(self, _at: datetime, _fact: facts.EngineStarted) -> None:
        self.index.state.redeemed.clear()
        self.index.state.permits.clear()

    def _redeemed(self, _at: datetime, fact: facts.ApprovalRedeemed) -> None:
        self.index.state.permits[fact.client_order_id] = fact.approval
        if fact.approval.less_of is not None:
            self.index.state.redeemed[fact.client_order_id] = fact.approval.less_of

    def _stop_cut(self, _at: datetime, fact: facts.StopCut) -> None:
        cut = self.index.orders[fact.client_order_id]
        cut.owed = fact.owed
        self.index.note(cut)

    def _staged(self, _at: datetime, fact: facts.ProposalStaged) -> None:
        """Mark ended stops as requested: a stop on a ticket covers all unprotected shares of its position."""
        proposal = fact.proposal
        if not proposal.is_guard or proposal.order.replaces is not None:
            return
        for order in self.index.orders.values():
            is_its = (order.request.symbol, order.strategy) == (proposal.symbol, proposal.strategy)
            if is_its and order.is_protective and not order.is_working:
                order.is_asked_for = True

    def _resized(self, at: datetime, fact: facts.LegResized) -> None:
        order = self.index.orders[fact.client_order_id]
        if fact.quantity > order.request.quantity:
            order.restated_at = at
        order.request = replace(order.request, quantity=fact.quantity)
        self.index.note(order)

    def _restated(self, at: datetime, fact: facts.OrderRestated) -> None:
        order = self.index.orders[fact.client_order_id]
        order.request = fact.after.of(order.request)
        order.restated_from, order.restated_at = fact.before, at
        was_lowered = order.rescaling != SAME and was_adjusted(order, order.rescaling, fact.before)
        if order.is_before_split and was_lowered:
            order.split, order.paid, order.restated_from = ONE, ZERO, None
        elif not order.is_before_split and fact.before.stop_price != fact.after.stop_price:
            order.paid = ZERO  # the broker's price is one of today
            order.restated_from = None if was_lowered else fact.before
        order.terms_before = order.terms_before or fact.before
        self.index.note(order)

    def _revived(self, _at: datetime, fact: facts.OrderRevived) -> None:
        order = self.index.orders[fact.client_order_id]
        order.status = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.SUBMITTED
        order.broker_order_id, order.ended_at, order.end_code = fact.broker_order_id, None, EndCode.AS_ITS_STATE_SAYS
        order.cancel_requested_at, order.cancel_failed_at, order.cancel_code = None, None, None
        order.owed, order.is_asked_for, order.reason = None, False, ""
        self.index.note(order)

    def _idled(self, at: datetime, fact: facts.OrderIdled) -> None:
        order = self.index.orders[fact.client_order_id]
        if fact.code is IdleCode.LEAVING and not order.may_end_by_a_dropped_cancel(at):
            order.let_go_at = None  # this cancel is somebody else's
        order.idle, order.idle_word = fact.code, fact.word
        _doubt_ends(order)

    def _trades_again(self, at: datetime, fact: facts.OrderTradesAgain) -> None:
        order = self.index.orders[fact.client_order_id]
        if order.is_leaving and order.let_go_at is not None:
            order.let_go_at = at
        order.idle, order.idle_word = None, ""
        _doubt_ends(order)

    def _legs_missing(self, _at: datetime, fact: facts.ContingentOrdersMissing) -> None:
        self.index.orders[fact.client_order_id].is_bare = True

    def _kept(self, _at: datetime, fact: facts.OrderKept) -> None:
        order = self.index.orders[fact.client_order_id]
        if order.status.is_terminal:  # refused while the account was blocked: it is unsent again
            order.status, order.ended_at, order.reason, order.is_asked_for = OrderStatus.PENDING, None, "", False
        order.kept, order.again_at, order.was_absent = fact.approval, fact.again_at, fact.is_absent
        order.in_doubt_since = order.first_not_found_at = None
        order.not_found = 0
        self.index.note(order)

    def _kept_released(self, _at: datetime, fact: facts.KeptOrderReleased) -> None:
        order = self.index.orders[fact.client_order_id]
        order.kept = order.again_at = None

    def _restored(self, _at: datetime, _fact: facts.StateRestored) -> None:
        """Forget kept orders after a restore: they may have been sent after the archive was made."""
        for order in self.index.working.values():
            order.kept = order.again_at = None

    def _in_doubt(self, at: datetime, fact: facts.OrderStateUnknown) -> None:
        order = self.index.orders[fact.client_order_id]
        order.in_doubt_since = order.in_doubt_since or at
        order.reason = fact.reason

    def _not_found(self, at: datetime, fact: facts.OrderNotFound) -> None:
        order = self.index.orders[fact.client_order_id]
        order.not_found += 1
        order.first_not_found_at = order.first_not_found_at or at

    def _warned(self, at: datetime, fact: facts.BrokerWarned) -> None:
        order = self.index.orders[fact.client_order_id]
        order.warnings, order.warned_at = (*order.warnings, *fact.warnings), at
        self.index.note(order)

    def _warning_confirmed(self, _at: datetime, fact: facts.WarningConfirmed) -> None:
        order = self.index.orders[fact.client_order_id]
        order.warned_at = None
        self.index.note(order)

    def _cancel_requested(self, at: datetime, fact: facts.CancelRequested) -> None:
        order = self.index.orders[fact.client_order_id]
        order.cancel_requested_at = order.cancel_requested_at or at
        order.cancel_failed_at = None
        order.reason = order.cancel_reason = fact.reason
        if fact.code is not CancelCode.REAPPEARED or order.cancel_code not in BY_A_PERSON:  # a person's stays theirs
            order.cancel_code = fact.code
        order.owed = None

    def _cancel_failed(self, at: datetime, fact: facts.CancelFailed) -> None:
        order = self.index.orders[fact.client_order_id]
        if order.cancel_requested_at is not None:  # a late answer after the cancel was dropped
            order.cancel_failed_at = at
            order.cancel_failures += 1

    def _cancel_dropped(self, at: datetime, fact: facts.CancelDropped) -> None:
        order = self.index.orders[fact.client_order_id]
        order.cancel_requested_at, order.cancel_failed_at, order.let_go_at = None, None, at
        order.cancel_failures, order.reason, order.cancel_reason, order.cancel_code = 0, "", "", None

    def _ignored(self, _at: datetime, _fact: facts.UpdateIgnored) -> None:
        self.index.state.updates_ignored += 1

    def _quarantined(self, _at: datetime, fact: facts.BrokerMessagesQuarantined) -> None:
        self.index.state.updates_ignored += fact.count if fact.line is Channel.TRADES else 0


def _count_a_dropped_cancel(order: Order, at: datetime) -> None:
    """Count the end of an order as by our own cancel, if that was dropped here and took effect there (EX-13)."""
    if order.cancel_requested_at is None and order.may_end_by_a_dropped_cancel(at):
        order.cancel_requested_at, order.cancel_code = order.let_go_at, CancelCode.MAKES_WAY
        order.let_go_at = None


def _doubt_ends(order: Order) -> None:
    """End its doubt, and the reason with it."""
    if order.in_doubt_since is not None:
        order.in_doubt_since, order.reason = None, order.cancel_reason


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Ledger:
    """The slice of orders, executions, positions and trades.

    Parameters
    ----------
    regime
        Return the market regime, recorded with a position opened now.
    is_still_told
        Whether a report may still mention an order.
    named
        Return orders that a signed or waiting item may still name.

    Attributes
    ----------
    chains
        The replacement chains.
    legs
        The legs that the broker created with an order.
    exits
        Shares claimed by working exits.
    retention
        Orders that left memory, and their recall.
    book
        Fills: the positions that they opened, and the trade that the last one ended.
    """

    name = "orders"

    def __init__(
        self,
        calendar: Calendar,
        past: PastIndex | None = None,
        *,
        regime: Callable[[], RegimeLabels | None] = lambda: None,
        is_still_told: Callable[[ClientOrderId], bool] = lambda _order_id: False,
        named: Callable[[datetime], Collection[ClientOrderId]] = lambda _at: (),
    ) -> None:
        self.calendar = calendar
        self._index = LedgerIndex()
        self.chains = ReplacementChains(self._index)
        self.legs = Legs(self._index)
        self.lines = OrderLines(self._index)
        self.exits = ExitClaims(self._index, self.chains, self.legs)
        self.retention = OrderRetention(self._index, self.legs, calendar, past or PastInMemory(), is_still_told, named)
        self.book = PositionBook(self._index, self.chains, calendar, regime)
        self.folds: Mapping[Any, Any] = {
            **OrderFolds(self._index, self.chains, self.retention.require_new).folds,
            **self.book.folds,
            OrdersRecalled: self.retention.recall,
            DayStarted: self._day_started,
        }

    @property
    def state(self) -> LedgerState:
        return self._index.state

    def restore(self, state: LedgerState) -> None:
        self._index.restore(state)

    def _day_started(self, at: datetime, _fact: DayStarted) -> None:
        self.book.forget(at)
        self.retention.forget(at)

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, order_id: ClientOrderId) -> Order | None:
        return self.state.orders.get(order_id)

    def standing_for(self, order_id: ClientOrderId) -> Order | None:
        """Return the order with this id, or the one that was sent again for it under a new id (EX-24)."""
        order = self.order(order_id)
        if order is None or not order.is_sent_again:
            return order
        return next((one for one in self.lines.grown({order_id}) if one.again_of == order_id), order)

    def has(self, order_id: ClientOrderId) -> bool:
        """Whether this id was ever used, in memory or in the index."""
        return self.retention.has(order_id)

    def is_working(self, order_id: ClientOrderId) -> bool:
        order = self.state.orders.get(order_id)
        return order is not None and order.is_working

    def working(self) -> Iterator[Order]:
        return iter(tuple(self._index.working.values()))

    def in_order(self, order_ids: Iterable[ClientOrderId]) -> list[Order]:
        """Return those orders that are in memory, oldest first."""
        here = {order_id for order_id in order_ids if order_id in self.state.orders}
        return [self.state.orders[order_id] for order_id in sorted(here, key=self._index.places.__getitem__)]

    def working_exits(self) -> tuple[Order, ...]:
        """Return working orders that only reduce."""
        return tuple(self._index.reducing.values())

    def working_entries(self, symbol: Symbol | None = None, strategy: str | None = None) -> tuple[Order, ...]:
        """Return working orders that open or add."""
        entries = tuple(self._index.entries.values())
        if symbol is None and strategy is None:
            return entries
        return tuple(
            o
            for o in entries
            if (symbol is None or o.request.symbol == symbol) and (strategy is None or o.strategy == strategy)
        )

    def entry_groups(self, symbol: Symbol | None = None, strategy: str | None = None) -> list[EntryGroup]:
        """Return the groups of working orders that open or add, the one with the oldest order first."""
        if not self._index.groups:
            return []
        groups = [
            group
            for group in self._index.groups.values()
            if (symbol is None or group.symbol == symbol) and (strategy is None or group.strategy == strategy)
        ]
        return sorted(groups, key=lambda group: self._index.places[next(iter(group.orders))])

    def working_on(self, symbol: Symbol, side: Side) -> Iterable[Order]:
        """Return working orders of a symbol on one side."""
        return self._index.on_side.get((symbol, side), {}).values() if self._index.working else ()

    def pending(self) -> tuple[Order, ...]:
        """Return orders that the broker has not answered for, also in doubt."""
        return tuple(self._index.pending.values())

    def warned(self) -> list[Order]:
        """Return working orders with a warning that waits, oldest first."""
        return self.in_order(self._index.warned) if self._index.warned else []

    def lost_today(self, symbol: Symbol, at: datetime) -> Iterator[Order]:
        """Orders that ended today because the broker did not have them."""
        today = self.calendar.trading_day(at)
        for order in self.state.orders.values():
            is_its = order.is_lost and order.request.symbol == symbol
            if is_its and order.ended_at is not None and self.calendar.trading_day(order.ended_at) == today:
                yield order

    def unfilled_entries(self, strategy: str, day: date) -> dict[ClientOrderId, Order]:
        """Return working entries of a strategy without a fill on a trading day, whatever was filled before.

        One per replacement chain.
        """
        found: dict[ClientOrderId, Order] = {}
        for group in self.entry_groups(strategy=strategy):
            found |= group.untouched
            found |= {o.id: o for o in group.others() if self._is_unfilled(day, o)}
        return found

    def _is_unfilled(self, day: date, order: Order) -> bool:
        return not self.chains.has_filled_on(day, order) and self.chains.replaced(order) is None

    def entries_filled(self, strategy: str, day: date) -> int:
        """Return the number of a strategy's entry orders filled on a trading day, wholly or in part."""
        return self.state.entries.get(strategy, 0) if self.state.entries_day == day else 0

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def position(self, symbol: Symbol, strategy: str) -> Position | None:
        return self.state.position(symbol, strategy)

    def positions(self) -> tuple[Position, ...]:
        return tuple(self.state.positions.values())

    def positions_in(self, symbol: Symbol) -> tuple[Position, ...]:
        return self.state.positions_in(symbol)

    def net_quantity(self, symbol: Symbol) -> Quantity:
        if not self.state.positions:
            return NO_SHARES
        return Quantity(sum((p.quantity for p in self.positions_in(symbol)), ZERO))

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Money:
        """Return the profit closed on the day, including partial closes, plus the open profit at `last`, USD."""
        closed = self.state.closed_profit if self.state.closed_day == day else ZERO
        return Money(closed + sum((self.open_profit(p, last.get(p.symbol)) for p in self.positions()), ZERO))

    def result_of_strategy(self, strategy: str, day: date, last: Mapping[Symbol, Price]) -> Money | None:
        """Return the same of one strategy; None while a position of it has no price."""
        result = self.state.closed_by.get(strategy, ZERO) if self.state.closed_day == day else ZERO
        for position in self.positions():
            if position.strategy == strategy:
                if (price := last.get(position.symbol)) is None:
                    return None
                result += position.profit(price)
        return Money(result)

    def open_profit(self, position: Position, price: Price | None) -> Money:
        """Return the profit of an open position at `price`, USD; zero without a price."""
        if price is None:
            return Money(ZERO)
        return position.profit(price)
