"""The real program on a real terminal: a first minute, a link that stands still, and one that is gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from state.folders import Home
from tests.real.demo import CTRL_K, Demo, instant_when

Open = Callable[..., Demo]
Measured = Callable[[str, str], None]

SENT = ("ConfirmationReceived", "OrderCreated")
PASTED = b"\x1b[200~B\rS\x1b[201~"


def test_a_first_minute(demo: Open, measured: Measured) -> None:
    """OP-01, OP-03, OP-04, OP-07, OP-08"""
    desk = demo()
    measured("first paint of the demo", f"{desk.until_it_shows('KEYTURN'):.2f} s")
    measured("first proposal of the demo", f"{desk.until_it_shows('1 waiting'):.1f} s")

    # a key typed with the one that opens the ticket, held from then on
    desk.type(b"\rB")
    desk.until_it_shows("lose 0.15 USD")
    desk.read_for(0.5)
    for _ in range(20):
        desk.type(b"B")
        desk.read_for(0.033)
    assert desk.shows("too early: press B in")
    # keys that mean something else; tests/desk/test_ticket.py has every one
    desk.read_for(1.2)
    for wrong in (b"y", b"\r", b"S", PASTED):
        desk.until_armed()
        desk.type(wrong)
        desk.read_for(0.25)
    assert not set(SENT) & set(desk.facts())

    desk.until_armed()
    desk.type(b"B")
    desk.until_it_shows("FILLED")
    assert desk.shows("BUY to open")
    desk.until_it_shows("broker 0.1")
    assert desk.facts().count("ConfirmationReceived") == 1

    desk.type(CTRL_K)
    desk.until_it_shows("HALTED")
    desk.type(b"K")
    desk.until_it_shows("KILLED since")
    os.kill(desk.pid, signal.SIGTERM)
    assert desk.ended() == 128 + signal.SIGTERM
    assert "asked to end" in desk.raw.decode(errors="replace")

    again = demo()
    again.until_it_shows("KILLED since")
    again.type(CTRL_K)
    again.until_it_shows("stays killed after a restart")
    again.type(b"REAR\x1b")
    again.until(lambda: not again.shows("stays killed after a restart"))
    assert again.shows("KILLED since")
    again.type(CTRL_K)
    again.until_it_shows("stays killed after a restart")
    again.read_for(1.2)  # what is typed before the screen is known to be painted is dropped
    again.type(b"REARM")
    again.until_it_shows("ENTRIES ON")
    again.type(b"q")
    again.until_it_shows("Leave?")
    again.until_it_shows("SPY 0.1 keeps its stop at the broker")
    again.type(b"y")
    assert again.ended() == 0
    assert again.facts()[-1] == "EngineStopped"


def test_an_order_typed_in_one_burst_stands_in_its_fields(demo: Open) -> None:
    """OP-01"""
    desk = demo(speed=4)
    desk.until_it_shows("1 waiting")
    desk.type(b"n")
    desk.until_it_shows("New order")

    desk.type(b"0.1\t\t490\t480\t")

    for label, text in (("Quantity", "0.1"), ("Limit price", "490"), ("Stop price", "480"), ("Stop held by", "broker")):
        desk.until(
            lambda label=label, text=text: any(  # type: ignore[misc]
                label in line and line.split(label)[1].split()[0] == text for line in desk.screen.display
            )
        )
    assert not set(SENT) & set(desk.facts())


def test_a_reader_that_stops_stops_neither_the_engine_nor_the_kill(demo: Open, measured: Measured) -> None:
    """OP-04, OP-07"""
    desk = demo()
    desk.until_it_shows("1 waiting")
    beats = desk.file("heartbeat")

    stalled_at = time.monotonic()
    desk.type(b"\r")
    gaps = _gaps_of(beats, 3.0)
    desk.type(b"B", b"\r", PASTED, b"B")
    gaps += _gaps_of(beats, 2.0)
    pressed_at = desk.type(CTRL_K)
    halted_at = instant_when(lambda: desk.journal_holds('"Halted"'))
    again_at = desk.type(b"K")
    killed_at = instant_when(lambda: desk.journal_holds('"Killed"'))
    desk.type(b"B")
    gaps += _gaps_of(beats, 10.0 - (time.monotonic() - stalled_at))
    desk.read_for(3.0)

    measured("largest gap between heartbeats while nobody reads", f"{max(gaps) * 1000:.0f} ms")
    measured("Ctrl+K to its record while nobody reads", f"{(halted_at - pressed_at) * 1000:.0f} ms")
    measured("K to its record while nobody reads", f"{(killed_at - again_at) * 1000:.0f} ms")
    assert max(gaps) < 1
    assert halted_at - pressed_at < 1
    assert killed_at - again_at < 1
    assert not set(SENT) & set(desk.facts())
    assert desk.shows("KILLED since")


@pytest.mark.parametrize(
    "writes",
    [(b"\x1b\x0b",), (b"\x1b", b"\x0b"), (b"n", b"\x1b\x0b"), (b"\x1b\x1b[21~",), (b"\x1b", b"\x1b[21~")],
    ids=["in one write", "in two", "behind a form", "F10", "F10 in two writes"],
)
def test_an_escape_typed_before_the_chord_never_ends_its_halt(demo: Open, writes: tuple[bytes, ...]) -> None:
    """OP-07: a link that lags brings both at once"""
    desk = demo()
    desk.until_it_shows("ENTRIES ON")

    for write in writes:
        desk.type(write)
        desk.read_for(0.02)
    desk.until_it_shows("HALTED")
    desk.read_for(0.6)
    assert "Resumed" not in desk.facts()
    assert desk.shows("HALTED since")

    desk.type(b"K")
    desk.until_it_shows("KILLED since")


def test_a_terminal_that_closes_ends_everything(demo: Open, measured: Measured) -> None:
    """OP-06: nothing runs on unseen"""
    desk = demo()
    desk.until_it_shows("ENTRIES ON")
    closed_at = time.monotonic()

    desk.hang_up()

    assert desk.ended() == 128 + signal.SIGHUP
    measured("end after the terminal closed", f"{time.monotonic() - closed_at:.2f} s")
    assert desk.facts()[-1] == "EngineStopped"
    assert "stopped" in desk.run("status").stdout


def _gaps_of(path: Any, seconds: float) -> list[float]:
    """The times between two changes of a file's time, for some seconds, without reading the terminal."""
    gaps, changed_at, stamp = [], time.monotonic(), path.stat().st_mtime_ns
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        newest = path.stat().st_mtime_ns
        if newest != stamp:
            gaps.append(now - changed_at)
            changed_at, stamp = now, newest
        time.sleep(0.002)
    return [*gaps, time.monotonic() - changed_at]


def reloads(desk: Open) -> list[Any]:
    return [record["data"] for record in desk.records() if record["fact"] == "LimitsReloaded"]


def test_a_settings_file_that_changes_under_the_desk(demo: Open) -> None:
    """RK-13: from the operator's editor to LOOSEN, on the real program."""
    desk = demo()
    settings = Home.of({"KEYTURN_HOME": str(desk.home)}).settings
    desk.until_it_shows("ENTRIES ON")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[risk]\nmax_open_positions = 5\nmax_notional = { usd = 40 }\n")
    desk.until_it_shows("the settings file changed")
    assert desk.shows("ENTRIES OFF")

    desk.type(b"\x10", b"reload", b"\r")
    desk.until_it_shows("Loosen the limits?")
    assert desk.shows("risk.max_notional 50 USD → 40 USD")
    desk.type(*(letter.encode() for letter in "LOOSEN"))
    desk.until_it_shows("ENTRIES ON")
    desk.until(lambda: len(reloads(desk)) > 1)

    (first, second) = reloads(desk)
    assert first["taken"] == ["risk.max_notional 50 USD → 40 USD"]
    assert second["taken"] == ["risk.max_open_positions 1 → 5"]
