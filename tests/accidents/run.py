"""`make accidents N=100000`: that many accidents, a desk for each 250 of them, on all cores; then what came of them.

Every other desk has its engine behind a socket, and a second desk beside it (`served_house.py`).

What was tried is kept in `.accidents/`: broken off, the same command goes on where it was, while the code is the same.
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
from collections.abc import Collection, Iterable

from tests.accidents.kept import Kept, digest_of_the_code, last_unfinished
from tests.accidents.play import A_DESK, Failure, Played, play_desk

A_BAR = 40


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=100_000)
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--only", type=int, default=None)
    wish.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    wish.add_argument("--seconds", type=float, default=float("inf"), help="begin no further desk after so long")
    wish.add_argument("--fresh", action="store_true", help="begin anew, whatever was broken off")
    asked = wish.parse_args()
    seed = asked.seed
    if seed is None and not asked.fresh and asked.many >= A_DESK:
        seed = last_unfinished(asked.many, A_DESK)
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 32)
    if asked.only is not None:
        sys.exit(replay(seed, asked.only))
    kept = Kept(seed, digest_of_the_code())
    played, began = Played(), time.monotonic()
    for first, desk in kept.desks.items():
        if first < asked.many:
            played.add(desk)
    gone_on = f", {played.events:,} of them played before" if played.events else ""
    print(f"accidents: {asked.many:,} from seed {seed}, {asked.cores} cores{gone_on}", flush=True)
    before = played.events
    for first, desk in desks(seed, asked.many, asked.cores, {*kept.desks}):
        if asked.many >= A_DESK:  # a part of a desk is none
            kept.add(first, desk)
        played.add(desk)
        show_progress(played, asked.many, before, time.monotonic() - began)
        if time.monotonic() - began > asked.seconds:
            break
    print()
    tell(played, seed, time.monotonic() - began)
    sys.exit(1 if any(failure.words for failure in played.failures) else 0)


def desks(seed: int, many: int, cores: int, played: Collection[int]) -> Iterable[tuple[int, Played]]:
    """In processes that are new from time to time: a desk leaves its stylesheets and caches behind."""
    jobs = [(seed, first, min(A_DESK, many)) for first in range(0, many, A_DESK) if first not in played]
    with multiprocessing.get_context("spawn").Pool(cores, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(one_desk, jobs)


def one_desk(job: tuple[int, int, int]) -> tuple[int, Played]:
    if sys.__stdin__ is None or sys.__stdin__.closed:  # as in a process of a pool; the driver asks for its number
        sys.__stdin__ = sys.stdin  # type: ignore[misc]
    gc.disable()
    played = play_desk(*job)
    gc.enable()
    gc.collect()
    return job[1], played


def replay(seed: int, only: int) -> int:
    first = only - only % A_DESK
    print(f"accident {only} of seed {seed}: the {only - first} before it on its desk are played first")
    played = play_desk(seed, first, A_DESK, only)
    for failure in played.failures:
        tell_failure(failure, seed)
    return int(any(failure.words for failure in played.failures))


def show_progress(played: Played, wanted: int, before: int, seconds: float) -> None:
    done = min(1.0, played.events / wanted)
    bar = "█" * round(done * A_BAR)
    left = max(0, wanted - played.events) * seconds / max(1, played.events - before)
    sys.stdout.write(f"\r{bar:░<{A_BAR}} {done:4.0%}  {played.many:,} accidents  {left:,.0f} s left ")
    sys.stdout.flush()


def tell(played: Played, seed: int, seconds: float) -> None:
    share = played.void / max(1, played.many + played.void)
    for kind, many in sorted(played.accidents.items()):
        print(f"  {kind.replace('_', ' '):<24} {many:>8,}")
    print(f"  {'accidents':<24} {played.many:>8,}   {played.void} more did not take place ({share:.1%})")
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
