"""Faults in the operator's files, as log lines; they are not in the journal, and each appears once."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.views import DeskView, LogRow

KIND = "file"
FIRST = -1_000_001
"""Number of the first line, below those of the engine's notes."""


class FileNotes:
    """The faults found since this desk started."""

    def __init__(self) -> None:
        self._rows: list[LogRow] = []
        self._wrong: dict[str, frozenset[str]] = {}
        self._made_of: tuple[DeskView, int] | None = None
        self._made: DeskView | None = None

    def tell(self, folder: str, faults: Sequence[str], at: datetime) -> list[str]:
        """Set the faults of a folder; return the new ones, which get a line each."""
        known = self._wrong.get(folder, frozenset())
        self._wrong[folder] = frozenset(faults)
        news = [fault for fault in faults if fault not in known]
        self._rows += [LogRow(FIRST - len(self._rows) - n, at, KIND, text) for n, text in enumerate(news)]
        return news

    def beside(self, view: DeskView) -> DeskView:
        """Return the view with these lines in its log, ordered by time."""
        if not self._rows:
            return view
        was, many = self._made_of or (None, 0)
        if self._made is None or was is not view or many != len(self._rows):
            log = list(view.log)
            for row in self._rows:
                insort(log, row, key=lambda each: each.at)
            self._made_of, self._made = (view, len(self._rows)), replace(view, log=tuple(log))
        return self._made
