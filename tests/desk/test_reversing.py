"""`v` in Positions: the basket that it opens, its keys, and what is said where there is none."""

from __future__ import annotations

from console.screens.basket import BasketScreen
from core.facts import BasketSigned
from core.messages.commands import ReversePosition
from tests.desk.desk_house import House
from tests.desk.hands import held_back
from tests.desk.plan_house import open_floor
from tests.desk.test_plan_screen import marks_all_of
from tests.desk.test_row_actions import picture


def held(house: House) -> list[str]:
    return [f"{row.quantity} {row.symbol}" for row in picture(house).positions]


async def test_v_opens_a_reversal_basket() -> None:
    """OP-05: v, each order's own mark, and P; nothing goes before"""
    async with open_floor("AAA") as house:
        await house.press("2", "home", "v")
        await house.until(lambda: isinstance(house.desk.screen, BasketScreen))
        await house.sees("Basket ─ a reversal", "Nothing is marked yet", "[ ] SELL to close", "[ ] SELL short")
        signed = len(house.facts(BasketSigned))
        await marks_all_of(house, 2)
        await house.until(house.is_armed)
        await house.press("P")
        await house.until(lambda: len(house.facts(BasketSigned)) > signed)
        await house.sees("DONE 2 of 2 filled")
        assert held(house) == ["-60 AAA"]


async def test_v_says_why_there_is_no_basket() -> None:
    """RK-17: a fraction is not sold short"""
    async with open_floor("AAA") as house:
        await house.press("2", "home", "c", "enter")
        await house.until(house.is_armed)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("v")
        await house.sees("an exit of it waits in Proposals already")
        assert len(house.desk.screen_stack) == 1


async def test_no_basket_opens_over_a_dialog() -> None:
    """OP-04: it is announced, and p opens it"""
    async with open_floor("AAA") as house:
        sent = held_back(house, ReversePosition)
        await house.press("2", "home", "v", "question_mark")
        await house.until(lambda: sent and len(house.desk.screen_stack) == 2)
        house.runtime.send(house.port.through(sent[0], house.runtime.account, house.desk.handle.desk))
        await house.until(lambda: picture(house).plan is not None and picture(house).plan.is_open)  # type: ignore[union-attr]
        await house.wait(0.4)
        assert not isinstance(house.desk.screen, BasketScreen)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("p")
        await house.until(lambda: isinstance(house.desk.screen, BasketScreen))
