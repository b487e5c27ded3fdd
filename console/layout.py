"""Which panes are visible and where, by size, layout and the operator's last choice.

There is one column below 120 columns, two from 120 and three from 180. Panes are as tall as their content; spare lines
go to the chart and the log. Heights change only if a pane has too little room for its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from textual.containers import Container
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from console.display import LOG_PANE, TRADE, ColumnOfPanes, DeskLayout
from console.screens.dialog import MINIMUM
from core.model.lazy_dataclass import dataclass

WIDE, WIDEST = 120, 180
"""Terminal columns from which there are two columns of panes, and three."""
LEAST = 4
"""Least lines of a pane: a frame, the titles and a row."""
AROUND, ROOM = 10, 5
"""Lines outside the columns, and lines that each pane needs to be visible."""
LEAST_LOG = 5
"""Least lines of the log, with its frame."""
MORE = 35
"""Most cells by which the first of three columns grows."""
ELASTIC, LEAST_ELASTIC = "chart", 16
"""The pane that fills spare room, and its least height."""
SHARE = 4
"""The log gets one part in this many of the lines if only the columns beside the first need more."""

Wants = Mapping[str, int]
"""The lines that each pane needs for its content, with its frame."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The last choices, for screens without room for everything.

    Attributes
    ----------
    beside
        In one column, the pane beside the first one and the log; None before any was chosen.
    turn
        With two columns, the chosen pane that otherwise has no place.
    last
        The pane chosen last, which stays if a column has no room for all.
    zoomed
        The pane with the whole area; None if it is shared.
    """

    layout: DeskLayout = TRADE
    beside: str | None = None
    turn: str | None = None
    last: str = ""
    zoomed: str | None = None

    def with_pane(self, name: str) -> Choice:
        """Return the choice that shows `name` at every size; it replaces a zoomed pane."""
        zoomed = None if self.zoomed is None else name
        if name == LOG_PANE:
            return replace(self, zoomed=zoomed)
        beside = self.beside if name == self.layout.one[0] else name
        has_place = any(name in column.panes for column in self.layout.two)
        turn = None if name == self.layout.gives_way else self.turn if has_place else name
        return replace(self, beside=beside, turn=turn, last=name, zoomed=zoomed)

    def with_zoom(self, name: str) -> Choice:
        """Return the choice with `name` zoomed, or not if it is zoomed already."""
        return replace(self, zoomed=None if self.zoomed == name else name)

    def under(self) -> str:
        """Return the pane under the first one in one column."""
        return self.beside or self.layout.one[1]


def fits(width: int, height: int) -> bool:
    return width >= MINIMUM[0] and height >= MINIMUM[1]


def too_small(width: int, height: int, kill_key: str) -> str:
    needs = f"Keyturn needs {MINIMUM[0]} × {MINIMUM[1]}; this terminal has {width} × {height}."
    return f"{needs} {kill_key} still halts."


def is_narrow(screen: Size) -> bool:
    """Return whether there is only one column."""
    return screen.width < WIDE


def places(screen: Size, area: Size, choice: Choice, wants: Wants | None = None) -> dict[str, Region]:
    """Return the place of each visible pane in the `area` between status and last line."""
    if choice.zoomed is not None:
        return {choice.zoomed: Region(0, 0, area.width, area.height)}
    wants, columns = wants or {}, columns_of(screen, choice)
    most = area.height - LEAST_LOG
    shown = [_with_room(column.panes, max(1, (screen.height - AROUND) // ROOM), choice) for column in columns]
    first, *others = (_height(panes, wants, area.height) for panes in shown)
    above = min(most, max(first, *(min(other, area.height - area.height // SHARE) for other in others), 0))
    regions, x = {}, 0
    for panes, width in zip(shown, _widths(columns, area.width), strict=True):
        y = 0
        for name, height in zip(panes, _heights(panes, wants, above), strict=True):
            regions[name] = Region(x, y, width, height)
            y += height
        x += width
    return {**regions, LOG_PANE: Region(0, above, area.width, area.height - above)}


def columns_of(screen: Size, choice: Choice) -> tuple[ColumnOfPanes, ...]:
    """Return the columns of that width, with the chosen pane in place of the one that gives way."""
    layout = choice.layout
    if is_narrow(screen):
        return (ColumnOfPanes((layout.one[0], choice.under())),)
    columns = layout.two if screen.width < WIDEST else layout.three
    turn = choice.turn
    if turn is None or any(turn in column.panes for column in columns):
        return columns
    return tuple(
        replace(column, panes=tuple(turn if name == layout.gives_way else name for name in column.panes))
        for column in columns
    )


def _with_room(panes: Sequence[str], most: int, choice: Choice) -> list[str]:
    """Return at most `most` panes: the first ones, with the pane chosen last in the last place."""
    if len(panes) <= most:
        return [*panes]
    kept = [*panes[:most]]
    for asked in (choice.turn, choice.last):
        if asked is not None and asked in panes and asked not in kept:
            kept[-1] = asked
    return kept


def _height(panes: Sequence[str], wants: Wants, height: int) -> int:
    """Return the lines that a column asks for.

    More for a chart would leave the panes beside it empty and the log short.
    """
    asked = sum(_wanted(name, wants) for name in panes)
    return min(asked, height - height // SHARE) if ELASTIC in panes else asked


def _wanted(name: str, wants: Wants) -> int:
    return LEAST_ELASTIC if name == ELASTIC else max(LEAST, wants.get(name, LEAST))


def _heights(panes: Sequence[str], wants: Wants, lines: int) -> list[int]:
    """Divide the lines: each pane gets its content's height, or an equal share with taller ones.

    Spare lines go to the chart, or to the last pane.
    """
    least = min(LEAST, lines // len(panes))
    has = [least] * len(panes)
    spare = lines - least * len(panes)
    while spare > 0:
        short = [n for n, name in enumerate(panes) if has[n] < _wanted(name, wants)]
        if not short:
            break
        has[min(short, key=lambda n: has[n])] += 1
        spare -= 1
    has[panes.index(ELASTIC) if ELASTIC in panes else -1] += spare
    return has


def _widths(columns: Sequence[ColumnOfPanes], width: int) -> list[int]:
    """Return the widths; the first of three columns gets half of the spare width, at most `MORE` cells."""
    rest = width - sum(column.width for column in columns)
    if not columns[0].width or width <= WIDEST:
        return [column.width or rest for column in columns]
    more = min((width - WIDEST) // 2, MORE)
    return [columns[0].width + more, *(column.width or rest - more for column in columns[1:])]


@lru_cache(maxsize=64)
def _names(screen: Size, choice: Choice) -> frozenset[str]:
    return frozenset(places(screen, screen, choice))


class PaneArea(Container):
    """The area between status and last line."""

    def __init__(self) -> None:
        super().__init__(id="panes")
        self.panes = PaneLayout()

    @property
    def layout(self) -> Layout:
        return self.panes

    def divide_again(self) -> None:
        """Force a new arrangement, which Textual keeps until a visible child asks for another."""
        for child in self.displayed_children[:1]:
            child.refresh(layout=True)


class PaneLayout(Layout):
    """Places each pane by its id."""

    name = "panes"

    def __init__(self) -> None:
        self.screen = Size(*MINIMUM)
        self.choice = Choice()
        self.wants: Wants = {}

    def names(self, choice: Choice | None = None) -> frozenset[str]:
        """Return the visible panes, by this choice or another."""
        return _names(self.screen, choice or self.choice)

    def must_change_for(self, wants: Wants, area: Size) -> bool:
        """Return whether a pane lacks room that another division would give."""
        now = places(self.screen, area, self.choice, self.wants)
        if all(
            region.height >= _wanted(name, wants) for name, region in now.items() if name not in (ELASTIC, LOG_PANE)
        ):
            return False
        return places(self.screen, area, self.choice, wants) != now

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        del greedy  # no pane is smaller than its place
        parent.pre_layout(self)
        regions = places(self.screen, size, self.choice, self.wants)
        return [
            WidgetPlacement(regions[child.id], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in regions
        ]
