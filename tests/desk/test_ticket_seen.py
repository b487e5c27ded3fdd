"""Only what was seen whole can be confirmed, and the ticket says how that is known (OP-03, OP-04)."""

from __future__ import annotations

from dataclasses import replace

from console.desk import DeskApp
from console.terminal.driver import NoTerminalLink, TerminalLink
from core.facts import ConfirmationReceived
from core.messages.commands import ProposeClose
from core.model.staging import CheckResult, Review, Verdict
from core.views import DeskView
from tests.desk.desk_house import SPY, House, open_desk
from tests.kit.styled import STYLES

MANY = 16


class SilentLink(NoTerminalLink):
    """A terminal that draws, and answers no question."""

    paint_is_proved = False


class DeskByTime(DeskApp):
    CSS_PATH = STYLES

    @property
    def link(self) -> TerminalLink:
        return SilentLink(self.now)


def warns_of_everything(house: House) -> None:
    """Every check has something to say, in a line of its own."""
    draw = house.runtime.view
    said = Review(tuple(Verdict(f"check {n}", CheckResult.WARNS, f"reason number {n}") for n in range(MANY)))

    def warned() -> DeskView:
        view = draw()
        return replace(view, tickets=tuple(replace(ticket, now=said) for ticket in view.tickets))

    house.runtime.view = warned  # type: ignore[method-assign]


async def test_without_proof_a_terminal_arms_by_time() -> None:
    """OP-04"""
    async with open_desk((80, 24), kind=DeskByTime) as house:
        await house.opens_the_ticket()
        await house.sees("armed, by time  ")

        await house.press("B")

        await house.until(lambda: house.facts(ConfirmationReceived))


async def test_a_hidden_part_keeps_an_entry_disarmed() -> None:
    """OP-03"""
    async with open_desk((80, 24)) as house:
        warns_of_everything(house)
        await house.press("enter")
        await house.until(
            lambda: house.shows("lines more: a taller terminal shows them", "not armed: a part is hidden")
        )
        await house.wait(0.6)
        await house.press("B")
        await house.wait(0.4)
        assert house.sent_nothing()

        await house.pilot.resize_terminal(80, 40)
        await house.until(
            lambda: house.shows("check 0: reason number 0", f"check {MANY - 1}: reason number {MANY - 1}")
        )
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: house.facts(ConfirmationReceived))


async def test_an_exit_can_always_be_confirmed() -> None:
    """OP-06, RK-22"""
    async with open_desk() as house:
        await house.buys()
        warns_of_everything(house)
        await house.pilot.resize_terminal(80, 24)
        house.desk.handle.send(ProposeClose(SPY))
        await house.until(lambda: house.shows("1 EXIT"))

        await house.press("exclamation_mark")
        await house.until(lambda: house.shows("lines more: a taller terminal shows them", "S  sell to close"))
        await house.until(house.is_armed)
        await house.press("S")

        await house.until(lambda: len(house.facts(ConfirmationReceived)) == 2)
