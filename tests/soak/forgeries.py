"""Forged exports of a day and of a year, each of which the verifier must find.

A forgery is found where `docs/verify_record.py`, with the public key and an earlier head, says that the export is
not complete. One of twenty is written by the owner of the key; some exports redact amounts or symbols. True ones stand
between them and must be accepted. One case of fifty is of a year's export.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from state.proof.heads import read_heads, sign_days
from tests.proof.journals import KEY, exported, over, verdict, written
from tests.proof.mutations import MUTATIONS, Lines, written_anew
from tests.soak.chunks import Chunks, Play

A_DAY, DAYS_OF_A_YEAR, OF_A_YEAR = 141, 252, 50
REDACTED = ((), (), ("amounts",), ("symbols",), ("amounts", "symbols"))
BY_THE_OWNER = 20
TRUE = 50
"""Of so many cases one is a true export."""
FOUND = ("cut", "edited", "reordered", "rewritten")
A_CHUNK = 200


@dataclass
class Outcome:
    """How often each verdict was given; `wrong` names the cases that were missed or wrongly rejected."""

    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    del plant
    whole = Outcome()
    for outcome in chunks(judged, A_CHUNK).results(cores):
        whole.verdicts += outcome.verdicts
        whole.wrong += outcome.wrong
    for told, count in whole.verdicts.most_common():
        print(f"  {told:<20} {count:>8,}")
    for case in whole.wrong:
        print(case)
    print(f"missed or wrongly rejected: {len(whole.wrong):,}")
    return int(bool(whole.wrong))


def judged(seed: int, first: int, many: int) -> Outcome:
    outcome = Outcome()
    for number in range(first, first + many):
        kind, told, is_right = _one(Random(f"{seed}:{number}"), number)
        outcome.verdicts[told] += 1
        if not is_right:
            outcome.wrong.append(f"{number} of seed {seed}: {kind}: {told}")
    return outcome


def _one(chance: Random, number: int) -> tuple[str, str, bool]:
    exports, earlier = _exports(DAYS_OF_A_YEAR if number % OF_A_YEAR == OF_A_YEAR - 1 else 1)
    lines = exports[chance.choice(REDACTED)]
    if number % TRUE == 0:
        told = verdict(lines, earlier).split(":")[0]
        return "a true export", told, told == "complete"
    if number % BY_THE_OWNER == 1:
        kind, mutated = "written again by the owner", written_anew(exports[()], KEY, chance)
    else:
        kind, mutated = _forged(lines, chance)
    told = verdict(mutated, earlier).split(":")[0]
    return kind, told, told in FOUND


@cache
def _exports(days: int) -> tuple[dict[tuple[str, ...], Lines], str]:
    """Each redaction of a signed journal of so many days, and its head."""
    with tempfile.TemporaryDirectory() as place:
        folder = written(Path(place) / "paper", days, A_DAY)
        sign_days(folder, KEY, over(days))
        head = read_heads(folder.heads)[-1].head.hash
        return {what: exported(folder, days, kept_back=what) for what in {*REDACTED}}, head


def _forged(lines: Lines, chance: Random) -> tuple[str, Lines]:
    while True:
        mutation = chance.choice(MUTATIONS)
        mutated = mutation(lines, chance)
        if mutated is not None and mutated != lines:
            return mutation.__name__, mutated
