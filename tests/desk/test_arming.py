"""Which key counts: the rules of OP-04, on a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.arming import ALONE_FOR, OPENS_AFTER, REDUCES_AFTER, Arming, Shown

TICKET = Shown("t1", "digest")
OTHER = Shown("t1", "another digest")


def painted(at: float = 0.0) -> Arming:
    arming = Arming()
    arming.paint(TICKET, at)
    return arming


@pytest.mark.parametrize("silence", [OPENS_AFTER, REDUCES_AFTER])
def test_a_key_counts_once_painted_and_silent_for_long_enough_and_alone(silence: float) -> None:
    """OP-04"""
    arming = painted()

    assert arming.turn(TICKET, silence, silence)
    assert not arming.take(TICKET, silence + ALONE_FOR - 0.01)
    assert arming.take(TICKET, silence + ALONE_FOR + 0.001)
    assert not arming.take(TICKET, silence + 1)


def test_a_key_before_the_ticket_was_painted_does_nothing() -> None:
    """OP-04"""
    arming = Arming()

    assert not arming.turn(TICKET, OPENS_AFTER, 10.0)
    assert arming.seconds_left(TICKET, OPENS_AFTER, 10.0) is None

    arming.paint(TICKET, 10.1)
    assert not arming.take(TICKET, 12.0)
    assert arming.seconds_left(TICKET, OPENS_AFTER, 10.1) == pytest.approx(0.4)


def test_a_key_too_early_begins_a_new_silence() -> None:
    """OP-04"""
    arming = painted()

    assert not arming.turn(TICKET, OPENS_AFTER, 0.39)
    assert arming.seconds_left(TICKET, OPENS_AFTER, 0.39) == pytest.approx(0.4)
    assert not arming.turn(TICKET, OPENS_AFTER, 0.78)
    assert arming.turn(TICKET, OPENS_AFTER, 1.19)


def test_any_other_key_begins_a_new_silence() -> None:
    """OP-04: a key meant for another effect or another pane, a paste, a click"""
    arming = painted()
    arming.hear(5.0)

    assert not arming.turn(TICKET, OPENS_AFTER, 5.3)
    assert arming.turn(TICKET, OPENS_AFTER, 5.8)


def test_a_key_right_after_it_takes_the_key_back() -> None:
    """OP-04: what comes in a row was not pressed by a person"""
    arming = painted()
    assert arming.turn(TICKET, OPENS_AFTER, 1.0)

    arming.hear(1.05)

    assert not arming.take(TICKET, 2.0)


@given(
    begins=st.floats(0.0, 0.39),
    first_repeat=st.floats(0.2, 2.0),
    interval=st.floats(0.01, ALONE_FOR - 0.02),
    repeats=st.integers(2, 40),
)
def test_a_held_key_never_counts_whatever_its_keyboard_waits(
    begins: float, first_repeat: float, interval: float, repeats: int
) -> None:
    """OP-04: held since before the ticket could be read; the last repeat of a held key is no key of its own either"""
    arming = painted()
    presses = [begins, *(begins + first_repeat + number * interval for number in range(repeats))]
    taken = False

    for before, at in zip([None, *presses], presses, strict=False):
        taken = taken or (before is not None and arming.take(TICKET, at - 0.001))
        arming.turn(TICKET, OPENS_AFTER, at)

    assert not taken
    assert not arming.take(TICKET, presses[-1] + 5)


def test_another_digest_is_another_ticket() -> None:
    """OP-02, OP-04: a key never counts for what was not on the screen"""
    arming = painted()
    assert not arming.turn(OTHER, OPENS_AFTER, 1.0)

    arming.paint(OTHER, 2.0)

    assert not arming.turn(TICKET, OPENS_AFTER, 3.0)
    assert not arming.turn(OTHER, OPENS_AFTER, 3.1)
    assert arming.turn(OTHER, OPENS_AFTER, 3.6)
    arming.paint(TICKET, 3.65)
    assert not arming.take(OTHER, 4.0)
    assert not arming.take(TICKET, 4.0)


def test_what_left_the_screen_must_be_painted_again() -> None:
    """OP-04: a frame gap, another dialog over it, a refusal"""
    arming = painted()
    assert arming.turn(TICKET, OPENS_AFTER, 1.0)

    arming.forget()

    assert not arming.take(TICKET, 2.0)
    assert not arming.turn(TICKET, OPENS_AFTER, 3.0)
    arming.paint(TICKET, 4.0)
    assert not arming.turn(TICKET, OPENS_AFTER, 4.3)


def test_painting_the_same_again_does_not_begin_anew() -> None:
    arming = painted(1.0)

    arming.paint(TICKET, 5.0)

    assert arming.turn(TICKET, OPENS_AFTER, 5.0)
