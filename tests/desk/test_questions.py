"""A question that takes protection away is armed as a ticket is: what was not meant for it answers nothing (OP-04)."""

from __future__ import annotations

from textual import events

from console.screens.question import ArmedQuestion
from core.facts import CancelRequested
from core.model.order import Effect, OrderStatus, OrderType, Side
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, an_order, open_still


async def opens_the_question(house: House) -> ArmedQuestion:
    await house.buys()
    await house.press("3", "home", "down", "d")
    await house.until(lambda: house.shows("Cancel this stop?", "SELL 0.1 SPY stop 494.72", "NO STOP at the broker"))
    question = house.desk.screen
    assert isinstance(question, ArmedQuestion)
    return question


async def test_d_asks_before_a_stop_is_cancelled() -> None:
    async with open_desk() as house:
        await opens_the_question(house)
        await house.until(house.is_armed)
        await house.press("enter", "y", "space", "d")
        await house.wait(0.3)
        assert not house.facts(CancelRequested)

        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: house.facts(CancelRequested))
        await house.until(lambda: house.shows("YOU 0 of 0.1 !"))


async def test_a_key_typed_ahead_answers_nothing() -> None:
    """OP-04: also where the letter was held with shift a moment later"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "down", "d", "D", "D", "D")
        await house.until(lambda: house.shows("too early: press D in"))
        await house.wait(0.4)
        assert not house.facts(CancelRequested)
        assert isinstance(house.desk.screen, ArmedQuestion)


async def test_a_burst_and_a_paste_answer_nothing() -> None:
    async with open_desk() as house:
        question = await opens_the_question(house)
        await house.until(house.is_armed)
        house.desk.post_message(events.Paste("D"))
        await house.wait(0.3)
        assert not house.facts(CancelRequested)

        await house.until(house.is_armed)
        now = house.desk.now()
        question.hear("D", now)
        question.hear("q", now + 0.01)
        await house.wait(0.4)
        assert not house.facts(CancelRequested)


async def test_a_held_key_answers_nothing() -> None:
    async with open_desk() as house:
        question = await opens_the_question(house)
        for _ in range(30):
            question.hear("D", house.desk.now())
            await house.wait(0.03)
        assert not house.facts(CancelRequested)


async def test_escape_keeps_the_stop() -> None:
    async with open_desk() as house:
        await opens_the_question(house)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert not house.facts(CancelRequested)


async def test_a_hidden_question_is_not_armed() -> None:
    """OP-07"""
    async with open_desk() as house:
        question = await opens_the_question(house)
        await house.until(house.is_armed)
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("HALTED"))
        assert not question.arming.has_painted
        await house.press("escape")
        await house.until(house.is_armed)

        await house.pilot.resize_terminal(60, 20)
        await house.until(lambda: not question.arming.has_painted)
        await house.press("D")
        await house.wait(0.5)
        assert not house.facts(CancelRequested)


async def test_of_a_pair_the_replaced_stop_is_named() -> None:
    """EX-21, EX-13"""
    pair = an_order(
        type=OrderType.LIMIT,
        side=Side.SELL,
        effect=Effect.CLOSE,
        status=OrderStatus.SUBMITTED,
        is_paired=True,
        goes_back_in_words=("6 at 99.00",),
    )
    async with open_still(a_view(orders=(pair,))) as house:
        await house.press("3", "home", "d")
        await house.until(lambda: house.shows("Cancel this pair?", "The stop before it goes back: 6 at 99.00."))
        assert not house.shows("NO STOP at the broker")
