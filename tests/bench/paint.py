"""What the operator waits for: the first painted desk, the first proposal; and what the desk holds in memory."""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("KEYTURN")
Bare().run()
"""


def watched(words: list[str], wanted: tuple[bytes, ...], seconds: float, home: str) -> tuple[list[float], float]:
    """Seconds from the start until each of `wanted` was painted, and the resident memory at the end, MiB."""
    began = time.monotonic()
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(KEYTURN_HOME=home, TERM="xterm-256color")
        os.execv(words[0], words)
    ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen, times = b"", [float("nan")] * len(wanted)
    while time.monotonic() - began < seconds:
        if select.select([master], [], [], 0.005)[0]:
            seen += os.read(master, 65536)
        for number, text in enumerate(wanted):
            if times[number] != times[number] and text in seen:
                times[number] = time.monotonic() - began
    memory = resident(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(master)
    return times, memory


def resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def measure(times: int = 5) -> list[tuple[str, str]]:
    python, keyturn = sys.executable, str(ROOT / ".venv" / "bin" / "keyturn")
    bare = [watched([python, "-c", BARE], (b"KEYTURN",), 1.5, "/nonexistent") for _ in range(times)]
    desks = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as home:
            desks.append(watched([keyturn, "demo"], (b"KEYTURN",), 1.5, home))
    with tempfile.TemporaryDirectory() as home:
        (_, proposal), memory = watched([keyturn, "demo"], (b"KEYTURN", b"to open"), 20.0, home)
    plain = statistics.median(t[0] for t, _ in bare)
    desk = statistics.median(t[0] for t, _ in desks)
    return [
        ("first paint of the desk", f"{desk:.2f} s (aim under 0.45)"),
        ("baseline: a bare Textual app with one label", f"{plain:.2f} s, ratio {desk / plain:.2f}"),
        ("first proposal in a new demo", f"{proposal:.1f} s"),
        ("memory of the demo after 20 s", f"{memory:.0f} MiB, the bare app {bare[-1][1]:.0f} MiB"),
    ]


if __name__ == "__main__":
    for name, value in measure():
        print(f"{name:<55} {value}")
