"""Days of drafts whose facts are drawn, half of the drafts with a false one: none may be missed, no true one accused.

`make soak PART=facts N=20` plays so many days of 400 drafts; `SEED=7 ONLY=3` plays one again and prints its faults.
`ARGS='--plant wide'` plays with a fault planted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from unittest.mock import patch

from core.agents import fact_checks
from core.agents.figure_record import Entry, FigureRecord, Scope
from core.model.draft import FactResult
from tests.scenarios.drawn_facts import Count, play
from tests.soak.chunks import Chunks, Play

DRAFTS = 400
SHOWN = 10
FAULTS = ("wide", "now", "forgets")


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Take a price 0.2 % away, compare with the figures of now alone, or keep those of a minute."""
    if name == "wide":
        with patch.object(fact_checks, "_tolerance", lambda _field, _terms, ours, _desk: abs(ours) * Decimal("0.002")):
            yield
    elif name == "now":
        with patch.object(FigureRecord, "between", _newest):
            yield
    else:
        with patch("core.agents.figure_record.MOST_ENTRIES", 20):
            yield


def _newest(record: FigureRecord, scope: Scope, begins: datetime, _ends: datetime) -> list[Entry]:
    newest = record.newest(scope)
    return [] if newest is None else [Entry(begins, newest.seen, newest.figures)]


def some_days(seed: int, first: int, many: int) -> list[tuple[int, Count]]:
    return [(number, play(seed * 1_000 + number, DRAFTS)) for number in range(first, first + many)]


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where a fact was judged wrongly. With a fault planted: 0 where it is found."""
    begun, total = time.monotonic(), Count()
    every = chunks(some_days, 1)
    if plant is not None:
        with planted(plant):
            for number in range(every.many):
                total.add(play(every.seed * 1_000 + number, DRAFTS))
                if not total.is_right:
                    break
        tell(total, time.monotonic() - begun)
        return int(total.is_right)
    for some in every.results(cores):
        for number, count in some:
            total.add(count)
            if not count.is_right:
                print(f"day {number} is wrong: make soak PART=facts SEED={every.seed} ONLY={number}")
    tell(total, time.monotonic() - begun)
    return int(not total.is_right)


def replay(seed: int, only: int) -> int:
    count = play(seed * 1_000 + only, DRAFTS)
    tell(count, 0)
    return int(not count.is_right)


def tell(count: Count, seconds: float) -> None:
    print(f"  drafts {count.drafts:,}, facts {count.facts:,} of {len(count.fields)} fields, {count.false:,} false")
    print(
        "  " + ", ".join(f"{result.value} {count.results[result]:,}" for result in FactResult) + f"; {seconds:,.0f} s"
    )
    lists = {
        "false and not found": count.missed,
        "true and accused": count.accused,
        "not checked": count.unknown,
        "aged wrongly": count.aged,
    }
    for words, found in lists.items():
        print(f"  {words:<20} {len(found):>6,}")
        for line in found[:SHOWN]:
            print(f"    {line}")
