"""A desk or an engine that the kernel stops for a while: what is typed meanwhile confirms nothing, and it is said.

A few seconds in the suite, beyond each limit of the product; `make faults` stops them for more than a minute.
"""

from __future__ import annotations

import os
import signal
import time

from tests.real.account import CONFIRMED, MINUTE, STANDSTILL, House
from tests.real.test_killed_processes import armed, nothing_was_sent, the_plain_key_acts

KEPT = 15 + MINUTE
"""Seconds of silence after which a desk counts as lost, and after which its key is free."""


def test_keys_typed_while_the_engine_stands_still_confirm_nothing_and_the_desk_says_so(house: House) -> None:
    """SY-01, OP-04"""
    engine, desk = armed(house)

    engine.signalled(signal.SIGSTOP)
    desk.until_it_shows("the engine has said nothing for")
    until = time.monotonic() + STANDSTILL
    while time.monotonic() < until:
        desk.type(b"B")
        desk.read_for(0.7)
    assert desk.shows("the engine has said nothing for")
    engine.signalled(signal.SIGCONT)
    desk.until(lambda: not desk.shows("the engine has said nothing for"))
    desk.read_for(1.0)
    nothing_was_sent(house)
    assert engine.process.poll() is None

    if not desk.is_armed() and desk.shows("r open it again"):
        desk.type(b"r")
    the_plain_key_acts(house, desk)


def test_a_key_that_was_typed_as_the_engine_came_to_a_stand_confirms_nothing_once_it_goes_on(house: House) -> None:
    """OP-04: before its desk could know, and put aside since by whoever pressed it"""
    engine, desk = armed(house)

    engine.signalled(signal.SIGSTOP)
    desk.type(b"B")
    desk.read_for(STANDSTILL)
    engine.signalled(signal.SIGCONT)
    over = "ConfirmationRefused" if STANDSTILL < MINUTE else "TicketClosed"
    desk.until(lambda: house.count(over))
    desk.read_for(1.0)

    nothing_was_sent(house)
    desk.type(b"r")
    desk.until(lambda: house.count("TicketOpened") == 2)
    desk.until(lambda: not desk.shows("not armed"))
    the_plain_key_acts(house, desk)


def test_keys_typed_while_the_desk_stands_still_confirm_nothing(house: House) -> None:
    """SY-01, OP-04, OP-13: also one alone, in the middle of it."""
    engine, desk = armed(house)

    os.kill(desk.pid, signal.SIGSTOP)
    time.sleep(STANDSTILL / 2)
    desk.type(b"B")
    time.sleep(STANDSTILL / 2)
    os.kill(desk.pid, signal.SIGCONT)
    desk.read_for(2.0)

    nothing_was_sent(house)
    assert desk.is_alive()
    assert engine.process.poll() is None
    desk.until(lambda: not desk.shows("ENGINE AWAY"))
    if house.count("DeskLost"):
        assert STANDSTILL > 5
    if STANDSTILL > KEPT:
        assert house.count("KeyFreed") == 1
        return
    if not desk.is_armed() and desk.shows("r open it again"):
        desk.type(b"r")
    the_plain_key_acts(house, desk)
    assert house.count(CONFIRMED) == 1
