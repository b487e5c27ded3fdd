"""`make accidents N=100000`: that many accidents, a desk for each 250 of them, on all cores; then what came of them.

`make accidents SEED=7 ONLY=1234` plays the desk of accident 1234 as far as it, and prints its events.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterable

from tests.accidents.play import A_DESK, Failure, Played, play_desk

A_BAR = 40


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=100_000)
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--only", type=int, default=None)
    wish.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    wish.add_argument("--seconds", type=float, default=float("inf"), help="begin no further desk after so long")
    asked = wish.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    if asked.only is not None:
        sys.exit(replay(seed, asked.only))
    print(f"accidents: {asked.many:,} from seed {seed}, {asked.cores} cores")
    began = time.monotonic()
    played = Played()
    for desk in desks(seed, asked.many, asked.cores):
        played.add(desk)
        show_progress(played, asked.many, time.monotonic() - began)
        if time.monotonic() - began > asked.seconds:
            break
    print()
    tell(played, seed, time.monotonic() - began)
    sys.exit(1 if any(failure.words for failure in played.failures) else 0)


def desks(seed: int, many: int, cores: int) -> Iterable[Played]:
    """In processes that are new from time to time: a desk leaves its stylesheets and caches behind."""
    jobs = [(seed, first, min(A_DESK, many - first)) for first in range(0, many, A_DESK)]
    with multiprocessing.get_context("spawn").Pool(cores, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(one_desk, jobs)


def one_desk(job: tuple[int, int, int]) -> Played:
    if sys.__stdin__ is None or sys.__stdin__.closed:  # as in a process of a pool; the driver asks for its number
        sys.__stdin__ = sys.stdin  # type: ignore[misc]
    gc.disable()
    played = play_desk(*job)
    gc.enable()
    gc.collect()
    return played


def replay(seed: int, only: int) -> int:
    first = only - only % A_DESK
    print(f"accident {only} of seed {seed}: the {only - first} before it on its desk are played first")
    played = play_desk(seed, first, A_DESK, only)
    for failure in played.failures:
        tell_failure(failure, seed)
    return int(any(failure.words for failure in played.failures))


def show_progress(played: Played, wanted: int, seconds: float) -> None:
    done = min(1.0, played.events / wanted)
    bar = "█" * round(done * A_BAR)
    left = seconds / done - seconds if done else 0.0
    sys.stdout.write(f"\r{bar:░<{A_BAR}} {done:4.0%}  {played.many:,} accidents  {left:,.0f} s left ")
    sys.stdout.flush()


def tell(played: Played, seed: int, seconds: float) -> None:
    for kind, many in sorted(played.accidents.items()):
        print(f"  {kind.replace('_', ' '):<24} {many:>8,}")
    print(f"  {'accidents':<24} {played.many:>8,}   {played.void} more did not take place")
    print(f"  {'deliberate presses':<24} {played.deliberate:>8,}   confirmed {played.confirmed:,}")
    print(f"  {'desk time':<24} {played.seconds / 3600:>8,.1f} h in {seconds:,.0f} s")
    for failure in played.failures:
        tell_failure(failure, seed)
    print(f"confirmations that nobody meant: {sum(len(failure.words) for failure in played.failures)}")


def tell_failure(failure: Failure, seed: int) -> None:
    print(f"\naccident {failure.number}, {failure.kind}   again: make accidents SEED={seed} ONLY={failure.number}")
    for line in (*failure.events, *failure.words):
        print(f"  {line}")


if __name__ == "__main__":
    main()
