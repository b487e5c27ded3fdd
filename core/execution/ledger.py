"""The books: every order of ours, every execution once, the positions they make, and the trades they end as.

The ledger folds facts and answers questions. It decides nothing, and it is the only place where an order's status or a
position changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.execution.order import Order
from core.execution.order_states import DuplicateOrderError
from core.execution.past_orders import PastInMemory, order_of, past_of, read, sum_after, written
from core.facts import (
    ApprovalRedeemed,
    BrokerWarned,
    CancelDropped,
    CancelFailed,
    CancelRequested,
    ContingentOrdersMissing,
    DayStarted,
    EngineStarted,
    KeptOrderReleased,
    LegResized,
    OrderCreated,
    OrderFilled,
    OrderKept,
    OrderNotFound,
    OrdersRecalled,
    OrderStateChanged,
    OrderStateUnknown,
    OwnerShare,
    PositionCorrected,
    ProposalStaged,
    StateRestored,
    StopCut,
    UpdateIgnored,
    WarningConfirmed,
)
from core.model.calendar import Calendar
from core.model.codes import EndCode
from core.model.instrument import named
from core.model.order import LegRole, OrderStatus, Side
from core.model.past_order import PastOrder
from core.model.position import AnyTrade, Ended, Fill, Position, Trade, trade_in
from core.model.regime import RegimeLabels
from core.model.signal import ExitReason
from core.model.values import NO_MONEY, NO_SHARES, ZERO, ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol
from core.ports import PastIndex

KEPT = timedelta(days=7)
GIVEN_UP_KEPT = timedelta(days=30)
"""What never arrived may have arrived when nobody listened any more, and the broker's list may end before it."""
UNKNOWN_OWNER = "broker"
"""The strategy name of a position that was taken over from the broker's books and is no one strategy's."""


@dataclass(slots=True)
class LedgerState:
    """What the ledger remembers.

    `positions` is keyed `SYMBOL/strategy`; flat ones are not kept. Orders that ended before today leave once nothing
    rests on them, and after a week in any case; what never arrived is kept for longer. So many are `forgotten`, with
    the sum of all of them: the index of past orders has them whole, and no name is ever used again. Of trades there are
    those of today. `redeemed` names, by an order that is not written down yet, the stop that it is less of.
    """

    orders: dict[ClientOrderId, Order] = field(default_factory=dict)
    forgotten: int = 0
    forgotten_sum: str = ""
    executions: dict[ExecutionId, ClientOrderId] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    trades: list[AnyTrade] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    entries_day: date | None = None
    closed_profit: Money = NO_MONEY
    closed_day: date | None = None
    redeemed: dict[ClientOrderId, ClientOrderId] = field(default_factory=dict)
    orders_sent: int = 0
    updates_ignored: int = 0


@dataclass(frozen=True, slots=True)
class OpenedTrade:
    """A fill of an entry, and when this desk heard of it."""

    heard_at: datetime
    order: Order
    quantity: Quantity
    price: Price

    @property
    def cost(self) -> Decimal:
        """USD."""
        return self.order.request.instrument.cost(self.quantity, self.price)


def position_key(symbol: Symbol, strategy: str) -> str:
    return f"{symbol}/{strategy}"


FAILURES = {
    (OrderStatus.REJECTED, False): ExitReason.BROKER_REJECT,
    (OrderStatus.CANCELLED, True): ExitReason.EXECUTION_ERROR,
}
"""By how an exit ended, and whether it is because it never arrived."""


