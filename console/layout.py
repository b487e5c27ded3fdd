"""Which panes are on the screen and where, for its size and for what was chosen last. No pane decides its own place.

One column below 120 columns, two from there on, three from 180 on: then chart, watch and results have their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.containers import Container
from textual.geometry import NULL_OFFSET, NULL_SPACING, Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from console.panes import PANES, Place
from console.screens.dialog import MINIMUM

WIDE, WIDEST = 120, 180
"""Columns from which there are two columns of panes, and three."""
TALL = 30
"""Lines from which the left column holds three panes under each other."""
LEFT_WIDTH, RIGHT_WIDTH = 80, 40
"""Columns of the left column where there are three, and of the right one where there are two or three."""
SECOND, THIRD, RIGHT = (
    tuple(name for name, entry in PANES.items() if entry.place is place)
    for place in (Place.SECOND, Place.THIRD, Place.RIGHT)
)
LEFT = (*SECOND, *THIRD)
WIDEST_OWN = ("chart", "watch", "results")
"""What has a column of its own where there are three."""
CHOICES = (*LEFT, *RIGHT)
"""What one column shows beside proposals and log, by its number."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen last where not everything has room.

    Attributes
    ----------
    beside
        In one column, beside proposals and log.
    left
        Under the proposals in a left column of two panes.
    third
        At the foot of a left column of three.
    zoomed
        The pane that has all the room; None where it is shared.
    """

    beside: str = "positions"
    left: str = "positions"
    third: str = "orders"
    zoomed: str | None = None

    def with_pane(self, name: str) -> Choice:
        """So that `name` has a place at every size; what was zoomed gives its room to it."""
        zoomed = None if self.zoomed is None else name
        if name not in CHOICES:
            return replace(self, zoomed=zoomed)
        left = name if name in LEFT else self.left
        third = name if name in THIRD else self.third
        return Choice(name, left, third, zoomed)

    def with_zoom(self, name: str) -> Choice:
        """All the room for `name`, or shared again where it has that already."""
        return replace(self, zoomed=None if self.zoomed == name else name)


def fits(width: int, height: int) -> bool:
    return width >= MINIMUM[0] and height >= MINIMUM[1]


def too_small(width: int, height: int) -> str:
    return f"Keyturn needs {MINIMUM[0]} × {MINIMUM[1]}; this terminal has {width} × {height}. Ctrl+K still halts."


def is_narrow(screen: Size) -> bool:
    """Whether there is one column only."""
    return screen.width < WIDE


def places(screen: Size, area: Size, choice: Choice) -> dict[str, Region]:
    """Where each pane stands in the `area` between status and last line; what has no place is not shown."""
    if choice.zoomed is not None:
        return {choice.zoomed: Region(0, 0, area.width, area.height)}
    if is_narrow(screen):
        return _one_column(area, choice)
    foot = max(5, area.height // (3 if screen.width < WIDEST else 4))
    above = area.height - foot
    log = {"log": Region(0, above, area.width, foot)}
    right = _stack(area.width - RIGHT_WIDTH, RIGHT_WIDTH, above, RIGHT)
    if screen.width < WIDEST:
        return {**_stack(0, area.width - RIGHT_WIDTH, above, _left(screen, choice)), **right, **log}
    own = replace(
        choice,
        left="positions" if choice.left in WIDEST_OWN else choice.left,
        third="orders" if choice.third in WIDEST_OWN else choice.third,
    )
    left = _stack(0, LEFT_WIDTH, above, _left(screen, own))
    middle, chart = area.width - LEFT_WIDTH - RIGHT_WIDTH, above // 2
    return {
        **left,
        "chart": Region(LEFT_WIDTH, 0, middle, chart),
        **_moved(_stack(LEFT_WIDTH, middle, above - chart, ("watch", "results")), chart),
        **right,
        **log,
    }


def _moved(stack: dict[str, Region], lines: int) -> dict[str, Region]:
    """The same, so many lines further down."""
    return {name: region.translate(Offset(0, lines)) for name, region in stack.items()}


def _left(screen: Size, choice: Choice) -> tuple[str, ...]:
    return ("proposals", "positions", choice.third) if screen.height >= TALL else ("proposals", choice.left)


def _one_column(area: Size, choice: Choice) -> dict[str, Region]:
    log = max(3, min(area.height // 4, 12))
    proposals = max(4, min((area.height - log) * 7 // 16, 16))
    other = area.height - log - proposals
    return {
        "proposals": Region(0, 0, area.width, proposals),
        choice.beside: Region(0, proposals, area.width, other),
        "log": Region(0, proposals + other, area.width, log),
    }


def _stack(x: int, width: int, height: int, names: Sequence[str]) -> dict[str, Region]:
    """Under each other, as high as each other; lines that cannot be shared go to the first ones."""
    share, spare = divmod(height, len(names))
    stack, y = {}, 0
    for number, name in enumerate(names):
        own = share + (number < spare)
        stack[name] = Region(x, y, width, own)
        y += own
    return stack


class PaneArea(Container):
    """The room between status and last line."""

    def __init__(self) -> None:
        super().__init__(id="panes")
        self.panes = PaneLayout()

    @property
    def layout(self) -> Layout:
        return self.panes


class PaneLayout(Layout):
    """Gives each pane its place, by its identifier."""

    name = "panes"

    def __init__(self) -> None:
        self.screen = Size(*MINIMUM)
        self.choice = Choice()

    def names(self, choice: Choice | None = None) -> frozenset[str]:
        """The panes that have a place, by this choice or another."""
        return frozenset(places(self.screen, self.screen, choice or self.choice))

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        del greedy  # no pane is smaller than its place
        parent.pre_layout(self)
        regions = places(self.screen, size, self.choice)
        return [
            WidgetPlacement(regions[child.id], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in regions
        ]
