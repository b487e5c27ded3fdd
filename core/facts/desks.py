"""Desks attach and leave, and take control (OP-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts.registry import Fact, fact
from core.model.codes import KeyEnd
from core.model.desk import DeskNumber, Seat


@fact()
@dataclass(frozen=True, slots=True)
class DesksServed(Fact):
    """Attendance counts from here on, until the engine ends: without a desk the engine is unattended (RK-27)."""


@fact()
@dataclass(frozen=True, slots=True)
class AbsenceEnded(Fact):
    """A desk attached to an unattended engine: totals of the time in between (RK-27).

    Attributes
    ----------
    since
        When the last desk was gone, or the engine was first served.
    fills, exits
        Executions, and reducing orders recorded for sending, without protective stops.
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
    """A desk attached.

    Attributes
    ----------
    is_back
        It attached before, and kept its number.
    by_itself
        It reattached automatically, to this engine or another, without a key press.
    """

    desk: DeskNumber
    seat: Seat
    is_back: bool = False
    by_itself: bool = False


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class CommandGiven(Fact):
    """A key at this desk sent a command, recorded by the command's name; `DeskAttached` has the desk's seat (OP-13).

    Its result follows. A key on a ticket or a basket has its desk in its own fact.
    """

    desk: DeskNumber
    command: str


@fact()
@dataclass(frozen=True, slots=True)
class DeskLeft(Fact):
    """A desk left on purpose. Its control is released at once."""

    desk: DeskNumber


@fact()
@dataclass(frozen=True, slots=True)
class DeskLost(Fact):
    """A desk's link failed. `key_until` is how long its control is reserved, disarmed; None if it had no control."""

    desk: DeskNumber
    key_until: datetime | None = None


@fact()
@dataclass(frozen=True, slots=True)
class KeyTaken(Fact):
    """This desk took control: only it opens tickets and confirms from here on; tickets open before are closed.

    Attributes
    ----------
    hold
        Grows by one with each of these, over restarts too: no confirmation is valid under another.
    before
        The desk that had control; None if none had.
    was_active
        Whether that desk had sent anything in the last minute, or its control was reserved: then the word was typed.
    """

    desk: DeskNumber
    hold: int
    before: DeskNumber | None = None
    was_active: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KeyFreed(Fact):
    """No desk has control."""

    desk: DeskNumber
    end: KeyEnd