class Ledger:
    """The slice of orders, executions, positions and trades.

    Parameters
    ----------
    regime
        What kind of market it is, for a position that is opened now.
    is_still_told
        Whether a report has yet to tell of an order.
    named
        Orders that something signed or waiting may yet speak of.

    Attributes
    ----------
    ended
        What the last fill ended: slices behind this one ask for it as they fold the same fill.
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
        self.regime, self.is_still_told, self.named = regime, is_still_told, named
        self.past: PastIndex = past or PastInMemory()
        self.state = LedgerState()
        self._places: dict[ClientOrderId, int] = {}
        self._legs: dict[ClientOrderId, dict[ClientOrderId, Order]] = {}
        self._working: dict[ClientOrderId, Order] = {}
        self._cut: dict[ClientOrderId, Order] = {}
        self.opened: list[OpenedTrade] = []
        self.ended: Ended | None = None
        self.folds = {
            ApprovalRedeemed: self._redeemed,
            EngineStarted: self._started,
            OrderCreated: self._created,
            OrdersRecalled: self._recalled,
            StopCut: self._stop_cut,
            ProposalStaged: self._staged,
            LegResized: self._resized,
            ContingentOrdersMissing: self._bare,
            OrderStateChanged: self._state_changed,
            OrderKept: self._kept,
            KeptOrderReleased: self._kept_released,
            StateRestored: self._restored,
            OrderStateUnknown: self._in_doubt,
            OrderNotFound: self._not_found,
            CancelRequested: self._cancel_requested,
            CancelFailed: self._cancel_failed,
            CancelDropped: self._cancel_dropped,
            BrokerWarned: self._warned,
            WarningConfirmed: self._warning_confirmed,
            OrderFilled: self._filled,
            PositionCorrected: self._corrected,
            UpdateIgnored: self._ignored,
            DayStarted: self._forget_what_is_old,
        }

    def restore(self, state: LedgerState) -> None:
        """Take up a saved state."""
        self.state = state
        self._working = {order.id: order for order in state.orders.values() if order.is_working}
        self._cut = {order.id: order for order in state.orders.values() if order.is_cut}
        self._places, self._legs = {}, {}
        for order in state.orders.values():
            self._enter(order)

    def _enter(self, order: Order) -> None:
        """What is worked out of the orders: their sequence, and whose leg each is."""
        self._places[order.id] = next(reversed(self._places.values()), 0) + 1
        if order.role is not None and order.parent is not None:
            self._legs.setdefault(order.parent, {})[order.id] = order

    def _leave(self, order: Order) -> None:
        del self.state.orders[order.id], self._places[order.id]
        self._cut.pop(order.id, None)
        if order.role is not None and order.parent is not None:
            its = self._legs[order.parent]
            del its[order.id]
            if not its:
                del self._legs[order.parent]

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, order_id: ClientOrderId) -> Order | None:
        return self.state.orders.get(order_id)

    def is_working(self, order_id: ClientOrderId) -> bool:
        order = self.state.orders.get(order_id)
        return order is not None and order.is_working

    def has(self, order_id: ClientOrderId) -> bool:
        """Whether this name was ever used: by what is here, or by the index."""
        return order_id in self.state.orders or self._found(order_id) is not None

    def in_order(self, order_ids: Iterable[ClientOrderId]) -> list[Order]:
        """Those of them that are here, the oldest first."""
        here = {order_id for order_id in order_ids if order_id in self.state.orders}
        return [self.state.orders[order_id] for order_id in sorted(here, key=self._places.__getitem__)]

    def forgotten(self, order_id: ClientOrderId) -> PastOrder | None:
        """An order that has left memory, as it was then."""
        content = None if order_id in self.state.orders else self._found(order_id)
        return None if content is None else read(content)

    def family(self, order_id: ClientOrderId) -> tuple[PastOrder, ...]:
        """A forgotten order with all that is not understood without it, as far as that is forgotten too."""
        found: dict[ClientOrderId, PastOrder] = {}
        names = [order_id]
        while names:
            name = names.pop()
            if name not in found and (past := self.forgotten(name)) is not None:
                found[name] = past
                names += past.kin
        return tuple(sorted(found.values(), key=lambda past: (past.created_at, past.role is not None)))

    def _found(self, order_id: ClientOrderId) -> bytes | None:
        return self.past.find(order_id, self.state.forgotten) if self.state.forgotten else None

    def require_new(self, order_id: ClientOrderId) -> None:
        """Raise DuplicateOrderError where this id was ever used (EX-04)."""
        if self.has(order_id):
            raise DuplicateOrderError(f"order {order_id} exists already; the broker is not called")

    def working(self) -> Iterator[Order]:
        return iter(tuple(self._working.values()))

    def cut_stops(self) -> tuple[Order, ...]:
        """Stops that ended because they were for too much, of positions that are held yet: shares may be owed them."""
        return tuple(order for order in self._cut.values() if order.is_cut and self._is_of_what_is_held(order))

    def last_stop(self, position: Position) -> Order | None:
        """The stop of a position that ended last, by what it was opened with; None where none ended."""
        its = [
            o
            for o in self.state.orders.values()
            if o.is_protective
            and not o.is_working
            and (o.request.symbol, o.strategy) == (position.symbol, position.strategy)
        ]
        ended = [o for o in its if self._is_of_what_is_held(o) and not o.made_way]
        return max(ended, key=lambda o: o.ended_at or o.created_at, default=None)

    def _is_of_what_is_held(self, stop: Order) -> bool:
        held = self.position(stop.request.symbol, stop.strategy)
        if held is None or (held.quantity > 0) is not (stop.request.side is Side.SELL):
            return False
        return (stop.ended_at or stop.created_at) >= min(held.began, held.opened_at)

    def position(self, symbol: Symbol, strategy: str) -> Position | None:
        return self.state.positions.get(position_key(symbol, strategy))

    def positions(self) -> tuple[Position, ...]:
        return tuple(self.state.positions.values())

    def positions_in(self, symbol: Symbol) -> tuple[Position, ...]:
        return tuple(p for p in self.state.positions.values() if p.symbol == symbol)

    def net_quantity(self, symbol: Symbol) -> Quantity:
        if not self.state.positions:
            return NO_SHARES
        return Quantity(sum((p.quantity for p in self.positions_in(symbol)), ZERO))

    def working_exits(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Working orders that reduce this position, its stops among them."""
        return tuple(
            o
            for o in self._working.values()
            if o.request.symbol == symbol and o.strategy == strategy and o.only_reduces
        )

    def claimed(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that working exits ask for, those in doubt too: no second order is sent for them (EX-06, EX-13)."""
        return Quantity(sum((self.claim(o) for o in self.working_exits(symbol, strategy)), ZERO))

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares of which a person may be told that they are covered (EX-13).

        What is in doubt covers nothing, nor does an exit that waits at its limit, nor what never left this desk.
        """
        exits = [o for o in self.working_exits(symbol, strategy) if not self.is_in_doubt(o) and o.kept is None]
        return Quantity(sum((self.claim(o) for o in exits if not o.waits_at_limit), ZERO))

    def at_limit(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that exits hold which wait at their limit, with no stop meanwhile."""
        exits = self.working_exits(symbol, strategy)
        return Quantity(sum((self.claim(o) for o in exits if o.waits_at_limit), ZERO))

    def guarded(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that no further exit need watch: claimed, and not by an exit that waits at its limit (EX-13)."""
        return Quantity(self.claimed(symbol, strategy) - self.at_limit(symbol, strategy))

    def doubted_exits(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Exits that may be at the broker, and of which it has not said so: stops, and what closes."""
        return tuple(o for o in self.working_exits(symbol, strategy) if self.is_in_doubt(o) and self.claim(o) > 0)

    def is_in_doubt(self, order: Order) -> bool:
        """Whether it was sent and never answered, unless the broker says of the old one that another took its place."""
        old = self._replaced(order)
        is_there = old is not None and old.made_way
        return order.status is OrderStatus.PENDING and order.in_doubt_since is not None and not is_there

    def incumbent(self, order: Order) -> Order | None:
        """The working order that this one was sent to replace; None once that has ended, or where it replaces none."""
        old = self._replaced(order)
        return old if old is not None and old.is_working else None

    def is_forestalled(self, order: Order) -> bool:
        """Whether the order that it was sent to replace has ended in another way: no broker takes it any more."""
        old = self._replaced(order)
        return old is not None and old.status.is_terminal and not old.made_way

    def heir(self, order: Order) -> Order | None:
        """The working order that was sent to take this one's place, or the place of one that did."""
        following = order.replacement or order.replaced_by
        while following is not None and (found := self.state.orders.get(following)) is not None:
            if found.is_working:
                return found
            following = found.replacement or found.replaced_by
        return None

    def claim(self, order: Order) -> Quantity:
        """Shares that an order still asks for; none while the one works whose place it takes: the pair counts once.

        None either of one that was to take the place of an order which has ended: no broker takes it any more. None of
        a leg that is held, nor of a target: its stop asks for the same shares (EX-13).
        """
        is_lost = order.status is OrderStatus.PENDING and self.is_forestalled(order)
        is_idle = is_lost or self.incumbent(order) or self.is_held(order) or self._leaves_it_to_its_stop(order)
        return NO_SHARES if is_idle else order.remaining

    def opened_since(self, at: datetime) -> Iterator[OpenedTrade]:
        """Fills of entries that were heard from then on, the newest first.

        They are in memory alone, as the account's figures are which they are compared with: those of a start are asked
        for after all that is kept.
        """
        for fill in reversed(self.opened):
            if fill.heard_at < at:
                return
            yield fill

    # ── legs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def legs(self, parent: ClientOrderId) -> tuple[Order, ...]:
        """What the broker made with an order, and what took a leg's place since."""
        return tuple(self._legs.get(parent, {}).values())

    def expects_legs(self, order: Order) -> bool:
        """Whether the broker holds, or held, legs of it that it has not named yet."""
        is_moot = order.is_bare or order.status in (OrderStatus.PENDING, OrderStatus.REJECTED)
        if not order.request.legs or is_moot or (order.status.is_terminal and not order.filled_quantity):
            return False
        return not self.legs(order.id)

    def parents_of_unnamed(self, symbol: Symbol) -> tuple[Order, ...]:
        """Orders of a symbol whose legs the broker may have made, and has not named yet."""
        return tuple(
            o
            for o in self.state.orders.values()
            if o.request.symbol == symbol
            and (self.expects_legs(o) or (o.request.legs and o.status is OrderStatus.PENDING))
        )

    def is_held(self, order: Order) -> bool:
        """Whether it is a leg whose entry is not filled: it guards nothing, and holds no shares."""
        parent = self._made_with(order)
        return parent is not None and not parent.only_reduces and parent.remaining > 0

    def left_to_legs(self, symbol: Symbol, strategy: str, but: Order | None = None) -> Quantity:
        """Shares of entries that their own legs are to guard: where another stop held them, the broker would refuse
        those legs (EX-13).
        """
        entries = (
            o
            for o in self.state.orders.values()
            if (o.request.symbol, o.strategy) == (symbol, strategy)
            and o.request.legs
            and not o.only_reduces
            and not o.is_bare
            and o is not but
            and (o.is_working or self.expects_legs(o))
        )
        return Quantity(sum((entry.filled_quantity for entry in entries), ZERO))

    def is_orphan(self, leg: Order) -> bool:
        """Whether a leg has nothing left to wait for: its entry ended before it was filled, or its rival is filled."""
        parent = self._made_with(leg)
        is_cut_off = self.is_held(leg) and parent is not None and parent.status.is_terminal
        return is_cut_off or any(rival.status is OrderStatus.FILLED for rival in self.rivals(leg))

    def rivals(self, order: Order) -> tuple[Order, ...]:
        """The others of its pair, working or not: where one is filled or cancelled, the broker cancels the other."""
        if not order.is_target and order.role is None:
            return ()
        pair = list(self.legs(order.id if order.role is None else order.parent or order.id))
        parent = self._made_with(order)
        if parent is not None and parent.is_target:
            pair.append(parent)
        return tuple(o for o in pair if o is not order)

    def has_bracket_order(self, symbol: Symbol, strategy: str) -> bool:
        """Whether legs of the position work at the broker: what they are there to do, nobody else does (EX-13)."""
        exits = self.working_exits(symbol, strategy)
        return any((o.role is not None or o.is_target) and not self.is_held(o) for o in exits)

    def _made_with(self, leg: Order) -> Order | None:
        return self.state.orders.get(leg.parent) if leg.role is not None and leg.parent is not None else None

    def _leaves_it_to_its_stop(self, order: Order) -> bool:
        """A target counts for nothing beside its stop, nor without it; an OCO until its stop is known holds both."""
        return order.is_target and (order.role is LegRole.TARGET or bool(self.legs(order.id)))

    def working_entries(self, symbol: Symbol | None = None, strategy: str | None = None) -> tuple[Order, ...]:
        """Working orders that open or add."""
        if not self._working:
            return ()
        return tuple(
            o
            for o in self._working.values()
            if not o.only_reduces
            and (symbol is None or o.request.symbol == symbol)
            and (strategy is None or o.strategy == strategy)
        )

    def unfilled_entries(self, strategy: str, day: date) -> tuple[Order, ...]:
        """Working entries of a strategy of which nothing was filled on a trading day, whatever was before.

        One a place, whatever was sent to take it over.
        """
        return tuple(
            o
            for o in (self.working_entries(strategy=strategy) if self._working else ())
            if not self._has_filled_on(day, o) and self.incumbent(o) is None
        )

    def entries_filled(self, strategy: str, day: date) -> int:
        """Entry orders of a strategy that were filled, wholly or in part, on a trading day."""
        return self.state.entries.get(strategy, 0) if self.state.entries_day == day else 0

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Money:
        """Profit of what was closed on the day, parts of open positions too, and of what is open at `last`, USD."""
        closed = self.state.closed_profit if self.state.closed_day == day else ZERO
        return Money(closed + sum((self.open_profit(p, last.get(p.symbol)) for p in self.positions()), ZERO))

    def open_profit(self, position: Position, price: Price | None) -> Money:
        """Profit of an open position at `price`, USD; zero where there is no price."""
        if price is None:
            return Money(ZERO)
        return position.profit(price)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _created(self, at: datetime, fact: OrderCreated) -> None:
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
        )
        self.state.orders[created.id] = self._working[created.id] = created
        self._enter(created)
        self.state.orders_sent += 1
        if (old := self._replaced(created)) is not None:
            old.replacement = created.id
        self._pay_off(created)

    def _started(self, _at: datetime, _fact: EngineStarted) -> None:
        self.state.redeemed.clear()

    def _redeemed(self, _at: datetime, fact: ApprovalRedeemed) -> None:
        if fact.approval.less_of is not None:
            self.state.redeemed[fact.client_order_id] = fact.approval.less_of

    def _pay_off(self, less: Order) -> None:
        """Less of a stop is written down for shares of it: so many it is owed no more, and not before (EX-20)."""
        less_of = self.state.redeemed.pop(less.id, None)
        cut = self.state.orders.get(less_of) if less_of is not None else None
        if cut is not None:
            cut.owed = Quantity(max((cut.owed or ZERO) - less.request.quantity, ZERO))
            self._note_cut(cut)

    def _stop_cut(self, _at: datetime, fact: StopCut) -> None:
        cut = self.state.orders[fact.client_order_id]
        cut.owed = fact.owed
        self._note_cut(cut)

    def _note_cut(self, order: Order) -> None:
        if order.is_cut:
            self._cut[order.id] = order
        else:
            self._cut.pop(order.id, None)

    def _staged(self, _at: datetime, fact: ProposalStaged) -> None:
        """A stop on a ticket is for all that is bare of its position: of those that ended none is asked for again."""
        proposal = fact.proposal
        if not proposal.is_guard or proposal.order.replaces is not None:
            return
        for order in self.state.orders.values():
            is_its = (order.request.symbol, order.strategy) == (proposal.symbol, proposal.strategy)
            if is_its and order.is_protective and not order.is_working:
                order.is_asked_for = True

    def _resized(self, _at: datetime, fact: LegResized) -> None:
        order = self.state.orders[fact.client_order_id]
        order.request = replace(order.request, quantity=fact.quantity)

    def _bare(self, _at: datetime, fact: ContingentOrdersMissing) -> None:
        self.state.orders[fact.client_order_id].is_bare = True

    def _replaced(self, order: Order) -> Order | None:
        return self.state.orders.get(order.request.replaces) if order.request.replaces is not None else None

    def _state_changed(self, at: datetime, fact: OrderStateChanged) -> None:
        order = self.state.orders[fact.client_order_id]
        self._mark_replaced(order, fact.after)
        order.status = fact.after
        if order.in_doubt_since is not None:
            order.reason = order.cancel_reason  # the doubt is over, and its words with it
        order.reason = fact.reason or order.reason
        order.end_code = fact.code
        if fact.broker_order_id is not None:
            order.broker_order_id = fact.broker_order_id
        if order.submitted_at is None and fact.after is OrderStatus.SUBMITTED:
            order.submitted_at = at
        order.in_doubt_since = order.kept = None
        if fact.after.is_terminal:
            order.ended_at = at
            self._working.pop(order.id, None)
            self._note_cut(order)

    def _mark_replaced(self, order: Order, after: OrderStatus) -> None:
        """The broker took the order in the place of another, or did not: then the other one is what it was."""
        old = self._replaced(order)
        if old is None:
            return
        if order.status is OrderStatus.PENDING and old.replacement == order.id:
            old.replacement = None
            old.replaced_by = order.id if after is OrderStatus.SUBMITTED else None
        elif after is OrderStatus.REJECTED:
            old.replaced_by = None
        if old.is_working and after in (OrderStatus.REJECTED, OrderStatus.CANCELLED):
            old.owed = None  # it is not less after all

    def _kept(self, _at: datetime, fact: OrderKept) -> None:
        self.state.orders[fact.client_order_id].kept = fact.approval

    def _kept_released(self, _at: datetime, fact: KeptOrderReleased) -> None:
        self.state.orders[fact.client_order_id].kept = None

    def _restored(self, _at: datetime, _fact: StateRestored) -> None:
        """What the archive holds as never sent may have been sent after it was made."""
        for order in self._working.values():
            order.kept = None

    def _in_doubt(self, at: datetime, fact: OrderStateUnknown) -> None:
        order = self.state.orders[fact.client_order_id]
        order.in_doubt_since = order.in_doubt_since or at
        order.reason = fact.reason

    def _not_found(self, at: datetime, fact: OrderNotFound) -> None:
        order = self.state.orders[fact.client_order_id]
        order.not_found += 1
        order.first_not_found_at = order.first_not_found_at or at

    def _warned(self, at: datetime, fact: BrokerWarned) -> None:
        order = self.state.orders[fact.client_order_id]
        order.warnings, order.warned_at = (*order.warnings, *fact.warnings), at

    def _warning_confirmed(self, _at: datetime, fact: WarningConfirmed) -> None:
        self.state.orders[fact.client_order_id].warned_at = None

    def _cancel_requested(self, at: datetime, fact: CancelRequested) -> None:
        order = self.state.orders[fact.client_order_id]
        order.cancel_requested_at = order.cancel_requested_at or at
        order.cancel_failed_at = None
        order.reason = order.cancel_reason = fact.reason
        order.cancel_code = fact.code
        order.owed = None

    def _cancel_failed(self, at: datetime, fact: CancelFailed) -> None:
        order = self.state.orders[fact.client_order_id]
        if order.cancel_requested_at is not None:  # a word that came after nobody wanted its end any more
            order.cancel_failed_at = at
            order.cancel_failures += 1

    def _cancel_dropped(self, at: datetime, fact: CancelDropped) -> None:
        order = self.state.orders[fact.client_order_id]
        order.cancel_requested_at, order.cancel_failed_at, order.let_go_at = None, None, at
        order.cancel_failures, order.reason, order.cancel_reason, order.cancel_code = 0, "", "", None

    def _forget_what_is_old(self, at: datetime, _fact: DayStarted) -> None:
        """Before today, an order is kept while anything may rest on it; a week is what a reconciliation compares."""
        day = self.calendar.trading_day(at)
        self.opened = [fill for fill in self.opened if at - fill.heard_at <= KEPT]
        self.state.trades = [t for t in self.state.trades if self.calendar.trading_day(t.exit_time) >= day]
        old = {o.id for o in self.state.orders.values() if _is_old(o, at)} | self._at_rest(at, day)
        gone = [o for o in self.state.orders.values() if o.id in old and not self.is_still_told(o.id)]
        if not gone:
            return
        counted: dict[ClientOrderId, list[ExecutionId]] = {order.id: [] for order in gone}
        for execution, order_id in self.state.executions.items():
            if order_id in counted:
                counted[order_id].append(execution)
        kin = self._kin()
        for order in gone:
            self._hand_over(past_of(order, counted[order.id], kin.get(order.id, ())))
        for order in gone:
            self._leave(order)
        self.state.executions = {e: o for e, o in self.state.executions.items() if o not in counted}

    def _hand_over(self, past: PastOrder) -> None:
        content = written(past)
        self.state.forgotten += 1
        self.state.forgotten_sum = sum_after(self.state.forgotten_sum, content)
        self.past.keep(self.state.forgotten, past.id, content, self.state.forgotten_sum)

    def _at_rest(self, at: datetime, day: date) -> set[ClientOrderId]:
        """What ended before today, in a place that holds nothing and where nothing works, and that nothing signed or
        waiting speaks of; what belongs together leaves together.
        """
        named = {*self.named(at), *(o.id for o in self.state.orders.values() if self.is_still_told(o.id))}
        busy = {(p.symbol, p.strategy) for p in self.positions()}
        busy |= {(o.request.symbol, o.strategy) for o in self._working.values()}
        rests = {o.id for o in self.state.orders.values() if self._is_over(o, day, busy) and o.id not in named}
        kin = self._kin()
        stay = [o.id for o in self.state.orders.values() if o.id not in rests and not o.is_given_up]
        while stay:
            kept = [name for name in kin.get(stay.pop(), ()) if name in rests]
            rests.difference_update(kept)
            stay += kept
        return rests

    def _is_over(self, order: Order, day: date, busy: Set[tuple[Symbol, str]]) -> bool:
        if order.ended_at is None or self.calendar.trading_day(order.ended_at) >= day or order.is_given_up:
            return False
        symbol = order.request.symbol
        return busy.isdisjoint({(symbol, order.strategy), (symbol, UNKNOWN_OWNER)}) and not self.expects_legs(order)

    def _kin(self) -> dict[ClientOrderId, list[ClientOrderId]]:
        """By each order what it is not understood without, and what is not without it."""
        found: dict[ClientOrderId, list[ClientOrderId]] = {}
        for order in self.state.orders.values():
            for other in (order.parent, order.request.replaces, order.replacement, order.replaced_by):
                if other is not None:
                    found.setdefault(order.id, []).append(other)
                    found.setdefault(other, []).append(order.id)
        return {name: list(dict.fromkeys(others)) for name, others in found.items()}

    def _recalled(self, _at: datetime, fact: OrdersRecalled) -> None:
        """They are here again as they were: what the broker tells of them counts as it would have then."""
        for past in fact.orders:
            order = order_of(past)
            self.state.orders[order.id] = order
            self.state.executions.update(dict.fromkeys(past.executions, order.id))
            self._enter(order)
            self._note_cut(order)

    def _ignored(self, _at: datetime, _fact: UpdateIgnored) -> None:
        self.state.updates_ignored += 1

    def _filled(self, at: datetime, fact: OrderFilled) -> None:
        self.ended = None
        order = self.state.orders[fact.fill.client_order_id]
        self.state.executions[fact.fill.execution_id] = order.id
        day = self.calendar.trading_day(fact.fill.at)
        if not order.only_reduces and not self._has_filled_on(day, order):
            self._count_entry(order.strategy, day)
        order.last_filled_on = max(order.last_filled_on or day, day)
        order.filled_quantity = Quantity(order.filled_quantity + fact.fill.quantity)
        paid = order.request.instrument.cost(fact.fill.quantity, fact.fill.price)
        order.filled_cost = Money(order.filled_cost + paid)
        order.reported_quantity = max(order.reported_quantity, fact.cumulative)
        order.late_fill = order.late_fill or fact.is_late
        if not order.only_reduces:
            self.opened.append(OpenedTrade(at, order, fact.fill.quantity, fact.fill.price))
        self._move_position(at, order, fact.fill)

    def _has_filled_on(self, day: date, order: Order) -> bool:
        """Whether it was filled on a day, in part, or an order whose place it took, or that took its own: that counted.

        The broker's word on the older one may come later than on the one that took its place.
        """
        return any(o.last_filled_on == day for o in (order, *self._line(order)))

    def _line(self, order: Order) -> Iterator[Order]:
        """Every order before this one and after it in the same place, working or not."""
        before = self._replaced(order)
        while before is not None:
            yield before
            before = self._replaced(before)
        following = order.replacement or order.replaced_by
        while following is not None and (after := self.state.orders.get(following)) is not None:
            yield after
            following = after.replacement or after.replaced_by

    def _count_entry(self, strategy: str, day: date) -> None:
        """A fill of an earlier day that is heard late is no entry of the day that is counted."""
        if self.state.entries_day is not None and day < self.state.entries_day:
            return
        if self.state.entries_day != day:
            self.state.entries_day = day
            self.state.entries.clear()
        self.state.entries[strategy] = self.state.entries.get(strategy, 0) + 1

    def _move_position(self, at: datetime, order: Order, fill: Fill) -> None:
        """A fill that goes through zero ends one trade, and what is left of it begins the next, the other way."""
        key = position_key(order.request.symbol, order.strategy)
        held, fee = self.state.positions.get(key), fill.fee
        ((instrument, signed),) = order.request.moves(fill.quantity)
        self._pay(fill)
        is_through = held is not None and held.quantity * signed < 0 and abs(signed) > abs(held.quantity)
        if held is not None and is_through:
            paid = Money(fee * abs(held.quantity) / fill.quantity)
            flat = moved(held, Quantity(-held.quantity), fill.price, order.intended_price, paid)
            self._realise(held, flat, fill)
            self._close(key, flat, fill, order)
            signed, fee, held = Quantity(signed + held.quantity), Money(fee - paid), None
        if held is None:
            held = Position(
                order.request.symbol, order.strategy, fill.at, order.id,
                regime=self.regime(), heard_at=at, traded=named(instrument),
            )  # fmt: skip
        after = moved(held, signed, fill.price, order.intended_price, fee)
        self._realise(held, after, fill)
        if after.quantity == 0:
            self._close(key, after, fill, order)
        else:
            self.state.positions[key] = after

    def _realise(self, held: Position, after: Position, fill: Fill) -> None:
        """What a fill took off a position counts on the trading day of that fill, whether or not it is flat then.

        One of an earlier day that is heard late is no part of the day that is kept.
        """
        if after.left == held.left:
            return
        gained = (after.proceeds - held.proceeds) - (held.cost - after.cost)
        self._count(fill, gained if held.quantity > 0 else -gained)

    def _pay(self, fill: Fill) -> None:
        """The fee counts on the day of its fill, of an entry too: the money is gone then."""
        if fill.fee:
            self._count(fill, -fill.fee)

    def _count(self, fill: Fill, profit: Decimal) -> None:
        day = self.calendar.trading_day(fill.at)
        if self.state.closed_day is not None and day < self.state.closed_day:
            return
        so_far = self.state.closed_profit if self.state.closed_day == day else ZERO
        self.state.closed_day = day
        self.state.closed_profit = Money(so_far + profit)

    def _close(self, key: str, after: Position, fill: Fill, order: Order) -> None:
        self.state.positions.pop(key, None)
        trade = self._trade(after, fill, order)
        self.state.trades.append(trade)
        self.ended = Ended(trade, order.request.side is Side.SELL)

    def _trade(self, flat: Position, fill: Fill, exit_order: Order) -> Trade:
        entry = self.state.orders.get(flat.entry_order)
        is_long = exit_order.request.side is Side.SELL
        sign = 1 if is_long else -1
        meant = exit_order.exit_reason or ExitReason.MANUAL
        failed = self._failure_before(flat, exit_order)
        trade = Trade(
            symbol=flat.symbol,
            strategy=flat.strategy,
            entry_order=flat.entry_order,
            exit_order=exit_order.id,
            entry_time=flat.opened_at,
            entry_price=flat.instrument.price_of(flat.entered, flat.entry_cost),
            quantity=flat.entered,
            exit_time=fill.at,
            exit_price=flat.instrument.price_of(flat.left, flat.proceeds),
            exit_reason=failed or meant,
            intended_entry=flat.instrument.price_of(flat.entered, flat.intended_cost),
            intended_exit=flat.instrument.price_of(flat.left, flat.intended_proceeds),
            reference=entry.reference if entry else None,
            profit=Money(sign * (flat.proceeds - flat.entry_cost) - flat.fees),
            slippage=Money(sign * ((flat.entry_cost - flat.intended_cost) + (flat.intended_proceeds - flat.proceeds))),
            regime=flat.regime,
            meant=meant if failed else None,
            fees=flat.fees,
        )
        return trade if flat.traded is None else trade_in(flat.traded, trade)

    def _failure_before(self, flat: Position, closing: Order) -> ExitReason | None:
        """How the last exit beside the one that closed it failed, where it did: it should have ended the trade (EX-18).

        Stops and targets that wait at the broker are no such exit.
        """
        for order in reversed(self.state.orders.values()):
            if order.created_at < flat.opened_at:
                return None
            is_its = (order.request.symbol, order.strategy) == (flat.symbol, flat.strategy)
            if is_its and order.only_reduces and order is not closing and not (order.is_protective or order.is_target):
                return FAILURES.get((order.status, order.end_code is EndCode.NEVER_ARRIVED))
        return None

    def _corrected(self, at: datetime, fact: PositionCorrected) -> None:
        """Each owner has its part, with its stop. Before owners were recorded, what one strategy held alone stayed its
        own, and what several held was nobody's in particular.
        """
        held = self.positions_in(fact.symbol)
        for position in held:
            del self.state.positions[position_key(position.symbol, position.strategy)]
        for share in fact.owners:
            found = next((p for p in held if p.strategy == share.strategy), None)
            before = found or Position(
                fact.symbol, share.strategy, at, ClientOrderId(""), traded=held[0].traded if held else None
            )
            self.state.positions[position_key(fact.symbol, share.strategy)] = _with_part(before, share)
        if fact.owners or fact.quantity == 0 or fact.average_price is None:
            return
        traded = held[0].traded if held else None
        alone = (
            held[0] if len(held) == 1 else Position(fact.symbol, UNKNOWN_OWNER, at, ClientOrderId(""), traded=traded)
        )
        cost = alone.instrument.cost(abs(fact.quantity), fact.average_price)
        self.state.positions[position_key(fact.symbol, alone.strategy)] = Position(
            fact.symbol, alone.strategy, alone.opened_at, alone.entry_order, fact.quantity, cost,
            Quantity(abs(fact.quantity)), cost, cost, regime=alone.regime, fees=alone.fees,
            heard_at=alone.heard_at, traded=traded,
        )  # fmt: skip


def _is_old(order: Order, at: datetime) -> bool:
    kept = GIVEN_UP_KEPT if order.is_given_up else KEPT
    return order.ended_at is not None and at - order.ended_at > kept


def _with_part(held: Position, share: OwnerShare) -> Position:
    """The position as if it had been opened with what it holds now; the very same where nothing of it changed."""
    if held.quantity and (held.quantity, held.average_price) == (share.quantity, share.average_price):
        return held
    size = Quantity(abs(share.quantity))
    cost = held.instrument.cost(size, share.average_price)
    return Position(
        held.symbol, held.strategy, held.opened_at, held.entry_order, share.quantity, cost, size, cost, cost,
        regime=held.regime, fees=held.fees, heard_at=held.heard_at, traded=held.traded,
    )  # fmt: skip


def moved(held: Position, signed: Quantity, price: Price, intended: Price | None, fee: Money = NO_MONEY) -> Position:
    """The position after `signed` shares more (bought above zero, sold below) at `price`, never through zero; it has
    paid `fee` more, USD.
    """
    held = replace(held, fees=Money(held.fees + fee)) if fee else held
    amount, aimed = abs(signed), price if intended is None else intended
    paid, meant = held.instrument.cost(amount, price), held.instrument.cost(amount, aimed)
    if held.quantity == 0 or (held.quantity > 0) == (signed > 0):
        return replace(
            held,
            quantity=Quantity(held.quantity + signed),
            cost=Money(held.cost + paid),
            entered=Quantity(held.entered + amount),
            entry_cost=Money(held.entry_cost + paid),
            intended_cost=Money(held.intended_cost + meant),
        )
    rest = Quantity(held.quantity + signed)
    return replace(
        held,
        quantity=rest,
        cost=Money(held.cost * abs(rest) / abs(held.quantity)) if rest else Money(ZERO),
        left=Quantity(held.left + amount),
        proceeds=Money(held.proceeds + paid),
        intended_proceeds=Money(held.intended_proceeds + meant),
    )
