"""A desk or an engine that the kernel stops for a while: what is typed meanwhile confirms nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.real.account import Account, Desk
from tests.real.demo import CONFIRMED
from tests.real.waiting import pause, until

SILENT = "the engine has said nothing for"
STANDS = 4.0
"""Seconds for which a process is stopped at least: beyond each limit of a desk's link."""


def armed_again(desk: Desk) -> None:
    """Open the ticket again where the stop ended it."""

    def opens() -> None:
        if desk.shows("r open it again"):
            desk.type(b"r")
        desk.read_for(1.0)

    until(desk.is_armed, desk.what_it_shows, opens)


def the_plain_key_acts(account: Account, desk: Desk) -> None:
    armed_again(desk)
    assert account.nothing_was_sent()
    desk.confirms()
    desk.until(lambda: len(account.exchange_orders()) == 1)
    assert account.count(CONFIRMED) == 1


def test_keys_typed_while_the_engine_stands_still_do_nothing(account: Account) -> None:
    """SY-01, OP-04: and the desk says so"""
    engine, desk = account.armed()

    engine.signalled(signal.SIGSTOP)
    desk.until_it_shows(SILENT)
    for _ in range(3):
        desk.type(b"B")
        desk.read_for(0.7)
    assert desk.shows(SILENT)
    engine.signalled(signal.SIGCONT)
    desk.until(lambda: not desk.shows(SILENT))

    the_plain_key_acts(account, desk)
    assert engine.is_alive()


def test_a_key_typed_as_the_engine_stops_does_nothing(account: Account) -> None:
    """OP-04: before its desk could know; what comes of it is a refusal, or the end of its ticket"""
    engine, desk = account.armed()

    engine.signalled(signal.SIGSTOP)
    desk.type(b"B")
    desk.read_for(STANDS)
    engine.signalled(signal.SIGCONT)

    desk.until(lambda: account.count("ConfirmationRefused", "TicketClosed") or not desk.shows(SILENT))
    opens_another(account, desk)
    the_plain_key_acts(account, desk)


def opens_another(account: Account, desk: Desk) -> None:
    """Where the ticket is over; where its key was dropped before it left, the ticket still stands."""
    if account.count("ConfirmationRefused", "TicketClosed"):
        desk.presses(b"r", lambda: account.count("TicketOpened") > 1)


def test_keys_typed_while_the_desk_stands_still_do_nothing(account: Account) -> None:
    """SY-01, OP-04, OP-13: also one alone, in the middle of it."""
    engine, desk = account.armed()

    stopped(desk, lambda: desk.type(b"B"))
    desk.until(lambda: not desk.shows("ENGINE AWAY"))

    the_plain_key_acts(account, desk)
    assert desk.is_alive()
    assert engine.is_alive()


def stopped(desk: Desk, meanwhile: Callable[[], object]) -> None:
    os.kill(desk.pid, signal.SIGSTOP)
    pause(STANDS / 2)
    meanwhile()
    pause(STANDS / 2)
    os.kill(desk.pid, signal.SIGCONT)
