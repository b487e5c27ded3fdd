"""An engine, a desk, or both killed by the kernel while a ticket stands armed: none is confirmed, nothing is sent."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.real.account import CONFIRMED, MINUTE, STANDSTILL, Desk, Engine, House

CANNOT = "the engine is not there"


def armed(house: House) -> tuple[Engine, Desk]:
    engine, desk = house.running(), house.desk()
    desk.until_attached()
    desk.proposes()
    desk.until_armed()
    return engine, desk


def nothing_was_sent(house: House) -> None:
    assert house.count(CONFIRMED) == 0
    assert house.exchange_orders() == []


def the_plain_key_acts(house: House, desk: Desk) -> None:
    """On a new ticket: what was killed took nothing else with it."""
    desk.until_armed()
    desk.type(b"B")
    desk.until(lambda: house.count(CONFIRMED) == 1)
    desk.until(lambda: len(house.exchange_orders()) == 1)


def test_an_engine_that_is_killed_takes_its_ticket_with_it_and_the_desk_waits_for_the_next(house: House) -> None:
    """SY-01, OP-04, EX-20: keys typed before, while and after it is away do nothing; `r` opens the ticket anew."""
    engine, desk = armed(house)

    engine.killed()
    desk.until_it_shows("ENGINE AWAY: the engine is not there; this desk waits for it")
    desk.type(b"B")
    desk.read_for(0.5)
    assert desk.is_alive()
    assert desk.shows(CANNOT)

    fresh = house.engine()
    house.until(lambda: house.listener() == fresh.pid, "another engine listens")
    desk.until(lambda: not desk.shows("ENGINE AWAY"))
    desk.until_it_shows("LOST    the engine was lost")
    desk.type(b"B")
    desk.read_for(1.0)
    nothing_was_sent(house)

    desk.type(b"r")
    the_plain_key_acts(house, desk)
    assert house.journal_is_whole()


def test_a_desk_that_is_killed_confirms_nothing_and_its_engine_goes_on(house: House) -> None:
    """SY-01, OP-13: another desk sees whose key it is, and takes it without the word."""
    engine, desk = armed(house)

    os.kill(desk.pid, signal.SIGKILL)
    assert desk.ended() == -signal.SIGKILL
    house.until(lambda: house.count("DeskLost") == 1, "the engine notes it")

    other = house.desk()
    other.until_attached()
    other.until_it_shows("LINK LOST, kept for it")
    assert engine.process.poll() is None
    nothing_was_sent(house)

    other.takes_the_key()
    other.opens_a_ticket()
    the_plain_key_acts(house, other)
    assert house.journal_is_whole()


@pytest.mark.skipif(STANDSTILL < MINUTE, reason="takes a minute: `make faults` runs it")
def test_the_key_of_a_killed_desk_is_kept_for_a_minute_and_then_free(house: House) -> None:
    """OP-13"""
    _engine, desk = armed(house)
    os.kill(desk.pid, signal.SIGKILL)
    house.until(lambda: house.count("DeskLost") == 1, "the engine notes it")
    lost_at = time.monotonic()

    other = house.desk()
    other.until_attached()
    other.read_for(MINUTE - 5 - (time.monotonic() - lost_at))
    assert house.count("KeyFreed") == 0

    other.until(lambda: house.count("KeyFreed") == 1)
    assert MINUTE - 1 < time.monotonic() - lost_at < MINUTE + 5
    nothing_was_sent(house)


def test_both_killed_at_once_leave_a_whole_journal_and_no_order(house: House) -> None:
    """SY-01, EX-20, OP-13: the key waits for the terminal at which it was held, and a new one takes it."""
    engine, desk = armed(house)

    engine.signalled(signal.SIGKILL)
    os.kill(desk.pid, signal.SIGKILL)
    engine.ended()
    desk.ended()

    house.running()
    other = house.desk()
    other.until_attached()
    nothing_was_sent(house)
    other.asks(b"T", "key: this desk")
    other.opens_a_ticket()
    the_plain_key_acts(house, other)
    assert house.journal_is_whole()


def test_a_terminal_that_hangs_up_ends_its_desk_alone(house: House) -> None:
    """SY-01, OP-13: with a ticket armed; the engine goes on, and the key is kept."""
    engine, desk = armed(house)

    desk.hang_up()
    desk.ended()
    house.until(lambda: house.count("DeskLost", "DeskDetached") == 1, "the engine notes it")

    assert engine.process.poll() is None
    nothing_was_sent(house)
    other = house.desk()
    other.until_attached()
    other.takes_the_key()
    other.opens_a_ticket()
    the_plain_key_acts(house, other)
