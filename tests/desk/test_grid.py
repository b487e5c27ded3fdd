"""The grid that all panes share: it draws what changed and nothing else, and never loses whom the operator meant."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from textual.app import ComposeResult
from textual.geometry import Region

from console.themes import PALETTES, theme_for
from core.model.text_sanitizer import HARMFUL, REPLACEMENT, harmless
from tests.kit.rows import each
from tests.kit.styled import StyledApp
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import fitted

COLUMNS = (
    Column("sym", 6),
    Column("qty", 6, Align.RIGHT),
    Column("last", 9, Align.POINT),
    Column("note", 10, stretches=True),
)
WIDTH, HEIGHT = 60, 8


class CountingGrid(Grid):
    """Remembers each refresh of regions, and each line that was asked for."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.refreshed: list[Region] = []
        self.full_refreshes = 0
        self.lines_drawn: list[int] = []
        super().__init__(*arguments, **named)

    def refresh(self, *regions: Region, **named: Any) -> CountingGrid:
        self.refreshed += regions
        self.full_refreshes += not regions
        return super().refresh(*regions, **named)

    def render_line(self, y: int) -> Any:
        self.lines_drawn.append(y)
        return super().render_line(y)

    def forget(self) -> None:
        self.refreshed.clear()
        self.lines_drawn.clear()
        self.full_refreshes = 0


class OneGrid(StyledApp):
    CSS = f"Grid {{ width: {WIDTH}; height: {HEIGHT}; }}"

    def __init__(self, **named: Any) -> None:
        super().__init__()
        self.grid = CountingGrid(COLUMNS, **named)
        self.moved: list[str | None] = []
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_grid_moved(self, event: Grid.Moved) -> None:
        self.moved.append(event.key)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        self.opened.append(event.key)

    def lines(self) -> list[str]:
        return [self.grid.render_line(y).text for y in range(HEIGHT)]


def a_row(key: str, last: str = "1.00", note: str = "", quantity: str = "10") -> Row:
    return Row(key, (Cell(key), Cell(quantity), Cell(last, "gain"), Cell(note)))


def rows(keys: Iterable[str]) -> list[Row]:
    return [a_row(key) for key in keys]


async def test_only_changed_cells_are_refreshed() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("ABC"))
        await pilot.pause()
        app.grid.forget()

        app.grid.show([a_row("A"), a_row("B", last="1.01"), a_row("C")])
        await pilot.pause()

        assert app.grid.refreshed == [Region(16, 2, 9, 1)]
        assert app.grid.full_refreshes == 0
        assert set(app.grid.lines_drawn) == {2}
        assert "1.01" in app.lines()[2]


async def test_moving_the_selection_refreshes_two_lines() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("ABCD"))
        await pilot.pause()
        app.grid.forget()

        await pilot.press("j")

        assert app.grid.refreshed == [Region(0, 1, WIDTH, 1), Region(0, 2, WIDTH, 1)]
        assert app.grid.full_refreshes == 0


async def test_a_selection_is_kept_by_identity() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("ABC"))
        await pilot.press("down")

        app.grid.show(rows("XYCAB"))
        await pilot.pause()

        assert app.grid.selected == "B"
        assert app.lines()[5].startswith("▸ B")
        assert app.moved == ["A", "B"]


async def test_the_first_row_of_a_list_is_selected() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("A"))
        app.grid.show(rows(""))
        await pilot.pause()
        assert app.grid.selected is None

        app.grid.show(rows("B"))
        await pilot.pause()
        assert app.grid.selected == "B"


async def test_a_key_for_a_gone_row_hits_no_other() -> None:
    """OP-04"""
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("ABC"))
        await pilot.press("j")

        app.grid.show(rows("AC"))
        await pilot.press("enter")
        assert app.grid.selected is None
        assert app.opened == []

        await pilot.press("j", "enter")
        assert app.opened == ["C"]
        assert app.moved == ["A", "B", None, "C"]


async def test_keys_move_scroll_and_open() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows(f"R{number:02}" for number in range(30)))
        await pilot.pause()
        assert app.lines()[-1].rstrip().endswith("1 of 30")

        await pilot.press("end")
        assert app.grid.selected == "R29"
        assert app.lines()[-1].rstrip().endswith("30 of 30")
        assert "R29" in app.lines()[-2]
        assert app.lines()[0].split() == ["sym", "qty", "last", "note"]
        await pilot.press("pageup", "k", "enter")
        assert app.opened == ["R23"]
        await pilot.press("home", "pagedown")
        assert app.grid.selected == "R05"


async def test_rows_above_do_not_move_the_selection() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        names = [f"R{number:02}" for number in range(30)]
        app.grid.show(rows(names))
        await pilot.press("end", "up")
        before = app.lines()[1:-1]

        app.grid.show(rows(["N1", "N2", *names]))
        await pilot.pause()

        assert app.lines()[1:-1] == before


