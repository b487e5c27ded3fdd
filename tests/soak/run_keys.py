"""`make keys N=40`: so many accidents of the table on each armed screen of the real desk in a pty, and as many presses.

First every way, whole, joined, cut in two and cut in three, on the keyboard's own parts and a clock of theirs. Then on
a pty, in real time: a doubt takes five seconds, so that N=40 on all screens takes some minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.kit.key_sequences import LETTERS, Way, ways
from tests.soak.armed_terminal import SCREENS, Told, play
from tests.unit.console.armed_screen import Tries, acted, cut_in_three, cut_in_two, whole_and_joined

ALL: tuple[Callable[[Way, str], Tries], ...] = (whole_and_joined, cut_in_two, cut_in_three)


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=40, help="accidents on each screen of the pty")
    wish.add_argument("--presses", type=int, default=None, help="presses that are meant, on each; as many")
    wish.add_argument("--screens", default=SCREENS)
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--together", type=int, default=3, help="desks at once")
    wish.add_argument("--no-table", action="store_true", help="only the pty")
    asked = wish.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    presses = asked.many if asked.presses is None else asked.presses
    began, failed = time.monotonic(), 0
    if not asked.no_table:
        failed += sum(tell_table(letter) for letter in LETTERS)
    print(f"on a pty: {asked.many} accidents and {presses} presses on each screen, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="keys") as folder, ThreadPoolExecutor(asked.together) as pool:
        for told in pool.map(lambda it: play(Path(folder), it, asked.many, presses, seed), asked.screens):
            tell(told)
            failed += len(told.sent) + told.pressed - told.took
    print(f"{time.monotonic() - began:,.0f} s", flush=True)
    sys.exit(1 if failed else 0)


def tell_table(letter: str) -> int:
    """How many acted; none should."""
    tried, wrong = 0, []
    for way in ways(letter):
        tries = [try_ for made in ALL for try_ in made(way, letter)]
        tried += len(tries)
        wrong += [*acted(iter(tries), letter)]
    print(f"  {letter}   in the table {len([*ways(letter)])} ways, {tried:>7,} tried, acted {len(wrong)}", flush=True)
    for line in wrong[:10]:
        print(f"      {line}")
    return len(wrong)


def tell(told: Told) -> None:
    share = told.void / max(1, told.tried + told.void)
    print(
        f"  {told.letter}   tried {told.tried:>5,}   sent {len(told.sent)}"
        f"   did not take place {told.void} ({share:.1%})   pressed {told.pressed}, acted {told.took}",
        flush=True,
    )
    for line in told.sent:
        print(f"      SENT {line}")
    for line in told.missed:
        print(f"      MISSED {line}")


if __name__ == "__main__":
    main()
