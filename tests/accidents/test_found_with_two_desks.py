"""Accidents of an engine elsewhere that once confirmed, each as it was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from tests.accidents.blank import blank_frames
from tests.accidents.clock import Clock, clocked_loop
from tests.accidents.hand_of_two import HandOfTwo
from tests.accidents.served_house import ServedHouse, open_served_house

Script = Callable[[HandOfTwo], Awaitable[None]]


def play(script: Script) -> ServedHouse:
    clock = Clock()

    async def run() -> ServedHouse:
        async with open_served_house(clock, Random(7)) as house:
            hand = HandOfTwo(house, Random(7))
            hand.begins(Random(7))
            await hand.has_an_armed_ticket()
            await script(hand)
            return house

    with clocked_loop(clock) as loop, blank_frames(are_wanted=False):
        return loop.run_until_complete(run())


def test_a_key_does_not_count_once_the_engine_was_silent_for_a_second() -> None:
    """OP-04: it reached the engine when that went on, and confirmed, between the first second and the second"""
    words: list[str] = []

    async def script(hand: HandOfTwo) -> None:
        house = hand.house
        house.served.is_still = True
        while house.silent_for < 1.1:
            await hand.wait(0.05)
        assert house.ticket_screen is not None
        words.append(house.ticket_screen.armed_in_words())
        hand.type(house.right_key)
        await hand.wait(0.6)
        house.served.is_still = False
        await hand.wait(1.0)

    house = play(script)

    assert not house.nobody_meant
    assert not house.confirmations
    assert words == ["the engine has said nothing for 1 s"]
