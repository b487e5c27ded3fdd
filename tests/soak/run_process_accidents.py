"""`make accidents-processes N=200`: so many processes killed, stopped or hung up under a ticket that stands armed.

`SEED=7 ONLY=40` plays the account of accident 40 again, as far as it. What is typed and hit follows from the seed; at
which instruction of the engine it falls does not, so a fault that hangs on that may need the seed more than once.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.soak.process_accidents import A_HOUSE, KINDS, Told, play_house

A_BAR = 40


class Progress:
    """A bar, drawn anew after each accident."""

    def __init__(self, many: int) -> None:
        self._many, self._done, self._began, self._lock = many, 0, time.monotonic(), Lock()

    def step(self) -> None:
        with self._lock:
            self._done += 1
            share = self._done / self._many
            passed = time.monotonic() - self._began
            bar = "█" * int(A_BAR * share)
            end = "\r" if sys.stdout.isatty() else "\n"
            left = passed / share - passed
            sys.stdout.write(f"  {bar:<{A_BAR}} {self._done}/{self._many}, {passed:,.0f} s, {left:,.0f} s left{end}")
            sys.stdout.flush()


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=200)
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--only", type=int, default=None)
    wish.add_argument("--together", type=int, default=max(1, (os.cpu_count() or 2)))
    asked = wish.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    if asked.only is not None:
        first = asked.only // A_HOUSE * A_HOUSE
        rows = [range(first, asked.only + 1)]
    else:
        rows = [range(at, min(at + A_HOUSE, asked.many)) for at in range(0, asked.many, A_HOUSE)]
    many = sum(len(row) for row in rows)
    print(f"{many} accidents to real processes from seed {seed}, {asked.together} accounts at a time", flush=True)
    began, progress, all_of_it = time.monotonic(), Progress(many), Told()
    with ThreadPoolExecutor(asked.together) as pool:
        for told in pool.map(lambda row: _played(seed, row, progress), rows):
            all_of_it.add(told)
    print()
    table(all_of_it, seed, time.monotonic() - began)
    sys.exit(1 if all_of_it.wrong else 0)


def _played(seed: int, row: range, progress: Progress) -> Told:
    with tempfile.TemporaryDirectory(prefix="keyturn") as folder:
        return play_house(Path(folder), seed, row, progress.step)


def table(told: Told, seed: int, seconds: float) -> None:
    for kind in KINDS:
        print(f"  {kind:<44} {told.accidents[kind]:>6,}")
    rows = (
        ("accidents in all", told.accidents.total()),
        ("engines, desks that were started", f"{told.engines:,}, {told.desks:,}"),
        ("keys typed among them", told.keys),
        ("of these alone on a ticket that stood armed", told.armed_keys),
        ("confirmations", told.confirmed),
        ("orders at the exchange", told.orders),
        ("deliberate keys, and those that acted", f"{told.deliberate:,}, {told.acted:,}"),
        ("dropped on a machine that stood still", told.stalled),
        ("wrong", len(told.wrong)),
    )
    for name, figure in rows:
        print(f"  {name:<44} {figure if isinstance(figure, str) else format(figure, ','):>6}")
    print(f"  {seconds:,.0f} s, seed {seed}")
    for words in told.wrong:
        print(f"WRONG {words}")


if __name__ == "__main__":
    main()
