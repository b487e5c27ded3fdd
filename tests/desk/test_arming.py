"""Which key counts: the rules of OP-04, on a clock that the test moves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from console.arming import ALONE_FOR, CUT_FOR, HELD_FOR, OPENS_AFTER, REDUCES_AFTER, Arming, Keyboard, ShownTicket
from console.frame_loop import KeyHearing
from tests.kit.rows import each

TICKET = ShownTicket("t1", "digest")
KEY = "B"
OTHER = ShownTicket("t1", "another digest")


def painted(at: float = 0.0) -> Arming:
    arming = Arming(Keyboard())
    arming.paint(TICKET, at)
    return arming


@each("silence", [OPENS_AFTER, REDUCES_AFTER])
def test_a_key_counts_once_painted_and_quiet(silence: float) -> None:
    """OP-04"""
    arming = painted()

    assert arming.turn(TICKET, KEY, silence, silence)
    assert not arming.take(TICKET, silence + ALONE_FOR - 0.01)
    assert arming.take(TICKET, silence + ALONE_FOR + 0.001)
    assert not arming.take(TICKET, silence + 1)


def test_a_key_before_paint_does_nothing() -> None:
    """OP-04"""
    arming = Arming(Keyboard())

    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 10.0)
    assert arming.seconds_left(TICKET, KEY, OPENS_AFTER, 10.0) is None

    arming.paint(TICKET, 10.1)
    assert not arming.take(TICKET, 12.0)
    assert arming.seconds_left(TICKET, KEY, OPENS_AFTER, 10.1) == pytest.approx(HELD_FOR - 0.1)


def test_a_key_too_early_begins_a_new_silence() -> None:
    """OP-04"""
    arming = painted()

    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 0.39)
    assert arming.seconds_left(TICKET, KEY, OPENS_AFTER, 0.39) == pytest.approx(HELD_FOR)
    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 2.38)
    assert arming.turn(TICKET, KEY, OPENS_AFTER, 4.39)


def test_any_other_key_begins_a_new_silence() -> None:
    """OP-04: a key meant for another effect or another pane, a paste, a click"""
    arming = painted()
    arming.hear("S", 5.0)

    assert arming.seconds_left(TICKET, KEY, OPENS_AFTER, 5.3) == pytest.approx(0.1)
    assert arming.turn(TICKET, KEY, OPENS_AFTER, 5.41)


def test_a_key_right_after_it_takes_the_key_back() -> None:
    """OP-04: what comes in a row was not pressed by a person"""
    arming = painted()
    assert arming.turn(TICKET, KEY, OPENS_AFTER, 1.0)

    arming.hear("S", 1.05)

    assert not arming.take(TICKET, 2.0)


@given(
    painted_at=st.floats(0.01 - OPENS_AFTER, 3.0),
    waits=st.floats(0.25, 1.0),
    rate=st.floats(2.0, 30.0),
    repeats=st.integers(0, 120),
)
def test_a_held_key_never_counts(painted_at: float, waits: float, rate: float, repeats: int) -> None:
    """OP-04: pressed at 0, before the ticket could be read, on it or on the screen before it; let go at any repeat"""
    keyboard = Keyboard()
    arming = Arming(keyboard)
    taken = False

    for at in [0.0, *(waits + number / rate for number in range(repeats))]:
        if at < painted_at:
            keyboard.hear(KEY, at)
        else:
            arming.paint(TICKET, painted_at)
            taken = taken or arming.take(TICKET, at)
            arming.turn(TICKET, KEY, OPENS_AFTER, at)

    assert not taken
    assert not arming.take(TICKET, 1000.0)


def test_a_click_or_a_paste_lets_go_of_no_key() -> None:
    """OP-04"""
    arming = painted()
    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 0.1)
    arming.hear(None, 0.2)

    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 1.1)


def test_another_key_between_lets_go_of_it() -> None:
    """What a keyboard repeats is the key that was pressed last."""
    arming = painted()
    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 0.1)
    arming.hear("j", 0.3)

    assert arming.turn(TICKET, KEY, OPENS_AFTER, 0.8)


def test_another_digest_is_another_ticket() -> None:
    """OP-02, OP-04: a key never counts for what was not on the screen"""
    arming = painted()
    assert not arming.turn(OTHER, KEY, OPENS_AFTER, 1.0)

    arming.paint(OTHER, 2.0)

    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 3.0)
    assert not arming.turn(OTHER, KEY, OPENS_AFTER, 3.1)
    assert arming.turn(OTHER, KEY, OPENS_AFTER, 5.6)
    arming.paint(TICKET, 5.65)
    assert not arming.take(OTHER, 6.0)
    assert not arming.take(TICKET, 6.0)


def test_leaving_the_screen_disarms() -> None:
    """OP-04: a frame gap, another dialog over it, a refusal"""
    arming = painted()
    assert arming.turn(TICKET, KEY, OPENS_AFTER, 1.0)

    arming.forget()

    assert not arming.take(TICKET, 2.0)
    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 3.0)
    arming.paint(TICKET, 4.0)
    assert not arming.turn(TICKET, KEY, OPENS_AFTER, 4.3)


class Terminal:
    """Answers what it was asked at that instant; None is not yet."""

    def __init__(self, answers_at: float | None, *, is_proved: bool = True) -> None:
        self.answers_at, self.paint_is_proved = answers_at, is_proved
        self.asked = 0

    def ask_for_proof(self) -> int:
        self.asked += 1
        return self.asked

    def painted_at(self, _question: int) -> float | None:
        return self.answers_at


def a_key_behind_escape(link: Terminal, after: float) -> bool:
    """Whether it may be the rest of a sequence that a link cut."""
    app, desk = SimpleNamespace(screen_stack=[]), SimpleNamespace(keyboard=Keyboard(), link=link, handle=None)
    hearing = KeyHearing(cast("Any", app), cast("Any", desk), cast("Any", None))
    hearing._told_at = 1000.0
    hearing.hear(events.Key("escape", "\x1b"), 10.0)
    hearing.hear(events.Key("F", "F"), 10.0 + after)
    return desk.keyboard.may_be_a_rest


async def test_a_key_behind_escape_waits_at_the_links_pace() -> None:
    """OP-04: what the terminal sent before its answer has arrived before it; one that never answers is waited for"""
    local, far, silent = Terminal(10.01), Terminal(12.0), Terminal(None)
    by_time = Terminal(10.0, is_proved=False)

    assert a_key_behind_escape(local, 0.5)
    assert not a_key_behind_escape(local, 0.61)
    assert a_key_behind_escape(far, 1.9)
    assert not a_key_behind_escape(far, 2.1)
    assert [a_key_behind_escape(link, CUT_FOR - 0.1) for link in (silent, by_time)] == [True, True]
    assert [a_key_behind_escape(link, CUT_FOR + 0.1) for link in (silent, by_time)] == [False, False]


def test_repainting_the_same_stays_armed() -> None:
    arming = painted(1.0)

    arming.paint(TICKET, 5.0)

    assert arming.turn(TICKET, KEY, OPENS_AFTER, 5.0)
