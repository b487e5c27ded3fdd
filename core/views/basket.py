"""The view of a basket: each order with its effect, mark and remaining buying power; its phase; its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketReport, BasketSource, SkippedRow
from core.model.instrument import Instrument, share
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder, Terms
from core.model.values import NO_SHARES, ZERO, Digest, Fraction, Money, Price, ProposalId, Quantity, Symbol, TicketId


@dataclass(frozen=True, slots=True)
class BasketRowView:
    """One order of a basket.

    Attributes
    ----------
    cost
        Its cost, or the amount that a reducing order frees, USD; None if no price is known.
    power_after
        Buying power after it by the dry run; after its turn, the broker's figure at that time.
    refusals
        Why it would not be sent, or was not.
    cancels
        Our own orders that are cancelled for it first, as text (EX-21).
    put_back
        The stops restored for the remaining shares, as text, nearest first.
    lost
        Cancelled orders that are not restored: targets.
    left
        Shares of its position once it is filled.
    stop_holder
        The holder of an entry's stop; None without a stop.
    worst_loss
        The loss at that stop, USD; None without a stop or a known price.
    standing
        None before the basket is signed, and for orders left out.
    expected
        The price at which it would have traded at the signing, or its limit, USD.
    trigger_price, trail
        Of a stop or trailing entry; `stop_price` is that of its protective stop.
    trails_behind
        Distance of a trailing stop from the fill on, USD; None for a fixed stop.
    exit_waits_since
        Since when it waits for the broker's request limit, its stop in force; None if it does not.
    is_taken_back
        Whether it is a working entry that a flattening cancels first, and not an order of the basket; its mark says
        whether it will.
    traded
        The instrument; None means a share.
    """

    proposal_id: ProposalId
    strategy: str
    symbol: Symbol
    side: Side
    effect: Effect
    quantity: Quantity
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    is_marked: bool
    cost: Money | None
    power_after: Money | None
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    reason: str
    cancels: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    left: Quantity = NO_SHARES
    stop_holder: StopHolder | None = None
    worst_loss: Money | None = None
    standing: BasketOrderState | None = None
    status: OrderStatus | None = None
    filled: Quantity | None = None
    average: Price | None = None
    expected: Price | None = None
    is_taken_back: bool = False
    trigger_price: Price | None = None
    trail: tuple[Price | None, Fraction | None] = (None, None)
    trails_behind: Price | None = None
    traded: Instrument | None = None
    exit_waits_since: datetime | None = None

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def terms(self) -> Terms:
        return self.type, self.limit_price, self.trigger_price or self.stop_price, *self.trail

    @property
    def goes(self) -> bool:
        """Whether `P` would sign it now."""
        return self.is_marked and not self.refusals and not self.is_taken_back


@dataclass(frozen=True, slots=True)
class BasketView:
    """The open or running basket, or the last one.

    Attributes
    ----------
    digest
        The digest that `P` signs now; None if no marked order would be sent.
    refused_because
        Why the last key on it did not sign.
    power_now
        Buying power before the basket, USD.
    left
        The positions and entries that an unsigned flattening would leave, as text.
    end_reason
        For a finished signed basket: the current number of its orders in each state.
    """

    id: TicketId
    source: BasketSource
    name: str
    phase: BasketPhase
    phase_since: datetime
    phase_reason: str
    ends_at: datetime
    permitted_until: datetime | None
    digest: Digest | None
    rows: tuple[BasketRowView, ...]
    skipped: tuple[SkippedRow, ...]
    power_now: Money | None
    events: tuple[tuple[datetime, str], ...]
    refused_because: tuple[str, ...] = ()
    end: BasketEnd | None = None
    end_reason: str = ""
    report: BasketReport | None = None
    left: tuple[str, ...] = ()
    hold: int = 0
    """The hold of desk control that a confirmation names (OP-13)."""

    @property
    def is_open(self) -> bool:
        return self.phase is BasketPhase.OPEN

    @property
    def runs(self) -> bool:
        return self.phase not in (BasketPhase.OPEN, BasketPhase.OVER)

    @property
    def going(self) -> tuple[BasketRowView, ...]:
        return tuple(row for row in self.rows if row.goes)

    @property
    def taken_back(self) -> tuple[BasketRowView, ...]:
        """Return the working entries that it cancels first."""
        return tuple(row for row in self.rows if row.is_taken_back and row.is_marked)

    @property
    def opens(self) -> int:
        """Return the number of orders to be sent that open or add."""
        return sum(not row.effect.only_reduces for row in self.going)

    @property
    def worth(self) -> Money | None:
        """Return the total cost of these entries, USD; None if the price of one is unknown."""
        costs = [row.cost for row in self.going if not row.effect.only_reduces]
        return None if None in costs else Money(sum((cost for cost in costs if cost is not None), Money(ZERO)))
