"""The kill chord on a real pty, wherever the operator's hands are (OP-07)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.waiting import PATIENCE

Open = Callable[[str], Any]

FORMS = {
    "one byte": b"\x0b",
    "F10": b"\x1b[21~",
    "F10 with num lock, kitty": b"\x1b[21;129~",
    "kitty": b"\x1b[107;5u",
    "kitty with caps lock": b"\x1b[107;69u",
    "kitty with an event type": b"\x1b[107;5:1u",
    "xterm's modifyOtherKeys": b"\x1b[27;5;107~",
    "one byte after an unfinished sequence": b"\x1b[1;\x0b",
    "Alt held too": b"\x1b\x0b",
}


@pytest.mark.parametrize("scene", ["idle", "input", "dialog", "busy"])
def test_the_chord_reaches_the_door_from_the_input_thread(
    terminal: Open, measured: Callable[[str, str], None], scene: str
) -> None:
    """OP-07: from any screen, over any dialog, in any text field"""
    desk = terminal(scene)

    pressed_at = desk.type(b"\x0b")
    desk.until(lambda: desk.facts("kill"))
    desk.type(b"K")
    desk.until(lambda: desk.facts("kill-again"))
    desk.read_for(0.1)

    kill = desk.facts("kill")[0]
    measured(f"chord to door, {scene}", f"{(kill.at - pressed_at) * 1000:.2f} ms")
    assert kill.rest == "textual-input"
    assert not desk.keys_read()
    assert not desk.facts("input")


def test_every_form_of_the_chord_counts_and_is_consumed(terminal: Open) -> None:
    """OP-07"""
    desk = terminal("idle")

    for number, form in enumerate(FORMS.values(), start=1):
        desk.type(form)
        desk.until(lambda wanted=number: len(desk.facts("kill")) == wanted)
    desk.type(b"\x1b[107;2;75u")
    desk.until(lambda: desk.facts("kill-again"))

    assert not [key for key in desk.keys_read() if "k" in key or "f10" in key]


def test_a_chord_cut_in_two_by_the_link_counts(terminal: Open) -> None:
    """OP-07"""
    desk = terminal("idle")

    desk.type(b"\x1b[107")
    desk.read_for(0.2)
    desk.type(b";5u")

    desk.until(lambda: desk.facts("kill"))
    desk.read_for(0.1)
    assert not desk.keys_read()


def test_an_unfinished_paste_does_not_hide_the_chord(terminal: Open, measured: Callable[[str, str], None]) -> None:
    """OP-07, OP-04: hammering finds its way through; what was pasted stays content, and never becomes keys"""
    desk = terminal("input")
    desk.type(b"\x1b[200~abc")
    started_at = time.monotonic()

    while not desk.facts("kill"):
        assert time.monotonic() - started_at < PATIENCE
        desk.type(b"\x0b")
        desk.read_for(0.1)
    desk.type(b"K")
    desk.until(lambda: desk.facts("kill-again"))
    desk.type(b"xFdK!\x1b[A rest of the paste")
    desk.type(b"\x1b[201~")
    while not desk.facts("input") or not desk.facts("input")[-1].rest.endswith("j'"):
        assert time.monotonic() - started_at < PATIENCE
        desk.type(b"j")  # one that reaches a busy desk before its picture does is dropped
        desk.read_for(0.1)

    measured(
        "chord through an unfinished paste",
        f"{desk.facts('kill')[0].at - started_at:.2f} s after the paste fell silent",
    )
    assert len(desk.facts("kill-again")) == 1
    assert not desk.keys_read()
    assert "x" not in desk.facts("input")[-1].rest


def test_a_whole_paste_is_content_with_the_chord_in_it(terminal: Open) -> None:
    """OP-04"""
    desk = terminal("idle")

    desk.type(b"\x1b[200~a\x0bK\x1b[21~\x1b[201~")
    desk.until(lambda: desk.facts("paste"))

    assert not desk.facts("kill")
    assert not desk.keys_read()


def test_a_signal_halts(terminal: Open) -> None:
    """OP-08"""
    desk = terminal("idle")

    os.kill(desk.pid, signal.SIGUSR1)

    desk.until(lambda: desk.facts("halt"))
    assert desk.is_alive()
