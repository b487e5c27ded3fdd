"""What is held, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from core.model.instrument import Instrument, share
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
    traded
        What it holds, as the order that opened it named that; None is a share.
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
    traded: Instrument | None = None

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def average_price(self) -> Price:
        return self.instrument.price_of(abs(self.quantity), self.cost)

    @property
    def fee(self) -> Price:
        """What the broker took so far, spread over what is still held, USD for one of it."""
        return self.instrument.price_of(abs(self.quantity), self.fees)

    @property
    def break_even(self) -> Price:
        """Where a stop of what is held loses nothing, by the fees that are known."""
        return self.instrument.ticks.break_even(self.average_price, self.fee, is_long=self.quantity > 0)

    def risk(self, way: Decimal) -> Money:
        """What all of it loses when the price goes `way` against it, USD."""
        return self.instrument.risk(abs(self.quantity), way)

    def profit(self, price: Decimal) -> Money:
        """Of what is held, at a price, USD."""
        worth = self.instrument.notional(self.quantity, price)
        return Money(worth - self.cost if self.quantity > 0 else worth + self.cost)

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
    def instrument(self) -> Instrument:
        return share(self.symbol)

    @property
    def entry_cost(self) -> Money:
        """What was paid to open it (a short: received), USD."""
        return self.instrument.cost(self.quantity, self.entry_price)

    @property
    def is_failed(self) -> bool:
        """Its first exit failed: what it made is no trading result (EX-18)."""
        return self.exit_reason in FAILED


@dataclass(frozen=True, slots=True)
class Ended:
    """A trade as its last fill ends it, and whether it was long."""

    trade: Trade
    is_long: bool


@dataclass(frozen=True, slots=True)
class InstrumentTrade(Trade):
    """A trade in what is no share: it names its instrument. A class of its own, so that others are written as ever."""

    instrument: Instrument = field(kw_only=True)


AnyTrade: TypeAlias = Trade | InstrumentTrade
"""Any trade, in whatever is written down."""


def trade_in(instrument: Instrument, trade: Trade) -> InstrumentTrade:
    """The same trade, naming its instrument."""
    return InstrumentTrade(*(getattr(trade, one.name) for one in fields(Trade)), instrument=instrument)
