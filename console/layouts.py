"""Layouts by name: which panes stand in which column, at each width of the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOG = "log"
"""Under all columns, in every layout."""


@dataclass(frozen=True, slots=True)
class ColumnOfPanes:
    """Panes under each other, the first the last to make way; `width` in cells, 0 for what is left."""

    panes: tuple[str, ...]
    width: int = 0


@dataclass(frozen=True, slots=True)
class DeskLayout:
    """What is where.

    Attributes
    ----------
    one
        The pane that is always there where there is one column, and the one under it until another is asked for.
    two, three
        The columns where there are two, and three.
    gives_way
        Where there are two columns: the pane whose place one takes that has none.
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
    """Why a layout of the operator's cannot be called that; empty where it can."""
    if name in SHIPPED:
        return f"{name} is shipped; call yours otherwise"
    return "" if NAME.fullmatch(name) else "is called by 1 to 16 small letters, digits, - or _, a letter first"


def in_words(layout: DeskLayout, columns: Sequence[ColumnOfPanes]) -> str:
    """`proposals, positions | chart`, of the columns that are shown."""
    return " | ".join(", ".join(column.panes) for column in columns) or ", ".join(layout.one)
