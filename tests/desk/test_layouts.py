"""Which panes a size has room for, and that changing the size loses nothing."""

from __future__ import annotations

import pytest
from textual.geometry import Region, Size

from console.layout import CHOICES, Choice, places
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_position, a_view, an_exit, an_order, open_still

SIZES = [(80, 24), (100, 30), (119, 50), (120, 24), (120, 40), (179, 45), (180, 24), (200, 60), (300, 90)]


def area_of(width: int, height: int, banners: int = 0) -> Size:
    return Size(width, height - 3 - banners)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("banners", [0, 4])
@pytest.mark.parametrize("chosen", CHOICES)
def test_the_panes_fill_the_room_and_none_covers_another(size: tuple[int, int], banners: int, chosen: str) -> None:
    area = area_of(*size, banners)

    regions = places(Size(*size), area, Choice().with_pane(chosen))

    assert sum(region.area for region in regions.values()) == area.area
    cells = {(x, y) for region in regions.values() for y in region.line_range for x in region.column_range}
    assert len(cells) == area.area
    assert all(region.height >= 3 for region in regions.values())
    assert chosen in regions
    assert {"proposals", "log"} <= set(regions)


def test_at_80_by_24_there_are_proposals_one_other_pane_and_three_lines_of_log() -> None:
    for name in CHOICES:
        regions = places(Size(80, 24), area_of(80, 24), Choice().with_pane(name))
        assert list(regions) == ["proposals", name, "log"]
        assert regions["log"] == Region(0, 16, 80, 5)


def test_from_120_columns_on_all_panes_but_the_chart_and_one_of_orders_and_results_have_a_place() -> None:
    regions = places(Size(120, 40), area_of(120, 40), Choice())
    assert set(regions) == {"proposals", "positions", "orders", "protections", "strategies", "log"}
    assert regions["proposals"].width == 80

    with_results = places(Size(120, 40), area_of(120, 40), Choice().with_pane("results").with_pane("positions"))
    assert set(with_results) == {"proposals", "positions", "results", "protections", "strategies", "log"}


def test_from_180_columns_on_everything_has_a_place() -> None:
    regions = places(Size(180, 40), area_of(180, 40), Choice())
    assert set(regions) == {*CHOICES, "proposals", "log", "chart"}
    assert {regions[name].x for name in regions} == {0, 80, 140}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_waiting_exit_is_on_the_screen_at_every_size_whatever_was_chosen(size: tuple[int, int]) -> None:
    """OP-06"""
    async with open_still(a_view(proposals=(an_exit("AIG"),)), size) as house:
        for key in "1234567":
            await house.press(key)
            await house.sees("!  EXIT WAITS  SELL to close 100 AIG, +0:21", "STOP HIT 48.43", "6 Log ─", "Ctrl+K KILL")
            assert max(map(len, house.picture().splitlines())) <= size[0]
            assert len(house.picture().splitlines()) == size[1]


async def test_at_80_columns_each_number_brings_its_pane_and_the_keyboard_goes_with_it() -> None:
    async with open_still(a_view(), (80, 24)) as house:
        for key, name in (
            ("2", "positions"),
            ("3", "orders"),
            ("4", "protections"),
            ("5", "strategies"),
            ("7", "results"),
        ):
            await house.press(key)
            await house.sees(f"{key} {name.capitalize()} ─", "1 Proposals ─", "6 Log ─")
            assert house.desk.focused is house.desk.board.panes[name].grid


@pytest.mark.parametrize("key", list("1234567"))
async def test_the_keyboard_stays_in_its_pane_through_every_size(key: str) -> None:
    """Also through one that is too small for any pane"""
    view = a_view(positions=(a_position(), a_position("IBM")), orders=(an_order(1), an_order(2)))
    async with open_still(view, (200, 60)) as house:
        await house.press(key, "down")
        grid = house.desk.focused
        selected = grid.selected  # type: ignore[union-attr]
        for size in ((80, 24), (60, 20), (120, 40), (120, 24), (70, 30), (80, 24), (180, 40)):
            await house.pilot.resize_terminal(*size)
            await house.wait(0.25)
            fits = size[0] >= 80 and size[1] >= 24
            assert house.shows("Keyturn needs 80 × 24") is not fits
            if fits:
                assert house.desk.focused is grid
                assert grid.region.area > 0  # type: ignore[union-attr]
                assert grid.selected == selected  # type: ignore[union-attr]


async def test_a_resize_under_an_open_ticket_keeps_it_and_the_row_under_it() -> None:
    """OP-04"""
    async with open_desk((200, 60)) as house:
        ticket = await house.opens_the_ticket()

        for size in ((80, 24), (60, 20), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.wait(0.25)
            assert house.desk.screen is ticket
        await house.until(house.is_armed)
        await house.sees("0.1 SPY at 496.21 limit")

        await house.press("escape")
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        assert house.desk.focused is house.desk.board.proposals.grid
        assert house.desk.board.proposals.grid.selected is not None


async def test_a_resize_in_the_middle_of_an_order_form_keeps_what_was_typed_and_where() -> None:
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


async def test_a_sent_orders_row_is_shown_where_results_stood() -> None:
    async with open_desk((120, 40)) as house:
        await house.press("7")
        assert not house.shows("3 Orders ─")
        await house.press("1")

        await house.buys()

        await house.until(lambda: house.shows("3 Orders ─ 1 working"))


async def test_the_mark_of_the_selection_follows_the_keyboard_at_once() -> None:
    """Not with the next picture, which may be a second away"""
    async with open_still(a_view(positions=(a_position(),))) as house:
        await house.sees("▸   BUY to open", "▹ SPY")

        await house.press("2")
        await house.sees("▹   BUY to open", "▸ SPY")
