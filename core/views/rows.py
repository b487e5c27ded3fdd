"""The rows of proposals, positions, orders and watched symbols, and the families of orders (MD-06)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, TypeVar

from core.model.bar import Quote
from core.model.codes import NEEDS_NOBODY, OwedReason
from core.model.holding import UNKNOWN_HEALTH, Health
from core.model.instrument import Instrument, ListedSymbol, share
from core.model.lazy_dataclass import dataclass
from core.model.order import (
    Effect,
    Leg,
    OrderStatus,
    OrderType,
    Side,
    StopHolder,
    StopKnown,
    Terms,
    TimeInForce,
    confirming_key,
)
from core.model.reference_data import CorporateAction
from core.model.signal import ExitReason
from core.model.staging import GuardRefusal
from core.model.values import NO_SHARES, ClientOrderId, Fraction, Money, Price, ProposalId, Quantity, Symbol, plain


class RowMark(StrEnum):
    """Marks beside the state of an order, by their text."""

    CANCELLING = "cancelling"
    IN_DOUBT = "in doubt"
    """It was sent, and the broker has not answered."""
    WARNED = "WARNED"
    """The broker's warning waits for the operator (OP-11)."""
    LATE_FILL = "late fill"
    RESTATED = "changed by the broker"
    """Its terms differ from those that were sent (EX-13)."""
    BEING_REPLACED = "being replaced"
    TO_REPLACE = "replaces"
    """It is to replace an order that still works."""
    HELD = "waits for its entry"
    """A leg whose entry is not filled yet: it protects nothing."""
    REPLACED = "replaced"
    HALTED = "HALTED"
    """Its symbol is halted by the exchange (MD-06)."""
    MORE_THAN_HELD = "more than is held"
    """An exit for more than is left for it, after the number of excess shares."""
    LEAVING = "leaving"
    """The broker has a cancel or a replacement of it, and has not carried it out yet (EX-13)."""
    WAITS_TO_BE_SENT = "waits to be sent"
    """It is held up in our own queue, behind an unanswered request of its lane."""


