"""What was tried is kept, desk by desk, so that a long run can be broken off and go on.

A file a seed: the code that was tried, then a line a desk. What was tried with other code is no evidence for this one,
and is not gone on with.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.accidents.play import Failure, Played

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".accidents"
CODE = ("console", "core", "widgets", "tests/accidents", "tests/kit/key_sequences.py")


def digest_of_the_code() -> str:
    """Of what is tried and what tries it."""
    digest = sha256()
    for name in CODE:
        place = ROOT / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    """One seed's file."""

    def __init__(self, seed: int, code: str, folder: Path = FOLDER) -> None:
        self.seed = seed
        self.code = code
        self.path = folder / f"seed-{seed}.jsonl"
        self.desks: dict[int, Played] = {}
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        """A last line that was torn is played again."""
        lines = [*_whole_lines(self.path)]
        if not lines or lines[0].get("code") != self.code:
            self.path.unlink()
            return
        for line in lines[1:]:
            failures = [Failure(**failure) for failure in line["failures"]]
            first = line.pop("first")
            self.desks[first] = Played(**{**line, "accidents": Counter(line["accidents"]), "failures": failures})

    def add(self, first: int, desk: Played) -> None:
        """At once, so that what was played is not lost."""
        self.desks[first] = desk
        if not self.path.exists():
            self.path.parent.mkdir(exist_ok=True)
            self._write({"seed": self.seed, "code": self.code})
        self._write({"first": first, **asdict(desk), "accidents": dict(desk.accidents)})

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def last_unfinished(many: int, a_desk: int, folder: Path = FOLDER) -> int | None:
    """The seed of the last run of this code that has desks to play yet; None where there is none."""
    code = digest_of_the_code()
    for path in sorted(folder.glob("seed-*.jsonl"), key=lambda it: it.stat().st_mtime, reverse=True):
        lines = [*_whole_lines(path)]
        played = {line["first"] for line in lines[1:]}
        if lines and lines[0].get("code") == code and not {*range(0, many, a_desk)} <= played:
            return int(lines[0]["seed"])
    return None


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)
