"""Base of the panes, a frame with text in its edges around one grid; the strip of panes and the footer (SY-06).

If names do not fit they are shortened; then counts are dropped, those of proposals, positions and orders last. A number
is never cut.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from core.model.codes import DeskState
from core.model.text_sanitizer import harmless
from core.model.values import ZERO
from core.views import DeskView, ProtectionRow, StatusView, SuspensionView
from core.views.rows import doubted_orders, working_orders
from widgets import format as f
from widgets.grid import Column, Grid
from widgets.lines import Cell, Lines, TextLine, Tone, joined, spread


def put_title(frame: Widget, text: str) -> None:
    """Write the upper edge."""
    content = Content(harmless(text))
    if content.markup != (frame.border_title or ""):
        frame.border_title = content


def put_note(frame: Widget, text: str) -> None:
    """Write the lower edge."""
    content = Content(harmless(text))
    if content.markup != (frame.border_subtitle or ""):
        frame.border_subtitle = content


CORNERS = 4
"""Cells of the frame on both sides of its title that change with the title's length."""


class Frame(Vertical):
    """Base of panes and tickets, which show counts and clocks in their edges."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._upper = self._lower = ""
        self._edge: Region | None = None

    def write_upper(self, text: str) -> None:
        if text != self._upper:
            longest, self._upper = max(cell_len(text), cell_len(self._upper)), text
            with self._redrawing(0, longest + CORNERS):
                put_title(self, text)

    def write_lower(self, text: str) -> None:
        if text != self._lower:
            self._lower = text
            with self._redrawing(self.outer_size.height - 1, self.outer_size.width):
                put_note(self, text)

    @contextmanager
    def _redrawing(self, line: int, width: int) -> Iterator[None]:
        """Restrict the redraw to a part of one edge; a new title would otherwise redraw the whole frame."""
        left, top = self.content_offset
        self._edge = Region(-left, line - top, width, 1)
        yield
        self._edge = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._edge is not None and not regions and not layout and not recompose:
            regions = (self._edge,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


STARTING, READ_ONLY, HALTED, KILLED, STOPPED = "STARTING", "READ-ONLY", "HALTED", "KILLED", "STOPPED"
AWAY = "AWAY"
WORDS = {
    DeskState.STARTING: STARTING,
    DeskState.READ_ONLY: READ_ONLY,
    DeskState.HALTED: HALTED,
    DeskState.KILLED: KILLED,
}
NOTHING_LEAVES = {
    HALTED: " HALTED: no new order leaves.",
    KILLED: " KILLED: no order that opens leaves.",
    READ_ONLY: " READ-ONLY: no order leaves.",
    STOPPED: " The engine has stopped: no order leaves.",
    AWAY: " That was so when the engine was last heard.",
}
NOT_KNOWN = "Not known yet: the books are being compared with the broker."
NOT_AGREED = "None in this desk's books; the broker's books differ."


@dataclass(frozen=True, slots=True)
class WithoutEngine:
    """Why no engine receives this desk's input; `has_stopped` if the engine stopped, not only the link."""

    words: str
    has_stopped: bool


def state_of(status: StatusView, without: WithoutEngine | None) -> str:
    """Return the state word; empty in normal operation."""
    if without is not None:
        return STOPPED if without.has_stopped else AWAY
    return WORDS.get(status.word, "")


def positions_when_empty(state: str) -> str:
    match state:
        case "STARTING":
            return NOT_KNOWN
        case "READ-ONLY":
            return NOT_AGREED
        case "STOPPED":
            return "No positions when the engine stopped."
        case "AWAY":
            return "No positions when the engine was last heard."
    return "No positions. A filled entry appears here, with who holds its stop."


def orders_when_empty(state: str) -> str:
    if state == STARTING:
        return NOT_KNOWN
    return "No orders today." + NOTHING_LEAVES.get(state, " A confirmed ticket sends one.")


FRAME = 2
"""Lines of a pane's edges."""
REST = "Enter: the rest"
"""Shown if the selected row is cut."""
INDENT = "  "
"""Indentation of a row, behind the selection mark."""