IN_DOUBT, HALTED, WARNED = RowMark.IN_DOUBT, RowMark.HALTED, RowMark.WARNED
DO_NOT_WORK = frozenset({RowMark.HELD, RowMark.IN_DOUBT, RowMark.TO_REPLACE})
"""Marks of an order that no market price can fill, or of which nobody knows that."""


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal that waits for a key.

    Attributes
    ----------
    expires_at
        None for an exit, which counts up from `staged_at`.
    reference
        The reference price of the signal, VWAP for VWAP; None if there is none.
    replaces, replaces_in_words
        The order that it would replace, and its text, as `stop 178.20`; None and empty if it replaces none.
    moved
        The price change of an exit since it was staged, USD, negative is worse; None if unknown.
    halted
        Start and reason of an exchange halt of the symbol; empty while it trades.
    traded
        The instrument of its order; None means a share.
    agent
        The agent whose draft it was; empty otherwise.
    """

    FIRST: ClassVar = ("symbol", "strategy", "side", "quantity", "type", "limit_price", "stop_price", "expires_at")

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
    """The trigger price of a stop entry; `stop_price` is that of its protective stop."""
    is_target: bool = False
    """Whether it is a person's limit that closes at a better price than the market's."""
    is_owed: bool = False
    """Whether it is an owed stop that waits for its key (EX-22)."""

    @property
    def terms(self) -> Terms:
        stop = self.trigger_price or self.stop_price
        return self.type, self.limit_price, stop, self.trail_price, self.trail_fraction

    @property
    def is_guard(self) -> bool:
        """Whether it is a moved or restored stop: it closes nothing now."""
        return self.type.is_stop and self.exit_reason is ExitReason.STOP_LOSS

    moved: Money | None = None
    halted: str = ""
    traded: Instrument | None = None
    agent: str = ""

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def is_urgent(self) -> bool:
        """Whether it is an exit or an owed stop: it goes first, and rings (OP-06, EX-22)."""
        return self.is_owed or (self.effect.only_reduces and not self.is_guard)

    @property
    def confirming_key(self) -> str:
        return confirming_key(self.effect, self.replaces)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position, the holder of its stop, and its covered shares.

    Attributes
    ----------
    result_in_risk
        Open profit as a multiple of the initial risk to the stop (R); None without a stop.
    stop_price, nearer_stops
        The farthest working stop, or the planned one if none works: `standing_stop` is the one that acts; and the
        others, nearest first.
    covered
        Shares that stops at the broker and market exits would close; the rest is on YOU.
    at_limit
        Shares of an exit that rests at its limit: no stop protects them.
    idle
        Orders that the broker holds but does not trade: `stop suspended`; their shares count as not covered.
    is_unread
        Whether the broker's own row of it cannot be read: the quantity there is unknown.
    unattended_until, unattended_most
        Time until which its exits need no key, UTC, and the most shares of each; None if each needs one.
    in_doubt, doubt
        Shares that unconfirmed orders would close, and their kind: `stop`, `exit`, `exit and stop`.
    has_bracket
        Whether legs that the broker created with its entry, or a pair of exits, work for it.
    held_by_others
        External orders that reserve its shares, with advice; empty if there are none.
    acts_from
        When its stops act again, UTC: the open, if extended hours are on and no stop acts; else None.
    halted
        Start and reason of an exchange halt of the symbol; empty while it trades.
    traded
        The instrument; None means a share.
    break_even
        The stop price without a loss, by the known fees; None if unknown.
    average_range
        The average true range of its symbol's minutes (ATR), USD; None before enough minutes.
    exit_waits_since
        When an exit was confirmed that waits for the broker's request limit, its stop in force; else None.
    exit_late_since
        Since when a confirmed exit waits for the cancel of its stop, if longer than a close is given; else None.
    owed, owed_since, owed_why
        Shares whose ticket named a stop and that have none in force, since when, and why (EX-22).
    is_owed_told
        Whether that lasts so long that the operator was notified.
    stop_known
        How well `stop_price` is known: a trailing stop moves at the broker between its reports.
    targets
        Where the broker takes its profit, USD, each price once.
    stop_lasts, stop_ends_at
        The shortest time in force of its stops at the broker, None without one, and the close with which a day's ends.
    holds_overnight
        Whether a stop that ended is asked for again; else its exit is staged.
    move_refusal, trail_refusal, target_refusal
        Why its stop cannot be moved, or a trailing stop or target given to it, now; None if the engine stages one.
    health
        Its age and health; each figure is a column of its own in an export.
    """

    FIRST: ClassVar = (
        *("symbol", "strategy", "quantity", "average_price", "last", "profit", "stop_price", "covered"),
        *("light", "days_held", "way_to_stop"),
    )

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
    is_owed_told: bool = True
    exit_waits_since: datetime | None = None
    exit_late_since: datetime | None = None
    targets: tuple[Price, ...] = ()
    stop_known: StopKnown = StopKnown.EXACT
    stop_lasts: TimeInForce | None = None
    stop_ends_at: datetime | None = None
    holds_overnight: bool = True
    move_refusal: GuardRefusal | None = None
    trail_refusal: GuardRefusal | None = None
    target_refusal: GuardRefusal | None = None
    health: Health = UNKNOWN_HEALTH

    @property
    def calls_a_person(self) -> bool:
        """Whether shares have had no stop for seconds and nobody decided that, or a confirmed exit waits too long."""
        is_owed = self.is_owed_told and self.owed_why is not None and self.owed_why not in NEEDS_NOBODY
        return is_owed or self.exit_late_since is not None

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def value(self) -> Money | None:
        """Return the market value, negative for a short; None without a price."""
        return None if self.last is None else self.instrument.notional(self.quantity, self.last)

    @property
    def paid(self) -> Money:
        """Return the opening cost, bought or sold short."""
        return self.instrument.notional(abs(self.quantity), self.average_price)

    @property
    def profit_fraction(self) -> Decimal | None:
        """Return open profit as a fraction of the opening cost; None if either is unknown."""
        return None if self.profit is None or not self.paid else self.profit / self.paid

    @property
    def standing_stop(self) -> Price | None:
        """Return the price at which the broker, or this desk, acts for it, USD; None if only YOU would."""
        return None if self.holder is StopHolder.YOU else self.stop_price

    @property
    def result_at_stop(self) -> Money | None:
        """Return what it makes if all of it leaves at its stop; None without one, or with nearer ones."""
        if self.stop_price is None or self.nearer_stops:
            return None
        gained = (self.stop_price - self.average_price) * (1 if self.quantity > 0 else -1)
        return self.instrument.notional(abs(self.quantity), gained)

    @property
    def unprotected(self) -> Quantity:
        """Return the shares that no order at the broker closes, nor any order in doubt."""
        return Quantity(max(abs(self.quantity) - self.covered - self.in_doubt - self.at_limit, Decimal(0)))


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of today, with the legs that it was sent with.

    `is_paired`: the broker cancels a stop with it; it is the target of a pair.

    `goes_back_in_words`: the stops that are restored if it is cancelled: `6 at 99.00`.

    `restated`: terms changed by the broker, as `stop price 510.84 → 498.00`; empty if none.

    `taken_back_at`: when an entry with an unconfirmed warning is cancelled; None if it is not.

    `beyond`: the excess of an exit over the shares left for it.

    `stop_by_desk`: the holder of the stop for its fills if only the desk provides it: sent to the broker at each fill,
    or held here; None if the broker creates it with the entry, or there is none.

    `outcome`: how it ended if its status does not tell: `CANCELLED by you`; `reason` is empty then.

    `is_entry`: it was signed to open or add, whatever its current `effect`.

    `agent`: whose draft it was; empty for every other order.

    `parent`: the entry of a protective stop, or the order that a leg was created with.

    `ends_at`: the close with which a working day order ends at the broker; None for all others, or if unknown.
    """

    FIRST: ClassVar = (
        "id",
        "symbol",
        "side",
        "quantity",
        "type",
        "limit_price",
        "stop_price",
        "status",
        "filled_quantity",
    )

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
    time_in_force: TimeInForce = TimeInForce.DAY
    agent: str = ""
    ends_at: datetime | None = None

    @property
    def can_be_cancelled_as_entry(self) -> bool:
        """Whether it works and its cancel affects no stop or exit; a replacement goes with its old order."""
        return self.is_entry and self.status.is_working and RowMark.TO_REPLACE not in self.marks

    @property
    def remaining(self) -> Quantity:
        """Return the quantity that may still fill while it works."""
        return Quantity(self.quantity - self.filled_quantity)

    @property
    def state_in_words(self) -> str:
        """Return `SUBMITTED`, `CANCELLED by you`, `REPLACED by d2733f`."""
        return self.outcome or self.status.value

    @property
    def terms(self) -> Terms:
        return self.type, self.limit_price, self.stop_price, self.trail_price, self.trail_fraction

    @property
    def marks_in_words(self) -> tuple[str, ...]:
        """Return `cancelling`, `3 more than is held`."""
        more = f"{plain(self.beyond)} {RowMark.MORE_THAN_HELD}"
        return tuple(more if mark is RowMark.MORE_THAN_HELD else str(mark) for mark in self.marks)


@dataclass(frozen=True, slots=True)
class OtherOrderRow:
    """An external order at the broker, of any kind; `words` describe it."""

    id: str
    words: str
    state: str
    may_open: bool
    is_unread: bool = False
    """It is unreadable and may open; a kill names it and leaves it."""


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A position of a kind that this desk does not trade, as the broker reports it."""

    symbol: Symbol
    asset_class: str
    quantity: Quantity
    average_price: Price


