"""The real program, `keyturn demo`, in a terminal: its screen, its journal and its heartbeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from state.folders import Home
from tests.kit.waiting import PATIENCE
from tests.terminal.pty_desk import Pty

PROGRAM = str(Path(sys.executable).with_name("keyturn"))
CTRL_K = b"\x0b"


def was_here_before(home: Path) -> None:
    """The guide of the first start was read: it lies over nothing."""
    guide = Home.of({"KEYTURN_HOME": str(home)}).guide
    guide.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    guide.touch(0o600)


class Demo(Pty):
    """Attributes: `started_at`, the instant at which the process was asked for.

    `speed` is until a ticket is open: at 4 the first proposal waits two seconds after the start.
    """

    def __init__(self, home: Path, is_first_start: bool = False, speed: int = 1) -> None:
        self.home = home
        if not is_first_start:
            was_here_before(home)
        self.started_at = time.monotonic()
        super().__init__([PROGRAM, "demo", "--profile", "micro", "--speed", str(speed)], {"KEYTURN_HOME": str(home)})

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.screen.display)

    def until_it_shows(self, text: str) -> float:
        """The seconds since the start."""
        self.until(lambda: self.shows(text))
        return time.monotonic() - self.started_at

    def until_armed(self) -> None:
        self.until(
            lambda: any(
                ("armed " in line and "armed in" not in line) or "armed, by time" in line
                for line in self.screen.display
            )
        )

    def facts(self) -> list[str]:
        """The names of what `keyturn journal tail` tells, in order."""
        return [str(record["fact"]) for record in self.records()]

    def records(self) -> list[dict[str, Any]]:
        told = self.run("journal", "tail", "-n", "500", "--json")
        return [json.loads(line) for line in told.stdout.splitlines()]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `keyturn` on the same home."""
        environment = {**os.environ, "KEYTURN_HOME": str(self.home)}
        return subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False)

    def file(self, name: str) -> Path:
        return next(path for path in self.home.rglob(name) if path.is_file())

    def journal_holds(self, word: str) -> bool:
        """Looked up in the file itself, for instants."""
        return any(word in path.read_text() for path in self.home.rglob("*.jsonl") if path.parent.name == "journal")


def instant_when(holds: Callable[[], bool]) -> float:
    """Waits without reading the terminal."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"did not happen in {PATIENCE:g} s"
        time.sleep(0.001)
    return time.monotonic()
