"""The history pane with its filter and days. It requests a day when it is visible, and again after changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from textual.message import Message

from console.filtered_pane import FilteredPane
from console.keymap import KeyScope, bindings_for
from core.views import DeskView
from core.views.results import HistoryDay, HistoryRow
from widgets import format as f
from widgets.history import History, in_words

LOOK = "history"
"""Its action: load the day given by the key, or the last day if that is empty."""

AGAIN = timedelta(seconds=10)
"""Time between two loads of the current day."""


class HistoryPane(FilteredPane, History):
    BINDINGS = bindings_for(KeyScope.HISTORY)

    class Explained(Message):
        """The operator asked for the explanation of this day."""

        def __init__(self, day: date) -> None:
            super().__init__()
            self.day = day

    def __init__(self, want: Callable[[str, str | None], None]) -> None:
        super().__init__()
        self.want = want
        self._chosen: date | None = None
        """None is the last day."""
        self._asked_for: tuple[object, ...] = ()
        self._looked_at: datetime | None = None
        self._steps: list[int] = []
        """Days turned before the first one was loaded."""

    def show(self, view: DeskView, now: datetime) -> None:
        """Request the day if the pane is visible.

        The last day is loaded again only after orders or trades changed, because a day's journal is long.
        """
        ended = sum(row.status.is_terminal for row in view.orders)
        told = (len(view.orders), ended, len(view.trades)) if self._chosen is None else ()
        is_due = self._looked_at is None or now - self._looked_at >= AGAIN
        if self.display and is_due and self._asked_for != (self._chosen, told):
            self._asked_for, self._looked_at = (self._chosen, told), now
            self.want(LOOK, "" if self._chosen is None else self._chosen.isoformat())

    def take_day(self, day: HistoryDay) -> None:
        """Take a loaded day; one that is no longer requested is ignored."""
        if self._chosen in (None, day.day):
            self.day = day
            self.fill()
        steps, self._steps = self._steps, []
        for step in steps:
            self.action_turn(step)

    def row_of(self, key: str) -> HistoryRow | None:
        return next((row for row in self._rows() if row.key == key), None)

    def fill(self) -> None:
        rows = self._rows()
        shown = self._shown()
        self.show_rows(self.in_order(shown), bool(self.filter))
        self.note(self.filter_note(len(shown), len(rows)))

    def _shown(self) -> list[HistoryRow]:
        """Return the rows that match the filter."""
        return [row for row in self._rows() if self.passes(_words(row))]

    def _rows(self) -> tuple[HistoryRow, ...]:
        return () if self.day is None else self.day.rows

    def action_turn(self, step: int) -> None:
        """Turn to the previous or next day of the journal; steps before the first load are kept."""
        if self.day is None:
            self._steps.append(step)
            return
        days = self.day.days
        if not days:
            return
        asked = days.index(self._chosen) if self._chosen in days else len(days) - 1
        if not 0 <= asked + step < len(days) and days[asked] == self.day.day:
            end = "first" if step < 0 else "last"
            self.note(f"this is the {end} day of the journal")
            return
        turned = days[min(max(asked + step, 0), len(days) - 1)]
        if turned != self.day.day or turned != days[asked]:
            self._chosen = None if turned == days[-1] else turned
            self._asked_for = (self._chosen, ())
            self.want(LOOK, turned.isoformat())

    def action_follow(self) -> None:
        """Return to the last day, which keeps growing."""
        if self.day is None or self._chosen is None:
            return
        self._chosen = None
        self._asked_for = (None, ())
        self.want(LOOK, "")

    def action_write(self) -> None:
        """Write the rows in their order, below their day."""
        if self.day is not None:
            head = f"orders and trades of {self.day.day.isoformat()}, times of {f.PLACE}"
            self.write(f"history-{self.day.day.isoformat()}-of", [head, *map(in_words, self.in_order(self._shown()))])

    def action_explain_day(self) -> None:
        if self.day is not None and self.day.days:
            self.post_message(self.Explained(self.day.day))

    def action_worst(self) -> None:
        self.worst_first = not self.worst_first
        self.fill()


def _words(row: HistoryRow) -> str:
    """Return the text that a filter searches."""
    return f"{row.kind} {row.symbol} {row.strategy} {row.text} {row.order} source:{row.strategy}"
