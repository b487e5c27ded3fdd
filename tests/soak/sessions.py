"""Sessions of the real engine with faults and crashes at any place, and the figures that must be zero after them.

Every other session is played from desks that come and go (OP-13).

`make soak PART=sessions N=20000` plays that many; `SEED=7 ONLY=1234` plays one again, event by event with every fact.
`ARGS="--plant exits_wait_behind_entries"` states whether, and after how many sessions, that fault is found.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.bareness import NO_CAUSE, Stretch, middle_high_longest, told
from tests.simulation.contradiction_faults import CONTRADICTION_FAULTS
from tests.simulation.corporate_faults import CORPORATE_FAULTS
from tests.simulation.desk_faults import DESK_FAULTS
from tests.simulation.disruption_faults import DISRUPTION_FAULTS
from tests.simulation.play import Failure, Played, play
from tests.simulation.rough_faults import ROUGH_FAULTS
from tests.simulation.sessions import Session, made
from tests.simulation.shrink import shrunk
from tests.soak.chunks import A_BAR, Chunks, Play

A_CHUNK = 20
SHOWN = 5
"""Failures that are shrunk and shown; the others are named."""
SHRINK_TRIES = 100


FAULTS = (*ROUGH_FAULTS, *DESK_FAULTS, *CONTRADICTION_FAULTS, *DISRUPTION_FAULTS, *CORPORATE_FAULTS)
PLANTED = {fault.__name__: fault for fault in FAULTS}


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where a session went wrong."""
    begun, played = time.monotonic(), Played()
    if plant is not None:
        return _find(plant, chunks(some_sessions, A_CHUNK))
    for some in chunks(some_sessions, A_CHUNK).results(cores):
        played.add(some)
        for failure in some.failures:
            print(f"\rsession {failure.number} is wrong: {again(failure)}{'':{A_BAR}}")
    tell(played, time.monotonic() - begun)
    for failure in played.failures[:SHOWN]:
        tell_failure(failure, SHRINK_TRIES)
    for failure in played.failures[SHOWN:]:
        print(f"session {failure.number} too: {again(failure)}")
    return int(bool(played.failures))


def _find(plant: str, chunks: Chunks) -> int:
    """Plant a fault in this process and play until a session finds it; 1 where none does."""
    PLANTED[plant](pytest.MonkeyPatch())
    for number in range(chunks.many):
        failures = _played(made(chunks.seed, number)).failures
        if failures:
            print(f"{plant}: found after {number + 1} sessions of seed {chunks.seed}: {failures[0].words[0]}")
            return 0
    print(f"{plant}: not found in {chunks.many:,} sessions of seed {chunks.seed}")
    return 1


def some_sessions(seed: int, first: int, many: int) -> Played:
    played = Played()
    for number in range(first, first + many):
        played.add(_played(made(seed, number)))
    return played


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
    print(f"{'stops owed for 5 s and nobody told':<36} {zeros.owed:>9,}")
    print(f"{'closes without a sale or a word':<36} {zeros.unsold:>9,}")
    print(f"{'orders that nothing requested':<36} {zeros.unrequested:>9,}")
    print(f"{'cancels without a record':<36} {zeros.unrecorded:>9,}")
    print(f"{'differences that nobody was told of':<36} {zeros.unnoticed:>9,}")
    print(f"{'deficits that nobody was told of':<36} {zeros.deficits:>9,}")
    print(f"{'positions held over an announced close':<36} {zeros.held_over:>7,}")
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


def tell_failure(failure: Failure, tries: int) -> None:
    print(f"\nsession {failure.number}   again: {again(failure)}")
    for word in failure.words:
        print(f"  {word}")
    short = shrunk(made(failure.seed, failure.number), tries)
    print(f"  {len(short.events)} events are enough, {short.profile}:")
    for event in short.events:
        print(f"    {event}")
    for shorter in play(short).failures:
        print(f"  {shorter.words[0]}")


def again(failure: Failure) -> str:
    return f"make soak PART=sessions SEED={failure.seed} ONLY={failure.number}"
