"""The real `keyturn demo` in a terminal: a first minute, a terminal that is not read, and one that closes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.real.demo import CONFIRMED, CTRL_K, CTRL_P, ESCAPE, PATIENT, SENT, Demo, write_settings
from tests.real.waiting import until

Open = Callable[..., Demo]

PASTED = b"\x1b[200~B\rS\x1b[201~"


def halts_and_kills(desk: Demo) -> None:
    desk.presses(CTRL_K, lambda: desk.shows("HALTED"))
    desk.presses(b"K", lambda: desk.shows("KILLED "))


def test_a_first_minute(demo: Open, tmp_path: Path) -> None:
    """OP-01, OP-03, OP-04, OP-07, OP-08: in a terminal that says what it drew"""
    write_settings(tmp_path, PATIENT)
    desk = demo(answers=True)
    desk.opens_ticket()
    for wrong in (b"y", b"S", PASTED):  # tests/desk has every one
        desk.until(desk.is_armed)
        desk.type(wrong)
    desk.until(desk.is_armed)
    assert desk.answered
    assert not SENT & set(desk.facts())

    desk.confirms_it()
    desk.until_it_shows("FILLED")
    desk.until(lambda: "OrderFilled" in desk.facts())
    assert len(desk.records(CONFIRMED)) == 1

    halts_and_kills(desk)
    os.kill(desk.pid, signal.SIGTERM)
    assert desk.ended() == 128 + signal.SIGTERM

    again = demo()
    again.until_it_shows("KILLED ")
    again.presses(CTRL_K, lambda: again.shows("stays killed after a restart"))
    again.type(b"REAR\x1b")
    again.until(lambda: not again.shows("stays killed after a restart"))
    again.until_it_shows("KILLED ")

    def rearms() -> None:
        if not again.shows("stays killed after a restart"):
            again.type(CTRL_K)
            again.read_for(1.0)
        again.type(b"REARM")  # what is typed before the screen is known to be painted is dropped
        again.read_for(1.0)
        if not again.shows("ENTRIES ON") and again.shows("stays killed after a restart"):
            again.presses(ESCAPE, again.is_bare)

    until(lambda: again.shows("ENTRIES ON"), again.what_it_shows, rearms)
    assert again.leaves() == 0
    assert again.facts()[-1] == "EngineStopped"


def test_an_unread_terminal_stops_no_engine(demo: Open, tmp_path: Path) -> None:
    """OP-04, OP-06, OP-07: nor the kill; and what was typed meanwhile sends nothing. One that closes ends the demo."""
    write_settings(tmp_path, PATIENT)
    desk = demo()
    desk.until_it_shows("1 waiting")
    heartbeat = next(path for path in desk.home.rglob("heartbeat") if path.is_file())

    desk.type(b"\r")  # nothing is read from here on
    for _ in range(3):
        beaten = heartbeat.stat().st_mtime_ns
        until(lambda beaten=beaten: heartbeat.stat().st_mtime_ns != beaten, "the heart beats on")
    desk.type(b"\r", PASTED)
    desk.type(CTRL_K)
    until(lambda: "Halted" in desk.facts(), "it halts")
    desk.type(b"K")
    until(lambda: "Killed" in desk.facts(), "it kills")
    desk.type(b"B")

    desk.until_it_shows("KILLED ")
    assert not SENT & set(desk.facts())

    desk.hang_up()

    assert desk.ended() == 128 + signal.SIGHUP
    assert desk.facts()[-1] == "EngineStopped"
    assert "stopped" in desk.run("status").stdout


def test_a_changed_settings_file_is_loaded_at_the_desk(demo: Open, tmp_path: Path) -> None:
    """RK-13: from the operator's editor to LOOSEN"""
    desk = demo()
    desk.until_it_shows("ENTRIES ON")
    write_settings(tmp_path, "[risk]\nmax_open_positions = 5\nmax_notional = { usd = 40 }\n")
    desk.until_it_shows("ENTRIES OFF")

    def asks() -> None:
        desk.presses(CTRL_P, lambda: not desk.is_bare())
        desk.type(b"reload")
        desk.until_it_shows("> reload")
        desk.type(b"\r")
        desk.read_for(1.0)

    until(lambda: desk.shows("Loosen the limits?"), desk.what_it_shows, asks)

    def loosens() -> None:
        desk.type(*(letter.encode() for letter in "LOOSEN"))
        desk.read_for(1.0)

    until(lambda: len(desk.records("LimitsReloaded")) > 1, desk.what_it_shows, loosens)
    desk.until_it_shows("ENTRIES ON")

    assert [len(record["data"]["taken"]) for record in desk.records("LimitsReloaded")] == [1, 1]
    tighter, looser = (record["data"]["taken"][0].split()[0] for record in desk.records("LimitsReloaded"))
    assert (tighter, looser) == ("risk.max_notional", "risk.max_open_positions")


def test_keys_that_cannot_stand_end_the_start(demo: Open, tmp_path: Path) -> None:
    """OP-07"""
    write_settings(tmp_path, '[keys]\n"kill" = "Ctrl+G"\n')
    desk = demo()
    desk.until_it_shows("NO ENGINE")

    desk.presses(b"q", lambda: not desk.is_alive())

    assert desk.ended() == 1
