"""The desk's access to files: the journal, files to write, and marks of earlier starts.

The console itself never accesses the disk; the composition root supplies this object. Each call may block and is made
in a separate thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from core.ports import OperatorError, Recorded
from core.views.results import HistoryDay


class HostFiles(Protocol):
    def why(self, order_id: str) -> Iterable[Recorded]:
        """Return the history of an order. Raises OperatorError, JournalError or OSError."""

    def explain(self, what: str) -> Iterable[str]:
        """Explain the result of a day or of an order's trade, in lines. Raises as `why` does."""

    def history(self, day: date | None) -> HistoryDay:
        """Return orders and trades of that day, or of the journal's last.

        Raises OperatorError, JournalError or OSError.
        """

    def write(self, name: str, text: str) -> str:
        """Write a new file, never over another, and return its place. Raises OperatorError or OSError."""

    def kept(self, folder: str) -> Mapping[str, str | None]:
        """Return the operator's files in that folder (presets or layouts); None if unreadable. Raises OSError."""

    def keep(self, folder: str, name: str, text: str) -> str:
        """Write or overwrite that file and return its place. Raises OperatorError or OSError."""

    def drop(self, folder: str, name: str) -> None:
        """Remove that file. Raises OperatorError or OSError."""

    def leave_press(self, *, kills: bool) -> None:
        """Leave a halt or kill for the engine that runs or starts next. Raises OperatorError or OSError."""

    def is_first_start(self) -> bool:
        """Return whether the guide was never closed here."""

    def guide_was_closed(self) -> None:
        """Do not show the guide again. Raises OSError."""

    def must_try_chord(self) -> bool:
        """Return whether real orders can be sent from here and the kill chord never arrived."""

    def chord_was_received(self) -> None:
        """Do not test the chord again. Raises OSError."""


class NoHostFiles:
    """For a desk without files, such as a replay's."""

    def why(self, order_id: str) -> Iterable[Recorded]:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {order_id}")

    def explain(self, what: str) -> Iterable[str]:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {what}")

    def history(self, day: date | None) -> HistoryDay:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {day or 'any day'}")

    def write(self, name: str, text: str) -> str:
        raise OperatorError(f"this desk keeps nothing on the disk; {name} ({len(text)} characters) was not written")

    def kept(self, _folder: str) -> Mapping[str, str | None]:
        return {}

    def keep(self, folder: str, name: str, text: str) -> str:
        words = f"{folder}/{name} ({len(text)} characters)"
        raise OperatorError(f"this desk keeps nothing on the disk; {words} was not written")

    def drop(self, folder: str, name: str) -> None:
        raise OperatorError(f"this desk keeps nothing on the disk; there is no {folder}/{name}")

    def leave_press(self, *, kills: bool) -> None:
        raise OperatorError("this desk keeps nothing on the disk")

    def is_first_start(self) -> bool:
        return False

    def guide_was_closed(self) -> None:
        """Nothing is stored."""

    def must_try_chord(self) -> bool:
        return False

    def chord_was_received(self) -> None:
        """Nothing is stored."""


NO_SURROUNDINGS = NoHostFiles()
