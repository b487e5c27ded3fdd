"""Fold fills into positions and closed trades (EX-18)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from core.execution.corporate_actions import count_split, split
from core.execution.fill_reversal import reversal_of
from core.execution.ledger_state import (
    UNKNOWN_OWNER,
    EndedPosition,
    LedgerIndex,
    LedgerState,
    ReplacementChains,
    TakenIn,
    TakenOff,
    UntoldTrade,
    position_key,
)
from core.execution.order import Order
from core.execution.past_orders import KEPT
from core.facts import (
    ActionEvidence,
    CorporateActionApplied,
    FillReversed,
    OrderFilled,
    OwnerShare,
    PositionCorrected,
    TradeClosed,
)
from core.model.codes import EndCode
from core.model.instrument import named
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus, Side, is_payout
from core.model.position import AnyTrade, Ended, Fill, Position, Trade, moved, realised, trade_in
from core.model.session import Calendar
from core.model.signal import ExitReason
from core.model.sizing import RegimeLabels
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Price, Quantity, Symbol

T = TypeVar("T", TakenOff, TakenIn)

FAILURES = {
    (OrderStatus.REJECTED, False): ExitReason.BROKER_REJECT,
    (OrderStatus.CANCELLED, True): ExitReason.EXECUTION_ERROR,
}
"""Exit reasons by the status of a failed exit, and by whether it never arrived."""


def trade_of(books: LedgerState, flat: Position, fill: Fill, exit_order: Order) -> Trade:
    entry = books.orders.get(flat.entry_order)
    is_long = exit_order.request.side is Side.SELL
    sign = 1 if is_long else -1
    meant = exit_order.exit_reason or ExitReason.MANUAL
    failed = _failure_before(books, flat, exit_order)
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


def _failure_before(books: LedgerState, flat: Position, closing: Order) -> ExitReason | None:
    """Return how the exit before the closing one failed, if it did: it should have ended the trade (EX-18).

    Stops and targets that rest at the broker do not count as such an exit.
    """
    for order in reversed(books.orders.values()):
        if order.created_at < flat.opened_at:
            return None
        is_its = (order.request.symbol, order.strategy) == (flat.symbol, flat.strategy)
        if is_its and order.only_reduces and order is not closing and not (order.is_protective or order.is_target):
            return FAILURES.get((order.status, order.end_code is EndCode.NEVER_ARRIVED))
    return None


def with_part(held: Position, share: OwnerShare) -> Position:
    """Return the position as if it was opened with this part; the same object if nothing changed.

    If only the cost of its shares changed, its trade goes on.
    """
    if held.quantity and (held.quantity, held.average_price) == (share.quantity, share.average_price):
        return held
    size = Quantity(abs(share.quantity))
    cost = held.instrument.cost(size, share.average_price)
    if held.quantity == share.quantity:  # a part of the cost went to other shares: what was closed before stays
        gone = held.cost - cost
        entry_cost, intended = Money(held.entry_cost - gone), Money(held.intended_cost - gone)
        return replace(held, cost=cost, entry_cost=entry_cost, intended_cost=intended)
    return Position(
        held.symbol, held.strategy, held.opened_at, held.entry_order, share.quantity, cost, size, cost, cost,
        regime=held.regime, fees=held.fees, heard_at=held.heard_at, traded=held.traded,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenedTrade:
    """A fill of an entry, and when this desk received it."""

    heard_at: datetime
    order: Order
    quantity: Quantity
    price: Price

    @property
    def cost(self) -> Decimal:
        """Return the cost, USD."""
        return self.order.request.instrument.cost(self.quantity, self.price)


def count_fill(order: Order, fact: OrderFilled) -> None:
    """Add an execution to its order's own figures."""
    order.filled_quantity = Quantity(order.filled_quantity + fact.fill.quantity)
    paid = order.request.instrument.cost(fact.fill.quantity, fact.fill.price)
    order.filled_cost = Money(order.filled_cost + paid)
    order.reported_quantity = max(order.reported_quantity, fact.cumulative)
    order.late_fill = order.late_fill or fact.is_late


