"""`make simulate SESSIONS=20000`: that many sessions of the real engine on all cores, and what must be zero after them.

Every other session is played from desks that come and go (OP-13).

`make simulate SEED=7 ONLY=1234` plays one session again, event by event with every fact that it recorded.
`make simulate ARGS="--plant exits_wait_behind_entries"` says whether, and after how many, that fault would be found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable

import pytest
from simulation.bareness import NO_CAUSE, Stretch, middle_high_longest, told
from simulation.desk_faults import DESK_FAULTS
from simulation.play import Failure, Played, play
from simulation.rough_faults import ROUGH_FAULTS
from simulation.sessions import Session, session_of, session_with_desks
from simulation.shrink import shrunk

A_BAR = 40
A_JOB = 20
SHOWN = 5
"""Failures that are shrunk and shown; the others are named."""


PLANTED = (*ROUGH_FAULTS, *DESK_FAULTS)


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--sessions", type=int, default=2_000)
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--only", type=int, default=None)
    wish.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    wish.add_argument("--plant", choices=[fault.__name__ for fault in PLANTED], help="with a fault planted back")
    wish.add_argument("--shrink-seconds", type=float, default=20.0)
    asked = wish.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    _plant(asked.plant)
    if asked.only is not None:
        sys.exit(replay(seed, asked.only))
    print(f"simulate: {asked.sessions:,} sessions from seed {seed}, {asked.cores} cores")
    began = time.monotonic()
    played = Played()
    for some in sessions(seed, asked.sessions, asked.cores, asked.plant):
        played.add(some)
        for failure in some.failures:
            print(f"\rsession {failure.number} is wrong: {again(failure)}{'':{A_BAR}}")
        show_progress(played, asked.sessions, time.monotonic() - began)
    print()
    tell(played, time.monotonic() - began)
    for failure in played.failures[:SHOWN]:
        tell_failure(failure, asked.shrink_seconds)
    for failure in played.failures[SHOWN:]:
        print(f"session {failure.number} too: {again(failure)}")
    sys.exit(1 if played.failures else 0)


def _plant(fault: str | None) -> None:
    """For good, in this process."""
    for one in PLANTED:
        if one.__name__ == fault:
            one(pytest.MonkeyPatch())


def sessions(seed: int, many: int, cores: int, fault: str | None = None) -> Iterable[Played]:
    jobs = [(seed, first, min(A_JOB, many - first)) for first in range(0, many, A_JOB)]
    if cores == 1:
        yield from map(some_sessions, jobs)
        return
    with multiprocessing.Pool(cores, _plant, (fault,)) as pool:
        yield from pool.imap_unordered(some_sessions, jobs)


def some_sessions(job: tuple[int, int, int]) -> Played:
    seed, first, many = job
    played = Played()
    for number in range(first, first + many):
        played.add(_played(made(seed, number)))
    return played


def made(seed: int, number: int) -> Session:
    """Every other session is played from desks that come and go."""
    return session_with_desks(seed, number) if number % 2 else session_of(seed, number)


def _played(session: Session) -> Played:
    """One that raises is wrong, and named; the others are played all the same."""
    try:
        return play(session)
    except Exception as error:
        raised = Failure(session.seed, session.number, (f"it raised {type(error).__name__}: {error}",))
        return Played(sessions=1, failures=[raised])


def replay(seed: int, number: int) -> int:
    """One session, told."""
    session = made(seed, number)
    print(f"session {number} of seed {seed}: {session.profile}")
    played = play(session, print)
    for failure in played.failures:
        for word in failure.words:
            print(f"wrong: {word}")
    print(f"{len(played.failures)} failures, {played.reached['restarts']} restarts")
    return int(bool(played.failures))


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_progress(played: Played, wanted: int, seconds: float) -> None:
    done = min(1.0, played.sessions / wanted)
    bar = "█" * round(done * A_BAR)
    rate = played.sessions / seconds if seconds else 0.0
    left = (wanted - played.sessions) / rate if rate else 0.0
    wrong = f"  {len(played.failures)} failed" if played.failures else ""
    sys.stdout.write(f"\r{bar:░<{A_BAR}} {done:4.0%}  {rate:,.0f} sessions/s  {left:,.0f} s left{wrong} ")
    sys.stdout.flush()


def tell(played: Played, seconds: float) -> None:
    many = max(played.sessions, 1)
    print(f"\n{'sessions':<36} {played.sessions:>9,}   {played.sessions / seconds:,.1f} a second")
    for name, count in played.reached.items():
        print(f"  {name:<34} {count:>9,}   {count / many:.2f} a session")
    _tell_counts("crashes", grouped(played.crashes))
    print(f"  {'at so many places':<34} {len(played.crashes):>9,}")
    _tell_counts("faults", played.faults)
    _tell_counts("orders refused by a control", played.judged)
    _tell_counts("rough events, and what they met", played.drawn)
    _tell_counts("requests that waited in a lane", played.waited)
    tell_bare(played.bare)
    zeros = played.zeros
    print(f"{'orders lost':<36} {zeros.lost:>9,}")
    print(f"{'orders doubled':<36} {zeros.doubled:>9,}")
    print(f"{'positions that differ':<36} {zeros.differing:>9,}")
    print(f"{'shares uncovered without a word':<36} {zeros.bare:>9,}")
    print(f"{'exits for more than is held':<36} {zeros.loose:>9,}")
    print(f"{'orders refused wrongly':<36} {zeros.refused_wrongly:>9,}")
    print(f"{'sessions with anything wrong':<36} {len(played.failures):>9,}")


def _tell_counts(title: str, counts: Counter[str]) -> None:
    print(f"{title:<36} {counts.total():>9,}")
    for name, count in counts.most_common():
        print(f"  {name:<34} {count:>9,}")


def tell_bare(stretches: list[Stretch]) -> None:
    """Seconds of sessions in which a position was bare although its ticket named a stop, by what most was due to."""
    awake = [stretch.awake for stretch in stretches if stretch.awake]
    print(f"{'stretches bare of a named stop':<36} {len(stretches):>9,}   seconds: {summary(*told(stretches))}")
    print(f"{'of them while a desk ran':<36} {len(awake):>9,}   seconds: {summary(*middle_high_longest(awake))}")
    unnamed = sum(stretch.causes[NO_CAUSE] for stretch in stretches)
    print(f"{'seconds without a cause':<36} {unnamed:>9,.2f}")
    for cause in sorted({stretch.cause for stretch in stretches}):
        of_it = [stretch for stretch in stretches if stretch.cause == cause]
        print(f"  {cause:<74} {len(of_it):>6,}   {summary(*told(of_it))}")


def summary(middle: float, high: float, longest: float) -> str:
    return f"p50 {middle:,.2f}  p99 {high:,.2f}  longest {longest:,.2f}"


def grouped(places: Counter[str]) -> Counter[str]:
    """The kinds of places where a process died: the fact or message named in them is left out."""
    kinds: Counter[str] = Counter()
    for place, count in places.items():
        kinds[re.sub(r" [A-Z]\w+", " one", place)] += count
    return kinds


def tell_failure(failure: Failure, seconds: float) -> None:
    print(f"\nsession {failure.number}   again: {again(failure)}")
    for word in failure.words:
        print(f"  {word}")
    short = shrunk(made(failure.seed, failure.number), seconds)
    print(f"  {len(short.events)} events are enough, {short.profile}:")
    for event in short.events:
        print(f"    {event}")
    for shorter in play(short).failures:
        print(f"  {shorter.words[0]}")


def again(failure: Failure) -> str:
    return f"make simulate SEED={failure.seed} ONLY={failure.number}"


if __name__ == "__main__":
    main()
