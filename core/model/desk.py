"""Desks with their seats, the senders of commands, and the name of an installation (OP-13, EX-04)."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from hashlib import sha256
from typing import NewType

from core.model.lazy_dataclass import dataclass

DeskNumber = NewType("DeskNumber", int)
"""Number of a desk, counted by the account's engine from 1."""
NO_NUMBER = DeskNumber(0)
"""For a desk that the engine has not numbered yet, or does not know."""


class PaintProof(Enum):
    """How it is proven that a ticket was on the screen when its key was pressed (OP-04)."""

    ANSWERED = "answered"
    """The terminal confirmed it."""
    TIMED = "timed"
    """The terminal does not answer, and had enough time."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Location and user of a desk.

    Attributes
    ----------
    terminal
        Its device, `/dev/pts/3`. A desk without one only watches: it never gets control.
    address
        Address of its machine; empty for this one.
    """

    terminal: str = ""
    user: str = ""
    address: str = ""

    @property
    def in_words(self) -> str:
        """As in `eve on pts/3 from 10.0.0.7`."""
        terminal = self.terminal.removeprefix("/dev/")
        parts = (self.user or "somebody", f"on {terminal}" if terminal else "", self._from)
        return " ".join(part for part in parts if part)

    @property
    def _from(self) -> str:
        return f"from {self.address}" if self.address else ""


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """Record of a confirmation beside terminal and user.

    Attributes
    ----------
    hold
        Number of the control period in which its ticket was painted; each hand-over begins another.
    address
        Address of the desk's machine; empty for this one.
    """

    desk: DeskNumber
    hold: int
    proof: PaintProof
    address: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """The port that a command came through, with terminal and user.

    Attributes
    ----------
    terminal, user
        Recorded with each confirmation (OP-13); empty if there is no operator.
    token
        Secret of its port: the engine knows only its digest. It is never written anywhere.
    is_script
        Whether it is a script's, which is accepted on the simulated exchange alone.
    """

    terminal: str
    user: str
    token: bytes = field(repr=False)
    is_script: bool = False


def seat_of(sender: Sender | None) -> tuple[str, str]:
    """Return terminal and user, as a confirmation records them."""
    return ("", "") if sender is None else (sender.terminal, sender.user)


MARK = "+"
"""Separates an installation's first name from a later suffix."""


def renamed(name: str, *causes: bytes) -> str:
    """Return a new name, derived from its causes, with which no order id was ever hashed.

    Manual orders and changes count from one again, or from an older folder's count; under the old name their ids could
    repeat ids that the broker has for other orders.
    """
    told = sha256(b"\x1f".join((name.encode(), *causes))).hexdigest()
    return f"{name.partition(MARK)[0]}{MARK}{told[:12]}"
