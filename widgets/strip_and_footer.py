"""The strip of panes and the footer.

If names do not fit they are shortened; then counts are dropped, those of proposals, positions and orders last. A number
is never cut.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from core.model.values import ZERO
from core.views import DeskView
from core.views.rows import doubted_orders, working_orders
from widgets import format as f
from widgets.grid_cells import Tone
from widgets.lines import Cell, Lines, TextLine, joined, spread

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
            return f"{len(view.proposals) or ''}{'!' if urgent else ''}", "warning" if urgent else ""
        case "positions":
            return f"{len(view.positions) or ''}", ""
        case "orders":
            doubted = "!" if doubted_orders(view.orders) else ""
            return f"{working_orders(view.orders) or ''}{doubted}", "warning" if doubted else ""
        case "protections":
            tripped = sum(row.has_tripped for row in view.protections)
            return (f"{tripped} TRIPPED", "warning") if tripped else ("ok", "")
        case "strategies":
            return f"{len(view.strategies) or ''}", ""
        case "results":
            made = sum((row.realised for row in view.results), ZERO)
            return (f.signed(made) if made else ""), ""
        case "watch":
            return f"{len(view.watch.rows) or ''}", ""
    return "", ""


KILL = Cell("Ctrl+K KILL", "strong")


class FooterLine(Lines):
    def show_keys(self, keys: str, width: int) -> None:
        self._put(Cell(keys.removesuffix(KILL.text).rstrip()), width)

    def show_words(self, text: str, tone: Tone, width: int) -> None:
        """Show a message on at most two lines."""
        first, *rest = textwrap.wrap(text, width - len(KILL.text) - 1, max_lines=2, placeholder=" …") or [""]
        self.show([spread((Cell(first, tone),), (KILL,), width), *((Cell(line, tone),) for line in rest)])

    def _put(self, cell: Cell, width: int) -> None:
        self.show([spread((cell,), (KILL,), width)])
