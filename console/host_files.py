"""What lies around the desk on the disk: the journal that explains, files to write, whether anybody was here before.

The console never touches the disk itself; the composition root hands this in. Each call may wait for a disk and is made
in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from core.ports import OperatorError, Recorded
from core.views.history import HistoryDay


class HostFiles(Protocol):
    def why(self, order_id: str) -> Iterable[Recorded]:
        """The chain of an order. Raises OperatorError, JournalError or OSError."""

    def explain(self, what: str) -> Iterable[str]:
        """Why a day, or the trade that an order closed, made what it made, in lines. Raises as `why` does."""

    def history(self, day: date | None) -> HistoryDay:
        """Orders and trades of that day, or of the journal's last. Raises OperatorError, JournalError or OSError."""

    def write(self, name: str, text: str) -> str:
        """Writes a new file, never over another, and says where it is. Raises OperatorError or OSError."""

    def kept(self, folder: str) -> Mapping[str, str | None]:
        """The operator's files in that folder, presets or layouts; None is one that cannot be read. Raises OSError."""

    def keep(self, folder: str, name: str, text: str) -> str:
        """Writes that file, over one that is there, and says where it is. Raises OperatorError or OSError."""

    def drop(self, folder: str, name: str) -> None:
        """Removes that file. Raises OperatorError or OSError."""

    def leave_press(self, *, kills: bool) -> None:
        """A halt or a kill that no engine heard, for the one that runs or starts. Raises OperatorError or OSError."""

    def is_first_start(self) -> bool:
        """Whether nobody has closed the guide here yet."""

    def guide_was_closed(self) -> None:
        """It is not shown again. Raises OSError."""

    def must_try_chord(self) -> bool:
        """Whether real orders can leave from here and the kill chord was never seen to arrive."""

    def chord_was_received(self) -> None:
        """It is not asked for again. Raises OSError."""


class NoHostFiles:
    """A desk that keeps nothing on the disk: a replay's."""

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
        """Nothing is remembered."""

    def must_try_chord(self) -> bool:
        return False

    def chord_was_received(self) -> None:
        """Nothing is remembered."""


NO_SURROUNDINGS = NoHostFiles()
