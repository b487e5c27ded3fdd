"""The real `keyturn demo` in a terminal: its screen, its journal and its heartbeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from console.terminal.keys import ANSWER, REQUEST
from state.files import Home
from tests.real.terminal import Pty
from tests.real.waiting import LIMIT

PROGRAM = str(Path(sys.executable).with_name("keyturn"))
CTRL_K, CTRL_P, ESCAPE = b"\x0b", b"\x10", b"\x1b"
CONFIRMED = "ConfirmationReceived"
SENT = {CONFIRMED, "OrderCreated"}

PATIENT = """
[staging]
ticket_seconds = 3600
signal_seconds = 3600
manual_seconds = 3600
review_seconds = 60
[confirm]
silent_seconds = 60
[execution]
answer_seconds = 60
breaker_slow_seconds = 60
"""
"""Limits of minutes and hours: on a slow machine the right answer stays the same."""


def mark_guide_as_read(home: Path) -> None:
    """So that the guide of the first start lies over nothing."""
    guide = Home.of({"KEYTURN_HOME": str(home)}).guide
    guide.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    guide.touch(0o600)


def write_settings(home: Path, text: str) -> None:
    path = Home.of({"KEYTURN_HOME": str(home)}).settings
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text)


def journal_records(folder: Path) -> list[dict[str, Any]]:
    """What stands in a journal's files, in order; a record that is just being written is not there yet."""
    found = []
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_bytes().splitlines() if path.parent.name == "journal" else ():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if "fact" in record:
                found.append(record)
    return found


def ran(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`keyturn` on this home, to its end."""
    return subprocess.run(
        [PROGRAM, *words],
        env={**os.environ, **variables, "KEYTURN_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


class Demo(Pty):
    """`speed` holds until a ticket is open: at 4 the first proposal comes two seconds after the start.

    A terminal that `answers` says of each picture that it drew it; with any other a picture counts by time.
    """

    def __init__(self, home: Path, *, answers: bool = False) -> None:
        self.home, self._answers, self.answered = home, answers, 0
        mark_guide_as_read(home)
        super().__init__([PROGRAM, "demo", "--profile", "micro", "--speed", "4"], {"KEYTURN_HOME": str(home)})

    def _read(self, seconds: float) -> None:
        super()._read(seconds)
        for _ in range(self.raw.count(REQUEST.encode()) - self.answered if self._answers else 0):
            self.answered += 1
            os.write(self.master, ANSWER.encode())

    def records(self, *facts: str) -> list[dict[str, Any]]:
        return [record for record in journal_records(self.home) if not facts or record["fact"] in facts]

    def facts(self) -> list[str]:
        return [str(record["fact"]) for record in self.records()]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `keyturn` on the same home, to its end."""
        return ran(self.home, *arguments)

    def opens_ticket(self) -> None:
        self.until_it_shows("1 waiting")
        self.presses(b"\r", lambda: self.shows("BUY to open ─"))

    def confirms_it(self) -> None:
        self.until(self.is_armed)
        self.confirms(lambda: len(self.records(CONFIRMED)))
