"""The report of a replay: proposals, orders and trades as plain JSON, gathered from the facts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from core.facts import (
    Fact,
    MarketDataQuarantined,
    OrderCreated,
    OrderFilled,
    OrderStateChanged,
    ProposalSkipped,
    ProposalStaged,
    TradeClosed,
)
from core.model.position import AnyTrade, Trade
from core.model.staging import Proposal, StopPlan
from core.model.values import ClientOrderId, plain
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

    def _hear(self, _sequence: int, at: datetime, fact: Fact) -> None:
        match fact:
            case ProposalStaged():
                self.proposals.append(proposal_row(fact.proposal))
            case OrderCreated() | OrderStateChanged() | OrderFilled():
                self._follow(fact)
            case ProposalSkipped():
                self.skipped.update((*fact.checks, *fact.reasons[len(fact.checks) :]))
            case TradeClosed():
                self.trades.append(trade_row(fact.trade))
                self.closed.append(fact.trade)
            case MarketDataQuarantined() if self.first_quarantined is None:
                self.first_quarantined = f"{fact.place}: {fact.reason}"

    def _follow(self, fact: OrderCreated | OrderStateChanged | OrderFilled) -> None:
        match fact:
            case OrderCreated():
                order_id = fact.order.client_order_id
                if fact.stop is not None:
                    self.stops[order_id] = fact.stop
            case OrderStateChanged():
                order_id = fact.client_order_id
            case OrderFilled():
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


def trade_row(trade: Trade) -> Row:
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
    }


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def average(price: Decimal | None) -> str | None:
    """Format an average price with six decimals at most (half to even); a price with fewer is exact."""
    return None if price is None else plain(price.quantize(SHOWN_OF_AN_AVERAGE, ROUND_HALF_EVEN))
