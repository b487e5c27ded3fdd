"""Records of the journal: an order's history (`w` in Orders), and the explanation of a trade or day (History).

`Enter` and `e` in History open the explanation. The journal is read in a separate thread, so that a slow disk does not
block keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.worker import get_current_worker

from console.details import WIDTH
from console.screens.reading import ReadingScreen
from core.ports import JournalError, OperatorError, Recorded
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

READING = "reading the journal…"
BEFORE = 20
"""Cells of time and kind before the text of a record."""


class JournalScreen(ReadingScreen):
    """`tell` reads the journal in a thread and returns the lines."""

    def __init__(self, title: str, tell: Callable[[], list[TextLine]]) -> None:
        super().__init__(title)
        self.tell = tell
        self.read([(Cell(READING, "strong"),)])

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        try:
            lines = self.tell()
        except (OperatorError, JournalError, OSError) as error:
            lines = wrapped("", f"the journal could not be read: {error}", WIDTH, "warning")
        if not worker.is_cancelled:
            self.app.call_from_thread(self.read, lines)


class WhyScreen(JournalScreen):
    """The history of an order; `read` is called with its id in a thread."""

    def __init__(self, order_id: str, name: str, read: Callable[[str], Iterable[Recorded]]) -> None:
        self.order_id = order_id
        super().__init__(f"Why ─ {name}", lambda: [line for record in read(order_id) for line in told(record)])


class ExplainScreen(JournalScreen):
    """Why a trade or day had its result (AN-06); `read` is called with its order or day in a thread."""

    def __init__(self, what: str, name: str, read: Callable[[str], Iterable[str]]) -> None:
        self.what = what
        super().__init__(f"Explained ─ {name}", lambda: [line for text in read(what) for line in _as_it_stands(text)])


def _as_it_stands(text: str) -> list[TextLine]:
    """Return a line of the page, wrapped with a hanging indent if it is too long."""
    indent = " " * (len(text) - len(text.lstrip()))
    return [(Cell(text),)] if len(text) <= WIDTH else wrapped(indent, text.strip(), WIDTH)


def told(record: Recorded) -> list[TextLine]:
    """Return a record of the history: time, kind and text."""
    from core.event_text import in_words, kind_of  # imports every fact: too slow before the first paint

    words = short_ids(in_words(record.fact))
    return wrapped(f"{f.clock(record.at)}  {kind_of(record.fact):<{BEFORE - 10}}", words, WIDTH)
