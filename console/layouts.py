"""Named layouts: the columns of panes at each width of the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOG = "log"
"""Below all columns, in every layout."""


@dataclass(frozen=True, slots=True)
class ColumnOfPanes:
    """Panes below each other, the first the last to be dropped; `width` in cells, 0 for the remaining width."""

    panes: tuple[str, ...]
    width: int = 0


@dataclass(frozen=True, slots=True)
class DeskLayout:
    """The placement of the panes.

    Attributes
    ----------
    one
        With one column, the permanent pane and the one below it until another is chosen.
    two, three
        The columns, if there are two or three.
    gives_way
        With two columns, the pane replaced by a chosen pane without a place.
    """

    name: str
    one: tuple[str, str]
    two: tuple[ColumnOfPanes, ...]
    three: tuple[ColumnOfPanes, ...]
    gives_way: str


_GUARDS = ColumnOfPanes(("protections", "strategies"), 40)
TRADE = DeskLayout(
    "trade",
    ("proposals", "positions"),
    (ColumnOfPanes(("proposals", "positions", "orders")), ColumnOfPanes(("protections", "strategies", "watch"), 40)),
    (
        ColumnOfPanes(("proposals", "positions", "orders", "watch"), 80),
        ColumnOfPanes(("chart", "results")),
        _GUARDS,
    ),
    "orders",
)
WATCH = DeskLayout(
    "watch",
    ("watch", "proposals"),
    (ColumnOfPanes(("watch", "proposals", "positions"), 64), ColumnOfPanes(("chart",))),
    (ColumnOfPanes(("watch", "proposals", "positions", "orders"), 80), ColumnOfPanes(("chart",)), _GUARDS),
    "positions",
)
REVIEW = DeskLayout(
    "review",
    ("results", "history"),
    (ColumnOfPanes(("results", "history"), 78), ColumnOfPanes(("chart",))),
    (ColumnOfPanes(("results", "history"), 90), ColumnOfPanes(("chart", "positions"))),
    "history",
)
SHIPPED: Mapping[str, DeskLayout] = {layout.name: layout for layout in (TRADE, WATCH, REVIEW)}
NAME = re.compile(r"[a-z][a-z0-9_-]{0,15}")


def fault_of(name: str) -> str:
    """Return why the operator's layout cannot have that name; empty if it can."""
    if name in SHIPPED:
        return f"{name} is shipped; call yours otherwise"
    return "" if NAME.fullmatch(name) else "is called by 1 to 16 small letters, digits, - or _, a letter first"


def in_words(layout: DeskLayout, columns: Sequence[ColumnOfPanes]) -> str:
    """Format the visible columns, such as `proposals, positions | chart`."""
    return " | ".join(", ".join(column.panes) for column in columns) or ", ".join(layout.one)
