"""The sender of a command that opens or loosens something."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sender:
    """The port that a command came through, with terminal and user.

    Attributes
    ----------
    terminal, user
        Recorded with each confirmation (OP-13); empty if there is no operator.
    token
        Secret of its port: the engine knows only its digest. It is never written anywhere.
    """

    terminal: str
    user: str
    token: bytes = field(repr=False)


def seat_of(sender: Sender | None) -> tuple[str, str]:
    """Return terminal and user, as a confirmation records them."""
    return ("", "") if sender is None else (sender.terminal, sender.user)
