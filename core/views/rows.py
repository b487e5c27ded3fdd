"""What waits for a key, what is held, and what is at the broker: the rows of proposals, positions and orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.codes import NEEDS_NOBODY, OwedReason
from core.model.instrument import Instrument, share
from core.model.order import Effect, Leg, OrderStatus, OrderType, Side, StopHolder, Terms, confirming_key
from core.model.signal import ExitReason
from core.model.values import NO_SHARES, ClientOrderId, Fraction, Money, Price, ProposalId, Quantity, Symbol, plain


class RowMark(StrEnum):
    """What stands beside the state of an order, by its words."""

    CANCELLING = "cancelling"
    IN_DOUBT = "in doubt"
    """It was sent, and the broker has said nothing of it."""
    WARNED = "WARNED"
    """Its warning by the broker waits for the operator (OP-11)."""
    LATE_FILL = "late fill"
    RESTATED = "changed by the broker"
    """Its terms are no longer those that were sent (EX-13)."""
    BEING_REPLACED = "being replaced"
    TO_REPLACE = "replaces"
    """It is to take the place of one which still works."""
    HELD = "waits for its entry"
    """A leg whose entry is not filled yet: it guards nothing."""
    REPLACED = "replaced"
    HALTED = "HALTED"
    """It is in a symbol that its exchange has halted (MD-06)."""
    MORE_THAN_HELD = "more than is held"
    """An exit that asks for more than is left for it, after the shares that it would open."""
    WAITS_TO_BE_SENT = "waits to be sent"
    """It is held up in our own queue, behind a request of its lane that has no answer."""


IN_DOUBT, HALTED, WARNED = RowMark.IN_DOUBT, RowMark.HALTED, RowMark.WARNED


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """What waits for a key.

    Attributes
    ----------
    expires_at
        None on an exit, which counts up from `staged_at`.
    reference
        What the signal was measured against, VWAP for VWAP; None where there is none.
    replaces, replaces_in_words
        The order whose place it would take, and what that is, as `stop 178.20`; None and empty where it takes none.
    moved
        What waiting has brought an exit since it was staged, USD, below zero is worse; None where it is not known.
    halted
        Since when its exchange has halted the symbol, and why; empty where it trades.
    traded
        What its order trades; None is a share.
    """

    id: ProposalId
    strategy: str
    side: Side
    effect: Effect
    quantity: Quantity
    symbol: Symbol
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    exit_reason: ExitReason | None
    reference: Price | None
    risk: Money | None
    reason: str
    staged_at: datetime
    expires_at: datetime | None
    is_confirming: bool
    replaces: ClientOrderId | None = None
    replaces_in_words: str = ""
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    trigger_price: Price | None = None
    """Of a stop entry: where it begins to trade; `stop_price` is its protective stop's."""
    is_owed: bool = False
    """A stop that shares are owed, and that waits for its key (EX-22)."""

    @property
    def terms(self) -> Terms:
        stop = self.trigger_price or self.stop_price
        return self.type, self.limit_price, stop, self.trail_price, self.trail_fraction

    @property
    def is_guard(self) -> bool:
        """A stop that is moved or put back: it closes nothing now."""
        return self.type.is_stop and self.exit_reason is ExitReason.STOP_LOSS

    moved: Money | None = None
    halted: str = ""
    traded: Instrument | None = None

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def is_urgent(self) -> bool:
        """An exit, or a stop that is owed: it goes first, and rings (OP-06, EX-22)."""
        return self.is_owed or (self.effect.only_reduces and not self.is_guard)

    @property
    def confirming_key(self) -> str:
        return confirming_key(self.effect, self.replaces)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What is held, who holds its stop, and how much of it is covered.

    Attributes
    ----------
    result_in_risk
        Open profit as a multiple of what was risked to the stop (R); None without a stop.
    stop_price, nearer_stops
        The farthest of the stops that work, or the planned one where none does: `standing_stop` is the one that acts;
        and the others, the nearest first.
    covered
        Shares that stops at the broker would close, and exits at the market; the rest is on YOU.
    at_limit
        Shares that an exit holds which waits at its limit: no stop guards them.
    idle
        What the broker has for it and does not trade now: `stop suspended`; those shares count as not covered.
    is_unread
        The broker's own row of it cannot be read: nobody knows what is held there.
    unattended_until, unattended_most
        Up to when its exits go out without a key, UTC, each for so many shares at most; None where each needs one.
    in_doubt, doubt
        Shares that others would close if they arrived, and what those are: `stop`, `exit`, `exit and stop`.
    has_bracket
        Legs that the broker made with its entry, or a pair of exits, work for it.
    held_by_others
        Which orders of somebody else's hold its shares, and what to do; empty where none does.
    acts_from
        When its stops act again, UTC: the open, where extended hours go on and no stop acts; else None.
    halted
        Since when its exchange has halted the symbol, and why; empty where it trades.
    traded
        What it holds; None is a share.
    break_even
        Where a stop of it loses nothing, by the fees that are known; None where nobody says.
    average_range
        The average true range of its symbol's minutes (ATR), USD; None before enough of them were heard.
    exit_waits_since
        When the key of an exit was turned that waits for the broker's limit of requests, its stop in force; else None.
    owed, owed_since, owed_why
        Shares whose ticket named a stop and that have none in force, since when, and why (EX-22).
    """

    key: str
    symbol: Symbol
    strategy: str
    quantity: Quantity
    average_price: Price
    last: Price | None
    last_at: datetime | None
    profit: Money | None
    result_in_risk: Decimal | None
    stop_price: Price | None
    holder: StopHolder
    covered: Quantity
    is_closing: bool
    has_bracket: bool = False
    in_doubt: Quantity = NO_SHARES
    doubt: str = ""
    held_by_others: str = ""
    nearer_stops: tuple[Price, ...] = ()
    acts_from: datetime | None = None
    at_limit: Quantity = NO_SHARES
    idle: str = ""
    is_unread: bool = False
    unattended_until: datetime | None = None
    unattended_most: Quantity = NO_SHARES
    halted: str = ""
    traded: Instrument | None = None
    break_even: Price | None = None
    average_range: Price | None = None
    owed: Quantity = NO_SHARES
    owed_since: datetime | None = None
    owed_why: OwedReason | None = None
    exit_waits_since: datetime | None = None

    @property
    def calls_a_person(self) -> bool:
        """Shares have had no stop for seconds, and nobody decided that."""
        return self.owed_why is not None and self.owed_why not in NEEDS_NOBODY

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def value(self) -> Money | None:
        """What it stands at, below zero where it is sold short; None without a price."""
        return None if self.last is None else self.instrument.notional(self.quantity, self.last)

    @property
    def paid(self) -> Money:
        """What it was opened with, bought or sold short."""
        return self.instrument.notional(abs(self.quantity), self.average_price)

    @property
    def profit_fraction(self) -> Decimal | None:
        """Open profit as a part of what was paid, or taken in; None where either is not known."""
        return None if self.profit is None or not self.paid else self.profit / self.paid

    @property
    def standing_stop(self) -> Price | None:
        """The price at which the broker, or this desk, acts for it, USD; None where YOU alone would."""
        return None if self.holder is StopHolder.YOU else self.stop_price

    @property
    def unprotected(self) -> Quantity:
        """Shares that nothing at the broker closes, nor anything that is in doubt."""
        return Quantity(max(abs(self.quantity) - self.covered - self.in_doubt - self.at_limit, Decimal(0)))


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of today, with the legs that it was sent with.

    `is_paired` says that the broker cancels a stop with it: it is the target of a pair.
    `goes_back_in_words` are the stops that are asked for again where it is cancelled: `6 at 99.00`.
    `restated` is what the broker changed of its terms, as `stop price 510.84 → 498.00`; empty where nothing.
    `taken_back_at` is when an entry is cancelled whose warning nobody confirms; None where it stands.
    `beyond` is what an exit asks for beyond what is left for it.
    `stop_by_desk` says where the stop of what it fills will be, where the desk alone sees to it: sent to the broker at
    each fill, or kept here; None where the broker makes it with the entry, and where there is none.
    `outcome` says how it ended where its status alone does not: `CANCELLED by you`; `reason` is empty then.
    `is_entry` says that it was signed to open or add, whatever it would do by now: `effect` says that.
    `parent` is the entry that a protective stop belongs to, or the order that a leg was made with.
    """

    id: ClientOrderId
    strategy: str
    side: Side
    effect: Effect
    quantity: Quantity
    symbol: Symbol
    type: OrderType
    limit_price: Price | None
    stop_price: Price | None
    status: OrderStatus
    filled_quantity: Quantity
    average_price: Price | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    is_protective: bool
    marks: tuple[RowMark, ...]
    reason: str
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    legs: tuple[Leg, ...] = ()
    is_paired: bool = False
    goes_back_in_words: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    restated: str = ""
    taken_back_at: datetime | None = None
    stop_by_desk: StopHolder | None = None
    beyond: Quantity = NO_SHARES
    outcome: str = ""
    is_entry: bool = False
    parent: ClientOrderId | None = None

    @property
    def can_be_cancelled_as_entry(self) -> bool:
        """It works, and nothing that guards or reduces goes with it; what is to take another's place goes with that."""
        return self.is_entry and self.status.is_working and RowMark.TO_REPLACE not in self.marks

    @property
    def state_in_words(self) -> str:
        """`SUBMITTED`, `CANCELLED by you`, `REPLACED by d2733f`."""
        return self.outcome or self.status.value

    @property
    def terms(self) -> Terms:
        return self.type, self.limit_price, self.stop_price, self.trail_price, self.trail_fraction

    @property
    def marks_in_words(self) -> tuple[str, ...]:
        """`cancelling`, `3 more than is held`."""
        more = f"{plain(self.beyond)} {RowMark.MORE_THAN_HELD}"
        return tuple(more if mark is RowMark.MORE_THAN_HELD else str(mark) for mark in self.marks)


@dataclass(frozen=True, slots=True)
class OtherOrderRow:
    """An order at the broker that is not this desk's; `words` say what it is, of whatever kind."""

    id: str
    words: str
    state: str
    may_open: bool
    is_unread: bool = False
    """That it may open is all that can be said of it; a kill names it and leaves it."""


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """What the account holds of a kind that this desk does not trade, as the broker reports it."""

    symbol: Symbol
    asset_class: str
    quantity: Quantity
    average_price: Price
