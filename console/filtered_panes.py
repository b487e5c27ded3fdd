"""Panes with a filter: the log, and the history by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from textual import events
from textual.message import Message

from console.keymap import KEYS, KeyScope, bindings_for
from console.screens.form import ERASE, LONGEST, one_line, text_of
from core.model.text_sanitizer import WARN
from core.model.values import Symbol
from core.views import DeskView, LogRow, OrderRow
from core.views.results import HistoryDay, HistoryRow
from widgets import format as f
from widgets.history import History, in_words
from widgets.log import Log, LogLine, folded
from widgets.pane import Pane

TYPED = {name for key in KEYS if key.place is KeyScope.FILTER for name in key.keys.split(",")}


class WriteShown(Message):
    """The operator asked to write the pane's content to a file with this name prefix."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name = name
        self.text = text


class FilteredPane(Pane):
    """Mixin before the filtered pane; `is_typing` while letters go to the filter."""

    filter = ""
    is_typing = False
    takes_any_script = True
    """The log has reasons, names and headlines."""

    def fill(self) -> None:
        """Show the rows that match."""
        raise NotImplementedError

    def passes(self, text: str) -> bool:
        """Return whether the text has every word of the filter, in any order."""
        return all(word in text.casefold() for word in self.filter.casefold().split())

    def filter_note(self, shown: int, count: int) -> str:
        """Return the note in the lower edge; empty without a filter."""
        keys = f"{'Enter keeps it  ' if self.is_typing else ''}Esc clears it  {shown} of {count}"
        cursor = "▏" if self.is_typing else ""
        return f"/ {self.filter}{cursor}  {keys}" if self.filter or self.is_typing else ""

    def take(self, event: events.Key) -> bool:
        """Return whether the key was for the filter; the kill chord and scroll keys never are."""
        character = text_of(event, self.takes_any_script)
        if event.key not in TYPED and event.key != ERASE and not character:
            return False
        if event.key == "enter":
            self.end_typing()
        elif event.key == "escape":
            self.action_clear_filter()
        elif event.key == ERASE:
            self._filter(self.filter[:-1])
        elif event.key == "ctrl+u":
            self._filter("")
        else:
            self._filter(self.filter + (character or ""))
        return True

    def paste(self, text: str) -> None:
        self._filter(self.filter + one_line(text))

    def end_typing(self) -> None:
        """Keep the filter; letters are commands again."""
        self.is_typing = False
        self._fill_anew()

    def write(self, name: str, lines: Iterable[str]) -> None:
        """Write these lines to a new file, below the filter."""
        head = [f"lines with: {self.filter}"] if self.filter else []
        self.post_message(WriteShown(name, "\n".join([*head, *lines]) + "\n"))

    def _filter(self, text: str) -> None:
        self.filter = text[:LONGEST]
        self._fill_anew()

    def _fill_anew(self) -> None:
        """Apply the filter; if the selected row is filtered out, select the first."""
        self.fill()
        rows = self.grid.window.rows
        if self.grid.selected is None and rows:
            self.grid.select(rows[0].key)

    def on_descendant_blur(self) -> None:
        if self.is_typing:
            self.end_typing()

    def action_filter(self) -> None:
        self.is_typing = True
        self.fill()

    def action_clear_filter(self) -> None:
        self.filter = ""
        self.end_typing()


class LogPane(FilteredPane, Log):
    BINDINGS = bindings_for(KeyScope.LOG)

    def __init__(self) -> None:
        super().__init__()
        self._all: Sequence[LogLine] = ()
        self._made_of: tuple[Sequence[LogRow], Sequence[OrderRow]] | None = None
        self._now: datetime | None = None

    def show(self, view: DeskView, now: datetime) -> None:
        self._now = now
        if self._made_of != (view.log, view.orders):
            self._made_of = view.log, view.orders
            self._all = folded(view.log, view.orders)
        self.fill()

    def fill(self) -> None:
        shown, count = self.shown(), len(self._all)
        self.show_rows(shown, self._now, count if self.filter else None)
        self.note(self.filter_note(len(shown), count))

    def shown(self) -> list[LogLine]:
        """Return the lines with every word of the filter; an order matches by any step of its life."""
        return [line for line in self._all if self.passes(line.words)]

    def symbol_of(self, key: str) -> Symbol | None:
        """Return the symbol of the line; None while the end is followed, because nobody selected it."""
        if self.grid.follows:
            return None
        line = next((line for line in self._all if str(line.row.sequence) == key), None)
        return None if line is None else line.row.symbol

    def on_grid_moved(self) -> None:
        """Update the frame, which says whether the end is followed."""
        self.fill()

    def action_follow(self) -> None:
        self.follow()
        self.fill()

    def action_write(self) -> None:
        """Write the lines, the newest last, below the filter."""
        self.write("log", [_written(line) for line in self.shown()])


def _written(line: LogLine) -> str:
    """Return the line with its day, its level if not plain, and the whole order id."""
    row = line.row
    said = f"{WARN}: {row.text}" if row.level == WARN else row.text
    order = "" if line.order is None else f"  {line.order}"
    return f"{row.at:%Y-%m-%d} {f.clock(row.at)} {f.PLACE}  {row.kind:<9} {said}{order}"


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
        """Turn the order, and go to its first row: the selected one may stand far from the worst."""
        self.worst_first = not self.worst_first
        self.fill()
        self.grid.action_first()


def _words(row: HistoryRow) -> str:
    """Return the text that a filter searches."""
    return f"{row.kind} {row.symbol} {row.strategy} {row.text} {row.order} source:{row.strategy}"
