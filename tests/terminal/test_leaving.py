"""The terminal goes away, or somebody asks the desk to end: it ends, soon, with a status that says so."""

from __future__ import annotations

import os
import signal
import termios
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.waiting import PATIENCE

Open = Callable[[str], Any]
Measured = Callable[[str, str], None]

HUNG_UP = 128 + signal.SIGHUP
RESTORED = [b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[<u", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1004l"]


@pytest.mark.parametrize("scene", ["idle", "busy"])
def test_a_closed_terminal_ends_the_desk_in_time(terminal: Open, measured: Measured, scene: str) -> None:
    """OP-07: nothing runs on unseen"""
    desk = terminal(scene)

    closed_at = time.monotonic()
    desk.hang_up()
    status = desk.ended()

    measured(f"end after a hangup, {scene}", f"{time.monotonic() - closed_at:.2f} s")
    assert status == HUNG_UP
    assert len(desk.facts("leave")) == 1
    with pytest.raises(ProcessLookupError):
        os.killpg(desk.pid, 0)


def test_a_desk_that_waits_for_its_deadline_does_not_spin(terminal: Open, measured: Measured) -> None:
    """Reading a closed pty returns at once, for ever"""
    desk = terminal("deaf-to-leave")
    desk.hang_up()
    closed_at = time.monotonic()
    time.sleep(0.5)

    before = cpu_seconds(desk.pid)
    time.sleep(1.5)
    used = (cpu_seconds(desk.pid) - before) / 1.5

    measured("CPU of a desk whose terminal is gone", f"{used:.0%}")
    assert used < 0.25
    assert desk.ended() == HUNG_UP
    measured("end by force after a hangup", f"{time.monotonic() - closed_at:.2f} s")


@pytest.mark.parametrize("scene", ["busy", "deaf-to-leave"])
def test_sigterm_restores_the_terminal(terminal: Open, scene: str) -> None:
    desk = terminal(scene)
    flags_in_the_desk = desk.modes()[3]

    os.kill(desk.pid, signal.SIGTERM)
    status = desk.ended()

    assert status == 128 + signal.SIGTERM
    assert not flags_in_the_desk & termios.ECHO
    ending = desk.raw[desk.raw.rindex(b"\x1b[?2004l") :]
    assert all(sequence in ending for sequence in RESTORED)
    assert b"frame" not in ending


@pytest.mark.parametrize(
    "name", ["SIGQUIT", "SIGALRM", "SIGABRT", "SIGUSR2", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGXCPU"]
)
def test_every_signal_that_would_end_it_restores_the_terminal(terminal: Open, name: str) -> None:
    """OP-07: as SIGTERM does; the desk leaves once, and its status says by what."""
    desk = terminal("busy")
    number = signal.Signals[name]

    os.kill(desk.pid, number)
    status = desk.ended()

    assert status == 128 + number
    assert [fact.rest for fact in desk.facts("leave")] == [f"asked to end ({name})"]
    ending = desk.raw[desk.raw.rindex(b"\x1b[?2004l") :]
    assert all(sequence in ending for sequence in RESTORED)
    assert b"frame" not in ending


def test_sigterm_on_a_stalled_link_ends_in_time_and_restores_it_for_later(terminal: Open, measured: Measured) -> None:
    desk = terminal("busy")
    time.sleep(1.5)

    asked_at = time.monotonic()
    os.kill(desk.pid, signal.SIGTERM)
    while desk.is_alive():
        assert time.monotonic() - asked_at < PATIENCE
        time.sleep(0.02)
    measured("end of a stalled desk after SIGTERM", f"{time.monotonic() - asked_at:.2f} s")
    desk.read_for(0.2)

    assert all(sequence in desk.raw for sequence in RESTORED)


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
