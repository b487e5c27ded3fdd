"""`make soak`: the long seeded runs. Each can be broken off, and the same command goes on where it was.

make soak                                    every part, one after the other
make soak PART=sessions N=20000 SEED=7       one part, so many cases, of one seed
make soak PART=sessions SEED=7 ONLY=1234     one case again, event by event
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import SystemRandom

import pytest

from tests.soak import (
    accidents,
    days,
    drawn_drafts,
    foreign_texts,
    forgeries,
    hostile_agents,
    kernel,
    keys,
    live_days,
    planted_fault,
    process_accidents,
    sessions,
    typed_tickets,
)
from tests.soak.chunks import FOLDER, Chunks, Play, digest_of_the_code

Run = Callable[[Callable[[Play, int], Chunks], int, str | None], int]


@dataclass(frozen=True)
class Part:
    """`many` are the cases, or counts them, unless N says otherwise; `again` plays one case of a seed; `faults` can be
    planted.
    """

    title: str
    many: int | Callable[[], int]
    run: Run
    again: Callable[[int, int], int] | None = None
    faults: Collection[str] = ()


LONG_FORMS = ("test_day_figures.py", "test_planted_faults.py", "test_restarts_of_a_day.py")


def _long_forms(_made: Callable[[Play, int], Chunks], _cores: int, _plant: str | None) -> int:
    return int(pytest.main(["-q", *(str(Path(__file__).with_name(name)) for name in LONG_FORMS)]))


PARTS = {
    "sessions": Part("sessions with faults and crashes", 20_000, sessions.run, sessions.replay, sessions.PLANTED),
    "accidents": Part("accidents over the keys", 20_000, accidents.run, accidents.replay),
    "processes": Part(
        "processes hit under an armed ticket",
        200,
        process_accidents.run,
        process_accidents.replay,
        planted_fault.FAULTS,
    ),
    "keys": Part("what is not the plain key, on armed screens of a terminal", 360, keys.run),
    "agents": Part(
        "hostile programs at the agents' socket",
        5_000,
        hostile_agents.run,
        hostile_agents.replay,
        hostile_agents.FAULTS,
    ),
    "texts": Part("hostile texts of agents, drawn", 1_000, foreign_texts.run, faults=foreign_texts.FAULTS),
    "facts": Part(
        "days of 400 drafts with drawn facts", 20, drawn_drafts.run, drawn_drafts.replay, drawn_drafts.FAULTS
    ),
    "typed": Part("software at the operator's keys, with and without a touch", 400, typed_tickets.run),
    "crashes": Part("a crash at every place of a day, in three ways", days.all_crashes, days.run_crashes),
    "days": Part("random days", 3_200, days.run_days),
    "live": Part(
        "days of the live runtime: outages, a full disk, crashes in a rotation", 5, live_days.run, live_days.replay
    ),
    "forgeries": Part("forged exports of the record", 10_000, forgeries.run),
    "kernel": Part("backtests by the engine and by the research kernel", 3_000, kernel.run, kernel.replay),
    "long": Part("the long forms of some tests", 1, _long_forms),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="one part; all of them without it")
    parser.add_argument("--many", type=int, help="cases")
    parser.add_argument("--seed", type=int, help="the last unfinished run's, else a new one")
    parser.add_argument("--only", type=int, help="one case of the seed, told event by event")
    parser.add_argument("--plant", help="a fault: the part is played with it until it is found")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if asked.only is not None:
        again = PARTS[asked.part].again if asked.part else None
        if again is None or asked.seed is None:
            numbered = ", ".join(name for name, part in PARTS.items() if part.again is not None)
            parser.error(f"--only needs --seed and a part with numbered cases: {numbered}")
        return again(asked.seed, asked.only)
    faults = PARTS[asked.part].faults if asked.part else ()
    if asked.plant is not None and asked.plant not in faults:
        parser.error(
            f"--part {asked.part} has the faults {', '.join(faults)}"
            if faults
            else f"--plant needs --part {', '.join(name for name, part in PARTS.items() if part.faults)}"
        )
    code = digest_of_the_code()
    return max([_run(name, asked, code) for name in ([asked.part] if asked.part else PARTS)])


def _run(name: str, asked: argparse.Namespace, code: str) -> int:
    part = PARTS[name]
    usual = part.many if asked.many is None else asked.many
    many = usual if isinstance(usual, int) else usual()
    seed = asked.seed if asked.seed is not None else _last_seed(name, code)
    print(f"{name}: {part.title}; N={many:,} SEED={seed}, {asked.cores} cores", flush=True)
    made = partial(_chunks, name, seed, many, code)
    return part.run(made, asked.cores, asked.plant)


def _chunks(name: str, seed: int, many: int, code: str, play: Play, size: int) -> Chunks:
    return Chunks(name, seed, many, size, play, code)


def _last_seed(name: str, code: str) -> int:
    """That of this part's last run with this code that was broken off; a new one where there is none."""
    files = sorted(FOLDER.glob(f"{name}-*-{code}.jsonl"), key=lambda file: file.stat().st_mtime)
    return int(files[-1].name.split("-")[1]) if files else SystemRandom().randrange(1 << 32)


if __name__ == "__main__":
    sys.exit(main())