O = TypeVar("O")  # noqa: E741


@dataclass(frozen=True, slots=True)
class OrderFamily:
    """`head` is the order that its legs were created with or for; a leg whose entry is not shown is its own head.

    Attributes
    ----------
    waiting
        Legs that wait for the head's fill: they protect nothing yet, and have no other mark.
    at_work
        Legs that work, or are in flight.
    over
        Legs that ended, in order.
    """

    head: OrderRow
    waiting: tuple[OrderRow, ...] = ()
    at_work: tuple[OrderRow, ...] = ()
    over: tuple[OrderRow, ...] = ()

    @property
    def works(self) -> bool:
        return self.head.status.is_working or bool(self.waiting or self.at_work)


def first_of(order: O, parent_of: Callable[[O], ClientOrderId | None], find: Callable[[ClientOrderId], O | None]) -> O:
    """Return the root of an order's parents; the order itself if it has none, or its parent is not here."""
    parent = parent_of(order)
    found = None if parent is None else find(parent)
    return order if found is None else first_of(found, parent_of, find)


def families(rows: Sequence[OrderRow]) -> list[OrderFamily]:
    """Return working families before finished ones, by the newest of each; else in order."""
    by_id = {row.id: row for row in rows}
    kin: dict[ClientOrderId, list[OrderRow]] = {}
    for row in rows:
        head = first_of(row, lambda row: row.parent, by_id.get)
        legs = kin.setdefault(head.id, [])
        if head is not row:
            legs.append(row)
    return sorted((_family(by_id[head], legs) for head, legs in kin.items()), key=lambda family: not family.works)


