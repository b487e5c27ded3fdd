"""`make forgeries N=10000`: so many forgeries of a day's export, a fiftieth of them of a year's, each to be found.

A forgery is found where `docs/verify_record.py`, with the public key and an earlier head, says that the export is
not complete. One of each twenty is written by the owner of the key; some exports keep amounts or symbols back. True
exports stand between them, and are to be accepted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from state.proof.heads import read_heads, sign_days
from tests.proof.journals import KEY, exported, over, verdict, written
from tests.proof.mutations import MUTATIONS, Lines, written_anew

A_DAY, DAYS_OF_A_YEAR = 141, 252
REDACTED = ((), (), ("amounts",), ("symbols",), ("amounts", "symbols"))
BY_THE_OWNER = 20
TRUE = 50
"""Of so many tries one is of a true export."""
FOUND = ("cut", "edited", "reordered", "rewritten")

_exports: dict[tuple[str, ...], Lines] = {}
_earlier = ""


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=10_000)
    wish.add_argument("--year", type=int, default=None, help="of a year's export; a fiftieth without it")
    wish.add_argument("--seed", type=int, default=None)
    wish.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    asked = wish.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    year = asked.many // 50 if asked.year is None else asked.year
    print(f"forgeries: {asked.many:,} of a day, {year:,} of a year, seed {seed}, {asked.cores} cores")
    missed = 0
    for name, days, many in (("a day", 1, asked.many), ("a year", DAYS_OF_A_YEAR, year)):
        missed += of_days(name, days, many, seed, asked.cores)
    sys.exit(1 if missed else 0)


def of_days(name: str, days: int, many: int, seed: int, cores: int) -> int:
    """How many were missed, or wrongly refused."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = written(Path(place) / "paper", days, A_DAY)
        sign_days(folder, KEY, over(days))
        heads = read_heads(folder.heads)
        made = {what: exported(folder, days, kept_back=what) for what in {*REDACTED}}
    earlier = heads[-1].head.hash
    size = sum(map(len, made[()])) / 1e6
    took = time.monotonic() - began
    print(f"{name}: {days * A_DAY:,} records, {size:,.1f} MB, written, signed and exported in {took:.1f} s")
    began = time.monotonic()
    found: Counter[str] = Counter()
    with multiprocessing.get_context("fork").Pool(cores, _take, (made, earlier)) as pool:
        for done, (kind, told) in enumerate(pool.imap_unordered(_one, [(seed, n) for n in range(many)]), 1):
            found[told] += 1
            if told in ("MISSED", "WRONGLY REFUSED"):
                print(f"\n{told}: {kind}")
            if done % max(1, many // 100) == 0:
                left = (time.monotonic() - began) / done * (many - done)
                sys.stdout.write(f"\r{done:,} of {many:,}, {left:,.0f} s left ")
                sys.stdout.flush()
    print()
    for told, count in found.most_common():
        print(f"  {told:<20} {count:>8,}")
    print(f"  in {time.monotonic() - began:,.1f} s, a true one takes {_seconds_of_one(made[()], earlier):.2f} s")
    return found["MISSED"] + found["WRONGLY REFUSED"]


def _take(made: dict[tuple[str, ...], Lines], earlier: str) -> None:
    global _earlier  # noqa: PLW0603  (a process of the pool has its own)
    _exports.update(made)
    _earlier = earlier


def _one(job: tuple[int, int]) -> tuple[str, str]:
    seed, number = job
    chance = Random(f"{seed}:{number}")
    lines = _exports[chance.choice(REDACTED)]
    if number % TRUE == 0:
        told = verdict(lines, _earlier)
        return "a true export", "accepted" if told.startswith("complete") else "WRONGLY REFUSED"
    if number % BY_THE_OWNER == 1:
        kind, mutated = "written anew by the owner", written_anew(_exports[()], KEY, chance)
    else:
        kind, mutated = _forged(lines, chance)
    told = verdict(mutated, _earlier).split(":")[0]
    return f"{kind}, {number} of seed {seed}", told if told in FOUND else "MISSED"


def _forged(lines: Lines, chance: Random) -> tuple[str, Lines]:
    while True:
        mutation = chance.choice(MUTATIONS)
        mutated = mutation(lines, chance)
        if mutated is not None and mutated != lines:
            return mutation.__name__, mutated


def _seconds_of_one(lines: Lines, earlier: str) -> float:
    began = time.monotonic()
    verdict(lines, earlier)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
