"""Desks: who sits at one, and what a confirmation says of the desk that it came from (OP-13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

DeskNumber = NewType("DeskNumber", int)
"""Which of the desks that ever attached to this account, counted by its engine from 1."""
NO_NUMBER = DeskNumber(0)
"""Of a desk that the engine has not counted yet, or does not know."""


class PaintProof(Enum):
    """How it is known that a ticket stood on the screen when its key was pressed (OP-04)."""

    ANSWERED = "answered"
    """The terminal said so."""
    TIMED = "timed"
    """It answers nothing, and had the time."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a desk stands and who is at it.

    Attributes
    ----------
    terminal
        Its device, `/dev/pts/3`. A desk without one watches: it never gets the key.
    address
        Of the machine that it came from; empty for this one.
    """

    terminal: str = ""
    user: str = ""
    address: str = ""

    @property
    def in_words(self) -> str:
        """`eve on pts/3 from 10.0.0.7`."""
        terminal = self.terminal.removeprefix("/dev/")
        parts = (self.user or "somebody", f"on {terminal}" if terminal else "", self._from)
        return " ".join(part for part in parts if part)

    @property
    def _from(self) -> str:
        return f"from {self.address}" if self.address else ""


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """What a confirmation is recorded with beside terminal and user.

    Attributes
    ----------
    hold
        Under which hold of the key its ticket was painted; each hand-over begins another.
    address
        Of the machine that the desk came from; empty for this one.
    """

    desk: DeskNumber
    hold: int
    proof: PaintProof
    address: str = ""