def _family(head: OrderRow, legs: Sequence[OrderRow]) -> OrderFamily:
    waiting = [leg for leg in legs if leg.status.is_working and leg.marks == (RowMark.HELD,)]
    return OrderFamily(
        head,
        tuple(waiting),
        tuple(leg for leg in legs if leg.status.is_working and leg not in waiting),
        tuple(leg for leg in legs if leg.status.is_terminal),
    )


REPLACED = "REPLACED by "
"""The outcome of a replaced order; the id of its replacement follows."""


def replacement_of(rows: Sequence[OrderRow], order: OrderRow) -> OrderRow | None:
    """Return the working order that replaced it, directly or through others."""
    by_id = {row.id: row for row in rows}
    for _ in rows:
        following = by_id.get(ClientOrderId(order.outcome.removeprefix(REPLACED)))
        if following is None or following.status.is_working:
            return following
        order = following
    return None


def working_orders(rows: Sequence[OrderRow]) -> int:
    """Count the orders that work at the broker, legs included, as Orders has rows for them.

    A leg that waits for its entry, an order in doubt and one that is still to replace another do not work.
    """
    return sum(row.status.is_working and DO_NOT_WORK.isdisjoint(row.marks) for row in rows)


def doubted_orders(rows: Sequence[OrderRow]) -> int:
    """Count the orders of which it is unknown whether the broker has them; a leg in doubt counts with its entry."""
    return len({*_doubted(rows)})


def _doubted(rows: Sequence[OrderRow]) -> Iterator[ClientOrderId]:
    """Yield the head of each order in doubt; legs of an order no longer shown share a head."""
    by_id = {row.id: row for row in rows}
    for row in rows:
        if row.status.is_working and RowMark.IN_DOUBT in row.marks:
            head = first_of(row, lambda row: row.parent, by_id.get)
            yield head.parent or head.id


@dataclass(frozen=True, slots=True)
class WatchRow:
    """The current state of one symbol.

    Attributes
    ----------
    quote
        The newest believable one; None before one.
    last, last_at
        The newest known price, a minute's close or the middle of the quote, and its time; None before one.
    before
        The close of the previous session, USD; None if unknown, and then there is no change either.
    volume
        Shares of today's minutes so far.
    course
        Today's closes, one per five minutes, oldest first.
    held
        Shares, negative for a short.
    working
        Working orders of this desk in it.
    exit_waits
        Whether an exit of it waits for a key.
    proposed
        Whether an entry in it waits for a key.
    halted
        Start and reason of an exchange halt; empty while it trades.
    trouble
        Why nothing is known of it, as text; empty if something is, or may still come.
    is_polled
        Whether the stream has no room for it: it is polled, and its trading halts are not received.
    alerts
        The alerts in it, each as text.
    lists
        The lists that block its entries (RK-26).
    """

    FIRST: ClassVar = ("symbol", "last", "last_at", "before", "volume", "held")

    symbol: Symbol
    quote: Quote | None = None
    last: Price | None = None
    last_at: datetime | None = None
    before: Price | None = None
    volume: Quantity = NO_SHARES
    course: tuple[Price, ...] = ()
    held: Quantity = NO_SHARES
    working: int = 0
    exit_waits: bool = False
    proposed: bool = False
    halted: str = ""
    trouble: str = ""
    is_polled: bool = False
    alerts: tuple[str, ...] = ()
    lists: tuple[ListedSymbol, ...] = ()

    @property
    def change(self) -> Decimal | None:
        """Return the change per share since the previous close, USD."""
        return None if self.last is None or self.before is None else self.last - self.before

    @property
    def change_fraction(self) -> Decimal | None:
        return None if self.change is None or not self.before else self.change / self.before


@dataclass(frozen=True, slots=True)
class WatchlistRow:
    """A list by name, its symbols in the operator's order; one with `is_kept` False comes from the settings."""

    name: str
    symbols: tuple[Symbol, ...]
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class WatchView:
    """Every list, and a row for each symbol of any of them.

    `joined` are symbols held, ordered, proposed or with an alert that are in no list.
    """

    lists: tuple[WatchlistRow, ...] = ()
    rows: tuple[WatchRow, ...] = ()
    joined: tuple[Symbol, ...] = ()


NOTHING_WATCHED = WatchView()


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An upcoming corporate action; `is_near` means within two sessions."""

    action: CorporateAction
    is_near: bool


def near(actions: Sequence[ActionRow], symbol: Symbol) -> ActionRow | None:
    """Return the next near action of a symbol."""
    return next((row for row in actions if row.is_near and row.action.symbol == symbol), None)
