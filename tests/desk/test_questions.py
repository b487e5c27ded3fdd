"""A question that takes protection away is armed as a ticket is: what was not meant for it answers nothing (OP-04)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from textual import events

from console.screens.dialog import ArmedQuestion
from core.facts import CancelRequested
from core.model.order import Effect, OrderStatus, OrderType, Side
from core.model.values import Price
from core.views import OrderRow
from core.views.rows import REPLACED
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, an_order, open_still


def a_stop(number: int, price: str = "166.26", **parts: object) -> OrderRow:
    terms: dict[str, object] = {
        "side": Side.SELL, "effect": Effect.CLOSE, "type": OrderType.STOP, "limit_price": None,
        "stop_price": Price(Decimal(price)), "is_protective": True,
    }  # fmt: skip
    return an_order(number, **{**terms, **parts})


async def the_question(house: House) -> ArmedQuestion:
    await house.sees("Cancel this stop?", "SELL 0.1 SPY stop 494.72", "NO STOP at the broker")
    question = house.desk.screen
    assert isinstance(question, ArmedQuestion)
    return question


async def test_what_was_not_meant_answers_nothing() -> None:
    """OP-04: typed ahead, also with shift a moment later; in a burst, pasted, held; Esc keeps the stop"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "down", "d", "D", "D", "D")
        await house.sees("too early: press D in")
        await house.wait(0.4)
        question = house.desk.screen
        assert isinstance(question, ArmedQuestion)

        await house.until(house.is_armed)
        house.desk.post_message(events.Paste("D"))
        await house.wait(0.3)
        await house.until(house.is_armed)
        now = house.desk.now()
        question.hear("D", now)
        question.hear("q", now + 0.01)
        await house.wait(0.4)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        await house.press("d")
        question = await the_question(house)
        for _ in range(30):
            question.hear("D", house.desk.now())
            await house.wait(0.03)
        await house.until(house.is_armed)
        await house.press("enter", "y", "space", "d")
        await house.wait(0.3)
        assert not house.facts(CancelRequested)

        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: house.facts(CancelRequested))
        await house.sees("YOU 0 of 0.1 !")


async def test_a_hidden_question_is_not_armed() -> None:
    """OP-07"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "down", "d")
        question = await the_question(house)
        await house.until(house.is_armed)
        await house.press("ctrl+k")
        await house.sees("HALTED")
        assert not question.armed.arming.has_painted
        await house.press("escape")
        await house.until(house.is_armed)

        await house.pilot.resize_terminal(60, 20)
        await house.until(lambda: not question.armed.arming.has_painted)
        await house.press("D")
        await house.wait(0.5)
        assert not house.facts(CancelRequested)


async def test_of_a_pair_the_replaced_stop_is_named() -> None:
    """EX-21, EX-13"""
    pair = an_order(
        type=OrderType.LIMIT, side=Side.SELL, effect=Effect.CLOSE, status=OrderStatus.SUBMITTED, is_paired=True,
        goes_back_in_words=("6 at 99.00",),
    )  # fmt: skip
    async with open_still(a_view(orders=(pair,))) as house:
        await house.press("3", "home", "d")
        await house.sees("Cancel this pair?", "The stop before it goes back: 6 at 99.00.")
        assert not house.shows("NO STOP at the broker")


@pytest.mark.parametrize(
    "later",
    [
        (a_stop(2, status=OrderStatus.CANCELLED, outcome=f"{REPLACED}order-3"), a_stop(3, "160.00")),
        (a_stop(2, "160.00"),),
    ],
    ids=["replaced", "restated"],
)
async def test_a_changed_stop_is_not_cancelled_by_the_old_question(later: tuple[OrderRow, ...]) -> None:
    """OP-04, EX-13: the key was for the stop that the question named"""
    async with open_still(a_view(orders=(a_stop(2),))) as house:
        await house.press("3", "home", "d")
        await house.sees("Cancel this stop?")
        await house.until(house.is_armed)
        await house.shows_next(orders=later)
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert house.handle.commands == []


@pytest.mark.parametrize("later", [(), ("4 at 99.00",)], ids=["none", "less"])
async def test_a_pair_is_not_cancelled_if_another_stop_goes_back(later: tuple[str, ...]) -> None:
    """OP-04, EX-21: the question promised a stop that would not be there"""
    pair = a_stop(2, is_paired=True, goes_back_in_words=("6 at 99.00",))
    async with open_still(a_view(orders=(pair,))) as house:
        await house.press("3", "home", "d")
        await house.sees("The stop before it goes back: 6 at 99.00.")
        await house.until(house.is_armed)
        await house.shows_next(orders=(replace(pair, goes_back_in_words=later),))
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert house.handle.commands == []
