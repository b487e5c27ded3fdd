"""A ticket, and the data of an order form before there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from core.model.bar import NoQuote, Quote
from core.model.instrument import Instrument, share
from core.model.sizing import NO_LIMITS, Room, Size
from core.model.staging import ListedExit, Review, Ticket
from core.model.values import ZERO, Fraction, Money, Price, Quantity, Symbol
from core.views.rows import ProposalRow

if TYPE_CHECKING:
    from core.risk.size_factors.base import Conditions


@cache
def no_conditions() -> Conditions:
    """Return conditions with only the order's own figures."""
    from core.risk.size_factors.base import Conditions

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
    stops_until
        Time until which the stops that it authorizes may be sent; None if it authorizes none (OP-02).
    hold
        The hold of desk control under which it was opened: a hand-over closes it (OP-13).
    actions
        Corporate actions of its symbol within two sessions, as text.
    word
        What is typed before its key, because it is like an entry of the last seconds; empty where it is not (RK-25).
    lost_targets
        Targets that it cancels, in words, where shares stay held that have none then.
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
