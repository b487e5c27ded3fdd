"""An engine, a desk, or both killed by the kernel while a ticket stands armed: none is confirmed, nothing is sent."""

from __future__ import annotations

import os
import signal

from tests.real.account import Account, Desk
from tests.real.demo import CONFIRMED


def the_plain_key_acts(account: Account, desk: Desk) -> None:
    """On a new ticket: the kill took nothing else with it."""
    desk.until_armed()
    assert account.nothing_was_sent()
    desk.confirms()
    desk.until(lambda: len(account.exchange_orders()) == 1)
    assert account.count(CONFIRMED) == 1
    assert account.journal_is_whole()


def test_a_killed_engine_takes_its_ticket_with_it(account: Account) -> None:
    """SY-01, OP-04, EX-20: keys typed before, while and after it is away do nothing; `r` opens the ticket anew."""
    engine, desk = account.armed()

    engine.killed()
    desk.until_it_shows("ENGINE AWAY")
    desk.type(b"B")
    desk.until_it_shows("the engine is not there")

    account.running()
    desk.until(lambda: not desk.shows("ENGINE AWAY"))
    desk.until_it_shows("LOST    the engine was lost")
    desk.type(b"B")
    desk.presses(b"r", desk.is_armed)
    the_plain_key_acts(account, desk)


def test_a_killed_desk_confirms_nothing_and_its_engine_goes_on(account: Account) -> None:
    """SY-01, OP-13: another desk sees whose key it is, and takes it without the word."""
    engine, desk = account.armed()

    os.kill(desk.pid, signal.SIGKILL)
    assert desk.ended() == -signal.SIGKILL
    account.until(lambda: account.count("DeskLost") == 1, "the engine notes it")

    other = account.desk()
    other.until_attached()
    other.takes_key()
    other.opens_ticket()
    the_plain_key_acts(account, other)
    assert engine.is_alive()


def test_both_killed_at_once_leave_a_whole_journal(account: Account) -> None:
    """SY-01, EX-20, OP-13: the key waits for the terminal at which it was held, and a new one takes it."""
    engine, desk = account.armed()

    engine.signalled(signal.SIGKILL)
    os.kill(desk.pid, signal.SIGKILL)
    engine.ended()
    desk.ended()

    account.running()
    other = account.desk()
    other.until_attached()
    other.asks(b"T", "key: this desk")
    other.opens_ticket()
    the_plain_key_acts(account, other)


def test_a_closed_terminal_ends_its_desk_alone(account: Account) -> None:
    """SY-01, OP-13: with a ticket armed; the engine goes on, and the key is kept."""
    engine, desk = account.armed()

    desk.hang_up()
    desk.ended()
    account.until(lambda: account.count("DeskLost", "DeskDetached") == 1, "the engine notes it")

    other = account.desk()
    other.until_attached()
    other.takes_key()
    other.opens_ticket()
    the_plain_key_acts(account, other)
    assert engine.is_alive()
