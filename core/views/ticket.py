"""A ticket, and what an order form knows before there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from core.model.instrument import Instrument, share
from core.model.quote import NoQuote, Quote
from core.model.sizing import NO_LIMITS, Room, Size
from core.model.staging import ListedExit, Review, Ticket
from core.model.values import ZERO, Fraction, Money, Price, Quantity, Symbol
from core.views.rows import ProposalRow

if TYPE_CHECKING:
    from core.risk.size_factors.base import Conditions


@cache
def no_conditions() -> Conditions:
    """Nothing is known beside the order's own figures."""
    from core.risk.size_factors.base import Conditions

    return Conditions()


@dataclass(frozen=True, slots=True)
class ReplacedView:
    """The order whose place a ticket's order would take, as it stands now.

    Attributes
    ----------
    price
        Its limit or its stop.
    average_price
        What the position that its stop guards was paid on average; None for an entry.
    fee
        What the broker took for one of that, USD.
    result_before, result_after
        USD that the guarded position makes where the stop acts, before and after: below zero is a loss; None for an
        entry.
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
    """What an entry does to a margin account.

    Attributes
    ----------
    initial
        What the broker requires to open it, USD.
    before, after
        Distance to maintenance, as a share of equity, without it and with it; other entries that work count in both.
    overnight
        What may be spent on it where it is held over the night, USD; None where that is enough, or not told.
    """

    initial: Money
    before: Fraction
    after: Fraction
    overnight: Money | None


@dataclass(frozen=True, slots=True)
class TicketView:
    """An open ticket, alive.

    Attributes
    ----------
    now
        The checks as they stand at this picture, on the last figures seen; what counts is asked fresh at the key.
    refused_because
        Why the last key on it was refused; empty where none was.
    is_confirming
        The key was turned; fresh figures are on their way.
    put_back_in_words
        The stops that are asked for again for what a part close leaves, the nearest first.
    replaced
        What makes way for it; None where it replaces nothing.
    capped_by
        The limit that keeps the order from being larger, in words; None where none does.
    moved
        The quote's middle against the signal's price, as a fraction; None where no signal made it.
    average_price
        What was paid (a short: received) for what is held; None where nothing is.
    size
        What the desk would give such an order now, with every term of it; None where it gives none.
    margin
        What it does to the account's margin; None where nothing is lent, it closes, or the broker does not say.
    exits
        What ends the position, beside its stop and what the broker holds; none on an order that closes.
    ttl
        How long an entry may work before this desk takes it back; None where only its time in force ends it.
    stops_until
        Up to when the stops that it signs may be sent; None where it signs none (OP-02).
    hold
        The hold of the key under which it was opened: a hand-over closes it (OP-13).
    actions
        Corporate actions of its symbol within two sessions, in words.
    word
        What is typed before its key, because it is like an entry of the last seconds; empty where it is not (RK-25).
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


@dataclass(frozen=True, slots=True)
class SymbolView:
    """What the order form shows of a symbol that the desk knows.

    Attributes
    ----------
    quantity_step
        Smallest part of a share that the broker takes.
    traded
        What an order in it trades, as the broker lists it; None is a share.
    short_refused
        Why it cannot be sold short, or None where it can.
    conditions
        What an order in it, typed by hand, is sized by (RK-10).
    room_to_buy, room_to_short
        What the whole account still carries of it, on either side.
    is_listed
        Whether the broker's list has it; None where that is not known.
    is_described
        Whether the broker has said how it trades: nothing is told for it.
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
    """What sizes an order typed by hand (RK-02), USD; None where it needs an equity that is not known."""

    risk: Money | None
    max_notional: Money | None
    least: Decimal = Decimal(0)


NO_SIZING = SizingView(None, None)
