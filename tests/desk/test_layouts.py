"""Which panes a size has room for, and that changing the size loses nothing."""

from __future__ import annotations

from itertools import combinations

from textual.geometry import Region, Size

from console.display import LOG_PANE, REVIEW, SHIPPED, WATCH, DeskLayout
from console.layout import Choice, PaneLayout, places
from console.panes import PANES
from console.screens.new_order import NewOrderScreen
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_position, a_view, an_exit, an_order, open_still
from tests.kit.rows import each

CHOICES = tuple(name for name in PANES if name not in ("proposals", LOG_PANE))
"""What one column shows beside proposals and log, by its number."""
SIZES = [(80, 24), (100, 30), (119, 50), (120, 24), (120, 40), (179, 45), (180, 24), (200, 60), (300, 90)]
SHOWN = [(80, 24), (120, 40), (200, 60)]


def area_of(width: int, height: int, banners: int = 0) -> Size:
    return Size(width, height - 3 - banners)


def fills(regions: dict[str, Region], area: Size) -> None:
    """All of it, each cell once."""
    assert sum(region.area for region in regions.values()) == area.area
    assert all(area.region.contains_region(region) and region.height >= 3 for region in regions.values())
    assert not any(one.overlaps(other) for one, other in combinations(regions.values(), 2))


def test_at_80_columns_one_pane_joins_two() -> None:
    for name in CHOICES:
        regions = places(Size(80, 24), area_of(80, 24), Choice().with_pane(name), dict.fromkeys(PANES, 50))
        assert list(regions) == ["proposals", name, "log"]
        assert regions["log"] == Region(0, 16, 80, 5)


def test_at_120_columns_a_pane_replaces_orders() -> None:
    trade = {"proposals", "positions", "orders", "protections", "strategies", "watch", "log"}
    regions = places(Size(120, 40), area_of(120, 40), Choice())
    assert set(regions) == trade
    assert regions["proposals"].width == 80

    with_results = Choice().with_pane("results").with_pane("positions")
    assert set(places(Size(120, 40), area_of(120, 40), with_results)) == trade - {"orders"} | {"results"}
    assert set(places(Size(120, 40), area_of(120, 40), with_results.with_pane("orders"))) == trade


@each("layout", SHIPPED.values())
@each("size", SIZES)
@each("holds", [0, 6, 50])
def test_every_layout_fills_the_room(layout: DeskLayout, size: tuple[int, int], holds: int) -> None:
    for name in PANES:
        area = area_of(*size, 4)
        choice = Choice(layout).with_pane(name)
        regions = places(Size(*size), area, choice, dict.fromkeys(PANES, holds))
        fills(regions, area)
        assert {name, "log"} <= set(regions)
        assert places(Size(*size), area, choice.with_zoom(name)).keys() == {name}


def test_at_180_columns_everything_has_a_place() -> None:
    regions = places(Size(180, 40), area_of(180, 40), Choice())
    assert set(regions) == {*CHOICES, "proposals", "log", "chart"} - {"history"}
    assert {regions[name].x for name in regions} == {0, 80, 140}


def test_panes_are_as_tall_as_their_rows() -> None:
    """DESK: nothing is half empty while another scrolls"""
    wants = {"proposals": 4, "positions": 7, "orders": 5, "protections": 6, "strategies": 4, "watch": 4}
    regions = places(Size(120, 40), Size(120, 36), Choice(), wants)
    assert [regions[name].height for name in ("proposals", "positions", "orders")] == [4, 7, 5]
    assert regions["log"] == Region(0, 16, 120, 20)


def test_longer_panes_share_what_is_left() -> None:
    wants = {"proposals": 5, "positions": 60, "orders": 30}
    regions = places(Size(120, 40), Size(120, 36), Choice(), wants)
    assert [regions[name].height for name in ("proposals", "positions", "orders")] == [5, 13, 13]
    assert regions["log"].height == 5


def test_the_chart_takes_what_is_left() -> None:
    wants = {"positions": 6, "watch": 11, "proposals": 5}
    regions = places(Size(120, 40), Size(120, 36), Choice(WATCH), wants)
    assert regions["log"].height == 14
    assert (regions["chart"].height, regions["positions"].height) == (22, 6)

    three = places(Size(200, 60), Size(200, 56), Choice(REVIEW), {"results": 9, "history": 12, "positions": 6})
    assert three["log"].height == 34
    assert (three["chart"].height, three["history"].height, three["results"].height) == (16, 13, 9)


