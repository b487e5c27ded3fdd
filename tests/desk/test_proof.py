"""What the terminal's answers prove, on a clock that the test moves (OP-04)."""

from __future__ import annotations

import pytest

from console.terminal.keys import GIVES_UP_AFTER, LATE_AFTER, TIMEOUT, WATCH, Proofs

TRIP = 0.02


def answering(until: float = 0.0) -> Proofs:
    """A terminal that answered its first question."""
    proofs = Proofs()
    proofs.ask(until)
    proofs.answer(until + TRIP)
    return proofs


def test_a_paint_counts_from_its_answer() -> None:
    """OP-04: an answer to an earlier question proves nothing of it"""
    proofs = answering()
    proofs.ask(1.0)
    behind_the_picture = proofs.ask(1.1)

    proofs.answer(1.2)
    assert proofs.answered_at(behind_the_picture) is None

    proofs.answer(1.3)
    assert proofs.answered_at(behind_the_picture) == pytest.approx(1.3)


def test_a_link_is_asked_again_after_its_time() -> None:
    """OP-04: and not while a question waits, nor where nothing ever answered"""
    proofs = answering(5.0)

    assert not proofs.is_due(5.0 + WATCH - 0.01)
    assert proofs.is_due(5.0 + WATCH)
    proofs.ask(5.0 + WATCH)
    assert not proofs.is_due(9.0)
    assert not Proofs().is_due(9.0)


def test_a_mute_terminal_is_known_in_time() -> None:
    """OP-04: and one that answers after all is believed from then on"""
    proofs = Proofs()
    proofs.ask(0.0)

    proofs.limit_timeout(TIMEOUT - 0.01)
    assert proofs.is_given is None
    proofs.limit_timeout(TIMEOUT + 0.01)
    assert proofs.is_given is False

    proofs.answer(2.0)
    assert proofs.is_given is True


def test_keys_typed_before_a_late_answer_are_blind() -> None:
    """OP-04: a link that hides its stall, behind a kernel that takes every byte"""
    proofs = answering()
    proofs.ask(5.0)

    assert not proofs.is_blind(5.0 + LATE_AFTER)
    assert proofs.is_blind(5.0 + LATE_AFTER + 2 * TRIP)
    proofs.answer(20.0)
    assert not proofs.is_blind(20.0)
    assert proofs.had_gap(4.0, 21.0)
    assert not proofs.had_gap(20.5, 21.0)


def test_a_link_that_is_always_slow_is_not_late() -> None:
    """OP-04: late is what takes a second more than usual"""
    proofs = Proofs()
    for at in (0.0, 3.0, 6.0):
        proofs.ask(at)
        proofs.answer(at + 2.0)
    proofs.ask(9.0)

    assert not proofs.is_blind(9.0 + 2.5)
    assert proofs.is_blind(9.0 + 3.1)


def test_a_terminal_gone_mute_gets_its_keys_back() -> None:
    """OP-04: as after a session was taken over by another terminal"""
    proofs = answering()
    proofs.ask(5.0)

    assert proofs.is_blind(10.0)
    assert proofs.is_blind(10.0 + GIVES_UP_AFTER)
    assert not proofs.is_blind(10.1 + GIVES_UP_AFTER)
    assert proofs.is_given is False


def test_one_question_at_a_time_keeps_watch() -> None:
    proofs = answering()

    assert not proofs.is_due(WATCH - 0.01)
    assert proofs.is_due(WATCH + 0.01)
    proofs.ask(1.0)
    assert not proofs.is_due(9.0)


def test_an_unasked_answer_proves_nothing() -> None:
    """OP-04: a paste without brackets can hold one"""
    proofs = Proofs()

    proofs.answer(1.0)

    assert proofs.is_given is None
    assert proofs.answered_at(proofs.ask(2.0)) is None


def test_a_mute_terminal_keeps_its_distance() -> None:
    """OP-04: its pictures count by time from then on, and not before they can be there."""
    proofs = Proofs()
    proofs.ask(0.0)
    proofs.answer(0.8)
    lost = proofs.ask(10.0)
    assert proofs.answered_at(lost) is None
    assert proofs.drawn_by_time(lost, 10.7) is None
    assert proofs.drawn_by_time(lost, 10.8) == 10.8
    never = Proofs()
    assert never.drawn_by_time(never.ask(5.0), 5.0) == 5.0


def test_a_late_answer_tells_no_distance() -> None:
    """OP-04: after a stall of half a minute its tickets do not take half a minute each"""
    proofs = Proofs()
    for asked, took in ((0.0, 0.1), (10.0, 38.6)):
        proofs.ask(asked)
        proofs.answer(asked + took)
    alone = Proofs()
    alone.ask(0.0)
    alone.answer(38.6)

    assert proofs.drawn_by_time(proofs.ask(60.0), 60.1) == 60.1
    assert alone.drawn_by_time(alone.ask(60.0), 60.0) == 60.0
