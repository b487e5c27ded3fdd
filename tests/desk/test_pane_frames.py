"""What a pane's title and note cost: their own part of the frame, and none of the rows below it."""

from __future__ import annotations

from typing import Any

from syrupy.assertion import SnapshotAssertion
from textual._compositor import ChopsUpdate
from textual.app import ComposeResult

from tests.kit.screen import text_of
from tests.kit.styled import StyledApp
from widgets.grid import Cell, Column, Row
from widgets.pane import Pane

WIDTH, HEIGHT = 60, 12


class OnePane(StyledApp):
    def __init__(self) -> None:
        super().__init__()
        self.updates: list[ChopsUpdate] = []
        self.pane = Pane((Column("A", 5), Column("B", 5)), empty="nothing", id="pane")

    def compose(self) -> ComposeResult:
        yield self.pane

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, ChopsUpdate):
            self.updates.append(renderable)
        super()._display(screen, renderable)

    def spans(self) -> list[tuple[int, int, int]]:
        """Line, first cell and end of all that was drawn since the last time."""
        found = [span for update in self.updates for span in update.spans]
        self.updates.clear()
        return found

    def line(self, y: int) -> str:
        return text_of(self).splitlines()[y]


async def test_another_title_draws_no_more_of_the_frame_than_it_is_long(snapshot: SnapshotAssertion) -> None:
    app = OnePane()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.pane.grid.show([Row(str(number), (Cell("x"), Cell("y"))) for number in range(5)])
        app.pane.title_with("30 open, +1.50 USD")
        await pilot.pause()
        app.spans()

        app.pane.title_with("30 open, −12.50 USD")
        await pilot.pause()
        longer = app.spans()
        app.pane.title_with("1 open")
        await pilot.pause()
        shorter = app.spans()

        assert [(y, start) for y, start, _ in longer + shorter] == [(0, 0), (0, 0)]
        assert all(end <= len("0  ─ 30 open, −12.50 USD") + 4 for _, _, end in longer + shorter)
        assert app.line(0) == snapshot


async def test_another_note_draws_the_lower_edge(snapshot: SnapshotAssertion) -> None:
    app = OnePane()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.spans()

        app.pane.note("CANCELLED: by the operator")
        await pilot.pause()

        assert app.spans() == [(HEIGHT - 1, 0, WIDTH)]
        assert app.line(HEIGHT - 1) == snapshot
