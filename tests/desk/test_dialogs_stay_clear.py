"""Dialogs leave the status lines free, however many they become: UNCOVERED and KILLED are read over each of them."""

from __future__ import annotations

import pytest

from core.messages.commands import Kill, RequestCancel
from tests.desk.desk_house import House
from tests.desk.plan_house import open_floor, opens_a_plan
from tests.desk.still_house import open_still
from tests.desk.test_kill_screen_crowded import a_halt, a_kill, crowded
from tests.scenarios.plans import BOUGHT, SOLD, a_buy, a_sale
from widgets.lines import joined

SIZES = [(80, 24), (120, 40), (200, 60)]


def status_is_in_sight(house: House) -> bool:
    """Every word of the status lines, as it stands there."""
    lines = [joined(line).strip() for line in house.desk.board.status.lines]
    return [line.strip() for line in house.picture().splitlines()[: len(lines)]] == lines


async def test_banners_stay_readable_over_an_open_plan() -> None:
    """EX-13, OP-07: the lines grow while the basket stands there; what it says goes under them."""
    async with open_floor(size=(80, 24)) as house:
        await opens_a_plan(house, *(a_sale(symbol) for symbol in SOLD), *(a_buy(symbol, "45") for symbol in BOUGHT))
        assert status_is_in_sight(house)
        view = house.desk.view
        assert view is not None
        for stop in view.kill.stops_working[:2]:
            house.desk.handle.send(RequestCancel(stop.id))
        await house.until(lambda: house.shows("UNCOVERED "))
        await house.until(lambda: status_is_in_sight(house))
        await house.sees("Basket ─ rows.csv", "Esc back", "Nothing is marked yet")

        house.desk.handle.send(Kill("command"))
        await house.until(lambda: house.shows("KILLED "))
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.until(lambda: status_is_in_sight(house))
            await house.sees("Basket ─ rows.csv", "UNCOVERED ")


@pytest.mark.parametrize(
    ("size", "keys"),
    [
        (SIZES[0], ["question_mark", "n", "A", "ctrl+p", "q", "2 enter", "3 enter", "1 x"]),
        (SIZES[1], ["question_mark", "2 enter"]),
    ],
)
async def test_every_dialog_leaves_the_banners_free(size: tuple[int, int], keys: list[str]) -> None:
    """EX-13, OP-07"""
    calm = crowded()
    async with open_still(calm, size) as house:
        for key in keys:
            await house.press(*key.split())
            await house.until(lambda: len(house.desk.screen_stack) == 2)
            await house.until(lambda: status_is_in_sight(house))

            for status in (a_halt(), a_kill()) if key == keys[0] else (a_kill(),):
                await house.shows_next(status=crowded(**status).status)
                await house.sees("HALTED " if status["word"] == "halted" else "KILLED since", "UNCOVERED SYM00")
                assert status_is_in_sight(house), key
            await house.press("escape")
            await house.shows_next(status=calm.status)
            assert len(house.desk.screen_stack) == 1
