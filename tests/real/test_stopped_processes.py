"""A desk or an engine that the kernel stops for a while: what is typed meanwhile confirms nothing."""

from __future__ import annotations

import os
import signal

from tests.real.account import Account, Desk
from tests.real.demo import CONFIRMED
from tests.real.waiting import pause, until

SILENT = "the engine has said nothing for"
STANDS = 4.0
"""Seconds for which a process is stopped at least: beyond each limit of a desk's link."""


def armed_again(account: Account, desk: Desk) -> None:
    """Open the ticket again where the stop ended it; where its key was dropped before it left, it still stands."""

    def opens() -> None:
        if desk.may_open_again():
            desk.type(b"r")
        desk.read_for(1.0)

    until(desk.is_armed, desk.what_it_shows, opens)
    assert account.nothing_was_sent()


def test_keys_at_a_stopped_process_do_nothing(account: Account) -> None:
    """SY-01, OP-04, OP-13: at an engine, of which the desk says so; before it could know; at a desk that is stopped."""
    engine, desk = account.armed()

    engine.signalled(signal.SIGSTOP)
    desk.until_it_shows(SILENT)
    for _ in range(3):
        desk.type(b"B")
        desk.read_for(0.2)
    assert desk.shows(SILENT)
    engine.signalled(signal.SIGCONT)
    desk.until(lambda: not desk.shows(SILENT))
    armed_again(account, desk)

    engine.signalled(signal.SIGSTOP)
    desk.type(b"B")
    desk.read_for(STANDS)
    engine.signalled(signal.SIGCONT)
    desk.until(lambda: account.count("ConfirmationRefused", "TicketClosed") or not desk.shows(SILENT))
    armed_again(account, desk)

    os.kill(desk.pid, signal.SIGSTOP)
    pause(STANDS / 2)
    desk.type(b"B")
    pause(STANDS / 2)
    os.kill(desk.pid, signal.SIGCONT)
    desk.until(lambda: not desk.shows("ENGINE AWAY"))
    armed_again(account, desk)

    desk.confirms_it()
    desk.until(lambda: len(account.exchange_orders()) == 1)
    assert account.count(CONFIRMED) == 1
    assert engine.is_alive()
