"""The tour: eight steps on the real desk, each done by doing it."""

from __future__ import annotations

from console.screens.desk_control import LeaveScreen
from console.screens.first_start import ROWS, STEPS
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from console.screens.reading import HelpScreen
from console.screens.ticket import TicketScreen
from core.facts import OrderSent
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import Disk
from tests.kit.rows import each
from widgets.ticket_text import wrapped


def step(house: House) -> str:
    """What stands over the last line."""
    return "\n".join("".join(cell.text for cell in line) for line in house.desk.board.tour.lines)


async def at_step(house: House, number: int) -> None:
    await house.until(lambda: step(house).startswith(f"TOUR {number} of 8"))


@each("number", range(len(STEPS)))
def test_each_step_fits_eighty_columns(number: int) -> None:
    assert len(wrapped(f"TOUR {number + 1} of {len(STEPS)}  ", STEPS[number].words(), 78)) <= ROWS


async def test_the_tour_presses_nothing_itself() -> None:
    """OP-01: each key is the operator's, and does what it always does."""
    async with open_desk((80, 24)) as house:
        await house.buys()
        sent = len(house.facts(OrderSent))
        await house.press("question_mark")
        await house.until(lambda: isinstance(house.desk.screen, HelpScreen))
        await house.press("t")
        await at_step(house, 1)
        assert house.shows("Press 2: what you hold")
        await house.press("2")
        await at_step(house, 2)
        await house.press("enter")
        await house.until(lambda: len(house.desk.screen_stack) == 2)
        await house.wait(0.2)
        await at_step(house, 2)
        await house.press("escape")
        await at_step(house, 3)
        house.types_an_order("0.05")
        await house.press("1")
        await house.until(lambda: house.desk.board.proposals.grid.selected is not None)
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        await at_step(house, 4)
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: len(house.facts(OrderSent)) > sent)
        await at_step(house, 5)
        await house.press("n")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        await house.wait(0.2)
        await house.press("escape")
        await at_step(house, 6)
        await house.press("2", "c")
        await house.until(lambda: len(house.desk.screen_stack) == 2)
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        await house.press("escape")
        await at_step(house, 7)
        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.shows("U resume"))
        await house.wait(0.6)
        await house.press("U")
        await at_step(house, 8)
        await house.press("q")
        await house.until(lambda: isinstance(house.desk.screen, LeaveScreen))
        await house.wait(0.2)
        await house.press("escape")
        await house.until(lambda: step(house).startswith("TOUR  That was all"))
        await house.press("3")
        await house.until(lambda: not house.desk.board.tour.display)


async def test_the_tour_starts_at_the_welcome() -> None:
    disk = Disk(is_new=True)
    async with open_desk(surroundings=disk) as house:
        await house.until(lambda: house.shows("t: a tour of eight steps"))
        await house.press("t")
        await at_step(house, 1)
        await house.until(lambda: not disk.is_new)
        await house.press("question_mark")
        await house.until(lambda: isinstance(house.desk.screen, HelpScreen))
        await house.press("t")
        await house.until(lambda: not house.desk.board.tour.display)
        assert house.sent_nothing()
