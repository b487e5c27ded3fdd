"""A long seeded run in chunks, on all cores, that can be broken off and goes on where it was.

The results of each chunk are kept in `.soak/` until the run ends, in a file for each part, seed and state of the code.
What was tried with other code is no evidence for this code, so another digest begins from the start.
"""

from __future__ import annotations

import base64
import gc
import json
import multiprocessing
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".soak"
CODE = (
    *("app.py", "console", "core", "docs/verify_record.py", "state", "tests", "widgets"),
    *("Makefile", "pyproject.toml", "requirements.lock"),
)
A_BAR = 40
FRESH_AFTER = 20
"""Chunks that one process plays: an app leaves its stylesheets and caches behind."""

Play = Callable[[int, int, int], Any]
"""Plays `many` cases of a seed from number `first` on: `play(seed, first, many)`. The result can be pickled."""


def digest_of_the_code(root: Path = ROOT, code: Sequence[str] = CODE) -> str:
    """Of what is tested and of what tests it, with styles, data, snapshots and versions; 16 hexadecimal digits."""
    digest = sha256()
    for name in code:
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Chunks:
    """The cases of one part and one seed.

    Parameters
    ----------
    part
        Its name, which is that of its file.
    many
        Cases in all.
    size
        Cases of a chunk: at most so many are lost when the run is broken off, on each core.
    """

    part: str
    seed: int
    many: int
    size: int
    play: Play
    code: str
    folder: Path = FOLDER

    @property
    def path(self) -> Path:
        return self.folder / f"{self.part}-{self.seed}-{self.code}.jsonl"

    def kept(self) -> dict[int, Any]:
        """Results by the first number of their chunk. A torn last line is played again."""
        if not self.path.exists():
            return {}
        lines = [line for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        rows = [json.loads(line) for line in lines]
        return {
            row["first"]: pickle.loads(base64.b64decode(row["result"]))
            for row in rows
            if row["many"] == self._many(row["first"])
        }

    def results(self, cores: int, say: Callable[[str], object] = sys.stdout.write) -> Iterator[Any]:
        """The kept ones first, then the others as they come; a progress bar with the time left."""
        kept = self.kept()
        jobs = [
            (self.play, self.seed, first, self._many(first))
            for first in range(0, self.many, self.size)
            if first not in kept
        ]
        cases = sum(self._many(first) for first in kept)
        if kept:
            say(f"{self.part}: {cases:,} of {self.many:,} were played before\n")
        yield from kept.values()
        begun, before = time.monotonic(), cases
        with multiprocessing.get_context("spawn").Pool(cores, maxtasksperchild=FRESH_AFTER) as pool:
            for first, many, result in pool.imap_unordered(_played, jobs):
                self._keep(first, many, result)
                cases += many
                say(_bar(cases, before, self.many, time.monotonic() - begun))
                yield result
        self.path.unlink(missing_ok=True)
        say("\n")

    def _many(self, first: int) -> int:
        return max(0, min(self.size, self.many - first))

    def _keep(self, first: int, many: int, result: Any) -> None:
        """At once, so that a played chunk is not lost."""
        self.folder.mkdir(exist_ok=True)
        row = {"first": first, "many": many, "result": base64.b64encode(pickle.dumps(result)).decode()}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def _played(job: tuple[Play, int, int, int]) -> tuple[int, int, Any]:
    play, seed, first, many = job
    if sys.__stdin__ is None or sys.__stdin__.closed:  # in a process of a pool; a terminal driver asks for it
        sys.__stdin__ = sys.stdin  # type: ignore[misc]
    gc.disable()
    result = play(seed, first, many)
    gc.enable()
    gc.collect()
    return first, many, result


def _bar(cases: int, before: int, many: int, seconds: float) -> str:
    done = min(1.0, cases / max(1, many))
    left = max(0, many - cases) * seconds / max(1, cases - before)
    return f"\r{'█' * round(done * A_BAR):░<{A_BAR}} {done:4.0%}  {cases:,} of {many:,}  {left:,.0f} s left "
