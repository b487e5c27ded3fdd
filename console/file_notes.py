"""What is wrong with the operator's own files, as lines of the log: no record holds it, and each is told once."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.views import DeskView, LogRow

KIND = "file"
FIRST = -1_000_001
"""The number of the first: below those of the engine's own notes."""


class FileNotes:
    """Those of this desk, since it began."""

    def __init__(self) -> None:
        self._rows: list[LogRow] = []
        self._wrong: dict[str, frozenset[str]] = {}
        self._made_of: tuple[DeskView, int] | None = None
        self._made: DeskView | None = None

    def tell(self, folder: str, faults: Sequence[str], at: datetime) -> list[str]:
        """What is wrong in a folder now. Returns those that were not at the last look: each has a line from here on."""
        known = self._wrong.get(folder, frozenset())
        self._wrong[folder] = frozenset(faults)
        news = [fault for fault in faults if fault not in known]
        self._rows += [LogRow(FIRST - len(self._rows) - n, at, KIND, text) for n, text in enumerate(news)]
        return news

    def beside(self, view: DeskView) -> DeskView:
        """The picture, with these lines in its log where their time has them."""
        if not self._rows:
            return view
        was, many = self._made_of or (None, 0)
        if self._made is None or was is not view or many != len(self._rows):
            log = list(view.log)
            for row in self._rows:
                insort(log, row, key=lambda each: each.at)
            self._made_of, self._made = (view, len(self._rows)), replace(view, log=tuple(log))
        return self._made
