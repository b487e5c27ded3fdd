"""What is held, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.regime import RegimeLabels
from core.model.signal import FAILED, ExitReason
from core.model.values import NO_MONEY, NO_SHARES, ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, counted once (EX-05). `at` is the broker's time of it, `fee` what it took for it, USD."""

    execution_id: ExecutionId
    client_order_id: ClientOrderId
    at: datetime
    quantity: Quantity
    price: Price
    fee: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol held for one strategy, made by fills alone (EX-08).

    Attributes
    ----------
    quantity
        Signed; zero is flat.
    cost
        What the shares still held were bought for (a short: sold for), USD; the average is `cost / quantity`.
    entry_order
        The order that opened it, which knows its stop and its signal.
    entered, entry_cost, intended_cost
        Shares opened in all, what they cost, and what they would have at the intended prices.
    left, proceeds, intended_proceeds
        The same for the shares closed so far.
    regime
        What was known of it at the first fill; None where nothing was.
    fees
        What the broker took for its fills so far, in and out, USD.
    opened_at, heard_at
        When it was opened by the broker's clock, and by this desk's, which the ends of orders are told by; None in what
        was kept before both were.
    """

    symbol: Symbol
    strategy: str
    opened_at: datetime
    entry_order: ClientOrderId
    quantity: Quantity = NO_SHARES
    cost: Money = NO_MONEY
    entered: Quantity = NO_SHARES
    entry_cost: Money = NO_MONEY
    intended_cost: Money = NO_MONEY
    left: Quantity = NO_SHARES
    proceeds: Money = NO_MONEY
    intended_proceeds: Money = NO_MONEY
    regime: RegimeLabels | None = None
    fees: Money = NO_MONEY
    heard_at: datetime | None = None

    @property
    def average_price(self) -> Price:
        return Price(self.cost / abs(self.quantity))

    @property
    def began(self) -> datetime:
        """By this desk's clock."""
        return self.heard_at or self.opened_at


@dataclass(frozen=True, slots=True)
class Trade:
    """A position from open to flat.

    Attributes
    ----------
    profit
        USD, proceeds less cost and `fees`.
    slippage
        USD, positive is worse: what the fills cost against the prices that were intended (EX-18).
    reference
        The figure the signal was measured against, VWAP for VWAP; None for a manual order.
    regime
        When it was opened, as far as it was known; None where nothing was (EX-18).
    meant
        What the order that closed it was for, where the reason is an exit before it that failed; else None.
    fees
        What the broker took for its fills, USD; zero in what was kept before it was counted.
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
    regime: RegimeLabels | None = None
    meant: ExitReason | None = None
    fees: Money = NO_MONEY

    @property
    def is_failed(self) -> bool:
        """Its first exit failed: what it made is no trading result (EX-18)."""
        return self.exit_reason in FAILED


@dataclass(frozen=True, slots=True)
class Ended:
    """A trade as its last fill ends it, and whether it was long."""

    trade: Trade
    is_long: bool
