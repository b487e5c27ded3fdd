"""Books to keep: orders as the ledger knows them, and the facts that move them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.facts import OrderCreated, OrderFilled, OrderStateChanged, Source
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.position import Fill
from core.model.signal import ExitReason
from core.model.staging import StopPlan
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Money, Price, ProposalId, Quantity, Symbol
from tests.unit.core.brokers.trading_floor import SPY, NewYorkHours, at

TEN = at("10:00")


def a_request(
    name: str = "entry",
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    effect: Effect | None = None,
    limit: str | None = None,
    stop: str | None = None,
    symbol: Symbol = SPY,
) -> OrderRequest:
    kind = OrderType.STOP if stop else OrderType.LIMIT if limit else OrderType.MARKET
    return OrderRequest(
        client_order_id=ClientOrderId(name), symbol=symbol, side=side,
        effect=effect or (Effect.OPEN if side is Side.BUY else Effect.CLOSE), quantity=Quantity(Decimal(quantity)),
        type=kind, limit_price=Price(Decimal(limit)) if limit else None,
        stop_price=Price(Decimal(stop)) if stop else None,
    )  # fmt: skip


def an_order(
    request: OrderRequest | None = None,
    *,
    filled: str = "0",
    status: OrderStatus = OrderStatus.SUBMITTED,
    expires_at: datetime | None = None,
    stop: StopPlan | None = None,
) -> Order:
    return Order(
        request=request or a_request(), proposal_id=ProposalId("proposal"), strategy="vwap", signal_time=TEN,
        created_at=TEN, stop=stop, parent=None, exit_reason=None, intended_price=None, reference=None,
        expires_at=expires_at, status=status, filled_quantity=Quantity(Decimal(filled)),
    )  # fmt: skip


def a_stop_plan(price: str = "99", holder: StopHolder = StopHolder.BROKER) -> StopPlan:
    return StopPlan(Price(Decimal(price)), holder)


class Books:
    """A ledger, and short words for what happens to its orders."""

    def __init__(self) -> None:
        self.ledger = Ledger(NewYorkHours())
        self.at = TEN
        self._executions = 0

    def fold(self, fact: object) -> None:
        self.ledger.folds[type(fact)](self.at, fact)

    def creates(
        self,
        request: OrderRequest | None = None,
        *,
        strategy: str = "vwap",
        intended: str | None = None,
        exit_reason: ExitReason | None = None,
        parent: str | None = None,
        stop: StopPlan | None = None,
    ) -> Order:
        request = request or a_request()
        self.fold(
            OrderCreated(
                order=request,
                proposal_id=ProposalId("proposal"),
                strategy=strategy,
                signal_time=self.at,
                stop=stop,
                parent=ClientOrderId(parent) if parent else None,
                exit_reason=exit_reason,
                intended_price=Price(Decimal(intended)) if intended else None,
                reference=Price(Decimal(100)),
                expires_at=None,
            )
        )
        return self.ledger.state.orders[request.client_order_id]

    def becomes(self, order: Order, after: OrderStatus, broker_id: str | None = "sim-1", reason: str = "") -> None:
        identity = BrokerOrderId(broker_id) if broker_id else None
        self.fold(OrderStateChanged(order.id, order.status, after, Source.STREAM, identity, reason))

    def fills(
        self, order: Order, quantity: str | Decimal, price: str | Decimal, *, is_late: bool = False, fee: str = "0"
    ) -> None:
        self._executions += 1
        name, shares = ExecutionId(f"x-{self._executions}"), Quantity(Decimal(quantity))
        fill = Fill(name, order.id, self.at, shares, Price(Decimal(price)), Money(Decimal(fee)))
        total = Quantity(order.filled_quantity + Decimal(quantity))
        self.fold(OrderFilled(fill, total, Source.STREAM, is_late))

    def buys(self, quantity: str, price: str, name: str = "entry", **terms: str) -> Order:
        order = self.creates(a_request(name, Side.BUY, quantity), **terms)  # type: ignore[arg-type]
        self.fills(order, quantity, price)
        return order

    def sells(self, quantity: str, price: str, name: str = "exit", **terms: object) -> Order:
        order = self.creates(a_request(name, Side.SELL, quantity), **terms)  # type: ignore[arg-type]
        self.fills(order, quantity, price)
        return order

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)
