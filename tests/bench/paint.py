"""What the operator waits for: the first painted desk, the first proposal; and what the desk holds in memory."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl
from math import isnan
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
KEYTURN = str(ROOT / ".venv" / "bin" / "keyturn")
TIMEOUT = 60.0
"""Seconds after which a paint is given up."""
BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("KEYTURN")
Bare().run()
"""


@dataclass(frozen=True)
class Watched:
    """`times` in seconds from the start until each text was painted, `processor` of the main thread until the last."""

    times: tuple[float, ...]
    processor: float
    memory: float
    """Resident at the end, MiB."""


def watched(words: list[str], wanted: tuple[bytes, ...], home: str, rests: float = 0.0) -> Watched:
    """Run until each of `wanted` was painted, and until `rests` seconds after the start where that is later."""
    began = time.monotonic()
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(KEYTURN_HOME=home, TERM="xterm-256color")
        os.execv(words[0], words)
    ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen, times, processor = b"", [float("nan")] * len(wanted), float("nan")
    while (isnan(processor) or time.monotonic() - began < rests) and time.monotonic() - began < TIMEOUT:
        if select.select([master], [], [], 0.005)[0]:
            seen += os.read(master, 65536)
        for number, text in enumerate(wanted):
            if isnan(times[number]) and text in seen:
                times[number] = time.monotonic() - began
        if isnan(processor) and not any(isnan(at) for at in times):
            processor = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    memory = resident(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(master)
    return Watched(tuple(times), processor, memory)


def resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def first_paints(rounds: int) -> tuple[list[Watched], list[Watched]]:
    """Of the bare app and of a new demo, in turn, so that both meet the same machine."""
    bare, desks = [], []
    for _ in range(rounds):
        bare.append(watched([sys.executable, "-c", BARE], (b"KEYTURN",), "/nonexistent"))
        with tempfile.TemporaryDirectory() as home:
            desks.append(watched([KEYTURN, "demo"], (b"KEYTURN",), home))
    return bare, desks


def measure(rounds: int = 5) -> list[tuple[str, str]]:
    bare, desks = first_paints(rounds)
    with tempfile.TemporaryDirectory() as home:
        later = watched([KEYTURN, "demo"], (b"KEYTURN", b"to open"), home, rests=20.0)
    plain, desk = (median(one.times[0] for one in many) for many in (bare, desks))
    plain_work, work = (median(one.processor for one in many) for many in (bare, desks))
    return [
        ("first paint of the desk", f"{desk:.2f} s (aim under 0.45), processor {work:.2f} s"),
        (
            "baseline: a bare Textual app with one label",
            f"{plain:.2f} s, ratio {desk / plain:.2f}; processor {plain_work:.2f} s, ratio {work / plain_work:.2f}",
        ),
        ("first proposal in a new demo", f"{later.times[1]:.1f} s"),
        ("memory of the demo after 20 s", f"{later.memory:.0f} MiB, the bare app {bare[-1].memory:.0f} MiB"),
    ]


if __name__ == "__main__":
    for name, value in measure(*map(int, sys.argv[1:])):
        print(f"{name:<55} {value}")
