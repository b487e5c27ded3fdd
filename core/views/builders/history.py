"""Build the orders and trades of a day from its records, and the parts of open positions that were closed today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal

from core import facts
from core.execution.order import Order
from core.model.draft import agent_word
from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, OrderStatus, Side
from core.model.order_terms import order_in_words, purpose_in_words
from core.model.position import AnyTrade, Fill, realised
from core.model.signal import EXIT_WORDS, ExitReason
from core.model.values import NO_MONEY, NO_SHARES, ZERO, ClientOrderId, Money, Price, Quantity, Symbol, plain, priced
from core.ports import Recorded
from core.trading_state.state import TradingState
from core.views.results import HistoryKind, HistoryRow, TradeRow

AVERAGE = Decimal("0.0001")
"""Maximum decimal places of an average price."""


@dataclass(slots=True)
class _Told:
    """The state of an order by the day's records so far."""

    made: facts.OrderCreated
    at: datetime
    filled: Quantity = field(default_factory=lambda: Quantity(ZERO))
    cost: Money = field(default_factory=lambda: Money(ZERO))
    status: OrderStatus = OrderStatus.PENDING
    reason: str = ""


@dataclass(slots=True)
class _PartialExit:
    """The fills of one exit so far; `gained` is their profit less `fees`, USD."""

    symbol: Symbol
    strategy: str
    entry_price: Price
    at: datetime
    quantity: Quantity = NO_SHARES
    cost: Money = NO_MONEY
    gained: Money = NO_MONEY
    fees: Money = NO_MONEY

    @classmethod
    def begun(cls, fill: Fill, after: facts.PositionChanged) -> _PartialExit:
        """`entry_price` is the fill's own if nothing is held any more."""
        return cls(after.symbol, after.strategy, after.average_price or fill.price, fill.at)

    def add(self, fill: Fill, instrument: Instrument, made: Decimal) -> None:
        self.at = fill.at
        self.quantity = Quantity(self.quantity + fill.quantity)
        self.cost = Money(self.cost + instrument.cost(fill.quantity, fill.price))
        self.gained = Money(self.gained + made)
        self.fees = Money(self.fees + fill.fee)


@dataclass(slots=True)
class _Fills:
    """Exits by order, and what every fill realized (AN-01)."""

    told: dict[ClientOrderId, _PartialExit] = field(default_factory=dict)
    realised: Money = NO_MONEY
    _fill: Fill | None = None
    _held: dict[tuple[Symbol, str], facts.PositionChanged] = field(default_factory=dict)
    _unknown: Fill | None = None
    """An exit of a record of version 1, whose position began before these records: its trade has the price."""

    def filled(self, fill: Fill) -> None:
        self._fill, self._unknown = fill, None

    def changed(self, after: facts.PositionChanged, orders: Mapping[ClientOrderId, _Told]) -> None:
        key, fill = (after.symbol, after.strategy), self._fill
        before, self._held[key], self._fill = self._held.get(key), after, None
        if fill is None:
            return
        order = orders[fill.client_order_id].made.order if fill.client_order_id in orders else None
        made = after.realised
        if made is None:
            made = self._of_version_1(fill, order, before, after)
        self.realised = Money(self.realised + made)
        if made + fill.fee or not after.quantity or (order is not None and order.effect.only_reduces):
            found = self.told.setdefault(fill.client_order_id, _PartialExit.begun(fill, after))
            found.add(fill, share(after.symbol) if order is None else order.instrument, made)

    def _of_version_1(
        self, fill: Fill, order: AnyOrder | None, before: facts.PositionChanged | None, after: facts.PositionChanged
    ) -> Money:
        sign = 0 if order is None else 1 if order.side is Side.BUY else -1
        held, average = (ZERO, None) if before is None else (before.quantity, before.average_price)
        if before is None and after.quantity and order is not None and order.effect.only_reduces:
            held, average = after.quantity - sign * fill.quantity, after.average_price
        elif before is None and not after.quantity:
            self._unknown = fill
        elif before is not None and order is None:
            sign = 1 if after.quantity > before.quantity else -1
        instrument = share(after.symbol) if order is None else order.instrument
        return realised(instrument, held, average, sign * fill.quantity, fill.price, fill.fee)

    def reversed(self, back: facts.FillReversed) -> None:
        self._fill = None
        self.told.pop(back.client_order_id, None)
        self.realised = Money(self.realised + back.realised)

    def closed(self, trade: AnyTrade) -> None:
        """Take out the exit that ended a trade: it has a row of its own."""
        self.told.pop(trade.exit_order, None)
        if self._unknown is None:
            return
        fill, self._unknown = self._unknown, None
        as_long = trade.instrument.notional(trade.quantity, trade.exit_price - trade.entry_price)
        made = trade.profit + trade.fees
        held = fill.quantity if abs(as_long - made) <= abs(-as_long - made) else -fill.quantity
        whole = realised(trade.instrument, held, trade.entry_price, -held, fill.price, NO_MONEY)
        self.realised = Money(self.realised + whole)


