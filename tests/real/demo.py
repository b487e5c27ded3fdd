"""The real `keyturn demo` in a terminal: its screen, its journal and its heartbeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from state.folders import Home
from tests.real.terminal import Pty
from tests.real.waiting import LIMIT, until

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


class Demo(Pty):
    """`speed` holds until a ticket is open: at 4 the first proposal comes two seconds after the start."""

    def __init__(self, home: Path, is_first_start: bool = False, speed: int = 4) -> None:
        self.home = home
        if not is_first_start:
            mark_guide_as_read(home)
        super().__init__([PROGRAM, "demo", "--profile", "micro", "--speed", str(speed)], {"KEYTURN_HOME": str(home)})

    def records(self, *facts: str) -> list[dict[str, Any]]:
        return [record for record in journal_records(self.home) if not facts or record["fact"] in facts]

    def facts(self) -> list[str]:
        return [str(record["fact"]) for record in self.records()]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `keyturn` on the same home, to its end."""
        environment = {**os.environ, "KEYTURN_HOME": str(self.home)}
        return subprocess.run(
            [PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
        )

    def has_bare_panes(self) -> bool:
        """Whether nothing lies over the panes: a dialog has round corners."""
        return not self.shows("╭")

    def opens_ticket(self) -> None:
        self.until_it_shows("1 waiting")
        self.presses(b"\r", lambda: self.shows("BUY to open ─"))

    def confirms(self) -> None:
        """Press the key of an armed ticket until it counts; open the ticket again where a quote became too old."""
        known = len(self.records(CONFIRMED))

        def is_confirmed() -> bool:
            return len(self.records(CONFIRMED)) > known

        def press() -> None:
            if self.is_armed():
                self.type(b"B")
            elif self.shows("r open it again"):
                self.type(b"r")
            self.read_until(is_confirmed, 0.5)

        self.until(self.is_armed)
        until(is_confirmed, self.what_it_shows, press)

    def leaves(self) -> int:
        self.presses(b"q", lambda: self.shows("Leave?"))
        self.presses(b"y", lambda: not self.is_alive())
        return self.ended()
