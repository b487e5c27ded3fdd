"""Which panes are on the screen, for its size and the pane that was chosen."""

from __future__ import annotations

from textual.containers import Container, Vertical
from textual.screen import Screen

from console.screens.layer import MINIMUM
from widgets.pane import Pane

WIDE = 120
"""Columns from which all panes stand side by side."""
LEFT = ("positions", "orders")
CHOICES = (*LEFT, "protections", "strategies")


def fits(width: int, height: int) -> bool:
    return width >= MINIMUM[0] and height >= MINIMUM[1]


def too_small(width: int, height: int) -> str:
    return f"Keyturn needs {MINIMUM[0]} × {MINIMUM[1]}; this terminal has {width} × {height}. Ctrl+K still halts."


def arrange(screen: Screen[None], panes: dict[str, Pane], chosen: str, width: int) -> None:
    """All panes side by side from 120 columns on; below, proposals, the chosen one and the log under each other."""
    is_narrow = width < WIDE
    screen.set_class(is_narrow, "-narrow")
    for name in CHOICES:
        panes[name].display = not is_narrow or name == chosen
    screen.query_one("#left", Vertical).set_class(chosen in LEFT, "-holds-chosen")
    screen.query_one("#right", Vertical).display = not is_narrow or chosen not in LEFT
    screen.query_one("#panes", Container).display = True