class Pane(Frame):
    """Base of every pane. Its grid has the keyboard focus; text under the grid adds details.

    `is_narrow` is set while the terminal has room for one column of panes only.
    """

    NUMBER = 0
    NAME = ""
    TELLS_THE_REST = False
    """Whether the pane names the key that shows the rest of a cut row."""

    def __init__(
        self, columns: Sequence[Column], *, empty: str, id: str, has_header: bool = True, follows: bool = False
    ) -> None:
        super().__init__(id=id)
        self._said = self._place = ""
        self.grid = Grid(
            columns,
            empty=empty,
            id=f"{id}-grid",
            has_header=has_header,
            follows=follows,
            tell_place=self._tell_place,
        )
        self.words = Lines(id=f"{id}-words")
        self.state = ""
        self.is_narrow = False
        self._counted = ""
        self.title_with("")

    def compose(self) -> ComposeResult:
        yield self.grid
        yield self.words

    def show(self, view: DeskView, now: datetime) -> None:
        """Show this pane's part of the view."""
        raise NotImplementedError

    def wanted(self) -> int:
        """Return the number of lines that show everything, with the frame; text takes at most three quarters."""
        words = self.words_wanted()
        return FRAME + max(self.grid.wanted + words, -(-words * 4 // 3))

    def words_wanted(self) -> int:
        """Return the lines of text beside the grid."""
        return len(self.words.lines)

    def note(self, text: str) -> None:
        """Write a note about the selected row into the lower edge."""
        self._said = text
        self._put_note()

    def _tell_place(self, place: str) -> None:
        """Show the position in the list in the lower edge, where it covers no row."""
        self._place = place
        self._put_note()

    def _put_note(self) -> None:
        rest = REST if self.TELLS_THE_REST and self.grid.is_cut else ""
        text = " ─ ".join(part for part in (self._place, rest, self._said) if part)
        self.write_lower(text)

    def title_with(self, count: str) -> None:
        """Write the title, such as `1 Proposals ─ 2 waiting`."""
        self._counted = count
        said = ", ".join(word for word in (self.state, count) if word)
        title = f"{self.NUMBER} {self.NAME}" + (f" ─ {said}" if said else "")
        self.write_upper(title)

    def show_state(self, state: str) -> None:
        """Put the desk's state first in the title, such as `1 Proposals ─ HALTED, 2 waiting`."""
        if state != self.state:
            self.state = state
            self.title_with(self._counted)

    def indented(self, text: str, tone: Tone = "", lines: int = 2) -> list[TextLine]:
        """Wrap text at word boundaries, indented like the rows, to at most `lines` lines."""
        room = max(10, self.content_size.width - len(INDENT))
        parts = textwrap.wrap(text, room, max_lines=lines, placeholder=" …")
        return [(Cell(f"{INDENT}{part}", tone),) for part in parts]


GAP = "  "
LONG, SHORT, SHORTEST = 20, 5, 3
"""Most cells of a name: whole, shortened, and shortest."""
NAMES = {
    "proposals": "Prop",
    "positions": "Pos",
    "orders": "Ord",
    "protections": "Prot",
    "strategies": "Str",
    "results": "Res",
    "history": "Hist",
}
"""Short names; all others are short enough."""
CUT = {"protections": "Prt"}
"""Names that would be ambiguous with three cells."""
EVERY, FEW, NONE = frozenset({*NAMES, "watch"}), frozenset({"proposals", "positions", "orders"}), frozenset[str]()
"""Panes whose counts are shown, by the available width."""
STEPS = ((LONG, EVERY), (SHORT, EVERY), (SHORTEST, EVERY), (SHORTEST, EVERY - {"results"}), (SHORTEST, FEW))
"""Forms of the line, each shorter than the one before."""


@dataclass(frozen=True, slots=True)
class StripItem:
    """One pane: number, name, count, and a tone if it needs attention."""

    pane: str
    number: str
    count: str
    tone: Tone = ""


def strip_line(items: Iterable[StripItem], shown: Collection[str], holder: str, width: int) -> TextLine:
    """Return the strip in at most `width` cells; panes that need attention are marked."""
    each = tuple(items)
    for cells, counted in STEPS:
        line = tuple(_strip_cells(each, shown, holder, counted, cells))
        if len(joined(line)) <= width:
            return line
    marked = [replace(item, count="!" if item.tone else "") for item in each]
    return tuple(_strip_cells(marked, shown, holder, NONE, SHORTEST))


def _strip_cells(
    items: Collection[StripItem], shown: Collection[str], holder: str, counted: Collection[str], cells: int
) -> Iterator[Cell]:
    """Yield the cells: the focused pane in brackets, visible panes bold, the others grey."""
    for number, item in enumerate(items):
        names = {LONG: {}, SHORT: NAMES, SHORTEST: NAMES | CUT}[cells]
        name = names.get(item.pane, item.pane.capitalize())[:cells]
        count = item.count if item.pane in counted or item.tone else ""
        between = " " if cells > SHORTEST else ""
        text = f"{item.number}{between}{name}{f' {count}' if count else ''}"
        if item.pane == holder:
            text = f"[{text}]"
        if number:
            yield Cell(GAP)
        yield Cell(text, item.tone or ("strong" if item.pane in shown else "muted"))


def items_of(view: DeskView, numbers: Iterable[tuple[str, str]]) -> list[StripItem]:
    """Return the items of the panes, given as (name, number)."""
    return [StripItem(pane, number, *_count(view, pane)) for pane, number in numbers]


def _count(view: DeskView, pane: str) -> tuple[str, Tone]:
    match pane:
        case "proposals":
            urgent = any(row.is_urgent for row in view.proposals)
            drafts = f"+{len(view.drafts)}" if view.drafts else ""
            return f"{len(view.proposals) or ''}{drafts}{'!' if urgent else ''}", "warning" if urgent else ""
        case "positions":
            return f"{len(view.positions) or ''}", ""
        case "orders":
            doubted = "!" if doubted_orders(view.orders) else ""
            return f"{working_orders(view.orders) or ''}{doubted}", "warning" if doubted else ""
        case "protections":
            return _shut_protections(view.protections)
        case "strategies":
            return f"{len(view.strategies) or ''}", ""
        case "results":
            made = sum((row.realised for row in view.results), ZERO)
            return (f.signed(made) if made else ""), ""
        case "watch":
            return f"{len(view.watch.rows) or ''}", ""
    return "", ""


def _shut_protections(rows: Iterable[ProtectionRow]) -> tuple[str, Tone]:
    """Return the words of the pane's title: "ok" would contradict `ENTRIES SHUT` while an allowance is used up."""
    shut = Counter(row.word for row in rows if row.is_tripped)
    if tripped := shut[SuspensionView.TRIPPED]:
        return f"{tripped} TRIPPED", "warning"
    if full := shut[SuspensionView.FULL]:
        return f"{full} FULL", ""
    return (SuspensionView.CLOSED.value if shut else "ok"), ""


class FooterLine(Lines):
    """The last line; `kill_key` is the kill key that arrives from this keyboard."""

    kill_key = ""

    @property
    def kill(self) -> Cell:
        return Cell(f"{self.kill_key} KILL", "strong")

    def show_keys(self, keys: str, width: int) -> None:
        self._put(Cell(keys.removesuffix(self.kill.text).rstrip()), width)

    def show_words(self, text: str, tone: Tone, width: int) -> None:
        """Show a message on at most two lines."""
        first, *rest = textwrap.wrap(text, width - len(self.kill.text) - 1, max_lines=2, placeholder=" …") or [""]
        self.show([spread((Cell(first, tone),), (self.kill,), width), *((Cell(line, tone),) for line in rest)])

    def _put(self, cell: Cell, width: int) -> None:
        self.show([spread((cell,), (self.kill,), width)])
