"""The broker's activities, and differences between our books and the broker's (EX-09, AN-06)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import NewType

from core.model.account import Account
from core.model.broker import BrokerPosition, Execution
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.text_sanitizer import foreign
from core.model.values import CENT, NO_MONEY, ZERO, BrokerOrderId, Money, Price, Quantity, Symbol

# ── activities ───────────────────────────────────────────────────────────────────────────────────────────────────────
# Account activities beside orders, and the scripted events of the simulated exchange.
#
# Account activities beside orders, as the broker reports them: fees, dividends, interest, transfers, splits (EX-09).
# Each activity has a unique id from the broker. Only the parsed fields are used; its text is for people, and no
# decision reads it.
#
# 2026-01-07 dividend SPY 0.25; 2026-01-09 interest 0.12; 2026-01-12 split SPY 2:1; 2026-01-14 transfer 500; 2026-01-15
# fee -0.35; 2026-01-16 shares SPY 10 at 101.50

ActivityId = NewType("ActivityId", str)
LONGEST_WORDS = 160


class ActivityKind(Enum):
    """The kind of activity. A kind without a name here is `OTHER`, with the broker's name for it in `words`."""

    FEE = "fee"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    TRANSFER = "transfer"
    """Of cash, in above zero."""
    SHARES = "shares"
    """A transfer of shares, in above zero."""
    SPLIT = "split"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity, not a fill.

    Attributes
    ----------
    day
        The broker's own date of it.
    amount
        Cash that it moved, USD, in above zero; zero if none.
    quantity
        Shares that it moved, in above zero, or that it was paid for; None if it names none.
    price
        USD a share of the moved shares; None if not reported.
    rate
        USD a share that it was paid for; None if not reported.
    """

    id: ActivityId
    day: date
    kind: ActivityKind
    amount: Money = NO_MONEY
    symbol: Symbol | None = None
    quantity: Quantity | None = None
    price: Price | None = None
    rate: Price | None = None
    words: str = ""

    @property
    def by_its_figures(self) -> Money | None:
        """Rate times shares, to the cent; None if it does not name both."""
        if self.rate is None or self.quantity is None:
            return None
        return Money((self.rate * self.quantity).quantize(CENT, ROUND_HALF_UP))

    @property
    def moves_shares(self) -> bool:
        return self.quantity is not None and self.kind in (ActivityKind.SHARES, ActivityKind.OTHER)


@dataclass(frozen=True, slots=True)
class BrokerFill:
    """An execution as the broker's list of activities has it."""

    execution: Execution
    broker_order_id: BrokerOrderId
    symbol: Symbol
    side: Side


@dataclass(frozen=True, slots=True)
class UnreadableActivity:
    """An activity that could not be read; `id` is None if not even the id could be."""

    id: ActivityId | None
    reason: str


@dataclass(frozen=True, slots=True)
class DropCopy:
    """The broker's activities from a day on, and the account as it was at the same time.

    Attributes
    ----------
    since
        The first day of it.
    positions
        The held positions, for a split that our books do not know yet.
    """

    since: date
    account: Account
    positions: tuple[BrokerPosition, ...]
    fills: tuple[BrokerFill, ...]
    activities: tuple[Activity, ...]
    unreadable: tuple[UnreadableActivity, ...] = ()


def in_order(activities: Iterable[Activity]) -> list[Activity]:
    """Sort by day, then by id, whatever the broker's order."""
    return sorted(activities, key=lambda one: (one.day, one.id))


def harmless(words: str) -> str:
    """Make external text safe for a log line: without marks of the desk, and not too long."""
    return foreign(words[:LONGEST_WORDS])[:LONGEST_WORDS]


