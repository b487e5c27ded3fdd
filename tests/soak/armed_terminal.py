"""A hand, a pty and the real desk with one armed screen: what is typed by mistake, and what is meant, one at a time."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.kit.key_sequences import Way, ways
from tests.real.terminal import ROOT, Pty

PROGRAM = Path(__file__).with_name("armed_desk.py")
SCREENS = "BSHCRPKFD"
QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"
OPENS_IN = 90.0
"""Seconds in which the screen is there for the first time: what it needs is bought or sold short before."""
ARMS_IN = 20.0
"""Seconds in which a screen is armed again, whatever was typed; a doubt takes five."""
ACTS_IN = 15.0
"""Seconds in which a key that counts has acted, on the busiest machine: what it does later would be laid to another."""
SETTLES = 0.35
"""Seconds after an accident in which a key that it pressed would have been alone."""
PAUSES = (0.0, 0.05, 0.3, 0.6, 0.8, 1.2, 2.0, 3.0)


@dataclass
class Told:
    """What came of one screen's."""

    letter: str
    tried: int = 0
    void: int = 0
    pressed: int = 0
    took: int = 0
    sent: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, other: Told) -> None:
        self.tried += other.tried
        self.void += other.void
        self.pressed += other.pressed
        self.took += other.took
        self.sent += other.sent
        self.missed += other.missed


class ArmedTerminal(Pty):
    """It answers the desk's questions, as a terminal does, and draws nothing."""

    def __init__(self, folder: Path, letter: str) -> None:
        self.letter = letter
        self.record = folder / f"{letter}.txt"
        self._read_to = 0
        self._rest = ""
        self.is_armed = False
        self.acts = 0
        super().__init__([sys.executable, str(PROGRAM), str(self.record), letter], {"PYTHONPATH": str(ROOT)})
        self.waits_until_armed(OPENS_IN)

    def what_it_shows(self) -> str:
        return self.record.read_text()[-600:] if self.record.exists() else "nothing was recorded"

    def look(self) -> None:
        """What was written down since the last look."""
        if not self.record.exists():
            return
        with self.record.open() as file:
            file.seek(self._read_to)
            text = self._rest + file.read()
            self._read_to = file.tell()
        *lines, self._rest = text.split("\n")
        for line in lines:
            word = line.split(" ")[1]
            self.acts += word == "acted"
            if word in ("armed", "not-armed"):
                self.is_armed = word == "armed"

    def armed(self) -> bool:
        self.look()
        return self.is_armed

    def waits_until_armed(self, timeout: float = ARMS_IN) -> bool:
        end = time.monotonic() + timeout
        while not self.armed():
            if time.monotonic() > end:
                return False
            self.read_for(0.03)
        return True

    def presses(self) -> bool:
        """The plain key, by a hand that reads first; whether it acted, once."""
        before = self.acts
        self.type(self.letter.encode())
        end = time.monotonic() + ACTS_IN
        while self.acts == before and time.monotonic() < end:
            self.read_for(0.03)
            self.look()
        self.read_for(SETTLES)
        self.look()
        return self.acts == before + 1

    def comes(self, parts: Sequence[bytes], pause: float) -> bool:
        """Whether anything acted."""
        before = self.acts
        for number, part in enumerate(parts):
            if number:
                self.read_for(pause)
            os.write(self.master, part)
        self.read_for(SETTLES)
        self.look()
        return self.acts != before

    def _read(self, seconds: float) -> None:
        if not select.select([self.master], [], [], seconds)[0]:
            return
        data = os.read(self.master, 65536)
        asked = (self.raw + data).count(QUESTION)
        self.raw = data[-(len(QUESTION) - 1) :]
        for _ in range(asked):
            os.write(self.master, ANSWER)


def accident(letter: str, chance: Random) -> tuple[Way, list[bytes], float]:
    """One of the table: whole, cut somewhere, or with a neighbour."""
    kinds: dict[str, list[Way]] = {}
    for way in ways(letter):
        if letter not in "KF" or not way.data.startswith(b"["):
            kinds.setdefault(way.kind, []).append(way)
    way = chance.choice(kinds[chance.choice([*kinds])])
    if len(way.data) == 1 or chance.random() < 0.3:
        joined = chance.choice((b"", b"", b"j", b"\x1b[A", b"\x1b[I"))
        return way, [joined + way.data], 0.0
    at = chance.randint(1, len(way.data) - 1)
    return way, [way.data[:at], way.data[at:]], chance.choice(PAUSES)


def play(folder: Path, letter: str, tries: int, presses: int, seed: int, end: float = float("inf")) -> Told:
    """So many accidents on one screen, and so many presses that are meant, evenly among them."""
    chance, told = Random(f"{seed}:{letter}"), Told(letter)
    every, last = max(1, tries // max(1, presses)), "nothing"
    with ArmedTerminal(folder, letter) as terminal:
        for number in range(max(tries, presses * every)):
            if time.monotonic() > end:
                break
            if number % every == 0 and told.pressed < presses and terminal.waits_until_armed():
                terminal.read_for(chance.uniform(0.3, 0.6))
                told.pressed += 1
                if terminal.presses():
                    told.took += 1
                else:
                    told.missed.append(f"behind {last}: {terminal.what_it_shows()[-200:]}")
            if number >= tries:
                continue
            way, parts, pause = accident(letter, chance)
            if not terminal.waits_until_armed():
                told.void += 1
                continue
            told.tried += 1
            last = f"{parts} {pause}"
            if terminal.comes(parts, pause):
                told.sent.append(f"{way.kind}: {parts} {pause}")
    return told