def count_reversal(order: Order, fact: FillReversed) -> None:
    """Take fills back from their order's own figures."""
    # A zero without decimals, as of an order that never filled and as a checkpoint has it: `0.00` has another sum.
    order.filled_quantity = Quantity(order.filled_quantity - fact.quantity or ZERO)
    order.filled_cost = Money(order.filled_cost - fact.cost or ZERO)
    order.reported_quantity = Quantity(fact.cumulative or ZERO)
    order.taken_back = Quantity(order.taken_back + fact.quantity)


class PositionBook:
    """Positions, trades, entries and profit, as fills and corrections make them.

    Attributes
    ----------
    ended
        The trade that the last fill ended: later slices read it as they fold the same fill.
    realised
        The realized profit of the last fill, less its fee, USD; for the same slices.
    """

    def __init__(
        self,
        index: LedgerIndex,
        chains: ReplacementChains,
        calendar: Calendar,
        regime: Callable[[], RegimeLabels | None],
    ) -> None:
        self.index, self.chains, self.calendar, self.regime = index, chains, calendar, regime
        self.opened: list[OpenedTrade] = []
        self.ended: Ended | None = None
        self.realised = NO_MONEY
        self.folds: Mapping[Any, Any] = {
            OrderFilled: self._filled,
            FillReversed: self._reversed,
            PositionCorrected: self._corrected,
            CorporateActionApplied: self._split,
            TradeClosed: self._told,
        }

    def opened_since(self, at: datetime) -> Iterator[OpenedTrade]:
        """Yield fills of entries received since then, newest first.

        They are kept in memory only, as are the account figures that they are compared with: those of a start are
        fetched after everything that is kept.
        """
        for fill in reversed(self.opened):
            if fill.heard_at < at:
                return
            yield fill

    def _filled(self, at: datetime, fact: OrderFilled) -> None:
        self.ended, self.realised = None, NO_MONEY
        order = self.index.orders[fact.fill.client_order_id]
        self.index.state.executions[fact.fill.execution_id] = order.id
        day = self.calendar.trading_day(fact.fill.at)
        if not order.only_reduces and not self.chains.has_filled_on(day, order):
            self._count_entry(order.strategy, day)
        order.last_filled_on, order.last_filled_at = max(order.last_filled_on or day, day), at
        count_fill(order, fact)
        self.index.note(order)
        if not order.only_reduces:
            self.opened.append(OpenedTrade(at, order, fact.fill.quantity, fact.fill.price))
        self._move_position(at, order, fact.fill)

    def _reversed(self, at: datetime, fact: FillReversed) -> None:
        """Take fills back: the order, its position and its trade are as without them."""
        order, state = self.index.orders[fact.client_order_id], self.index.state
        key, undo = position_key(fact.symbol, fact.strategy), reversal_of(state, order, fact.quantity, fact.cost)
        self.ended = None
        self._count(fact.strategy, order.last_filled_on, undo.realised)
        count_reversal(order, fact)
        self.index.note(order)
        if is_payout(order.id):  # the tickets of its stops ended with the shares
            for other in self.index.owned.get((fact.symbol, fact.strategy), {}).values():
                other.is_asked_for = False
        state.positions.pop(key, None)
        if (after := undo.position) is not None:
            state.positions[key] = after if after.heard_at is not None else replace(after, heard_at=at)
        if undo.undone is not None:
            self._tell(undo.undone)
            with_it = ((undo.corrected if trade == undo.undone else trade) for trade in state.trades)
            state.trades = [trade for trade in with_it if trade is not None]
            ended = state.ended.pop(key)
            if undo.corrected is not None:
                state.ended[key] = replace(ended, trade=undo.corrected)

    def _told(self, _at: datetime, fact: TradeClosed) -> None:
        self._tell(fact.trade)

    def _tell(self, trade: AnyTrade) -> None:
        self.index.state.untold = [each for each in self.index.state.untold if each.trade != trade]

    def forget(self, at: datetime) -> None:
        """Forget trades of earlier days, and fills of more than a week ago."""
        day, state = self.calendar.trading_day(at), self.index.state
        self.opened = [fill for fill in self.opened if at - fill.heard_at <= KEPT]
        state.trades = [t for t in state.trades if self.calendar.trading_day(t.exit_time) >= day]
        state.untold = [each for each in state.untold if at - each.trade.exit_time <= KEPT]
        day_of = self.calendar.trading_day
        state.taken_off = {key: taken for key, taken in state.taken_off.items() if day_of(taken.at) >= day}
        state.taken_in = {key: taken for key, taken in state.taken_in.items() if day_of(taken.at) >= day}
        state.ended = {
            key: ended
            for key, ended in state.ended.items()
            if ended.trade in state.trades or (is_payout(ended.trade.exit_order) and at - ended.at <= KEPT)
        }

    def _count_entry(self, strategy: str, day: date) -> None:
        """Count an entry; a late fill of an earlier day does not count for the current one."""
        state = self.index.state
        if state.entries_day is not None and day < state.entries_day:
            return
        if state.entries_day != day:
            state.entries_day = day
            state.entries.clear()
        state.entries[strategy] = state.entries.get(strategy, 0) + 1

    def _move_position(self, at: datetime, order: Order, fill: Fill) -> None:
        """Apply a fill; one that goes through zero ends one trade and begins the next in the other direction."""
        key = position_key(order.request.symbol, order.strategy)
        held, fee = self.index.state.positions.get(key), fill.fee
        ((instrument, signed),) = order.request.moves(fill.quantity)
        quantity, average = (ZERO, None) if held is None else (held.quantity, held.average_price)
        day = self.calendar.trading_day(fill.at)
        self._count(order.strategy, day, realised(instrument, quantity, average, signed, fill.price, fee))
        is_through = held is not None and held.quantity * signed < 0 and abs(signed) > abs(held.quantity)
        if held is not None and is_through:
            paid = Money(fee * abs(held.quantity) / fill.quantity)
            flat = moved(held, Quantity(-held.quantity), fill.price, order.intended_price, paid)
            self._close(at, key, held, flat, fill, order)
            signed, fee, held = Quantity(signed + held.quantity), Money(fee - paid), None
        if held is None:
            held = Position(
                order.request.symbol, order.strategy, fill.at, order.id,
                regime=self.regime(), heard_at=at, traded=named(instrument),
            )  # fmt: skip
        after = moved(held, signed, fill.price, order.intended_price, fee)
        if after.quantity == 0:
            self._close(at, key, held, after, fill, order)
        else:
            self.index.state.positions[key] = after

    def _count(self, strategy: str, day: date | None, profit: Money) -> None:
        """Count the realised profit on the trading day of its fill, whether or not the position is flat then.

        An entry's is its fee: the money is gone then. A late fill of an earlier day does not count for the current one.
        """
        self.realised = profit
        state = self.index.state
        if not profit or day is None or (state.closed_day is not None and day < state.closed_day):
            return
        if state.closed_day != day:
            state.closed_day, state.closed_profit = day, NO_MONEY
            state.closed_by.clear()
        state.closed_profit = Money(state.closed_profit + profit)
        state.closed_by[strategy] = Money(state.closed_by.get(strategy, ZERO) + profit)

    def _close(self, at: datetime, key: str, before: Position, after: Position, fill: Fill, order: Order) -> None:
        state = self.index.state
        state.positions.pop(key, None)
        trade = trade_of(state, after, fill, order)
        state.trades.append(trade)
        state.untold.append(UntoldTrade(trade, self.realised))
        state.ended[key] = EndedPosition(before, after, trade, at)
        self.ended = Ended(trade, order.request.side is Side.SELL)

    def _corrected(self, at: datetime, fact: PositionCorrected) -> None:
        """Set each owner's part, with its stop.

        In records without owners a single strategy keeps its position, and a shared one becomes that of no owner.
        """
        held = self.index.state.positions_in(fact.symbol)
        for position in held:
            del self.index.state.positions[position_key(position.symbol, position.strategy)]
        for share in fact.owners:
            found = next((p for p in held if p.strategy == share.strategy), None) or self._taken_off(fact.symbol, share)
            before = found or Position(
                fact.symbol, share.strategy, at, ClientOrderId(""), traded=held[0].traded if held else None
            )
            self.index.state.positions[position_key(fact.symbol, share.strategy)] = with_part(before, share)
        self._note_change(at, fact, held)
        if fact.owners or fact.quantity == 0 or fact.average_price is None:
            return
        traded = held[0].traded if held else None
        alone = (
            held[0] if len(held) == 1 else Position(fact.symbol, UNKNOWN_OWNER, at, ClientOrderId(""), traded=traded)
        )
        cost = alone.instrument.cost(abs(fact.quantity), fact.average_price)
        self.index.state.positions[position_key(fact.symbol, alone.strategy)] = Position(
            fact.symbol, alone.strategy, alone.opened_at, alone.entry_order, fact.quantity, cost,
            Quantity(abs(fact.quantity)), cost, cost, regime=alone.regime, fees=alone.fees,
            heard_at=alone.heard_at, traded=traded,
        )  # fmt: skip

    def _taken_off(self, symbol: Symbol, share: OwnerShare) -> Position | None:
        """The position as it was, where a correction took it off and another gives it back."""
        taken = self.index.state.taken_off.get(position_key(symbol, share.strategy))
        return taken.position if taken is not None and taken.position.quantity * share.quantity > 0 else None

    def _note_change(self, at: datetime, fact: PositionCorrected, held: tuple[Position, ...]) -> None:
        after = {share.strategy: share.quantity for share in fact.owners}
        if fact.is_split or (held and fact.quantity and not after):
            return
        if fact.quantity and not after:
            after = {UNKNOWN_OWNER: fact.quantity}
        before = {position.strategy: position for position in held}
        for strategy in dict.fromkeys((*before, *after)):
            position = before.get(strategy)
            more = Quantity(after.get(strategy, ZERO) - (ZERO if position is None else position.quantity))
            if fact.for_a_fill:
                self._undo(fact.symbol, strategy, more)
            else:
                self._note(position_key(fact.symbol, strategy), position, more, at)

    def _note(self, key: str, position: Position | None, more: Quantity, at: datetime) -> None:
        """Note removed shares, and added ones that no correction had removed."""
        taken_off, taken_in = self.index.state.taken_off, self.index.state.taken_in
        before = taken_off.pop(key, None)
        of = position if position is not None or before is None else before.position
        less = Quantity((ZERO if before is None else before.quantity) - more)
        if of is not None and of.quantity * less > 0:
            taken_off[key] = TakenOff(of, less, at if position is not None or before is None else before.at)
        elif less:
            so_far = taken_in[key].quantity if key in taken_in and taken_in[key].quantity * less < 0 else ZERO
            taken_in[key] = TakenIn(Quantity(so_far - less), at)

    def _undo(self, symbol: Symbol, strategy: str, more: Quantity) -> None:
        """Subtract shares from the note of an earlier correction that this one undoes."""
        taken_off, taken_in = self.index.state.taken_off, self.index.state.taken_in
        key = position_key(symbol, strategy)
        if (off := taken_off.get(key)) is not None and off.quantity * more > 0:
            _keep(taken_off, key, off, Quantity(off.quantity - more))
            return
        for owner in (strategy, UNKNOWN_OWNER):
            key = position_key(symbol, owner)
            if (within := taken_in.get(key)) is not None and within.quantity * more < 0:
                _keep(taken_in, key, within, Quantity(within.quantity + more))
                return

    def _from_before(self, fact: CorporateActionApplied) -> Iterable[Order]:
        """Return the orders that may be from before a split: on the announced day of one, those of earlier days."""
        orders = self.index.orders.values()
        if fact.evidence is not ActionEvidence.ANNOUNCED:
            return orders
        return (order for order in orders if self.calendar.trading_day(order.created_at) < fact.day)

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        """Multiply each owner's shares at the same cost, under their symbol of today.

        Books that had the split already do not change.
        """
        if fact.to is not None:
            count_split(self.index.orders.values(), fact)
            self.index.restore(self.index.state)
        elif fact.moves_levels:
            for order in count_split(self._from_before(fact), fact):
                self.index.note(order)
        for owner in fact.owners:
            held = self.index.state.positions.pop(position_key(fact.symbol, owner.strategy))
            if owner.quantity:
                after = replace(split(held, owner.quantity, fact.rescaling), symbol=fact.symbol_now)
                self.index.state.positions[position_key(after.symbol, owner.strategy)] = after


def _keep(notes: dict[str, T], key: str, note: T, left: Quantity) -> None:
    """Keep a note with what is left of it; drop it where nothing is."""
    if note.quantity * left > 0:
        notes[key] = replace(note, quantity=left)
    else:
        del notes[key]