def test_a_chart_gets_half_beside_proposals() -> None:
    regions = places(Size(80, 24), area_of(80, 24), Choice().with_pane("chart"), {"proposals": 10})
    assert (regions["proposals"].height, regions["chart"].height) == (8, 8)


def test_a_layout_changes_only_for_more_rows() -> None:
    """DESK: nothing moves that did not change"""
    panes, area = PaneLayout(), Size(120, 36)
    panes.screen = Size(120, 40)
    panes.wants = {"positions": 8, "orders": 6}
    assert not panes.must_change_for({"positions": 4, "orders": 4}, area)
    assert not panes.must_change_for({"positions": 8, "orders": 6}, area)
    assert panes.must_change_for({"positions": 9, "orders": 4}, area)


async def test_new_rows_make_room_and_gone_rows_do_not() -> None:
    few, many = (tuple(a_position(symbol) for symbol in names) for names in (("AIG",), "ABCDEFGH"))
    async with open_still(a_view(positions=few), (120, 40)) as house:
        pane = house.desk.board.positions
        before = pane.region.height
        await house.shows_next(positions=many)
        await house.until(lambda: pane.region.height == 8 + 4)
        assert before < pane.region.height
        await house.shows_next(positions=few)
        await house.sees("2 Positions ─ 1 open")
        assert pane.region.height == 8 + 4


async def test_l_cycles_layouts_and_keeps_a_focus() -> None:
    async with open_still(a_view(positions=(a_position(),)), SHOWN[0]) as house:
        await house.press("2")
        for size in SHOWN:
            await house.pilot.resize_terminal(*size)
            for name in ("watch", "review", "trade"):
                await house.press("L")
                await house.sees(f"layout {name}; L is the next one")
                board = house.desk.board
                assert house.desk.focused is board.keyboard_of(board.holder)
                assert board.keyboard_of(board.holder).region.area > 0
        assert house.handle.commands == []


async def test_a_waiting_exit_shows_at_every_size() -> None:
    """OP-06"""
    async with open_still(a_view(proposals=(an_exit("AIG"),)), SHOWN[0]) as house:
        for size, keys in zip(SHOWN, ("1234567", "1267", "16"), strict=True):
            await house.pilot.resize_terminal(*size)
            for key in keys:
                await house.press(key)
                await house.sees(
                    "!  EXIT WAITS  SELL to close 100 AIG, +0:21", "STOP HIT 48.43", "6 Log ─", "Ctrl+K KILL"
                )
                assert max(map(len, house.picture().splitlines())) <= size[0]
                assert len(house.picture().splitlines()) == size[1]


async def test_focus_survives_every_resize() -> None:
    """Also through one that is too small for any pane"""
    view = a_view(positions=(a_position(), a_position("IBM")), orders=(an_order(1), an_order(2)))
    every = ((80, 24), (60, 20), (120, 40), (120, 24), (70, 30), (80, 24), (180, 40))
    async with open_still(view, (200, 60)) as house:
        for key, sizes in (("3", every), ("1", every[1:3]), ("6", every[1:3])):
            await house.press(key, "down")
            grid = house.desk.focused
            selected = grid.selected  # type: ignore[union-attr]
            for size in sizes:
                await house.pilot.resize_terminal(*size)
                await house.wait(0.25)
                fits = size[0] >= 80 and size[1] >= 24
                assert house.shows("Keyturn needs 80 × 24") is not fits
                if fits:
                    assert house.desk.focused is grid
                    assert grid.region.area > 0  # type: ignore[union-attr]
                    assert grid.selected == selected  # type: ignore[union-attr]


async def test_a_resize_keeps_a_typed_form() -> None:
    async with open_desk((120, 40)) as house:
        await house.press("n")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        await house.press("tab", "tab", "4", "9", "6")
        form = house.desk.screen
        assert isinstance(form, NewOrderScreen)
        typed = {field: box.value for field, box in form.inputs.items()}
        focused = form.focused

        for size in ((80, 24), (60, 20), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.wait(0.25)

        assert {field: box.value for field, box in form.inputs.items()} == typed
        assert form.focused is focused
        await house.press(".", "5")
        assert "496.5" in [box.value for box in form.inputs.values()]


async def test_the_selection_mark_follows_focus() -> None:
    """Not with the next picture, which may be a second away"""
    async with open_still(a_view(positions=(a_position(),))) as house:
        await house.sees("▸   BUY to open", "▹ SPY")

        await house.press("2")
        await house.sees("▹   BUY to open", "▸ ● SPY")
