"""Nothing but the plain key acts as the letter that confirms. `make soak` tries every pause and every neighbour."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

from tests.kit.key_sequences import LETTERS, Way, ways
from tests.unit.console.armed_screen import Tries, acted, cut_in_two, whole_and_joined

SEED = 20261120


def what_acts(made: Callable[[Way, str], Tries], chance: Random) -> list[str]:
    """Of one try of each way for each letter, chosen by chance."""
    found = []
    for letter in LETTERS:
        for way in ways(letter):
            tries = [*made(way, letter)]
            chosen = chance.sample(tries, min(len(tries), 1))
            found += [f"{letter}: {each}" for each in acted(iter(chosen), letter)]
    return found


def test_no_whole_sequence_acts() -> None:
    """OP-04"""
    assert what_acts(lambda way, letter: islice(whole_and_joined(way, letter), 1), Random(SEED)) == []


def test_no_sequence_with_a_neighbour_acts() -> None:
    """OP-04"""
    assert what_acts(whole_and_joined, Random(SEED)) == []


def test_no_sequence_cut_in_two_acts() -> None:
    """OP-04: the rest comes up to three seconds later"""
    assert what_acts(cut_in_two, Random(SEED)) == []
