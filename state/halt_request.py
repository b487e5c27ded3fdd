"""A halt left for the next start: one line in the account's folder with requester and reason (SY-02).

The watchdog writes it when it gives up. The file's existence is the request, with any content. The engine removes it
once the halt is recorded, so that it survives a crash in between.
"""

from __future__ import annotations

import os

from core.files.regular_file import bytes_of
from state.files import replace_file
from state.folders import AccountFolder

LONGEST = 400
"""The maximum length of the kept reason."""
LARGEST = 4_000
UNREADABLE = "a request whose words cannot be read (halt.request)"


class HaltRequest:
    """The halt request of one account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.halt_request

    def leave(self, by: str) -> None:
        """Ask the next start to halt. Raises OSError."""
        replace_file(self._path, " ".join(by.split())[:LONGEST].encode() + b"\n")

    def asked_by(self) -> str | None:
        """Return requester and reason, or None without a request, which costs one stat."""
        if not os.path.lexists(self._path):
            return None
        try:
            words = " ".join(bytes_of(self._path, LARGEST).decode(errors="replace").split())
        except OSError:
            return UNREADABLE
        return words[:LONGEST] or UNREADABLE

    def take(self) -> None:
        """Remove the request after the halt was recorded. Raises OSError."""
        try:
            self._path.unlink()
        except IsADirectoryError:
            self._path.rmdir()
