"""Tickets, baskets, and the data of an order form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from core.model.bar import NoQuote, Quote
from core.model.basket import (
    BasketEnd,
    BasketOrderState,
    BasketPhase,
    BasketReport,
    BasketSource,
    ReportLine,
    SkippedRow,
)
from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.news import NextEarnings, SymbolNews
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder, Terms, TimeInForce
from core.model.sizing import NO_LIMITS, Room, Size
from core.model.staging import ListedExit, Review, Ticket
from core.model.values import NO_SHARES, ZERO, Digest, Fraction, Money, Price, ProposalId, Quantity, Symbol, TicketId
from core.views.drafts import TicketDraft
from core.views.rows import ProposalRow

if TYPE_CHECKING:
    from core.risk.sizing import Conditions


@cache
def no_conditions() -> Conditions:
    """Return conditions with only the order's own figures."""
    from core.risk.sizing import Conditions

    return Conditions()


@dataclass(frozen=True, slots=True)
class ReplacedView:
    """The order that a ticket's order would replace, in its current state.

    Attributes
    ----------
    price
        Its limit or its stop.
    average_price
        The average price of the position that its stop protects; None for an entry.
    fee
        The broker's fee per share of it, USD.
    result_before, result_after
        The result of the protected position at the stop, USD, before and after: negative is a loss; None for an entry.
    """

    quantity: Quantity
    filled_quantity: Quantity
    price: Price | None
    average_price: Price | None
    result_before: Money | None
    result_after: Money | None
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class MarginView:
    """The effect of an entry on a margin account.

    Attributes
    ----------
    initial
        The broker's initial requirement, USD.
    before, after
        Distance to maintenance, as a share of equity, without it and with it; other working entries count in both.
    overnight
        The buying power for holding it overnight, USD; None if it suffices, or is not reported.
    """

    initial: Money
    before: Fraction
    after: Fraction
    overnight: Money | None


@dataclass(frozen=True, slots=True)
class TicketView:
    """An open ticket, updated while it is shown.

    Attributes
    ----------
    now
        The checks at this view, on the last figures seen; the confirmation runs them again on fresh ones.
    refused_because
        Why the last key on it was refused; empty if none was.
    is_confirming
        It was confirmed; fresh figures are on their way.
    put_back_in_words
        The stops restored for the rest of a partial close, nearest first.
    replaced
        The order that it replaces; None if there is none.
    capped_by
        The limit that keeps the order from being larger, as text; None if there is none.
    moved
        The quote's middle against the signal's price, as a fraction; None without a signal.
    average_price
        The average price of the position (a short: received); None if nothing is held.
    size
        The size that the desk would compute now, with every term; None if it computes none.
    margin
        Its effect on the account's margin; None for a cash account or a close, or without broker data.
    exits
        The exits of the position, beside its stop and those that the broker holds; none for a closing order.
    ttl
        How long an entry may work before this desk cancels it; None if only its time in force ends it.
    quantity_after, account_after
        The position of its strategy, and what the account holds of its symbol, once it is filled; None as the first.
    stops_until
        Time until which the stops that it authorizes may be sent; None if it authorizes none (OP-02).
    hold
        The hold of desk control under which it was opened: a hand-over closes it (OP-13).
    actions
        Corporate actions of its symbol within two sessions, as text.
    news
        The headlines of its symbol in the last 24 hours; None where nobody asks for any.
    earnings
        The next report of its symbol; None if it is not known.
    word
        What is typed before its key, because it is like an entry of the last seconds; empty where it is not (RK-25).
    lost_targets
        Targets that it cancels, in words, where shares stay held that have none then.
    stop_lasts, stop_ends_at
        Time in force of the stop at the broker that it makes, None without one, and the close with which a day's ends.
    holds_overnight
        Whether a stop that ended is asked for again; else the exit is staged.
    stop_goes_back
        Whether it cancels a stop, which is restored if the order fails.
    stop_cancelled
        Where the nearest stop stands that it cancels; None without one, or where it only trails.
    cancels_wait_until
        The next open, where the broker may carry out its cancels only then; None while the market is open.
    entries_working
        What other working entries of its symbol may still add to the account; negative for short sales.
    draft
        The agent's draft that its proposal was; None for all others.
    needs_touch
        Whether its key needs the touch of a security key beside it (OP-15).
    """

    ticket: Ticket
    proposal: ProposalRow
    quote: Quote | NoQuote
    now: Review
    refused_because: tuple[str, ...]
    is_confirming: bool
    signal_time: datetime
    reason: str
    cancels_in_words: tuple[str, ...]
    quantity_after: Quantity
    account_after: Quantity | None = None
    put_back_in_words: tuple[str, ...] = ()
    replaced: ReplacedView | None = None
    capped_by: str | None = None
    moved: Decimal | None = None
    average_price: Price | None = None
    size: Size | None = None
    margin: MarginView | None = None
    exits: tuple[ListedExit, ...] = ()
    ttl: timedelta | None = None
    stops_until: datetime | None = None
    hold: int = 0
    actions: tuple[str, ...] = ()
    word: str = ""
    lost_targets: tuple[str, ...] = ()
    stop_lasts: TimeInForce | None = None
    stop_ends_at: datetime | None = None
    holds_overnight: bool = True
    stop_goes_back: bool = False
    stop_cancelled: Price | None = None
    entries_working: Quantity = NO_SHARES
    draft: TicketDraft | None = None
    needs_touch: bool = False
    cancels_wait_until: datetime | None = None
    news: SymbolNews | None = None
    earnings: NextEarnings | None = None