NUMBER = r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?"
FORMS: dict[ActivityKind, str] = {
    ActivityKind.DIVIDEND: rf"(?P<symbol>[A-Z.]+) (?P<number>{NUMBER})",
    ActivityKind.INTEREST: rf"(?P<number>{NUMBER})",
    ActivityKind.FEE: rf"(?P<number>{NUMBER})",
    ActivityKind.TRANSFER: rf"(?P<number>{NUMBER})",
    ActivityKind.SPLIT: r"(?P<symbol>[A-Z.]+) (?P<number>[0-9]{1,4}):(?P<other>[0-9]{1,4})",
    ActivityKind.SHARES: rf"(?P<symbol>[A-Z.]+) (?P<number>{NUMBER}) at (?P<other>{NUMBER})",
}


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event, at the beginning of its day.

    Attributes
    ----------
    number
        USD of cash; USD a share of a dividend; new shares of a split; transferred shares.
    other
        Old shares of a split; USD a share of transferred shares; zero otherwise.
    """

    day: date
    kind: ActivityKind
    number: Decimal
    symbol: Symbol | None = None
    other: Decimal = ZERO


def read_events(text: str) -> tuple[AccountEvent, ...]:
    """Parse the script, sorted by day. Raises ValueError with the text that cannot be read."""
    events = [_event(words.strip()) for words in text.split(";") if words.strip()]
    return tuple(sorted(events, key=lambda event: event.day))


def _kind(words: str) -> tuple[ActivityKind, re.Match[str]]:
    for kind, form in FORMS.items():
        if (
            found := re.fullmatch(rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) {kind.value} {form}", words)
        ) is not None:
            return kind, found
    raise ValueError(f"{words!r} is no event: try 2026-01-07 dividend SPY 0.25, or split SPY 2:1")


def _event(words: str) -> AccountEvent:
    kind, found = _kind(words)
    parts = found.groupdict()
    number, other = Decimal(parts["number"]), Decimal(parts.get("other") or 0)
    if kind is ActivityKind.SPLIT and not (number and other):
        raise ValueError(f"{words!r}: a split is of so many new shares for so many old ones")
    symbol = Symbol(parts["symbol"]) if "symbol" in parts else None
    return AccountEvent(date.fromisoformat(parts["day"]), kind, number, symbol, other)


# ── reconciliation ───────────────────────────────────────────────────────────────────────────────────────────────────

NO_SYMBOL = Symbol("?")
"""For a broker's row without a readable symbol."""


class DifferenceKind(Enum):
    """The kind of difference."""

    MISSING_LOCAL = "missing_local"
    """The broker holds a position that our books do not have."""
    MISSING_BROKER = "missing_broker"
    """Our books have a position that the broker does not hold."""
    QUANTITY_MISMATCH = "quantity_mismatch"
    UNKNOWN_ORDER = "unknown_order"
    """An order works at the broker that this desk never sent."""
    UNREADABLE_ORDER = "unreadable_order"
    """An order works at the broker and cannot be read; it is ours if `local` names it."""
    UNREADABLE_POSITION = "unreadable_position"
    """The broker holds a symbol with an unreadable quantity or side."""
    ORPHANED_ORDER = "orphaned_order"
    """An order works in our books that the broker once accepted and no longer lists."""
    FOREIGN_ORDER = "foreign_order"
    """An order works at the broker of a kind that this desk never sends."""
    FOREIGN_POSITION = "foreign_position"
    """The account has a holding of a kind that this desk does not trade."""
    HELD_OVER = "held_over"
    """A strategy that is to be flat by the close holds a position over it."""
    FILL_MISSING_LOCAL = "fill_missing_local"
    """The broker lists an execution that the journal does not have."""
    FILL_MISSING_BROKER = "fill_missing_broker"
    """The journal has an execution that the broker does not list."""
    FILL_DIFFERS = "fill_differs"
    """Both have it, with another quantity, price or side."""
    ACTIVITY_DIFFERS = "activity_differs"
    """An activity contradicts its own figures, or an earlier report of it."""
    CASH_DIFFERS = "cash_differs"
    """The account's cash differs from the result of fills and activities."""


OF_ACTIVITIES = frozenset(
    {
        DifferenceKind.FILL_MISSING_LOCAL,
        DifferenceKind.FILL_MISSING_BROKER,
        DifferenceKind.FILL_DIFFERS,
        DifferenceKind.ACTIVITY_DIFFERS,
        DifferenceKind.CASH_DIFFERS,
    }
)
"""Kinds that only the daily comparison of activities finds."""

ERRORS = frozenset(
    {
        DifferenceKind.MISSING_BROKER,
        DifferenceKind.HELD_OVER,
        DifferenceKind.UNREADABLE_POSITION,
        *OF_ACTIVITIES,
    }
)
"""Kinds that are errors of any size: the desk's belief about its holdings or sales is wrong."""