async def test_a_following_list_shows_its_end() -> None:
    app = OneGrid(follows=True)
    async with app.run_test() as pilot:
        names = [f"R{number:02}" for number in range(30)]
        app.grid.show(rows(names[:20]))
        app.grid.show(rows(names))
        assert "R29" in app.lines()[-1]

        await pilot.press("home")
        app.grid.show(rows([*names, "R30"]))

        assert "R00" in app.lines()[1]
        assert not app.grid.follows


async def test_an_empty_pane_says_what_would_fill_it(snapshot: SnapshotAssertion) -> None:
    app = OneGrid(empty="No proposals. VWAP waits for 10:00")
    async with app.run_test() as pilot:
        app.grid.show([])
        await pilot.pause()
        assert app.lines()[1] == snapshot

        app.grid.show(rows("A"))
        await pilot.press("enter")
        assert app.opened == ["A"]


async def test_without_a_header_the_last_line_counts() -> None:
    app = OneGrid(has_header=False)
    async with app.run_test() as pilot:
        app.grid.show(rows("ABCDEFGHIJ"))
        await pilot.press("end")

        assert app.lines()[-1].rstrip().endswith("10 of 10")
        assert app.lines()[-2].startswith("▸ J")


async def test_a_click_selects_the_row_under_it() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows("ABC"))
        await pilot.pause()

        await pilot.click(Grid, offset=(4, 3))

        assert app.grid.selected == "C"


async def test_a_resize_loses_nothing() -> None:
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show(rows(f"R{number:02}" for number in range(30)))
        await pilot.press(*["down"] * 6)
        app.grid.styles.height = 4
        await pilot.pause()

        assert app.grid.selected == "R06"
        assert any("▸ R06" in app.grid.render_line(y).text for y in range(4))


@pytest.mark.parametrize("theme", list(PALETTES))
async def test_every_segment_has_a_style(theme: str) -> None:
    """A segment without one ends the desk under NO_COLOR."""
    app = OneGrid(empty="nothing")
    async with app.run_test() as pilot:
        app.register_theme(theme_for(theme, app.console.color_system))
        app.theme = theme
        for shown in ([], rows("ABCDEFGHIJ")):
            app.grid.show(shown)
            await pilot.pause()
            for y in range(HEIGHT):
                strip = app.grid.render_line(y)
                assert strip.cell_length == WIDTH
                assert all(segment.style is not None for segment in strip)


async def test_no_color_draws_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show([Row("A", (Cell("A", "urgent"), Cell("1"), Cell("2", "loss"), Cell("x", "muted")))])
        await pilot.press("enter")

        assert app.no_color
        assert app.opened == ["A"]
        assert "▸ A" in app.lines()[1]


async def test_text_from_outside_is_only_text() -> None:
    """SY-06"""
    app = OneGrid()
    async with app.run_test() as pilot:
        app.grid.show([a_row("A", note="[red]x\x1b[2J\u202e\u200b\t界")])
        await pilot.pause()

        line = app.lines()[1]
        assert "[red]x�[2J���界" in line
        assert cell_len(line) == WIDTH


@each(
    ("outside", "drawn"),
    [
        ("plain", "plain"), ("a\x00b\x7fc\x9b", "a�b�c�"), ("\u2066left\u2069 \ufeff\u00ad", "�left� ��"),
        ("e\u0301", "é"), ("z\u0335\u0336\u0337", "z\u0335��"), ("\u0301x", "�x"), ("\ud800", "�"),
        ("a\u2028b", "a�b"),
    ],
)  # fmt: skip
def test_harmful_characters_are_replaced(outside: str, drawn: str) -> None:
    """SY-06"""
    assert harmless(outside) == drawn


def test_columns_without_room_move_to_details() -> None:
    """SY-06: as the terminal's library counts cells."""
    room = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in HARMFUL]

    unseen = [character for character in room if not cell_len(character)]
    assert [character for character in unseen if set(harmless(character)) != {REPLACEMENT}] == []


def test_numbers_align_and_are_never_cut() -> None:
    numbers = ["182.11", "5.5", "7", "-1,250.125", "1234567890.12"]

    aligned = [fitted(number, 11, Align.POINT, 3) for number in numbers]

    assert aligned == ["    182.11 ", "      5.5  ", "      7    ", " -1,250.125", "#" * 11]


def test_words_are_cut_with_an_ellipsis() -> None:
    assert fitted("declined by hand", 8, Align.LEFT, 0) == "decline…"
    assert fitted("世界世界", 6, Align.LEFT, 0) == "世界 …"
    assert cell_len(fitted("世界世界", 6, Align.LEFT, 0)) == 6
    assert fitted("世界", 7, Align.RIGHT, 0) == "   世界"
