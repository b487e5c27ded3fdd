"""The baseline of the desk's measurements: the stress desk drawn by Textual's own DataTable, by nothing of ours.

The same engine in the same kind of thread, the same layout, the same columns and cells, made by the same panes; ten
times a second each cell that changed goes to `update_cell`. Textual's driver, no skipped frames. A row's cursor has a
colour of its own, so that a reader of the bytes can see it move.

    KEYTURN_HOME=/tmp/home .venv/bin/python tests/bench/datatable_desk.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, stress_runtime

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Label

from console.board import Board
from console.client.handle import EngineHandle
from console.display import FRAMES
from console.layout import PaneArea, places
from console.run import TURN
from console.themes import DEFAULT, theme_for
from core.views import DeskView
from widgets.grid import Column, Row
from widgets.lines import GAP, joined, widths_of

ROOT = Path(__file__).resolve().parents[2]
EDGES = 2
"""Columns, and lines, that a pane's frame takes."""
HEADER = 1


class Table(Vertical):
    """A pane: a frame around one DataTable that shows the rows of one of our panes."""

    DEFAULT_CSS = """
    Table { border: solid $panel-lighten-2; height: 1fr; }
    Table DataTable { height: 1fr; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.border_title = name
        self.table: DataTable[str] = DataTable(cursor_type="row", cell_padding=0, id=f"{name}-table")
        self.width = 0
        self.columns: tuple[Column, ...] = ()
        self.shown: dict[str, tuple[str, ...]] = {}

    def compose(self) -> ComposeResult:
        yield self.table

    def fill(self, columns: tuple[Column, ...]) -> None:
        """As wide as ours in a pane of this width, the gap behind each included."""
        if columns == self.columns:
            return
        self.columns, self.shown = columns, {}
        self.table.clear(columns=True)
        for number, (column, cells) in enumerate(zip(columns, widths_of(columns, self.width), strict=True)):
            self.table.add_column(column.title or " ", width=cells + GAP, key=str(number))

    def show(self, columns: Sequence[Column], rows: list[Row]) -> None:
        """Only what changed: cells one by one, rows that came or went as a whole, columns with all that they hold."""
        self.fill(tuple(columns))
        now = {row.key: tuple(cell.text for cell in row.cells[: len(self.columns)]) for row in rows}
        if list(now) != list(self.shown):
            self.table.clear()
            for key, cells in now.items():
                self.table.add_row(*cells, key=key)
        else:
            for key, cells in now.items():
                for number, (was, text) in enumerate(zip(self.shown[key], cells, strict=True)):
                    if was != text:
                        self.table.update_cell(key, str(number), text)
        self.shown = now


class Ticket(ModalScreen[None]):
    """What Enter opens here: a plain dialog with one label, on top of the tables."""

    BINDINGS: ClassVar = [("escape", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        yield Label("not armed")


class DataTableDesk(App[None]):
    CSS_PATH = str(ROOT / "console" / "desk.tcss")
    CSS = """
    DataTable:focus > .datatable--cursor { background: rgb(1,2,3); color: white; }
    #status { height: 4; width: 1fr; }
    """
    BINDINGS: ClassVar = [("2", "positions", "positions")]

    def __init__(self, handle: EngineHandle) -> None:
        super().__init__()
        theme = theme_for(DEFAULT, self.console.color_system)
        self.register_theme(theme)
        self.theme = theme.name
        self.animation_level = "none"
        self.handle = handle
        self.board = Board(lambda _what, _key: None)
        self.area = PaneArea()
        self.rows: dict[str, list[Row]] = {}
        self.tables: dict[str, Table] = {}
        for name, pane in self.board.panes.items():
            pane.grid.show = lambda rows, *, empty=None, name=name: self.rows.__setitem__(name, [*rows])  # type: ignore[method-assign,misc]
            self.tables[name] = Table(name)

    def compose(self) -> ComposeResult:
        yield Label("", id="status")
        with self.area:
            yield from self.tables.values()

    def on_mount(self) -> None:
        self.area.panes.screen = self.size
        for name, region in places(self.size, self.size, self.area.panes.choice).items():
            if name in self.tables:
                self.tables[name].width = region.width - EDGES
        self.area.refresh(layout=True)
        self.call_after_refresh(self.handle.start)
        self.set_interval(1 / FRAMES, self.frame)

    def frame(self) -> None:
        view = self.handle.view
        now = self.handle.clock()
        if not isinstance(view, DeskView) or now is None:
            return
        base: Screen[object] = self.screen_stack[0]
        self.board.show(view, max(now, view.status.at), self.size, None)
        base.query_one("#status", Label).update(
            "\n".join(joined(line) for line in self.board.status.lines), layout=False
        )
        self.divide()
        for name in self.area.panes.names() & self.tables.keys():
            self.tables[name].show(self.board.panes[name].grid._columns, self.rows.get(name, []))

    def divide(self) -> None:
        """Each table as high as its rows want, as our panes are."""
        wants = {name: EDGES + HEADER + len(rows) for name, rows in self.rows.items()}
        if wants != self.area.panes.wants:
            self.area.panes.wants = wants
            self.area.divide_again()

    def action_positions(self) -> None:
        self.screen.set_focus(self.tables["positions"].table)

    def on_data_table_row_selected(self) -> None:
        self.push_screen(Ticket())


def main() -> None:
    sys.setswitchinterval(TURN)
    program = Host.of(dict(os.environ))
    handle = EngineHandle(lambda stack: stress_runtime(program, DemoOptions(), stack))
    DataTableDesk(handle).run()
    handle.close("left", 3)


if __name__ == "__main__":
    main()
