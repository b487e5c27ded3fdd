"""A halt that is left for the next start: one line in the account's folder, who asks and why (SY-02).

The watchdog leaves it where it gives up. That the file is there is the request, whatever is in it. The engine takes it
away once the halt is on record, so a crash in between leaves it standing.
"""

from __future__ import annotations

import os

from core.files.regular_file import bytes_of
from state.files import replace_file
from state.folders import AccountFolder

LONGEST = 400
"""Characters of the reason that are kept."""
LARGEST = 4_000
UNREADABLE = "a request whose words cannot be read (halt.request)"


class HaltRequest:
    """Of one account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.halt_request

    def leave(self, by: str) -> None:
        """Ask the next start to halt. Raises OSError."""
        replace_file(self._path, " ".join(by.split())[:LONGEST].encode() + b"\n")

    def asked_by(self) -> str | None:
        """Who asks, and why; None where nobody does. It costs one stat while nobody does."""
        if not os.path.lexists(self._path):
            return None
        try:
            words = " ".join(bytes_of(self._path, LARGEST).decode(errors="replace").split())
        except OSError:
            return UNREADABLE
        return words[:LONGEST] or UNREADABLE

    def take(self) -> None:
        """It is on record. Raises OSError."""
        try:
            self._path.unlink()
        except IsADirectoryError:
            self._path.rmdir()
