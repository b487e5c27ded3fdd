"""The parts of open positions that were closed today: one row for each exit order, from its fills (OP-12, AN-01)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core import facts
from core.execution.order import Order
from core.model.instrument import Instrument
from core.model.order import Side
from core.model.position import Fill
from core.model.signal import ExitReason
from core.model.values import NO_MONEY, NO_SHARES, ZERO, ClientOrderId, Money, Price, Quantity
from core.trading_state.state import TradingState
from core.views.results import TradeRow


@dataclass(slots=True)
class _Part:
    """The fills of one exit order so far; `gained` is their profit less `fees`, USD."""

    strategy: str
    entry_price: Price
    at: datetime
    quantity: Quantity = field(default_factory=lambda: NO_SHARES)
    cost: Money = field(default_factory=lambda: NO_MONEY)
    gained: Money = field(default_factory=lambda: NO_MONEY)
    fees: Money = field(default_factory=lambda: NO_MONEY)


class PartialExits:
    """Hears the facts; a position that is flat has a `Trade` in place of its parts."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._parts: dict[ClientOrderId, _Part] = {}
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
            if isinstance(recorded.fact, facts.OrderFilled | facts.PositionChanged | facts.TradeClosed):
                found.append(recorded)
        for recorded in reversed(found):
            self.hear(recorded.sequence, recorded.at, recorded.fact)

    def hear(self, _sequence: int, _at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.OrderFilled():
                self._fill = fact.fill
            case facts.PositionChanged():
                if self._fill is not None:
                    self._changed(self._fill, fact)
                self._fill = None
            case facts.TradeClosed(trade=trade):
                gone = [id for id in self._parts if self._is_of(id, trade.symbol, trade.strategy)]
                for id in gone:
                    del self._parts[id]

    def _is_of(self, id: ClientOrderId, symbol: str, strategy: str) -> bool:
        order = self.state.ledger.order(id)
        return order is None or (order.request.symbol, self._parts[id].strategy) == (symbol, strategy)

    def _changed(self, fill: Fill, after: facts.PositionChanged) -> None:
        order = self.state.ledger.order(fill.client_order_id)
        if order is None or not order.only_reduces or after.realised is None or after.average_price is None:
            return
        part = self._parts.setdefault(fill.client_order_id, _Part(after.strategy, after.average_price, fill.at))
        part.at = fill.at
        part.quantity = Quantity(part.quantity + fill.quantity)
        part.cost = Money(part.cost + order.request.instrument.cost(fill.quantity, fill.price))
        part.gained = Money(part.gained + after.realised)
        part.fees = Money(part.fees + fill.fee)

    def rows(self, midnight: datetime) -> tuple[TradeRow, ...]:
        """Return those since `midnight`, oldest first; earlier ones are forgotten."""
        self._parts = {id: part for id, part in self._parts.items() if part.at >= midnight}
        found = ((self.state.ledger.order(id), part) for id, part in self._parts.items())
        return tuple(self._row(order, part) for order, part in found if order is not None)

    def _row(self, order: Order, part: _Part) -> TradeRow:
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