@dataclass(slots=True)
class _Drafted:
    """The agents of the drafts of these records, and the drafts of their orders."""

    agents: dict[int, str] = field(default_factory=dict)
    numbers: dict[ClientOrderId, int] = field(default_factory=dict)

    def by(self, id: ClientOrderId) -> str:
        """Return the agent of an order; empty for one that was no draft, or whose draft is not in the records."""
        agent = self.agents.get(self.numbers.get(id, 0), "")
        return agent_word(agent) if agent else ""


def history_of(records: Iterable[Recorded]) -> tuple[tuple[HistoryRow, ...], Money]:
    """Return a row for each order created in the records, each closed trade and each partial exit, by time; and what
    all their fills realized, USD.
    """
    orders: dict[ClientOrderId, _Told] = {}
    rows: list[HistoryRow] = []
    fills, drafted = _Fills(), _Drafted()
    for recorded in records:
        if isinstance(recorded.fact, facts.OrderFilled):
            fills.filled(recorded.fact.fill)
        match recorded.fact:
            case facts.PositionChanged() as changed:
                fills.changed(changed, orders)
            case facts.DraftReceived(draft=draft):
                drafted.agents[draft.number] = draft.agent
            case facts.DraftEnded(proposal_id=str(id)) as ended:
                drafted.numbers[ClientOrderId(id)] = ended.number
            case facts.OrderCreated() as made:
                orders[made.order.client_order_id] = _Told(made, recorded.at)
            case facts.OrderFilled(fill=fill) if fill.client_order_id in orders:
                told = orders[fill.client_order_id]
                told.filled = Quantity(told.filled + fill.quantity)
                worth = told.made.order.instrument.notional(fill.quantity, fill.price)
                told.cost = Money(told.cost + worth)
            case facts.FillReversed() as back:
                if (its := orders.get(back.client_order_id)) is not None:
                    its.filled, its.cost = Quantity(its.filled - back.quantity), Money(its.cost - back.cost)
                fills.reversed(back)
                if back.undone is not None:
                    rows = [row for row in rows if row.order != back.undone.exit_order]
                    rows += [_trade(back.corrected)] if back.corrected is not None else []
            case facts.OrderStateChanged(client_order_id=id) as changed if id in orders:
                orders[id].status, orders[id].reason = changed.after, changed.reason
            case facts.TradeClosed(trade=trade):
                fills.closed(trade)
                rows.append(_trade(trade))
    rows += (_order(id, told, drafted.by(id) or told.made.strategy) for id, told in orders.items())
    rows += (_part(id, told) for id, told in fills.told.items())
    return tuple(sorted(rows, key=lambda row: row.at)), fills.realised


def _order(id: ClientOrderId, told: _Told, by: str) -> HistoryRow:
    order = told.made.order
    part = ""
    if told.filled:
        average = order.instrument.price_of(told.filled, told.cost).quantize(AVERAGE)
        part = f" {plain(told.filled)} at {priced(average)}"
    why = f": {told.reason}" if told.reason and not told.status.is_working and not told.filled else ""
    text = f"{order_in_words(order)} {purpose_in_words(order)}, {told.status.value}{part}{why}"
    return HistoryRow(HistoryKind.ORDER, id, told.at, order.symbol, by, text)