@dataclass(frozen=True, slots=True)
class SymbolView:
    """A known symbol in the order form.

    Attributes
    ----------
    quantity_step
        Smallest part of a share that the broker takes.
    traded
        The instrument of an order in it, as the broker lists it; None means a share.
    short_refused
        Why it cannot be sold short, or None if it can.
    conditions
        The conditions that size a manual order in it (RK-10).
    room_to_buy, room_to_short
        The room that the whole account has for it, on either side.
    is_listed
        Whether the broker's list has it; None if unknown.
    is_described
        Whether the broker has described its trading; without that nothing is shown for it.
    """

    symbol: Symbol
    quote: Quote | None
    last: Price | None
    is_fractionable: bool
    last_at: datetime | None = None
    quantity_step: Decimal = Decimal(1)
    traded: Instrument | None = None
    short_refused: str | None = "the broker has not said yet"
    conditions: Conditions = field(default_factory=no_conditions)
    room_to_buy: Room = NO_LIMITS
    room_to_short: Room = NO_LIMITS
    is_listed: bool | None = None
    is_described: bool = True

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)


@dataclass(frozen=True, slots=True)
class SizingView:
    """The limits that size a manual order (RK-02), USD; None if it needs an unknown equity."""

    risk: Money | None
    max_notional: Money | None
    least: Decimal = Decimal(0)


NO_SIZING = SizingView(None, None)


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
    needs_touch: bool = False
    """Whether its signature needs the touch of a security key (OP-15)."""

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
        return None if None in costs else _sum_of(costs)

    @property
    def frees(self) -> Money:
        """Return what the reducing orders to be sent free, USD, as far as their prices are known."""
        return _sum_of(row.cost for row in self.going if row.effect.only_reduces)

    @property
    def costs(self) -> Money:
        """Return what the entries to be sent cost, USD, as far as their prices are known."""
        return _sum_of(row.cost for row in self.going if not row.effect.only_reduces)

    @property
    def lost_at_stops(self) -> Money:
        """Return the loss at the stops of the entries to be sent, USD, as far as it is known."""
        return _sum_of(row.worst_loss for row in self.going if not row.effect.only_reduces)

    @property
    def power_used(self) -> Money | None:
        """Return the buying power that it used by the broker's report, USD; negative if it freed some."""
        report = self.report
        if report is None or report.power_before is None or report.power_after is None:
            return None
        return Money(report.power_before - report.power_after)

    @property
    def worse_fills(self) -> Money | None:
        """Return by how much its fills are worse than expected at the confirmation, USD; None without such a fill."""
        if self.report is None:
            return None
        traded = {row.proposal_id: row.instrument for row in self.rows}
        found = [_worse(line, traded.get(line.proposal_id, share(line.symbol))) for line in self.report.lines]
        return _sum_of(found) if any(amount is not None for amount in found) else None


def _sum_of(amounts: Iterable[Money | None]) -> Money:
    return Money(sum((amount for amount in amounts if amount is not None), ZERO))


def _worse(line: ReportLine, of: Instrument) -> Money | None:
    if line.average is None or line.expected is None:
        return None
    way = line.average - line.expected if line.side is Side.BUY else line.expected - line.average
    return of.notional(line.filled, way)
