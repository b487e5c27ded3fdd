"""Differences between our books and the broker's (EX-09): one per line, as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from core.model.values import Symbol

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
    "a split is named and left to a person",
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
    DifferenceKind.ACTIVITY_DIFFERS: "named, and left to a person: what was recorded first stays",
    DifferenceKind.CASH_DIFFERS: "named with the activities of the time, and left to a person",
}
"""Actions within the limits; beyond them the operator decides first."""


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
