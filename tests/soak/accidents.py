"""Accidents of hands, links, other desks and lost engines over the real desk, a desk for each 250 of them.

Every other desk has its engine behind a socket, and a second desk beside it (`served_house.py`).

`make soak PART=accidents N=100000` plays that many; `SEED=7 ONLY=1234` plays the desk of accident 1234 as far as it and
prints its events.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.accidents.play import A_DESK, Failure, Played, play_desk
from tests.soak.chunks import Chunks, Play


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where an accident confirmed."""
    del plant
    begun, played = time.monotonic(), Played()
    every = chunks(play_desk, A_DESK)
    for desk in every.results(cores):
        played.add(desk)
    tell(played, every.seed, time.monotonic() - begun)
    return int(any(failure.words for failure in played.failures))


def replay(seed: int, only: int) -> int:
    first = only - only % A_DESK
    print(f"accident {only} of seed {seed}: the {only - first} before it on its desk are played first")
    played = play_desk(seed, first, A_DESK, only)
    for failure in played.failures:
        tell_failure(failure, seed)
    return int(any(failure.words for failure in played.failures))


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
    again = f"make soak PART=accidents SEED={seed} ONLY={failure.number}"
    print(f"\naccident {failure.number}, {failure.kind}   again: {again}")
    for line in (*failure.events, *failure.words):
        print(f"  {line}")
