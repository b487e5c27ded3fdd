"""The strip under the status lines: every pane by its number and name, how much is in it, and which are shown.

So one knows at every size that they exist, and how much waits. Where there is no room for whole names they are
shortened, then some counts are left out, those of proposals, positions and orders last; a number is never cut.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from core.model.values import ZERO
from core.views import DeskView
from core.views.order_families import doubted_orders, working_orders
from widgets import format as f
from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine, joined

GAP = "  "
LONG, SHORT, SHORTEST = 20, 5, 3
"""Cells of a name, at most: whole, shortened, and where nothing else leaves room for every pane."""
NAMES = {
    "proposals": "Prop",
    "positions": "Pos",
    "orders": "Ord",
    "protections": "Prot",
    "strategies": "Str",
    "results": "Res",
    "history": "Hist",
}
"""Short ones; every other name is short enough."""
CUT = {"protections": "Prt"}
"""Where three cells would not tell two of them apart."""
EVERY, FEW, NONE = frozenset({*NAMES, "watch"}), frozenset({"proposals", "positions", "orders"}), frozenset[str]()
"""Whose counts are said, by the room that there is."""
STEPS = ((LONG, EVERY), (SHORT, EVERY), (SHORTEST, EVERY), (SHORTEST, EVERY - {"results"}), (SHORTEST, FEW))
"""How a line makes way: each shorter than the one before."""


@dataclass(frozen=True, slots=True)
class StripItem:
    """One pane: its number, its name, what is in it, and whether that asks for somebody."""

    pane: str
    number: str
    count: str
    tone: Tone = ""


def strip_line(items: Iterable[StripItem], shown: Collection[str], holder: str, width: int) -> TextLine:
    """At most `width` cells: whole names, then short ones, then fewer counts; what asks for somebody is marked."""
    each = tuple(items)
    for cells, counted in STEPS:
        line = tuple(_cells(each, shown, holder, counted, cells))
        if len(joined(line)) <= width:
            return line
    marked = [replace(item, count="!" if item.tone else "") for item in each]
    return tuple(_cells(marked, shown, holder, NONE, SHORTEST))


def _cells(
    items: Collection[StripItem], shown: Collection[str], holder: str, counted: Collection[str], cells: int
) -> Iterator[Cell]:
    """Of the pane with the keyboard in brackets, of those that are shown in bold, of the others in grey."""
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
    """Of each pane by its name and number."""
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
