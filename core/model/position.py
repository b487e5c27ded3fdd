"""What is held, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.signal import ExitReason
from core.model.values import ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, counted once (EX-05). `at` is the broker's time of the execution."""

    execution_id: ExecutionId
    client_order_id: ClientOrderId
    at: datetime
    quantity: Quantity
    price: Price


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol held for one strategy, made by fills alone (EX-08).

    Attributes
    ----------
    quantity
        Signed; zero is flat.
    cost
        What the shares still held were bought for, USD; the average is `cost / quantity`, exact.
    entry_order
        The order that opened it, which knows strategy, stop and signal.
    """

    symbol: Symbol
    strategy: str
    quantity: Quantity
    cost: Money
    opened_at: datetime
    entry_order: ClientOrderId
    closed_quantity: Quantity = Quantity(Decimal(0))
    proceeds: Money = Money(Decimal(0))
    entry_quantity: Quantity = Quantity(Decimal(0))
    entry_cost: Money = Money(Decimal(0))

    @property
    def average_price(self) -> Price:
        return Price(self.cost / self.quantity)


@dataclass(frozen=True, slots=True)
class Trade:
    """A position from open to flat.

    Attributes
    ----------
    profit
        USD, proceeds less cost.
    slippage
        USD, positive is worse: what the fills cost against the prices that were intended (EX-18).
    reference
        The figure the signal was measured against, VWAP for VWAP; None for a manual order.
    """

    symbol: Symbol
    strategy: str
    entry_order: ClientOrderId
    exit_order: ClientOrderId
    entry_time: datetime
    entry_price: Price
    quantity: Quantity
    exit_time: datetime
    exit_price: Price
    exit_reason: ExitReason
    intended_entry: Price | None
    intended_exit: Price | None
    reference: Price | None
    profit: Money
    slippage: Money
