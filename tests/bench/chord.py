"""`make chord`: from the byte of the kill chord to the gateway's latch, through a pty, wherever the hands are (OP-07).

The instant before the write, and the instant after the latch was shut, both on the machine's monotonic clock.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.real.terminal import ROOT, Pty
from tests.real.waiting import pause

APP = Path(__file__).with_name("chord_desk.py")
CTRL_K, ESCAPE = b"\x0b", b"\x1b"
PASTE, PASTE_ENDS = b"\x1b[200~half a past", b"e\x1b[201~"
SILENCE = 0.5
"""Seconds that the rule lets an unfinished paste be silent before the chord counts."""


class ChordDesk(Pty):
    """Attributes: `record`, where the desk writes the latch's instants."""

    def __init__(self, folder: Path, flood: bool) -> None:
        self.record = folder / "latch.txt"
        super().__init__(
            [sys.executable, str(APP), str(self.record), "flood" if flood else "calm"], {"PYTHONPATH": str(ROOT)}
        )
        self.until(lambda: "1 waiting" in self.what_it_shows())

    def latched(self) -> list[float]:
        return [float(line) for line in self.record.read_text().split()] if self.record.exists() else []

    def rests(self, seconds: float) -> None:
        """Reads what is painted, as a terminal does."""
        self.read_for(seconds)

    def presses(self, is_read: bool = True) -> float:
        """Seconds from the write to the latch."""
        known = len(self.latched())
        at = time.monotonic()
        os.write(self.master, CTRL_K)
        end = at + 5
        while len(instants := self.latched()) == known:
            if time.monotonic() > end:
                raise RuntimeError("the chord never reached the latch")
            if is_read:
                self.read_for(0.002)
            else:
                pause(0.002)
        return instants[known] - at


def at_rest(desk: ChordDesk) -> None:
    desk.rests(0)


def types(keys: bytes, shows: str) -> Callable[[ChordDesk], None]:
    def go(desk: ChordDesk) -> None:
        os.write(desk.master, keys)
        desk.until(lambda: shows in desk.what_it_shows())

    return go


PLACES: tuple[tuple[str, bool, Callable[[ChordDesk], None]], ...] = (
    ("idle", False, at_rest),
    ("under 2,000 quotes a second", True, at_rest),
    ("in a dialog, the ticket", False, types(b"\r", "BUY to open ─ SPY")),
    ("in a text field, a new order", False, types(b"n", "New order")),
    ("in the help", False, types(b"?", "Help")),
    ("in the command palette", False, types(b"\x10", "Commands")),
)


def again_and_again(desk: ChordDesk, many: int, chance: random.Random) -> list[float]:
    """The chord, then Esc, which closes what the chord opened and leaves what was under it."""
    taken = []
    for _ in range(many):
        desk.rests(chance.uniform(0.02, 0.08))
        taken.append(desk.presses())
        desk.rests(0.04)
        os.write(desk.master, ESCAPE)
        desk.rests(0.14)
    return taken


def in_an_unfinished_paste(desk: ChordDesk, many: int, chance: random.Random) -> list[float]:
    """Pressed once the rule's silence is over: the rule's half second is not in the figure."""
    taken = []
    for _ in range(many):
        os.write(desk.master, PASTE)
        desk.rests(SILENCE + chance.uniform(0.2, 0.3))  # a busy machine hears the paste late
        taken.append(desk.presses())
        os.write(desk.master, PASTE_ENDS)
        desk.rests(0.05)
        os.write(desk.master, ESCAPE)
        desk.rests(0.14)
    return taken


def hammered(desk: ChordDesk) -> float:
    """Seconds from the last byte of a paste to the latch, under a hand that hammers ten times a second."""
    os.write(desk.master, PASTE)
    began, known = time.monotonic(), len(desk.latched())
    while len(desk.latched()) == known:
        os.write(desk.master, CTRL_K)
        desk.rests(0.1)
    taken = desk.latched()[known] - began
    os.write(desk.master, PASTE_ENDS)
    desk.rests(0.1)
    os.write(desk.master, ESCAPE)
    desk.rests(0.15)
    return taken


def on_a_stalled_terminal(desk: ChordDesk, many: int, chance: random.Random) -> list[float]:
    """Nobody reads; a repeat of the chord sets the latch again."""
    pause(4.0)
    taken = []
    for _ in range(many):
        pause(chance.uniform(0.02, 0.08))
        taken.append(desk.presses(is_read=False))
    return taken


def figures(taken: list[float]) -> str:
    cuts = statistics.quantiles(taken, n=100)
    return f"p50 {statistics.median(taken) * 1000:6.2f} ms   p99 {cuts[98] * 1000:6.2f} ms   of {len(taken)}"


def measure(many: int) -> None:
    chance = random.Random(1)
    for name, flood, go in PLACES:
        with tempfile.TemporaryDirectory() as folder, ChordDesk(Path(folder), flood) as desk:
            go(desk)
            tell(name, figures(again_and_again(desk, many, chance)))
    with tempfile.TemporaryDirectory() as folder, ChordDesk(Path(folder), False) as desk:
        tell("in an unfinished paste, after its half second", figures(in_an_unfinished_paste(desk, many, chance)))
        after = [hammered(desk) for _ in range(20)]
        tell(
            "  hammered into one, after its last byte",
            f"p50 {statistics.median(after):.2f} s   most {max(after):.2f} s",
        )
    with tempfile.TemporaryDirectory() as folder, ChordDesk(Path(folder), True) as desk:
        tell("on a stalled terminal, under the quotes", figures(on_a_stalled_terminal(desk, many, chance)))


def tell(name: str, figure: str) -> None:
    print(f"  {name:<48} {figure}", flush=True)


def main() -> None:
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--many", type=int, default=200)
    print(f"the kill chord to the latch, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; aim p99 under 100 ms")
    measure(wish.parse_args().many)


if __name__ == "__main__":
    main()
