"""A frame holds what changed: no more of it, and no less."""

from __future__ import annotations

import random
from typing import Any

import pyte
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal

from console.frames import TightUpdate, tight
from widgets.grid import Align, Cell, Column, Grid, Row

COLUMNS = tuple(Column(f"c{number}", 5, Align.POINT) for number in range(5))
PANE, ROWS = 36, 8


class TwoPanes(App[None]):
    CSS = f"Grid {{ width: {PANE}; height: {ROWS + 3}; border: solid green; }}"

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[ChopsUpdate] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Grid(COLUMNS, id="left")
            yield Grid(COLUMNS, id="right")

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, ChopsUpdate):
            self.updates.append(renderable)
        super()._display(screen, renderable)


def some_rows(chance: random.Random, before: list[list[str]]) -> list[list[str]]:
    return [[f"{chance.random() * 9:.2f}" if chance.random() < 0.1 else value for value in row] for row in before]


async def test_small_frames_draw_the_same_picture_as_full_ones() -> None:
    chance = random.Random(20261120)
    app = TwoPanes()
    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    async with app.run_test(size=(80, 24)) as pilot:
        values = [["1.00"] * len(COLUMNS)] * ROWS
        small = large = 0
        for turn in range(30):
            values = some_rows(chance, values)
            for name in ("left", "right"):
                app.query_one(f"#{name}", Grid).show(
                    [Row(str(key), tuple(map(Cell, row))) for key, row in enumerate(values)]
                )
            await pilot.pause()
            if turn == 0:
                full = app.screen._compositor.render_update(full=True, screen_stack=[])
                stream.feed(full.render_segments(app.console).replace("\n", "\r\n"))
                app.updates.clear()
                continue
            for update in app.updates:
                frame = tight(update)
                assert isinstance(frame, TightUpdate)
                small += len(frame.render_segments(app.console))
                large += len(update.render_segments(app.console))
                stream.feed(frame.render_segments(app.console))
            app.updates.clear()
        drawn = [strip.text for strip in app.screen._compositor.render_strips()]

    assert screen.display == drawn
    assert small < large / 2
