"""A frame holds what changed: no more of it, and no less."""

from __future__ import annotations

import random
from typing import Any

import pyte
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip

from console.terminal.writer import Pen, TightLayout, TightUpdate, tight
from tests.kit.screen import text_of, whole
from tests.kit.styled import StyledApp
from widgets.grid import Align, Cell, Column, Grid, Row, Tone

COLUMNS = tuple(Column(f"c{number}", 5, Align.POINT) for number in range(5))
PANE, ROWS = 36, 8


class TwoPanes(StyledApp):
    CSS = f"Grid {{ width: {PANE}; height: {ROWS + 3}; border: solid green; }}"

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[ChopsUpdate | LayoutUpdate] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Grid(COLUMNS, id="left")
            yield Grid(COLUMNS, id="right")

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate):
            self.updates.append(renderable)
        super()._display(screen, renderable)


def some_rows(chance: random.Random, before: list[list[str]]) -> list[list[str]]:
    return [[f"{chance.random() * 9:.2f}" if chance.random() < 0.1 else value for value in row] for row in before]


async def test_small_frames_draw_the_same_picture() -> None:
    chance = random.Random(20261120)
    app = TwoPanes()
    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    async with app.run_test(size=(80, 24)) as pilot:
        values = [["1.00"] * len(COLUMNS)] * ROWS
        small = large = 0
        for turn in range(8):
            values = some_rows(chance, values)
            for name in ("left", "right"):
                app.query_one(f"#{name}", Grid).show(
                    [Row(str(key), tuple(map(Cell, row))) for key, row in enumerate(values)]
                )
            await pilot.pause()
            if turn == 0:
                full = whole(app)
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
        drawn = text_of(app).split("\n")

    assert [line.rstrip() for line in screen.display] == drawn
    assert small < large / 2


TONES: tuple[Tone, ...] = ("", "gain", "loss", "urgent", "muted", "strong")


def styles() -> list[Style]:
    """Anew each time: a style remembers what it was for the first terminal that it was written to."""
    attributes: list[dict[str, bool]] = [
        {}, {"bold": True}, {"bold": True, "reverse": True}, {"italic": True, "underline": True},
    ]  # fmt: skip
    return [
        Style(color=colour, bgcolor=background, **how)
        for colour in (None, "#ff8800", "red", "color(123)")
        for background in (None, "#102030", "bright_blue")
        for how in attributes
    ]


def looks(screen: pyte.Screen) -> list[tuple[Any, ...]]:
    """Every cell as it is seen: of a blank only what shows without a letter."""
    cells = [screen.buffer[y][x] for y in range(screen.lines) for x in range(screen.columns)]
    return [
        (
            c.data,
            c.bg,
            c.reverse,
            c.underscore,
            c.strikethrough,
            *((c.fg, c.bold, c.italics) if c.data != " " or c.reverse else ()),
        )
        for c in cells
    ]


def painted(text: str) -> pyte.Screen:
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(text)
    return screen


def test_style_differences_draw_the_same_as_whole_styles() -> None:
    for system in (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD):
        assert_same_looks(system)


def assert_same_looks(system: ColorSystem) -> None:
    chance = random.Random(7)
    known = styles()
    for _ in range(12):
        words = chance.choices(("a", " ", "  ", "12.5", "▲ +1", ""), k=12)
        segments = [Segment(word, chance.choice(known)) for word in words]
        whole = "".join(Strip.render_style(style, text, system) for text, style, _ in segments if style is not None)
        pen = Pen(system)

        pen.write(Strip(segments))

        text = pen.finished()
        assert looks(painted(text + "after")) == looks(painted(whole + "after")), system
        assert len(text) <= len(whole)


async def test_small_frames_have_the_same_colours() -> None:
    chance = random.Random(11)
    app = TwoPanes()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = pyte.Screen(80, 24)
        stream = pyte.Stream(screen)
        for turn in range(5):
            for grid in app.query(Grid):
                texts = [[f"{chance.random() * 9:.2f}" for _ in COLUMNS] for _ in range(ROWS)]
                grid.show(
                    [
                        Row(str(y), tuple(Cell(text, chance.choice(TONES)) for text in row))
                        for y, row in enumerate(texts)
                    ]
                )
            await pilot.press(chance.choice(("up", "down", "tab", "end")))
            await pilot.pause()
            for update in app.updates:
                frame = tight(update)
                assert isinstance(frame, TightUpdate | TightLayout)
                stream.feed("\x1b[H" + frame.render_segments(app.console).replace("\n", "\r\n"))
            app.updates.clear()
            update = whole(app)
            full = update.render_segments(app.console)
            wanted = looks(painted(full.replace("\n", "\r\n")))
            all_at_once = tight(update)
            assert isinstance(all_at_once, TightLayout)
            tight_text = all_at_once.render_segments(app.console)
            assert looks(painted(tight_text)) == wanted
            assert len(tight_text) < len(full) * 0.6
            if turn == 0:
                stream.feed("\x1b[H" + full.replace("\n", "\r\n"))
            assert looks(screen) == wanted
