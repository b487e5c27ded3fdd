"""Nobody reads the terminal: the desk goes on, the kill keys work, and what was typed does not act afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

Open = Callable[[str], Any]
Measured = Callable[[str, str], None]


def test_a_stalled_link_stops_neither_the_loop_nor_the_kill_keys(terminal: Open, measured: Measured) -> None:
    """OP-04, OP-07"""
    desk = terminal("busy")
    desk.read_for(0.5)
    stalled_at = time.monotonic()

    time.sleep(2.5)
    desk.type(b"B", b"x", b"\x1b[B", b"\r", b"\x1b[200~B\x1b[201~")
    chord_at = desk.type(b"\x0b")
    time.sleep(0.1)
    again_at = desk.type(b"K")
    desk.type(b"S")
    time.sleep(2.4)
    resumed_at = time.monotonic()
    desk.read_for(1.0)

    gaps, skipped = [], 0
    for fact in desk.facts("loop"):
        gap, skipped_until_now, *_ = fact.rest.split()
        if stalled_at < fact.at < resumed_at:
            gaps.append(float(gap))
            skipped = int(skipped_until_now)
    measured("largest gap of the event loop in a stall of 5 s", f"{max(gaps) * 1000:.0f} ms")
    measured("frames skipped in that stall", str(skipped))
    measured("chord in the stall", f"{(desk.facts('kill')[0].at - chord_at) * 1000:.2f} ms")
    measured("K in the stall", f"{(desk.facts('kill-again')[0].at - again_at) * 1000:.2f} ms")
    assert max(gaps) < (resumed_at - stalled_at) / 2
    assert skipped > 0
    assert desk.facts("kill")[0].at < desk.facts("kill-again")[0].at < resumed_at
    assert not desk.keys_read()
    assert not desk.facts("paste")


def test_after_a_stall_the_picture_is_whole_and_new_and_keys_count_once_it_was_drawn(terminal: Open) -> None:
    """OP-04: what reaches the desk before the terminal's answer was typed at an older picture"""
    desk = terminal("busy")
    desk.read_for(0.3)
    seen = len(desk.raw)
    time.sleep(2.0)

    desk.until(lambda: b"\x1b[5n" in desk.raw[seen:])
    desk.type(b"x")
    desk.type(b"\x1b[0n" * desk.raw.count(b"\x1b[5n"))
    desk.type(b"j")
    desk.until(desk.keys_read)

    assert desk.keys_read() == ["j"]
    desk.until(lambda: shows_one_new_picture(desk))


def test_a_terminal_that_never_answers_gets_its_keys_back(terminal: Open) -> None:
    """OP-04"""
    desk = terminal("busy")
    time.sleep(1.8)
    desk.read_for(2.0)

    desk.type(b"j")

    desk.until(lambda: desk.keys_read() == ["j"])


def test_a_slow_link_gets_fewer_frames_and_each_of_them_new(terminal: Open, measured: Measured) -> None:
    """DESK: a link that cannot keep up gets fewer frames, never a queue of old ones"""
    desk = terminal("busy")
    shown = 0
    while shown < 90:
        desk._stream.feed(os.read(desk.master, 1500))
        words = desk.screen.display[0].split()
        shown = int(words[1]) if len(words) > 1 and words[1].isdigit() else shown
        time.sleep(0.03)

    behind = int(desk.facts("painted")[-1].rest) - shown
    measured("age of the picture on a link of 50 kB/s", f"{behind} frames")
    assert behind < 45  # of over ninety: a queue of them all would be behind by more and more


def shows_one_new_picture(desk: Any) -> bool:
    """Whether no line is left of a frame from before the stall."""
    words = desk.screen.display[0].split()
    if not words[1].isdigit() or int(words[1]) < 50:
        return False
    letter = chr(97 + int(words[1]) % 26)
    return all(set(line.strip()) <= {letter} for line in desk.screen.display[1:])
