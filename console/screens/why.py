"""`w` in Orders: the whole chain of an order, from the bar that made it to its fills, read from the journal.

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


class WhyScreen(ReadingScreen):
    """`read` is given the order's id, in a thread."""

    def __init__(self, order_id: str, name: str, read: Callable[[str], Iterable[Recorded]]) -> None:
        super().__init__(f"Why ─ {name}")
        self.order_id = order_id
        self.chain = read
        self.read([(Cell(READING, "strong"),)])

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        try:
            lines = [line for record in self.chain(self.order_id) for line in told(record)]
        except (OperatorError, JournalError, OSError) as error:
            lines = wrapped("", f"the journal could not be read: {error}", WIDTH, "warning")
        if not worker.is_cancelled:
            self.app.call_from_thread(self.read, lines)


def told(record: Recorded) -> list[TextLine]:
    """A record of the chain: when, what kind, and its words."""
    from core.views.event_text import in_words, kind_of  # with every fact: too much before the desk's first paint

    words = short_ids(in_words(record.fact))
    return wrapped(f"{f.clock(record.at)}  {kind_of(record.fact):<{BEFORE - 10}}", words, WIDTH)
