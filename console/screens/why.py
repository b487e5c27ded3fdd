"""What the journal tells at the desk: an order's whole chain (`w` in Orders), and why a trade or a day made what it
made (Enter and `e` in the history).

The journal is read in a thread of its own: a slow disk keeps no key waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.worker import get_current_worker

from console.details.lines import WIDTH
from console.screens.reading import ReadingScreen
from core.ports import JournalError, OperatorError, Recorded
from widgets import format as f
from widgets.identifiers import short_ids
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

READING = "reading the journal…"
BEFORE = 20
"""Cells of time and kind before the words of a record."""


class JournalScreen(ReadingScreen):
    """`tell` reads the journal, in a thread, and gives the lines."""

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
    """The chain of an order. `read` is given its id, in a thread."""

    def __init__(self, order_id: str, name: str, read: Callable[[str], Iterable[Recorded]]) -> None:
        self.order_id = order_id
        super().__init__(f"Why ─ {name}", lambda: [line for record in read(order_id) for line in told(record)])


class ExplainScreen(JournalScreen):
    """Why a trade, or a day, made what it made (AN-06). `read` is given its order or the day, in a thread."""

    def __init__(self, what: str, name: str, read: Callable[[str], Iterable[str]]) -> None:
        self.what = what
        super().__init__(f"Explained ─ {name}", lambda: [line for text in read(what) for line in _as_it_stands(text)])


def _as_it_stands(text: str) -> list[TextLine]:
    """A line of the page; one that is too long goes on under itself."""
    indent = " " * (len(text) - len(text.lstrip()))
    return [(Cell(text),)] if len(text) <= WIDTH else wrapped(indent, text.strip(), WIDTH)


def told(record: Recorded) -> list[TextLine]:
    """A record of the chain: when, what kind, and its words."""
    from core.event_text import in_words, kind_of  # with every fact: too much before the desk's first paint

    words = short_ids(in_words(record.fact))
    return wrapped(f"{f.clock(record.at)}  {kind_of(record.fact):<{BEFORE - 10}}", words, WIDTH)
