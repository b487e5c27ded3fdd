"""A key that cannot do what its hand meant says what is missing: no silence is taken for a broken desk."""

from __future__ import annotations

from console.screens.kill import KillScreen
from console.ticket_status import TypedWord
from core.facts import Rearmed, Resumed
from tests.desk.desk_house import House, open_desk


async def test_lower_case_rearm_asks_for_capitals() -> None:
    """OP-07: and the hint goes with the right word"""
    async with open_desk() as house:
        await house.kills()
        await house.press(*"rear")
        await house.sees("in capitals: REARM")
        await house.press("m")
        await house.sees("in capitals: REARM")
        await house.press(*"RE")
        await house.until(lambda: house.shows("typed: RE") and not house.shows("in capitals"))
        assert not house.facts(Rearmed)
        await house.press(*"ARM")
        await house.until(lambda: house.facts(Rearmed))


async def to_the_panes(house: House) -> None:
    await house.wait(0)


async def to_a_form(house: House) -> None:
    await house.press("n")


async def to_a_ticket(house: House) -> None:
    await house.opens_the_ticket()


async def to_the_log_filter(house: House) -> None:
    await house.press("6", "slash", "a")


async def to_the_kill_screen(house: House) -> None:
    await house.press("ctrl+k")
    await house.sees("HALTED")


async def test_ctrl_z_says_that_it_is_off() -> None:
    """OP-07: a desk put to sleep hears no kill and watches no stop; small letters of the kill screen ask for Shift"""
    async with open_desk() as house:
        for go in (to_the_panes, to_a_form, to_a_ticket, to_the_log_filter, to_the_kill_screen):
            await go(house)
            screens = len(house.desk.screen_stack)
            house.desk.say("")
            await house.press("ctrl+z")
            await house.until(lambda: "Ctrl+Z is off" in house.footer())
            assert len(house.desk.screen_stack) == screens
            if go is not to_the_kill_screen:
                await house.press("escape", "1")
                await house.until(lambda: len(house.desk.screen_stack) == 1)

        await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.is_armed())
        for key in ("u", "k"):
            await house.press(key)
            await house.until(lambda key=key: f"with Shift: {key.upper()}" in house.footer())
        assert not house.facts(Resumed)
        assert house.sent_nothing()


def test_another_case_of_a_word_is_known() -> None:
    """OP-04, RK-06"""
    word = TypedWord("OVERRIDE")
    for letter in "overr":
        word.hear(letter)
    assert (word.typed, word.is_in_another_case) == ("", True)
    word.hear("O")
    assert (word.typed, word.is_in_another_case) == ("O", False)
    word.hear("x")
    assert not word.is_in_another_case