ONLY_SHOWN = frozenset({DifferenceKind.FOREIGN_ORDER, DifferenceKind.FOREIGN_POSITION})
"""Kinds that do not make the books differ: this desk keeps no record of them."""

DONE_ABOUT: Mapping[DifferenceKind, str] = {
    DifferenceKind.MISSING_LOCAL: "taken over from the broker's books, as nobody's in particular",
    DifferenceKind.MISSING_BROKER: "taken off our books",
    DifferenceKind.QUANTITY_MISMATCH: "the broker's quantity is taken over, each owner keeps its stop; "
    "a split moves all owners' shares at the same cost, and ends stops from before it; one that was announced with "
    "another ratio is left to a person",
    DifferenceKind.UNKNOWN_ORDER: "shown, and left alone",
    DifferenceKind.UNREADABLE_ORDER: "named and left alone; nothing opens in its symbol, or in any where it names "
    "none; one of ours stays as our books have it",
    DifferenceKind.UNREADABLE_POSITION: "our books keep theirs, nothing of it is corrected or sent again, and nothing "
    "opens anywhere; exits and stops of other symbols go on",
    DifferenceKind.ORPHANED_ORDER: "looked up by our own id until the broker says what became of it",
    DifferenceKind.FOREIGN_ORDER: "shown, and left alone; a kill takes back what could open",
    DifferenceKind.FOREIGN_POSITION: "shown, and left alone: no stop, no price and no risk of it is kept here",
    DifferenceKind.HELD_OVER: "an exit is staged, and staged again while it is held",
    DifferenceKind.FILL_MISSING_LOCAL: "named; the comparison of the books has taken the position over",
    DifferenceKind.FILL_MISSING_BROKER: "named, and left to a person: our books keep it",
    DifferenceKind.FILL_DIFFERS: "named, and left to a person: our books keep theirs",
    DifferenceKind.ACTIVITY_DIFFERS: (
        "named, and left to a person: what was recorded first stays; what a fee changed by counts on its day"
    ),
    DifferenceKind.CASH_DIFFERS: "named with the activities of the time, and left to a person",
}
"""Actions within the limits; beyond them the operator decides first."""


ACCEPTABLE = frozenset(
    {
        DifferenceKind.MISSING_LOCAL,
        DifferenceKind.MISSING_BROKER,
        DifferenceKind.QUANTITY_MISMATCH,
        DifferenceKind.UNKNOWN_ORDER,
    }
)
"""Kinds that accepting the broker's books ends."""
ACCEPT = "BROKER"
"""The typed word that accepts the broker's books."""
APART = timedelta(seconds=10)
"""Time between two readings of the broker's books that prove shares or fills missing, and after a fill before any."""
LAGS = timedelta(minutes=1)
"""Age up to which a fill of ours may be missing from the broker's list of positions."""
LISTS_ALL = timedelta(days=6)
"""Time for which a broker surely lists each order that ended: a list reaches back seven days."""
EXPLAINED_WITHIN = timedelta(seconds=60)
"""How long an order on its way may explain a difference, over at least two comparisons."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes
    ----------
    local, broker
        Our books' and the broker's version, as text; None if one has nothing.
    note
        An explanation, or the action taken; may be empty.
    """

    kind: DifferenceKind
    symbol: Symbol
    local: str | None
    broker: str | None
    note: str = ""

    @property
    def is_error(self) -> bool:
        return self.kind in ERRORS

    @property
    def hides_what_is_held(self) -> bool:
        """Whether an unreadable row may hide a position: one of a position, or of our order, which may have filled."""
        is_ours = self.kind is DifferenceKind.UNREADABLE_ORDER and self.local is not None
        return is_ours or self.kind is DifferenceKind.UNREADABLE_POSITION

    @property
    def in_words(self) -> str:
        said = f"{self.symbol}: the broker has {self.broker or 'nothing'}, our books had {self.local or 'nothing'}"
        if self.kind is DifferenceKind.HELD_OVER:  # both agree on it
            said = f"{self.symbol}: {self.local}"
        level = "ERROR " if self.is_error else ""
        return f"{level}{self.kind.value} {said}" + (f"; {self.note}" if self.note else "")