def _part(id: ClientOrderId, told: _PartialExit) -> HistoryRow:
    price = share(told.symbol).price_of(told.quantity, told.cost)
    text = f"{plain(told.quantity)} closed at {priced(price)}, a part of the position"
    return HistoryRow(HistoryKind.PART, id, told.at, told.symbol, told.strategy, text, told.gained)


def _trade(trade: AnyTrade) -> HistoryRow:
    held = str(trade.exit_time - trade.entry_time).partition(".")[0]
    prices = f"{plain(trade.quantity)} at {priced(trade.entry_price)} → {priced(trade.exit_price)}"
    text = f"{prices}, {EXIT_WORDS[trade.exit_reason][0]}, held {held}"
    return HistoryRow(
        HistoryKind.TRADE, trade.exit_order, trade.exit_time, trade.symbol, trade.strategy, text, trade.profit
    )


HEARD = (facts.OrderFilled, facts.FillReversed, facts.PositionChanged, facts.TradeClosed)
"""Facts from which the partial exits are made."""


class PartialExits:
    """Hears the facts; a position that is flat has a `Trade` in place of its parts."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._parts: dict[ClientOrderId, _PartialExit] = {}
        self._fill: Fill | None = None

    def recall(self) -> None:
        """Read today's fills back if a position is partly closed. Raises JournalError, OSError."""
        state = self.state
        if not any(held.left for held in state.ledger.positions()):
            return
        today, found = state.calendar.trading_day(state.journal.last_at), []
        for recorded in state.journal.backwards():
            if state.calendar.trading_day(recorded.at) != today:
                break
            if isinstance(recorded.fact, HEARD):
                found.append(recorded)
        for recorded in reversed(found):
            self.hear(recorded.sequence, recorded.at, recorded.fact)

    def hear(self, _sequence: int, _at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.OrderFilled():
                self._fill = fact.fill
            case facts.FillReversed():
                self._fill = None
                self._parts.pop(fact.client_order_id, None)
            case facts.PositionChanged():
                if self._fill is not None:
                    self._changed(self._fill, fact)
                self._fill = None
            case facts.TradeClosed(trade=trade):
                ended = (trade.symbol, trade.strategy)
                self._parts = {id: p for id, p in self._parts.items() if (p.symbol, p.strategy) != ended}

    def _changed(self, fill: Fill, after: facts.PositionChanged) -> None:
        order = self.state.ledger.order(fill.client_order_id)
        if order is None or not order.only_reduces or after.realised is None or after.average_price is None:
            return
        part = self._parts.setdefault(fill.client_order_id, _PartialExit.begun(fill, after))
        part.add(fill, order.request.instrument, after.realised)

    def rows(self, midnight: datetime) -> tuple[TradeRow, ...]:
        """Return those since `midnight`, oldest first; earlier ones are forgotten."""
        self._parts = {id: part for id, part in self._parts.items() if part.at >= midnight}
        found = ((self.state.ledger.order(id), part) for id, part in self._parts.items())
        return tuple(self._row(order, part) for order, part in found if order is not None)

    def _row(self, order: Order, part: _PartialExit) -> TradeRow:
        request = order.request
        instrument: Instrument = request.instrument
        held = self.state.ledger.position(request.symbol, part.strategy)
        aimed = order.intended_price
        meant = part.cost if aimed is None else instrument.cost(part.quantity, aimed)
        worse = meant - part.cost if request.side is Side.SELL else part.cost - meant
        return TradeRow(
            key=order.id,
            strategy=part.strategy,
            symbol=request.symbol,
            quantity=part.quantity,
            entry_time=part.at if held is None else held.opened_at,
            entry_price=part.entry_price,
            exit_time=part.at,
            exit_price=instrument.price_of(part.quantity, part.cost),
            exit_reason=order.exit_reason or ExitReason.MANUAL,
            profit=part.gained,
            slippage=Money(worse if worse else ZERO),
            fees=part.fees,
            is_part=True,
        )
