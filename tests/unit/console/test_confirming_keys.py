"""Nothing but the plain key acts as the letter that confirms: whole, cut, joined; the table stands in `ways`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from tests.kit.key_sequences import LETTERS, Way, ways
from tests.unit.console.armed_screen import PRESSES, ArmedScreen

PAUSES = (0.05, 0.3, 0.6, 0.8, 1.2, 3.0)
AROUND = (b"j", b"\x1b[A", b"\x1b[0n", b"\x1b[<35;3;3M", b"\x1b", b"\x1b[I", b"\xc3\xa9")
QUIET = re.compile(rb"\x1b\[(?:<(?:0;10;20m|[1-9].*)|0n)").fullmatch
"""A mouse that moves, a wheel or a button let go, and the terminal's answer: the hand at the keyboard makes neither."""
Tries = Iterator[tuple[Sequence[bytes], Sequence[float]]]


def whole_and_joined(way: Way, letter: str) -> Tries:
    """The plain letter is a neighbour too, where it is judged by its silence, and the way is none that breaks none."""
    if not has_its_beginning(way, letter):
        return
    yield (way.data,), ()
    for neighbour in (*AROUND, way.data, *([letter.encode()] if letter in PRESSES and not QUIET(way.data) else [])):
        yield (neighbour + way.data,), ()
        yield (way.data + neighbour,), ()


def has_its_beginning(way: Way, letter: str) -> bool:
    """A `[` alone is no introducer: behind it the letters of a screen without an arming mean what they say."""
    return way.data[:1] != b"[" or letter in PRESSES


def cut_in_two(way: Way, letter: str) -> Tries:
    for at in range(1, len(way.data)) if has_its_beginning(way, letter) else ():
        for pause in PAUSES:
            yield (way.data[:at], way.data[at:]), (pause,)


def cut_in_three(way: Way, letter: str) -> Tries:
    for first in range(1, len(way.data) - 1) if has_its_beginning(way, letter) else ():
        for second in range(first + 1, len(way.data)):
            for pauses in ((0.6, 0.6), (0.3, 3.0), (3.0, 0.8), (1.2, 1.2)):
                yield (way.data[:first], way.data[first:second], way.data[second:]), pauses


def acted(tries: Tries, letter: str) -> Iterator[str]:
    for parts, pauses in tries:
        if ArmedScreen(letter).comes(parts, pauses):
            yield f"{parts} {pauses}"


@pytest.mark.parametrize("letter", LETTERS)
def test_whole_or_joined_with_a_neighbour_none_acts(letter: str) -> None:
    """OP-04"""
    wrong = [try_ for way in ways(letter) for try_ in acted(whole_and_joined(way, letter), letter)]

    assert not wrong


@pytest.mark.parametrize("letter", LETTERS)
def test_cut_in_two_at_any_byte_none_acts(letter: str) -> None:
    """OP-04: the rest comes up to three seconds later"""
    assert not [try_ for way in ways(letter) for try_ in acted(cut_in_two(way, letter), letter)]
