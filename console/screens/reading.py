"""Read-only dialogs: help, details of a row, the history of an order, the explanation of a trade or day.

They confirm and ask nothing; their keys scroll and close. Help finds a key that works elsewhere too, with its place.
The explanation reads the journal in a separate thread, so that a slow disk does not block keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.worker import get_current_worker

from console.details import WIDTH, Telling
from console.keymap import KeyScope, bindings_for, help_rows, rows_elsewhere, written
from console.screens.dialog import Dialog, DialogHost
from console.screens.form import ERASE, LONGEST, FieldsScreen, TextField
from core.model.values import NO_SHARES, Price, Quantity, Symbol, plain
from core.ports import JournalError, OperatorError, Recorded
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket_text import wrapped

Held: TypeAlias = Sequence[tuple[Symbol, Quantity, Price | None]]
"""Positions: the symbol, the signed quantity, and the last price, USD."""
FRAME = 2
"""Lines of the frame."""


class ReadingScreen(Dialog):
    PLACE = KeyScope.READING
    BINDINGS = bindings_for(PLACE)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.box = Vertical(classes="reading")
        put_title(self.box, title)
        self.body = Lines()
        self._lines: Sequence[TextLine] = ()
        self._top = 0

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        super().on_resize()
        self._draw()

    def room_changed(self) -> None:
        self._draw()

    def read(self, lines: Sequence[TextLine]) -> None:
        """Show these lines and keep the scroll position."""
        self._lines = lines
        self._draw()

    def _draw(self) -> None:
        if not self.is_attached:
            return
        room = self._room()
        self._top = max(0, min(self._top, len(self._lines) - room))
        self.body.show(self._lines[self._top : self._top + room])
        end = min(self._top + room, len(self._lines))
        place = f"{self._top + 1}–{end} of {len(self._lines)}, {written('read.page_down')}  "
        put_note(self.box, (place if len(self._lines) > room else "") + self.keys())

    def keys(self) -> str:
        """Return the keys named in the lower edge."""
        return f"{written('read.back')} back"

    def action_scroll(self, step: int) -> None:
        self._top += step
        self._draw()

    def action_page(self, step: int) -> None:
        self.action_scroll(step * max(1, self._room() - 1))

    def _room(self) -> int:
        return max(1, self.free_lines - FRAME)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll(1)

    def action_back(self) -> None:
        self.dismiss()


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


ABOUT: Mapping[KeyScope, str] = {
    KeyScope.BASKET: "Many orders, signed once. Each was tried against every check with the effect of those before it; "
    "space marks the selected one. What sells goes first, the buys wait until it is filled.",
    KeyScope.TICKET: "One order, as it would be sent. Its letter counts once the last line says `armed`. Under this "
    "help it is not armed, and its time runs on; no key typed here reaches it.",
    KeyScope.EVERYWHERE: "Choose a pane by its number.",
}
"""Descriptions of places that are no panes."""


class HelpScreen(ReadingScreen):
    """The keys of `place` first, then `about`, which describes it, then the keys around it.

    `about` may be empty; `tour` starts or ends the tour; `beneath` is the dialog that this help covers.
    """

    PLACE = KeyScope.HELP
    BINDINGS = bindings_for(PLACE)

    def __init__(self, place: KeyScope, about: str, tour: Callable[[], None], beneath: Dialog | None = None) -> None:
        super().__init__(f"Help ─ {place.value}")
        self.place = place
        self.beneath = beneath
        self.tour = tour
        self.filter = ""
        self.is_typing = False
        self._about = wrapped("", about or ABOUT.get(place, ABOUT[KeyScope.EVERYWHERE]), WIDTH)
        self._fill()

    def update_view(self, _view: DeskView, now: datetime) -> None:
        """Keep the expiry of a covered ticket in the title."""
        if self.beneath is not None and (clock := self.beneath.clock_in_words(now)):
            put_title(self.box, f"Help ─ {self.place.value}, NOT ARMED, {clock}")

    def _fill(self) -> None:
        if not self.filter and not self.is_typing:
            self.read(self._whole())
            return
        words = self.filter.casefold().split()
        rows = [*help_rows(self.place), *rows_elsewhere(self.place)]
        found = [row for row in rows if all(word in " ".join(row).casefold() for word in words)]
        cursor = "▏" if self.is_typing else ""
        keys = "Enter keeps it  Esc clears it" if self.is_typing else f"{written('help.find')} another"
        line = (
            Cell(f"/ {self.filter}{cursor}", "strong"),
            Cell(f"   {len(found)} of {len(rows)} keys  {keys}", "muted"),
        )
        self.read([line, (), *_keys(found)])

    def _whole(self) -> list[TextLine]:
        rows = help_rows(self.place)
        own = [row for row in rows if row[0] == self.place.value]
        first, *around = _keys([*own, *(row for row in rows if row[0] != self.place.value)])
        return [first, *around[: len(own)], (), *self._about, (), *around[len(own) :], (), *_more()]

    # ── the search ───────────────────────────────────────────────────────────────────────────────────────────────

    def action_find(self) -> None:
        self.is_typing = True
        self.action_scroll(-len(self._lines))
        self._fill()

    def take(self, event: events.Key) -> bool:
        """Handle a key of the search; return False for any other, such as the kill chord and scroll keys."""
        character = event.character if event.is_printable else None
        if not self.is_typing or (event.key not in ("enter", "escape", "ctrl+u", ERASE) and not character):
            return False
        if event.key in ("enter", "escape"):
            self.is_typing = False
            self.filter = self.filter if event.key == "enter" else ""
        elif event.key == "ctrl+u":
            self.filter = ""
        else:
            self.filter = self.filter[:-1] if event.key == ERASE else (self.filter + (character or ""))[:LONGEST]
        self._fill()
        return True

    def action_back(self) -> None:
        """Clear the search first."""
        if self.filter:
            self.filter = ""
            self._fill()
        else:
            super().action_back()

    def action_tour(self) -> None:
        self.dismiss()
        self.tour()


def _keys(rows: Iterable[tuple[str, str, str]]) -> Iterator[TextLine]:
    yield (Cell(f"{'WHERE':<14}{'KEY':<15}WHAT IT DOES", "muted"),)
    for where, key, what in rows:
        yield (Cell(f"{where:<14}", "muted"), Cell(f"{key:<15}", "strong"), Cell(what))


def _more() -> list[TextLine]:
    text = (
        f"{written('help.find')} finds a key by words, at every place. "
        f"{written('help.tour')} begins the tour, or ends it. "
        f"{written('commands')} finds every command by its name. "
    )
    text += "The kill works from everywhere: also here, in text fields, and while the link stalls."
    return wrapped("", text, WIDTH, "muted")


READING = "reading the journal…"
BEFORE = 20
"""Cells of time and kind before the text of a record."""


class JournalScreen(ReadingScreen):
    """`tell` reads the journal, or computes, in a thread and returns the lines."""

    BUSY = READING
    FAILED = "the journal could not be read"

    def __init__(self, title: str, tell: Callable[[], list[TextLine]]) -> None:
        super().__init__(title)
        self.tell = tell
        self.read([(Cell(self.BUSY, "strong"),)])

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        try:
            lines = self.tell()
        except (OperatorError, JournalError, OSError) as error:
            lines = wrapped("", f"{self.FAILED}: {error}", WIDTH, "warning")
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


class RiskScreen(JournalScreen):
    """What the positions could lose (AN-02); `read` is called with them, the day and the shocks in a thread."""

    BUSY = "computing from the daily files…"
    FAILED = "the risk is not known"

    def __init__(self, held: Held, on: date, shocks: str, read: Callable[[Held, date, str], Iterable[str]]) -> None:
        self.shocks = shocks
        title = f"Risk ─ {shocks}" if shocks else "Risk of the positions"
        super().__init__(
            title, lambda: [line for text in read(held, on, shocks) for line in _as_it_stands(_narrowed(text))]
        )


def _net(rows: Iterable[PositionRow]) -> Held:
    """Return the shares of each symbol, of all strategies together."""
    found: dict[Symbol, tuple[Quantity, Price | None]] = {}
    for row in rows:
        before, _ = found.get(row.symbol, (NO_SHARES, None))
        found[row.symbol] = Quantity(before + row.quantity), row.last
    return [(symbol, quantity, price) for symbol, (quantity, price) in found.items() if quantity]


def _narrowed(text: str) -> str:
    """Return a line of a table with a narrower gap, if it is too long: its columns stay below each other."""
    excess, gap = len(text) - WIDTH, max(re.findall(" +", text), key=len, default="")
    return text.replace(gap, gap[excess:], 1) if 0 < excess < len(gap) else text


class ShocksScreen(FieldsScreen):
    """Ask for shocks, then show the risk of all positions; it sends nothing."""

    NEEDS_KEY = False

    def __init__(self, behind: DialogHost, rows: Iterable[PositionRow]) -> None:
        self.held = _net(rows)
        super().__init__(behind, "Risk of the positions", [TextField("Shocks", "")], "shows the loss")

    def preview(self) -> Sequence[TextLine]:
        names = ", ".join(f"{plain(quantity)} {symbol}" for symbol, quantity, _ in self.held)
        lines = [*wrapped("", f"Of {names}.", WIDTH), ()]
        lines += wrapped(
            "", "Empty: scenarios built in and of the folder scenarios beside the settings.", WIDTH, "muted"
        )
        return [*lines, *wrapped("", "Shocks as in: VIX to 40 · SPY -7 %, oil +20 %", WIDTH, "muted")]

    def accept(self) -> None:
        self.dismiss()
        day, shocks = self.behind.engine_now().date(), self.fields[0].text.strip()
        self.behind.ask(RiskScreen(self.held, day, shocks, self.behind.surroundings.risk))


def _as_it_stands(text: str) -> list[TextLine]:
    """Return a line of the page, wrapped with a hanging indent if it is too long."""
    indent = " " * (len(text) - len(text.lstrip()))
    return [(Cell(text),)] if len(text) <= WIDTH else wrapped(indent, text.strip(), WIDTH)


def told(record: Recorded) -> list[TextLine]:
    """Return a record of the history: time, kind and text."""
    from core.event_text import in_words, kind_of  # imports every fact: too slow before the first paint

    words = short_ids(in_words(record.fact))
    return wrapped(f"{f.clock(record.at)}  {kind_of(record.fact):<{BEFORE - 10}}", words, WIDTH)
