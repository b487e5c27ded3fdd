"""How many keys the usual things take, typed into the real desk of a demo in tmux: `make key-counts`.

Each line names where the keyboard is and which row is selected before the first key. A count holds the confirming key.
A line that does not come to what it is for is printed as such, and the run ends with 1.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.real.waiting import pause

SERVER = f"keyturn-keys-{os.getpid()}"
"""Of this run alone: two at a time end neither's desk."""
SIZE = ("120", "40")
TIMEOUT = 90.0
"""Seconds until a screen shows what is waited for."""
SETTLED = 0.9
"""Seconds between two keys of what is only prepared."""
ARMED = r"(?<!not )armed(?! in)"
CONFIRMING = frozenset("BHSCRPD")


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    Attributes
    ----------
    begins
        Where the keyboard is, in words.
    prepare, keys
        What is typed before, uncounted, and what is counted; keys as tmux calls them.
    shows
        What the screen says when it is done.
    aim, before
        Keys at the most, and as counted by hand at the desk before this one: 0 where it could not be done there, and
        for the cancel one of each order.
    arguments
        Of the demo.
    """

    name: str
    begins: str
    prepare: Sequence[str]
    keys: Sequence[str]
    shows: str
    aim: int
    before: int
    arguments: str = ""
    until: str = "Watch"
    """What the screen says before anything is typed."""


TASKS = (
    Task(
        "first order from launch",
        "the welcome of a new demo",
        (),
        ("Escape", "Enter", "B"),
        r"◆",
        3,
        3,
        until=r"Prop\w* \d",
    ),
    Task(
        "limit order with a stop",
        "8 Watch, SPY",
        ("Escape", "8", "Home"),
        ("n", "Down", "Down", "b", "Down", "2", "%", "Enter", "B"),
        r"BUY \S+ SPY 494\.\d\d filled.*stop 485\.\d\d working",
        9,
        23,
        until="Welc",
    ),
    Task(
        "close half",
        "2 Positions, AAPL",
        ("Escape", "2", "Home"),
        ("h", "S"),
        r"partial close\s+20\s+AAPL",
        2,
        6,
        until="Welc",
    ),
    Task(
        "stop to break-even",
        "2 Positions, XOM",
        ("Escape", "2", "End"),
        ("b", "R"),
        r"stop\s+116\.1",
        2,
        4,
        until="Welc",
    ),
    Task(
        "trailing stop",
        "2 Positions, AAPL",
        ("Escape", "2", "Home"),
        ("t", "Enter", "S"),
        r"SELL trailing\s+40\s+AAPL\s+trail.*SUBMITTED",
        4,
        0,
        until="Welc",
    ),
    Task(
        "target beside a stop",
        "2 Positions, half of AAPL",
        ("Escape", "2", "Home", "h", "S", ":3"),
        ("g", "Enter", "S"),
        r"SELL 20 AAPL 186\.\d+ working, stop 178\.68 working",
        4,
        0,
        until="Welc",
    ),
    Task(
        "alert on a change",
        "8 Watch, SPY",
        ("Escape", "8", "Home"),
        ("+", "+", "2", "Enter"),
        r"SPY: alert when .*2",
        4,
        5,
        until="Welc",
    ),
    Task(
        "export the log",
        "1 Proposals",
        ("Escape",),
        ("6", "o"),
        r"lines? .*written|wrote|written to",
        3,
        2,
        until="Welc",
    ),
    Task(
        "cancel all of a symbol",
        "3 Orders, the entry",
        ("Escape", "8", "Home", "n", "Down", "Down", "b", "NPage", "NPage", "Enter", "B", "3", "Home"),
        ("x", "D"),
        r"BUY to open\s+[\d.]+\s+SPY.*(CANCELLED|cancelling)",
        2,
        1,
        until="Welc",
    ),
    Task(
        "yesterday's worst trade",
        "1 Proposals",
        ("Escape",),
        ("0", "<", "w"),
        r"Mon 5 Jan 2026, [1-9]\d* trades? .*worst first",
        4,
        0,
        "--speed 1800",
        until=r"Tue \d\d:|Tue 6 Jan",
    ),
    Task(
        "why an order was refused",
        "1 Proposals",
        ("Escape", "n", "9", "9", "9", "9", "9", "Enter", "Escape", "Escape", "1"),
        ("3", "a"),
        r"REFUSED.*",
        2,
        2,
        until="Welc",
    ),
)


def tmux(*words: str) -> str:
    return subprocess.run(["tmux", "-L", SERVER, *words], capture_output=True, text=True, check=False).stdout


def screen() -> str:
    return tmux("capture-pane", "-p", "-t", "=k:")


def waits(pattern: str, seconds: float = TIMEOUT) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if re.search(pattern, screen()):
            return True
        pause(0.1)
    return False


def types(key: str) -> None:
    """A confirming key when its screen is armed, as a person would; `:3` waits so many seconds."""
    if key.startswith(":") and len(key) > 1:
        pause(float(key[1:]))
        return
    if key in CONFIRMING:
        waits(ARMED, 10)
        pause(0.6)
    tmux("send-keys", "-t", "=k:", key)
    pause(SETTLED)


def plays(task: Task, desk: str) -> tuple[bool, str]:
    """Whether it came to what it is for, and the last screen."""
    with tempfile.TemporaryDirectory(prefix="keys") as home:
        tmux("kill-server")
        pause(0.5)
        command = f"KEYTURN_HOME={shlex.quote(home)} {shlex.quote(desk)} demo {task.arguments}"
        tmux("new-session", "-d", "-s", "k", "-x", SIZE[0], "-y", SIZE[1], command)
        is_there = waits(task.until)
        pause(2)
        for key in (*task.prepare, *task.keys):
            types(key)
        done = is_there and waits(task.shows, 8)
        last = screen()
        tmux("kill-server")
        pause(0.5)
        return done, last


def main() -> int:
    desk = os.environ.get("KEYTURN", str(Path(sys.executable).parent / "keyturn"))
    failed = 0
    print(f"{'task':<26} {'from':<26} {'keys':>4} {'aim':>4} {'before':>6}  what was typed")
    for task in TASKS:
        if len(sys.argv) > 1 and sys.argv[1] not in task.name:
            continue
        done, last = plays(task, desk)
        failed += not done
        before = str(task.before or "–")
        said = " ".join(task.keys) if done else "DID NOT COME TO IT"
        print(f"{task.name:<26} {task.begins:<26} {len(task.keys):>4} {task.aim:>4} {before:>6}  {said}", flush=True)
        if not done:
            print(last)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
