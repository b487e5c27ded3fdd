"""A generator that finds nothing proves nothing: each rule of the ticket is taken away in turn, and it must tell.

Run with `-s`, it prints how many accidents each fault took.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import console.arming
import console.desk
import console.row_actions
import console.screens.question
import console.screens.ticket
import console.terminal.input_reader
import console.terminal.scanner
from console.arming import Arming, Keyboard, ShownTicket
from console.proposal_outcome import any_of_it
from console.screens.ticket import TicketScreen
from console.terminal.scanner import Scanner
from console.terminal.writer import PacedWriter
from console.ticket.spelling import Spelling
from console.ticket.typed_word import TypedWord
from tests.accidents.bytes_in_pieces import BYTES
from tests.accidents.kinds import KINDS
from tests.accidents.play import A_DESK, play_desk
from tests.accidents.word_kinds import word_of_a_twin

SEED = 7
DESKS = 8
Patch = pytest.MonkeyPatch
pytestmark = pytest.mark.timeout(600)


def no_arming_time(patch: Patch) -> None:
    patch.setattr(console.screens.ticket, "OPENS_AFTER", 0.0)
    patch.setattr(console.screens.ticket, "REDUCES_AFTER", 0.0)


def no_silence(patch: Patch) -> None:
    def quiet_from(keyboard: Keyboard, key: str, _silence: float) -> float:
        return keyboard._key_at + console.arming.HELD_FOR if key.casefold() == keyboard._key else float("-inf")

    patch.setattr(Keyboard, "quiet_from", quiet_from)


def keys_of_a_stall_kept(patch: Patch) -> None:
    """What the link says of its gaps goes with it: either alone stops these keys."""
    patch.setattr(PacedWriter, "is_deaf", lambda _writer: False)
    patch.setattr(PacedWriter, "had_gap", lambda _writer, _since, _until: False)


def enter_confirms(patch: Patch) -> None:
    hear = TicketScreen.hear

    def hears(screen: TicketScreen, character: str | None, at: float) -> None:
        row = screen.standing.row
        hear(screen, row.confirming_key if character == "\r" and row is not None else character, at)

    patch.setattr(TicketScreen, "hear", hears)


def held_keys_count(patch: Patch) -> None:
    patch.setattr(console.arming, "HELD_FOR", 0.0)


def keys_in_a_row_count(patch: Patch) -> None:
    patch.setattr(console.arming, "ALONE_FOR", 0.0)


def digest_not_compared(patch: Patch) -> None:
    """The key counts for what is shown, whatever was painted."""

    def of(arming: Arming, shown: ShownTicket) -> ShownTicket:
        return arming._painted or shown

    left, take = Arming.seconds_left, Arming.take
    patch.setattr(
        Arming,
        "seconds_left",
        lambda arming, shown, key, silence, now: left(arming, of(arming, shown), key, silence, now),
    )
    patch.setattr(
        Arming, "take", lambda arming, shown, now: take(arming, arming._turned[0] if arming._turned else shown, now)
    )
    patch.setattr(Arming, "paint", paints)


def paints(arming: Arming, shown: ShownTicket, at: float) -> None:
    if arming._painted is None:
        arming._painted_at, arming._turned = at, None
    arming._painted = replace(shown)


def the_letter_of_escape_and_a_letter_confirms(patch: Patch) -> None:
    """As Textual reads it: a key with Alt, whose character is the letter."""
    patch.setattr(console.terminal.scanner, "is_joined", lambda _sequence: False)
    patch.setattr(console.terminal.input_reader, "looks_typed", lambda _key: False)
    patch.setattr(console.desk, "is_modified", lambda _key: False)


def a_letter_behind_a_cut_introducer_confirms(patch: Patch) -> None:
    """What was broken is forgotten: by the scanner, and by the arming behind it."""
    patch.setattr(Scanner, "_begin_doubt", lambda _scanner, _doubt, _broke_at: None)
    patch.setattr(console.arming, "CUT_FOR", 0.0)


def any_close_is_taken_for_half(patch: Patch) -> None:
    patch.setattr(console.row_actions, "is_close_of", lambda _shares: any_of_it)


def a_question_is_answered_at_once(patch: Patch) -> None:
    patch.setattr(console.screens.question, "REDUCES_AFTER", 0.0)


def a_word_is_asked_for_and_not_waited_for(patch: Patch) -> None:
    patch.setattr(Spelling, "stands", property(lambda _spelling: True))


def a_word_counts_in_any_case(patch: Patch) -> None:
    hear = TypedWord.hear
    patch.setattr(TypedWord, "hear", lambda word, key: hear(word, key.upper() if key is not None else None))


def a_word_counts_before_it_is_painted(patch: Patch) -> None:
    hear = Spelling.hear
    patch.setattr(Spelling, "hear", lambda spelling, typed, key, _is_painted: hear(spelling, typed, key, True))
    patch.setattr(TypedWord, "forget", lambda _word: None)


FAULTS: tuple[Callable[[Patch], None], ...] = (
    no_arming_time,
    no_silence,
    keys_of_a_stall_kept,
    enter_confirms,
    held_keys_count,
    keys_in_a_row_count,
    digest_not_compared,
    the_letter_of_escape_and_a_letter_confirms,
    a_letter_behind_a_cut_introducer_confirms,
    any_close_is_taken_for_half,
    a_question_is_answered_at_once,
    a_word_is_asked_for_and_not_waited_for,
    a_word_counts_in_any_case,
    a_word_counts_before_it_is_painted,
)


HANDS = tuple(name for name in KINDS if name not in {kind.__name__ for kind in BYTES})
"""What is no matter of bytes in pieces: where neither of the last two faults is planted, these find it sooner."""
OF_WORDS = FAULTS[-3:]
BEGINS = {held_keys_count: 1, any_close_is_taken_for_half: 3, a_question_is_answered_at_once: 1}
BEGINS |= dict.fromkeys(OF_WORDS, 3)
"""The desk that is played first; the first one of all draws what it shows, which takes thrice as long."""
ONLY: dict[Callable[[Patch], None], tuple[str, ...]] = {
    keys_of_a_stall_kept: ("burst_after_a_stall",),
    the_letter_of_escape_and_a_letter_confirms: ("escape_joined", "other_keys", "words"),
    any_close_is_taken_for_half: ("row_changes_under_the_key",),
    a_question_is_answered_at_once: ("entries_question",),
    a_letter_behind_a_cut_introducer_confirms: ("letters_behind_a_beginning", "other_keys", "words"),
} | dict.fromkeys(OF_WORDS, (word_of_a_twin.__name__,))
"""Where one kind alone can find it, it alone is played: among all of them it takes minutes."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_accidents_find_a_planted_fault(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """OP-04"""
    plant(monkeypatch)
    tries = 0

    for desk in range(BEGINS.get(plant, 0), DESKS, 4 if plant in OF_WORDS else 1):  # of four, one has twins
        kinds = ONLY.get(plant, HANDS)
        played = play_desk(
            SEED, (1 + desk) * A_DESK, kinds=kinds, is_served=False
        )  # the desk of the first ones draws, which takes thrice as long
        tries += played.many
        if any(failure.words for failure in played.failures):
            print(f"\n{plant.__name__.replace('_', ' ')}: found by accident {tries}, {played.failures[-1].kind}")
            return

    pytest.fail(f"{plant.__name__} was not found in {tries} accidents")
