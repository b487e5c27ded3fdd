"""Everything about one row, alive while it is open: Enter on it opens this, and Esc closes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from console.details.guards import protection, strategy
from console.details.order import order
from console.details.past import record, trade
from console.details.position import position
from console.details.wire import wire
from console.screens.dialog_host import DialogHost
from console.screens.reading import ReadingScreen
from core.views import DeskView
from widgets.lines import Cell, TextLine

WIRE = "wire"
"""No pane: opened from the commands."""

Telling = Callable[[DeskView, str, datetime], list[TextLine] | None]

TELLINGS: Mapping[str, tuple[str, Telling]] = {
    "positions": ("Position", position),
    "orders": ("Order", order),
    "protections": ("Protection", protection),
    "strategies": ("Strategy", strategy),
    "log": ("Record", record),
    "results": ("Trade", trade),
    WIRE: ("Orders and the broker", wire),
}
"""By pane: how its detail is called, and what tells of a row by its key."""

GONE = "no longer on the desk; as it stood last:"


class DetailScreen(ReadingScreen):
    def __init__(self, behind: DialogHost, pane: str, key: str) -> None:
        title, self.tell = TELLINGS[pane]
        super().__init__(title)
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
