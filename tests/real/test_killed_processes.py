"""An engine, a desk, or both killed by the kernel while a ticket stands armed: none is confirmed, nothing is sent."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.real.account import Account, Desk
from tests.real.demo import CONFIRMED


def the_plain_key_acts(account: Account, desk: Desk) -> None:
    """On a new ticket: the kill took nothing else with it."""
    desk.until_armed()
    assert account.nothing_was_sent()
    desk.confirms_it()
    desk.until(lambda: len(account.exchange_orders()) == 1)
    assert account.count(CONFIRMED) == 1
    assert account.journal_is_whole()


def killed(desk: Desk) -> None:
    os.kill(desk.pid, signal.SIGKILL)
    assert desk.ended() == -signal.SIGKILL


def closed(desk: Desk) -> None:
    """Its terminal."""
    desk.hang_up()
    desk.ended()


def test_a_desk_that_ends_leaves_its_engine_running(account: Account) -> None:
    """SY-01, OP-13: another desk sees whose key it is, and takes it without the word."""
    engine, desk = account.armed()
    ends: tuple[Callable[[Desk], None], ...] = (killed, closed)

    for known, ended in enumerate(ends):
        ended(desk)
        account.until(lambda known=known: account.count("DeskLost", "DeskDetached") > known, "the engine notes it")
        if ended is killed:
            assert account.count("DeskLost") == 1
        desk = account.desk()
        desk.until_attached()
        desk.takes_key()
        desk.opens_ticket()
        desk.until_armed()

    assert account.count("DeskLost", "DeskDetached") == len(ends)
    the_plain_key_acts(account, desk)
    assert engine.is_alive()


def test_a_killed_engine_takes_its_ticket_with_it(account: Account) -> None:
    """SY-01, OP-04, OP-13, EX-20: keys typed before, while and after it is away do nothing; `r` opens the ticket anew;
    where its desk is killed with it, the key waits for that terminal, and a new one takes it.
    """
    engine, desk = account.armed()

    engine.killed()
    desk.until_it_shows("ENGINE AWAY")
    desk.type(b"B")
    desk.until_it_shows("the engine is not there")

    engine = account.running()
    desk.until(lambda: not desk.shows("ENGINE AWAY"))
    desk.until_it_shows("LOST    Engine disconnected")
    desk.type(b"B")
    desk.presses(b"r", desk.is_armed)
    assert account.nothing_was_sent()

    engine.signalled(signal.SIGKILL)
    killed(desk)
    engine.ended()

    account.running()
    other = account.desk()
    other.until_attached()
    other.takes_key()
    other.until_it_shows("control: this desk")
    other.opens_ticket()
    the_plain_key_acts(account, other)
