"""`?`: every key that works where the operator is, the nearest first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import Place, bindings_for, help_rows
from console.screens.layer import Dialog
from widgets.grid import Cell, Column, Grid, Row


class HelpScreen(Dialog):
    CSS = """
    #help { width: 66; max-width: 100%; height: 22; max-height: 100%; background: $surface;
            border: round $accent; padding: 0 1; }
    """
    PLACE = Place.HELP
    BINDINGS = bindings_for(PLACE)

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    def compose(self) -> ComposeResult:
        grid = Grid(
            (Column("WHERE", 14), Column("KEY", 14), Column("WHAT IT DOES", 20, stretches=True)), id="help-grid"
        )
        box = Vertical(grid, id="help")
        box.border_title = f"Help ─ {self.place.value} ─ Esc closes"
        yield box
        grid.show(
            [
                Row(f"{number}", (Cell(where, "muted"), Cell(key, "strong"), Cell(what)))
                for number, (where, key, what) in enumerate(help_rows(self.place))
            ]
        )

    def action_back(self) -> None:
        self.dismiss()
