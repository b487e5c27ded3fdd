"""A basket on its screen: each order with its effect, its mark and what it leaves; where it stands; its report."""

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
        USD that it costs, or frees where it reduces; None where no price is known.
    power_after
        Buying power that the dry run leaves after it, USD; once it was checked at its turn, what the broker told then.
    refusals
        Why it would not go, or did not.
    cancels
        Our own orders that make way for it first, in words (EX-21).
    put_back
        The stops that are asked for again for what it leaves, in words, the nearest first.
    lost
        Those of them that nothing puts back: targets.
    left
        Shares of its position once it is filled.
    stop_holder
        Who acts at the stop of an entry; None where it has none.
    worst_loss
        What is lost at that stop, USD; None where it has none, or no price is known.
    standing
        None before the basket is signed, and for what was left out.
    expected
        At which it would have traded at the signing, or its limit, USD.
    trigger_price, trail
        Of a stop or trailing entry; `stop_price` is its protective stop's.
    trails_behind
        How far that stop trails from the fill on, USD; None where it stands at its price.
    exit_waits_since
        Since when it waits for the broker's limit of requests, its stop in force; None where it does not.
    is_taken_back
        No order of the basket: a working entry, which a flattening cancels first; its mark says whether.
    traded
        What it trades; None is a share.
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
    """The basket that is open or runs, or the last one.

    Attributes
    ----------
    digest
        What `P` signs now; None where nothing that is marked would go.
    refused_because
        Why the last key on it did not sign.
    power_now
        Buying power before anything of it, USD.
    left
        Of a flattening that is not signed yet, in words: what it would leave.
    end_reason
        Of a basket that was signed and is over: how many of its orders stand where, counted as they stand now.
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
    """The hold of the key that its key would be turned under (OP-13)."""

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
        """The working entries that it cancels first."""
        return tuple(row for row in self.rows if row.is_taken_back and row.is_marked)

    @property
    def opens(self) -> int:
        """How many of what would go open or add."""
        return sum(not row.effect.only_reduces for row in self.going)

    @property
    def worth(self) -> Money | None:
        """What they would cost in all, USD; None where no price of one is known."""
        costs = [row.cost for row in self.going if not row.effect.only_reduces]
        return None if None in costs else Money(sum((cost for cost in costs if cost is not None), Money(ZERO)))
