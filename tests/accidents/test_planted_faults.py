"""Each rule that is taken away is found by the accident that is known to find it, within a few tries."""

from __future__ import annotations

import pytest

from tests.accidents import planted
from tests.accidents.play import play_desk

TRIES = 4
"""At the most: a desk stops at the first accident that confirms."""
FAULTS = {
    "no_arming_time": ("mouse", 2, 250, False),
    "no_silence": ("mouse", 1, 250, False),
    "keys_of_a_stall_kept": ("burst_after_a_stall", 4, 250, False),
    "enter_confirms": ("other_keys", 6, 250, False),
    "held_keys_count": ("held_key", 4, 250, False),
    "keys_in_a_row_count": ("burst_after_a_stall", 0, 250, False),
    "digest_not_compared": ("new_figures", 0, 250, False),
    "the_letter_of_escape_and_a_letter_confirms": ("escape_joined", 2, 250, False),
    "a_letter_behind_a_cut_introducer_confirms": ("letters_behind_a_beginning", 1, 250, False),
    "any_close_is_taken_for_half": ("row_changes_under_the_key", 0, 250, False),
    "a_question_is_answered_at_once": ("entries_question", 0, 250, False),
    "a_word_is_asked_for_and_not_waited_for": ("word_of_a_twin", 0, 1000, False),
    "a_word_counts_in_any_case": ("word_of_a_twin", 7, 1000, False),
    "a_word_counts_before_it_is_painted": ("word_of_a_twin", 0, 1024, False),
    "a_watcher_confirms": ("a_key_of_a_watcher", 0, 250, True),
    "a_hand_over_closes_nothing_and_confirms": ("a_hand_over", 1, 250, True),
    "a_hand_over_leaves_the_ticket_armed": ("a_hand_over", 1, 250, True),
    "armed_over_a_lost_link": ("an_engine_lost", 0, 250, True),
    "armed_over_a_gap": ("an_engine_that_stands_still", 3, 250, True),
    "presses_are_kept_until_the_link_is_back": ("a_cut_link", 2, 250, True),
    "no_silence_as_the_key_arrives": ("a_key_as_the_key_arrives", 9, 250, True),
    "halts_are_the_holders_alone": ("the_other_desk_halts", 0, 250, True),
}
"""The rule; the kind of accident that shows its loss, the seed, its number, and whether the engine is remote."""
USUAL = (
    "no_arming_time", "keys_of_a_stall_kept", "digest_not_compared", "the_letter_of_escape_and_a_letter_confirms",
    "any_close_is_taken_for_half", "a_word_counts_before_it_is_painted", "a_watcher_confirms",
    "armed_over_a_lost_link",
)  # fmt: skip
"""One of each place: timing, link, ticket, terminal, row, word, watcher, engine. `make soak` has the others."""


@pytest.mark.parametrize("fault", USUAL)
def test_an_accident_finds_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04, OP-13"""
    assert is_found(fault, monkeypatch)


def is_found(fault: str, patch: pytest.MonkeyPatch) -> bool:
    kind, seed, first, is_served = FAULTS[fault]
    getattr(planted, fault)(patch)
    played = play_desk(seed, first, TRIES, kinds=(kind,), deliberate=0.0, is_served=is_served)
    return any(failure.words for failure in played.failures)
