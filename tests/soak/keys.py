"""What is not the plain key, on each armed screen of the real desk in a pty, and as many presses of the plain key.

A chunk is a desk with one screen. The first chunk of each screen also tries the whole table of its key, whole, joined,
cut in two and cut in three, on the keyboard's own parts. On a pty a doubt takes five seconds of real time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.key_sequences import Way, ways
from tests.soak.armed_terminal import SCREENS, Told, play
from tests.soak.chunks import Chunks, Play
from tests.unit.console.armed_screen import Tries, acted, cut_in_three, cut_in_two, whole_and_joined

A_SCREEN = 40
"""Accidents on one desk."""
ALL: tuple[Callable[[Way, str], Tries], ...] = (whole_and_joined, cut_in_two, cut_in_three)


@dataclass
class Played:
    told: Told
    in_the_table: int = 0
    acted: list[str] = field(default_factory=list)
    """Of the table; none should."""


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where a key acted that nobody pressed, or one that was pressed did not."""
    del plant
    wrong, screens = 0, {letter: Told(letter) for letter in SCREENS}
    for played in chunks(played_on, A_SCREEN).results(cores):
        screens[played.told.letter].add(played.told)
        if played.in_the_table:
            print(f"  {played.told.letter}   in the table {played.in_the_table:,} tried, acted {len(played.acted)}")
        print("".join(f"      ACTED {line}\n" for line in played.acted), end="")
        wrong += len(played.acted)
    for told in screens.values():
        tell(told)
        wrong += len(told.sent) + told.pressed - told.took
    return int(wrong > 0)


def played_on(seed: int, first: int, many: int) -> Played:
    number = first // A_SCREEN
    letter = SCREENS[number % len(SCREENS)]
    with tempfile.TemporaryDirectory(prefix="keys") as folder:
        played = Played(play(Path(folder), letter, many, many, seed + number))
    if number < len(SCREENS):
        for way in ways(letter):
            tries = [each for made in ALL for each in made(way, letter)]
            played.in_the_table += len(tries)
            played.acted += acted(iter(tries), letter)
    return played


def tell(told: Told) -> None:
    share = told.void / max(1, told.tried + told.void)
    print(
        f"  {told.letter}   tried {told.tried:>5,}   sent {len(told.sent)}"
        f"   did not take place {told.void} ({share:.1%})   pressed {told.pressed}, acted {told.took}"
    )
    for line in told.sent:
        print(f"      SENT {line}")
    for line in told.missed:
        print(f"      MISSED {line}")
