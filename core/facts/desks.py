"""Desks that attach and leave, and which of them holds the key (OP-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts.registry import Fact, fact
from core.model.codes import KeyEnd
from core.model.desk import DeskNumber, Seat


@fact()
@dataclass(frozen=True, slots=True)
class DesksServed(Fact):
    """From here on, until the engine ends, who attends counts: without a desk nobody does (RK-27)."""


@fact()
@dataclass(frozen=True, slots=True)
class AbsenceEnded(Fact):
    """A desk attached where none was: what happened in between, in sum (RK-27).

    Attributes
    ----------
    since
        When the last desk was gone, or the engine began to be served.
    fills, exits
        Executions, and orders that only reduce and were written to be sent; protective stops aside.
    cancelled
        Entries that rested for too long.
    shadows
        Proposals of strategies that were only followed.
    """

    since: datetime
    fills: int = 0
    exits: int = 0
    cancelled: int = 0
    shadows: int = 0
    halts: int = 0


@fact()
@dataclass(frozen=True, slots=True)
class DeskAttached(Fact):
    """A desk watches from here on.

    Attributes
    ----------
    is_back
        It is one that attached before, and kept its number.
    by_itself
        It was attached before, to this engine or to another: nobody pressed a key for it.
    """

    desk: DeskNumber
    seat: Seat
    is_back: bool = False
    by_itself: bool = False


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class CommandGiven(Fact):
    """A key at this desk asked for it, by the command's name; `DeskAttached` has the desk's seat (OP-13).

    What came of it stands behind it. A key on a ticket or a basket has its desk in its own fact.
    """

    desk: DeskNumber
    command: str


@fact()
@dataclass(frozen=True, slots=True)
class DeskLeft(Fact):
    """It left on purpose. What it held is free at once."""

    desk: DeskNumber


@fact()
@dataclass(frozen=True, slots=True)
class DeskLost(Fact):
    """Its link died. `key_until` is how long the key is kept for it, disarmed; None where it did not hold it."""

    desk: DeskNumber
    key_until: datetime | None = None


@fact()
@dataclass(frozen=True, slots=True)
class KeyTaken(Fact):
    """This desk alone opens tickets and confirms from here on; what was open before is closed.

    Attributes
    ----------
    hold
        Grows by one with each of these, over restarts too: no confirmation is good under another.
    before
        Who held it; None where nobody did.
    was_active
        Whether that one had sent anything in the last minute, or the key was kept for it: then the word was typed.
    """

    desk: DeskNumber
    hold: int
    before: DeskNumber | None = None
    was_active: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KeyFreed(Fact):
    """Nobody holds the key."""

    desk: DeskNumber
    end: KeyEnd
