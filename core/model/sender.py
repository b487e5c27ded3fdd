"""Who sent a command that opens or loosens something."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sender:
    """The door that a command came through, and who stood there.

    Attributes
    ----------
    terminal, user
        What is recorded with each confirmation (OP-13); empty where nobody sits at one.
    token
        Its door's alone: the engine knows no more than its digest. It is never written anywhere.
    """

    terminal: str
    user: str
    token: bytes = field(repr=False)


def seat_of(sender: Sender | None) -> tuple[str, str]:
    """Terminal and user, as a confirmation records them."""
    return ("", "") if sender is None else (sender.terminal, sender.user)
