"""Positions, fills and closed trades, and orders that have ended and left memory."""

from __future__ import annotations

from dataclasses import field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from core.model.codes import CancelCode, EndCode, IdleCode
from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, AnyRole, OrderStatus
from core.model.order_terms import StatedTerms
from core.model.signal import FAILED, ExitReason
from core.model.sizing import RegimeLabels
from core.model.staging import Approval, StopPlan
from core.model.values import (
    NO_MONEY,
    NO_SHARES,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
)

DERIVED = ":derived:"
"""Part of the id of a derived fill: one implied by the broker's totals and not reported."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, counted once (EX-05). `at` is the broker's time, `fee` its fee in USD."""

    execution_id: ExecutionId
    client_order_id: ClientOrderId
    at: datetime
    quantity: Quantity
    price: Price
    fee: Money = NO_MONEY

    @property
    def is_derived(self) -> bool:
        """Whether its price is the average of what the order stream missed."""
        return DERIVED in self.execution_id


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol held for one strategy, made by fills alone (EX-08).

    Attributes
    ----------
    quantity
        Signed; zero is flat.
    cost
        Cost of the shares still held (a short: proceeds), USD; the average is `cost / quantity`.
    entry_order
        The order that opened it, which has its stop and its signal.
    entered, entry_cost, intended_cost
        Shares opened in all, their cost, and their cost at the intended prices.
    left, proceeds, intended_proceeds
        The same for the shares closed so far.
    regime
        Known labels at the first fill; None if there were none.
    fees
        The broker's fees for its fills so far, in and out, USD.
    opened_at, heard_at
        Time of opening by the broker's clock, and by this desk's, which also times the ends of orders; None in
        records from before both were kept.
    traded
        The instrument, as named by the opening order; None is a share.
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
        """Fees so far, spread over the held quantity, USD per unit."""
        return self.instrument.price_of(abs(self.quantity), self.fees)

    @property
    def break_even(self) -> Price:
        """The stop price without loss for the held quantity, by the known fees."""
        return self.instrument.ticks.break_even(self.average_price, self.fee, is_long=self.quantity > 0)

    def risk(self, way: Decimal) -> Money:
        """Its loss when the price moves `way` against it, USD."""
        return self.instrument.risk(abs(self.quantity), way)

    def profit(self, price: Decimal) -> Money:
        """Profit of the held quantity at a price, USD."""
        worth = self.instrument.notional(self.quantity, price)
        return Money(worth - self.cost if self.quantity > 0 else worth + self.cost)

    @property
    def began(self) -> datetime:
        """Time of opening by this desk's clock."""
        return self.heard_at or self.opened_at


