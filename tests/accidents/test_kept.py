"""A run that was broken off goes on where it was, and with no other code than it began with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.accidents.kept import Kept, digest_of_the_code, last_unfinished
from tests.accidents.play import Failure, Played

SEED = 7


def a_desk() -> Played:
    failure = Failure(3, "words", ["SPY was confirmed"], ["types b'B'"])
    return Played(Counter(words=240), deliberate=9, confirmed=9, void=1, failures=[failure], seconds=600.5)


def test_what_was_tried_is_there_again_and_a_torn_line_is_played_again(tmp_path: Path) -> None:
    kept = Kept(SEED, "code", tmp_path)
    kept.add(0, a_desk())
    kept.add(500, a_desk())
    kept.path.write_text(kept.path.read_text()[:-20])

    assert Kept(SEED, "code", tmp_path).desks == {0: a_desk()}


def test_what_was_tried_with_other_code_is_no_evidence(tmp_path: Path) -> None:
    Kept(SEED, "code", tmp_path).add(0, a_desk())

    assert not Kept(SEED, "other code", tmp_path).desks


def test_the_last_run_that_has_desks_to_play_goes_on(tmp_path: Path) -> None:
    kept = Kept(SEED, digest_of_the_code(), tmp_path)
    kept.add(0, a_desk())

    assert last_unfinished(500, 250, tmp_path) == SEED
    kept.add(250, a_desk())
    assert last_unfinished(500, 250, tmp_path) is None
