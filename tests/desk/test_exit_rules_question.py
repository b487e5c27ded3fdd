"""The question whether exit rules watch a position that no strategy opened: asked once, answered by another key."""

from __future__ import annotations

from dataclasses import replace

from console.screens.exit_rules import ExitRulesQuestion
from core.messages.commands import ChooseExitRules
from core.model.holding import Concern, Health, RulesChoice
from core.views import PositionRow
from tests.desk.desk_house import SPY
from tests.desk.still_house import StillHouse, a_position, a_view, open_still

ASKS = RulesChoice("none: yours", is_watched=False, offered="stop, target, 5 d", asks=True)
WATCHED = RulesChoice("stop, target, 5 d", is_watched=True)


def taken_over(choice: RulesChoice = ASKS) -> PositionRow:
    health = Health(concerns=(Concern.NO_STOP,), choice=choice)
    return a_position(strategy="broker", key="SPY/broker", health=health)


async def is_asked(house: StillHouse) -> None:
    await house.until(lambda: isinstance(house.desk.screen, ExitRulesQuestion) and house.is_armed())


async def test_what_is_taken_over_is_told_and_opens_nothing() -> None:
    """ST-09: the row says who watches it; w asks, and another key answers"""
    async with open_still(a_view(), (80, 24)) as house:
        await house.shows_next(positions=(taken_over(),))
        await house.sees("SPY was taken over: w in Positions sets its exit rules")
        await house.press("2")
        await house.sees("red, no stop in force, exit rules? none: yours")
        await house.press("w")
        await is_asked(house)
        await house.sees("watch them: stop, target, 5 d")
        await house.press("w")
        await is_asked(house)
        assert house.handle.commands == []
        await house.press("D")
        await house.until(lambda: house.handle.commands)

        assert house.handle.commands == [ChooseExitRules(SPY, "broker", is_watched=True)]


async def test_a_no_is_an_answer_and_ends_the_asking() -> None:
    """ST-09"""
    async with open_still(a_view(positions=(taken_over(),)), (80, 24)) as house:
        await house.press("2", "w")
        await is_asked(house)
        await house.press("escape")
        await house.until(lambda: house.handle.commands)
        await house.shows_next(positions=(taken_over(replace(ASKS, asks=False)),))
        await house.press("w")
        await is_asked(house)
        await house.press("escape")
        await house.until(lambda: not isinstance(house.desk.screen, ExitRulesQuestion))

        assert house.handle.commands == [ChooseExitRules(SPY, "broker", is_watched=False)]


async def test_the_typed_word_is_followed_by_the_question() -> None:
    """ST-09, EX-09: once for each position, also if the books are read later"""
    async with open_still(a_view(), (80, 24)) as house:
        house.desk.following.wait_for_taken_over()
        await house.shows_next(positions=(taken_over(),))
        await is_asked(house)
        await house.press("escape")
        await house.until(lambda: house.handle.commands)
        await house.shows_next(positions=(taken_over(),), staged=1)

        assert not isinstance(house.desk.screen, ExitRulesQuestion)


async def test_a_watched_position_is_taken_from_the_rules_by_a_key() -> None:
    """ST-09"""
    async with open_still(a_view(positions=(taken_over(WATCHED),)), (80, 24)) as house:
        await house.press("2", "enter")
        await house.sees("exit rules", "stop, target, 5 d; w in Positions chooses")
        await house.press("escape", "w")
        await is_asked(house)
        await house.sees("Take SPY from the exit rules?")
        await house.press("D")
        await house.until(lambda: house.handle.commands)

        assert house.handle.commands == [ChooseExitRules(SPY, "broker", is_watched=False)]


async def test_a_strategys_position_is_not_asked_of() -> None:
    """ST-09"""
    async with open_still(a_view(positions=(a_position(),)), (80, 24)) as house:
        await house.press("2", "w")
        await house.sees("vwap opened it, and its settings say which exit rules watch it")

        assert house.handle.commands == []
