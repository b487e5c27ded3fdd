"""Accidents that once confirmed, or once swallowed a key that was meant: each as it was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from tests.accidents.blank import blank_frames
from tests.accidents.clock import Clock, clocked_loop
from tests.accidents.hand import Hand
from tests.accidents.house import ARMED, House, open_house

Script = Callable[[Hand], Awaitable[None]]


def play(script: Script, answers: bool = True) -> House:
    """One desk, one hand; what nobody meant stands in the house behind it."""
    clock = Clock()

    async def run() -> House:
        async with open_house(clock, Random(7)) as house:
            house.wire.answers = answers
            hand = Hand(house, Random(7))
            hand.begins(Random(7))
            await hand.has_an_armed_ticket()
            await script(hand)
            return house

    with clocked_loop(clock) as loop, blank_frames(are_wanted=False):
        return loop.run_until_complete(run())


def test_a_key_after_a_terminal_was_too_small_does_not_count() -> None:
    """OP-04: the desk may hear of both sizes at once; the picture in between was not the ticket"""

    async def script(hand: Hand) -> None:
        hand.resizes(58, 21)
        hand.resizes(80, 24)
        hand.type(hand.house.right_key)
        await hand.wait(0.5)

    assert not play(script).nobody_meant


def test_a_key_behind_one_that_half_a_sequence_swallowed_does_not_count() -> None:
    """OP-04: its hand believes that the first one brought another ticket"""

    async def script(hand: Hand) -> None:
        hand.type("\x1b[999;94")
        await hand.wait(0.1)
        hand.type("r")
        await hand.wait(0.15)
        hand.type(hand.house.right_key)
        await hand.wait(0.5)

    assert not play(script, answers=False).nobody_meant


def test_a_ticket_says_that_a_paste_broke_off_and_is_armed_again_behind_it() -> None:
    """OP-04: the terminal's own answers go on all the while, and are no part of the paste"""
    words: list[str] = []
    confirmed: list[bool | None] = []

    async def script(hand: Hand) -> None:
        hand.type("\x1b[200~BUY")
        await hand.wait(0.9)
        assert hand.house.ticket_screen is not None
        words.append(hand.house.ticket_screen.armed_in_words())
        await hand.wait(5.0)
        words.append(hand.house.ticket_screen.armed_in_words())
        confirmed.append(await hand.presses_deliberately())

    assert not play(script).nobody_meant
    assert words[0] == "a paste broke off; all is dropped for 5 s"
    assert words[1] in ARMED, words
    assert confirmed == [True]
