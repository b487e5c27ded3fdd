"""What the figures of a run on bars rest on: quotes that were worked out, the order of prices, what is still open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.position import Position
from core.model.quote import Quote
from core.model.values import ZERO, plain
from core.runtime.replay_report import Row, average, iso, number
from core.trading_state.state import TradingState

Tallied = dict[str, int]
"""`executions`, `at_derived_quotes`, `decided_by_the_path`."""


def tallied(exchange: SimulatedExchange) -> Tallied:
    return asdict(exchange.tally)


def open_positions(state: TradingState, exchange: SimulatedExchange, at: datetime) -> Iterator[Row]:
    """Each as if it were closed now at the quote's other side, for its fee: a loss that nobody takes is one too.

    What had no price any more while others had is stale since its last one: it counts at that, and no gain as one.
    """
    for position in state.ledger.positions():
        quote = exchange.quote(at, position.symbol)
        price = None if not isinstance(quote, Quote) else quote.bid if position.quantity > ZERO else quote.ask
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
    """Nobody could take a gain at a price of long ago."""
    return min(profit, ZERO) if is_stale else profit


def profit_at(position: Position, price: Decimal) -> Decimal:
    """USD before fees, of the whole position: what was sold already and what is left."""
    made = position.proceeds - position.entry_cost
    return (made if position.quantity > ZERO else -made) + position.instrument.notional(position.quantity, price)
