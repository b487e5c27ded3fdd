"""Live details of one row, opened by Enter and closed by Esc."""

from __future__ import annotations

from datetime import datetime

from console.details import Telling
from console.screens.dialog_host import DialogHost
from console.screens.reading import ReadingScreen
from core.views import DeskView
from widgets.lines import Cell, TextLine

GONE = "no longer on the desk; as it stood last:"


class DetailScreen(ReadingScreen):
    def __init__(self, behind: DialogHost, title: str, tell: Telling, key: str) -> None:
        super().__init__(title)
        self.tell = tell
        self.key = key
        self._told: list[TextLine] = []
        if behind.view is not None:
            self.update_view(behind.view, behind.engine_now())

    @property
    def tells_something(self) -> bool:
        """Whether anything is known of the row."""
        return bool(self._told)

    def update_view(self, view: DeskView, now: datetime) -> None:
        told = self.tell(view, self.key, now)
        if told is not None:
            self._told = told
        self.read(self._told if told is not None else [(Cell(GONE, "warning"),), (), *self._told])
