"""The report of a replay as plain JSON, and the caveats of a run on bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from core import facts
from core.brokers.simulated.exchange import SimulatedExchange
from core.model.order import Side
from core.model.position import AnyTrade, Position, Trade
from core.model.staging import Proposal, StopPlan
from core.model.values import ZERO, ClientOrderId, plain
from core.trading_state.state import TradingState

Row = dict[str, str | None]

SHOWN_OF_AN_AVERAGE = Decimal("0.000001")
"""USD; an average price of several fills may have infinitely many decimals."""


class Report:
    """Listen to a desk's facts. Times are ISO 8601 in UTC, money and quantities are text, missing values are null.

    Attributes
    ----------
    closed
        The closed trades in order.
    stops
        The stop of each entry as first written.
    """

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.proposals: list[Row] = []
        self.orders: dict[ClientOrderId, Row] = {}
        self.trades: list[Row] = []
        self.closed: list[AnyTrade] = []
        self.stops: dict[ClientOrderId, StopPlan] = {}
        self.skipped: Counter[str] = Counter()
        self.first_quarantined: str | None = None
        state.add_listener(self._hear)

    def as_json(self, fingerprint: str) -> dict[str, object]:
        return {
            "bars": self.state.normaliser.state.complete,
            "proposals": self.proposals,
            "orders": list(self.orders.values()),
            "trades": self.trades,
            "no_trade": self.state.orchestrator.no_trade(),
            "skipped": dict(sorted(self.skipped.items())),
            "quarantined": self.state.normaliser.state.quarantined,
            "first_quarantined": self.first_quarantined,
            "outside_session": self.state.normaliser.outside,
            "fingerprint": fingerprint,
        }

    def _hear(self, _sequence: int, at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.ProposalStaged():
                self.proposals.append(proposal_row(fact.proposal))
            case facts.OrderCreated() | facts.OrderStateChanged() | facts.OrderFilled():
                self._follow(fact)
            case facts.ProposalSkipped():
                self.skipped.update((*fact.checks, *fact.reasons[len(fact.checks) :]))
            case facts.TradeClosed():
                self.trades.append(trade_row(fact.trade, self.stops.get(fact.trade.entry_order)))
                self.closed.append(fact.trade)
            case facts.MarketDataQuarantined() if self.first_quarantined is None:
                self.first_quarantined = f"{fact.place}: {fact.reason}"

    def _follow(self, fact: facts.OrderCreated | facts.OrderStateChanged | facts.OrderFilled) -> None:
        match fact:
            case facts.OrderCreated():
                order_id = fact.order.client_order_id
                if fact.stop is not None:
                    self.stops[order_id] = fact.stop
            case facts.OrderStateChanged():
                order_id = fact.client_order_id
            case facts.OrderFilled():
                order_id = fact.fill.client_order_id
        order = self.state.ledger.order(order_id)
        if order is None:
            return
        self.orders[order_id] = {
            "client_order_id": order.id,
            "symbol": order.request.symbol,
            "side": order.request.side.value,
            "type": order.request.type.value,
            "quantity": plain(order.request.quantity),
            "status": order.status.value,
            "submitted_at": iso(order.submitted_at),
            "filled_quantity": plain(order.filled_quantity),
            "average_price": average(order.average_price),
        }


def proposal_row(proposal: Proposal) -> Row:
    order = proposal.order
    stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price
    return {
        "time": iso(proposal.signal_time),
        "strategy": proposal.strategy,
        "symbol": order.symbol,
        "side": order.side.value,
        "effect": order.effect.value,
        "quantity": plain(order.quantity),
        "limit_price": number(order.limit_price),
        "stop_price": number(stop),
        "reason": proposal.reason if proposal.exit_reason is None else proposal.exit_reason.value,
    }


def trade_row(trade: Trade, stop: StopPlan | None) -> Row:
    """Return a closed trade; `stop` is that of its entry as first written."""
    return {
        "symbol": trade.symbol,
        "entry_time": iso(trade.entry_time),
        "entry_price": average(trade.entry_price),
        "quantity": plain(trade.quantity),
        "exit_time": iso(trade.exit_time),
        "exit_price": average(trade.exit_price),
        "exit_reason": trade.exit_reason.value,
        "profit": number(trade.profit),
        "slippage": number(trade.slippage),
        "fees": number(trade.fees),
        "stop_price": None if stop is None else number(stop.price),
    }


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def average(price: Decimal | None) -> str | None:
    """Format an average price with six decimals at most (half to even); a price with fewer is exact."""
    return None if price is None else plain(price.quantize(SHOWN_OF_AN_AVERAGE, ROUND_HALF_EVEN))


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