@dataclass(frozen=True, slots=True)
class Trade:
    """A position from open to flat.

    Attributes
    ----------
    profit
        USD, proceeds less cost and `fees`.
    slippage
        USD, positive is worse: the fills against the intended prices (EX-18).
    reference
        The figure the signal was measured against, VWAP for VWAP; None for a manual order.
    regime
        Known labels when it was opened; None if there were none (EX-18).
    meant
        Purpose of the order that closed it, if the exit reason is an earlier exit that failed; else None.
    fees
        The broker's fees for its fills, USD; zero in records from before they were counted.
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
        """Cost to open it (a short: proceeds), USD."""
        return self.instrument.cost(self.quantity, self.entry_price)

    @property
    def is_failed(self) -> bool:
        """Whether its first exit failed: its profit is no trading result (EX-18)."""
        return self.exit_reason in FAILED


@dataclass(frozen=True, slots=True)
class Ended:
    """A trade closed by its last fill, and whether it was long."""

    trade: Trade
    is_long: bool


@dataclass(frozen=True, slots=True)
class InstrumentTrade(Trade):
    """A trade in an instrument that is not a share. A separate class, so that other trades keep their format."""

    instrument: Instrument = field(kw_only=True)


AnyTrade: TypeAlias = Trade | InstrumentTrade
"""Any trade, in records."""


def trade_in(instrument: Instrument, trade: Trade) -> InstrumentTrade:
    """Return the same trade with its instrument."""
    return InstrumentTrade(*(getattr(trade, one.name) for one in fields(Trade)), instrument=instrument)


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A copy of the ledger order's fields; a new field there needs its default here too.

    Attributes
    ----------
    executions
        Executions that were counted; none of them counts again.
    kin
        Related orders: its parent, its legs and its replacements.
    """

    request: AnyOrder
    proposal_id: ProposalId
    strategy: str
    signal_time: datetime
    created_at: datetime
    stop: StopPlan | None
    parent: ClientOrderId | None
    exit_reason: ExitReason | None
    intended_price: Price | None
    reference: Price | None
    expires_at: datetime | None
    executions: tuple[ExecutionId, ...]
    kin: tuple[ClientOrderId, ...]
    status: OrderStatus = OrderStatus.PENDING
    broker_order_id: BrokerOrderId | None = None
    filled_quantity: Quantity = NO_SHARES
    filled_cost: Money = NO_MONEY
    reported_quantity: Quantity = NO_SHARES
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    end_code: EndCode = EndCode.AS_ITS_STATE_SAYS
    in_doubt_since: datetime | None = None
    not_found: int = 0
    first_not_found_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_failed_at: datetime | None = None
    let_go_at: datetime | None = None
    cancel_failures: int = 0
    cancel_reason: str = ""
    cancel_code: CancelCode | None = None
    late_fill: bool = False
    replacement: ClientOrderId | None = None
    replaced_by: ClientOrderId | None = None
    last_filled_on: date | None = None
    last_filled_at: datetime | None = None
    role: AnyRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None
    is_bare: bool = False
    warnings: tuple[str, ...] = ()
    warned_at: datetime | None = None
    permit: Approval | None = None
    kept: Approval | None = None
    again_at: datetime | None = None
    terms_before: StatedTerms | None = None
    was_absent: bool = False
    idle: IdleCode | None = None
    idle_word: str = ""
    owed: Quantity | None = None
    is_asked_for: bool = False
    taken_back: Quantity = NO_SHARES
    again_of: ClientOrderId | None = None
    split: Decimal = Decimal(1)
    paid: Decimal = ZERO
    restated_from: StatedTerms | None = None
    restated_at: datetime | None = None
    listed_as: Symbol | None = None

    @property
    def id(self) -> ClientOrderId:
        return self.request.client_order_id


# ── the result of a sale ─────────────────────────────────────────────────────────────────────────────────────────────
# The realized profit of a fill: the one formula of the ledger, the reports and the history (AN-01).


def closed_by(held: Decimal, signed: Decimal) -> Quantity:
    """Return how much of a position a fill closes; both are signed, and the fill may go through zero."""
    return Quantity(min(abs(held), abs(signed)) if held * signed < 0 else ZERO)


def realised(
    instrument: Instrument, held: Decimal, average: Price | None, signed: Decimal, price: Price, fee: Money
) -> Money:
    """Return the profit of a fill against the position's average price, less its fee, USD.

    Parameters
    ----------
    held, average
        The signed position before the fill, and its average price; without an average only the fee counts.
    signed
        What the fill bought, above zero, or sold.
    """
    closes = closed_by(held, signed)
    if not closes or average is None:
        return Money(-fee)
    sign = 1 if held > 0 else -1
    return Money(sign * (instrument.cost(closes, price) - instrument.cost(closes, average)) - fee)


def moved(held: Position, signed: Quantity, price: Price, intended: Price | None, fee: Money = NO_MONEY) -> Position:
    """Return the position after `signed` more shares (bought above zero, sold below) at `price`, never through zero.

    `fee` is the additional fee, USD.
    """
    held = replace(held, fees=Money(held.fees + fee)) if fee else held
    amount, aimed = abs(signed), price if intended is None else intended
    paid, meant = held.instrument.cost(amount, price), held.instrument.cost(amount, aimed)
    if held.quantity == 0 or (held.quantity > 0) == (signed > 0):
        return replace(
            held,
            quantity=Quantity(held.quantity + signed),
            cost=Money(held.cost + paid),
            entered=Quantity(held.entered + amount),
            entry_cost=Money(held.entry_cost + paid),
            intended_cost=Money(held.intended_cost + meant),
        )
    rest = Quantity(held.quantity + signed)
    return replace(
        held,
        quantity=rest,
        cost=Money(held.cost * abs(rest) / abs(held.quantity)) if rest else Money(ZERO),
        left=Quantity(held.left + amount),
        proceeds=Money(held.proceeds + paid),
        intended_proceeds=Money(held.intended_proceeds + meant),
    )
