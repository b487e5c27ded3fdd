"""The caveats of a run on bars: derived quotes, the order of prices within a bar, and open positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.order import Side
from core.model.position import Position
from core.model.values import ZERO, plain
from core.runtime.replay_report import Row, average, iso, number
from core.trading_state.state import TradingState

Tallied = dict[str, int]
"""`executions`, `at_derived_quotes`, `decided_by_the_path`."""


def tallied(exchange: SimulatedExchange) -> Tallied:
    return asdict(exchange.tally)


def open_positions(state: TradingState, exchange: SimulatedExchange, at: datetime) -> Iterator[Row]:
    """Yield each open position as if closed at the opposite quote or its day's close, with its fee.

    A symbol that has no price any more while others do is stale: it counts at its last price, and no gain on it counts.
    """
    for position in state.ledger.positions():
        side = Side.SELL if position.quantity > ZERO else Side.BUY
        price = exchange.price_to_leave(at, position.symbol, side)
        is_stale = exchange.is_left_behind(at, position.symbol)
        fees = position.fees + exchange.fee(position.quantity)
        yield {
            "symbol": position.symbol,
            "strategy": position.strategy,
            "entry_time": iso(position.opened_at),
            "entry_price": average(position.average_price),
            "quantity": plain(position.quantity),
            "price": number(price),
            "stale_since": iso(exchange.priced_at(at, position.symbol) or at) if is_stale else None,
            "profit": None if price is None else number(counted(profit_at(position, price) - fees, is_stale=is_stale)),
            "fees": None if price is None else number(fees),
        }


def counted(profit: Decimal, *, is_stale: bool) -> Decimal:
    """Return the profit to count; a gain at a stale price counts as zero."""
    return min(profit, ZERO) if is_stale else profit


def profit_at(position: Position, price: Decimal) -> Decimal:
    """Return the profit in USD before fees of the whole position: the part sold and the rest."""
    made = position.proceeds - position.entry_cost
    return (made if position.quantity > ZERO else -made) + position.instrument.notional(position.quantity, price)
