"""One scripted day with a crash at every place in three ways, and random days as Hypothesis draws and shrinks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.crashes import WAYS, crash_at, places
from tests.simulation.machine import a_run
from tests.soak.chunks import Chunks, Play

CRASHES, SEQUENCES = 30, 80
"""Crashes and days of a chunk."""


@dataclass
class Outcome:
    reached: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def crashes(_seed: int, first: int, many: int) -> Outcome:
    outcome = Outcome()
    for number in range(first, min(first + many, all_crashes())):
        outcome.failures += crash_at(number)
        outcome.reached["crashes"] += 1
    return outcome


def all_crashes() -> int:
    """At every place, in each way."""
    return len(places()) * WAYS


def random_days(seed: int, first: int, many: int) -> Outcome:
    try:
        return Outcome(Counter(a_run(many, seed + first, shrinks=True).totals))
    except AssertionError as error:
        return Outcome(failures=[f"{many} days of seed {seed + first}: {error}"])


def run_crashes(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    del plant
    return _told(chunks(crashes, CRASHES), cores)


def run_days(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    del plant
    return _told(chunks(random_days, SEQUENCES), cores)


def _told(chunks: Chunks, cores: int) -> int:
    whole = Outcome()
    for outcome in chunks.results(cores):
        whole.reached += outcome.reached
        whole.failures += outcome.failures
    for name, count in whole.reached.items():
        print(f"  {name:<34} {count:>9,}")
    for failure in whole.failures:
        print(failure)
    print(f"failures: {len(whole.failures):,}")
    return int(bool(whole.failures))
