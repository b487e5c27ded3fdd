"""How the desk is shown: its layouts, frame rate and the terminal's title (DESK)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from console.bell import AGAIN_AFTER
from console.themes import DEFAULT
from core.model.lazy_dataclass import dataclass
from core.views import DeskView

LOG_PANE = "log"
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
LAYOUT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,15}")


def layout_fault(name: str) -> str:
    """Return why the operator's layout cannot have that name; empty if it can."""
    if name in SHIPPED:
        return f"{name} is shipped; call yours otherwise"
    return "" if LAYOUT_NAME.fullmatch(name) else "is called by 1 to 16 small letters, digits, - or _, a letter first"


def layout_in_words(layout: DeskLayout, columns: Sequence[ColumnOfPanes]) -> str:
    """Format the visible columns, such as `proposals, positions | chart`."""
    return " | ".join(", ".join(column.panes) for column in columns) or ", ".join(layout.one)


def title_of(view: DeskView | None) -> str:
    """Format `(2) Keyturn`."""
    waiting = len(view.proposals) + len(view.drafts) if view is not None else 0
    name = "Keyturn" if view is None or view.status.mode.value == "paper" else "Keyturn LIVE"
    return f"({waiting}) {name}" if waiting else name


FRAMES = 10
"""Frames a second, unless the settings say fewer."""
THEME_FOLDER, THEME_FILE = "display", "theme.toml"
"""Where the chosen theme is kept, beside the settings."""


class DisplayTerms(Protocol):
    """The settings of the screen, without their class: it imports pydantic, which no first paint needs."""

    @property
    def theme(self) -> str: ...
    @property
    def frames(self) -> float: ...
    @property
    def bell_seconds(self) -> float: ...


class Display(NamedTuple):
    """What the screen is without settings."""

    theme: str = DEFAULT
    frames: float = FRAMES
    bell_seconds: float = AGAIN_AFTER
