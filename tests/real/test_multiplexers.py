"""Through tmux and GNU screen, as an xterm sends it: every key of the table arrives as that key (OP-07)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.keymap import KEYS
from tests.kit.tools import needs
from tests.real.terminal import APP, Pty, RecordingDesk

SEQUENCES = {
    "up": b"\x1bOA",
    "down": b"\x1bOB",
    "left": b"\x1bOD",
    "right": b"\x1bOC",
    "home": b"\x1bOH",
    "end": b"\x1bOF",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "shift+tab": b"\x1b[Z",
    "tab": b"\t",
    "enter": b"\r",
    "space": b" ",
    "escape": b"\x1b",
    "f2": b"\x1bOQ",
    "f3": b"\x1bOR",
    "f4": b"\x1bOS",
    "f5": b"\x1b[15~",
    "f6": b"\x1b[17~",
    "f7": b"\x1b[18~",
    "f8": b"\x1b[19~",
    "f10": b"\x1b[21~",
    "ctrl+e": b"\x05",
    "ctrl+u": b"\x15",
    "ctrl+k": b"\x0b",
    "ctrl+t": b"\x14",
    "ctrl+p": b"\x10",
    "ctrl+q": b"\x11",
    "ctrl+z": b"\x1a",
    "exclamation_mark": b"!",
    "question_mark": b"?",
    "slash": b"/",
    "colon": b":",
    "less_than_sign": b"<",
    "greater_than_sign": b">",
    "percent_sign": b"%",
    "plus": b"+",
    "minus": b"-",
}
CHORD = {"ctrl+k", "f10"}


class Multiplexed(RecordingDesk):
    """A recording desk in a fresh server of its own, with nobody's settings."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.path = folder / "keys.txt"
        Pty.__init__(self, self._command(), {"SCREENDIR": str(folder)})
        self.until(lambda: self.records("ready"))

    def _command(self) -> list[str]:
        program = [sys.executable, str(APP), str(self.path), "idle"]
        conf = self.folder / "conf"
        if self.name == "tmux":
            conf.write_text("set -g escape-time 20\n")
            return ["/usr/bin/env", "tmux", "-S", str(self.folder / "s"), "-f", str(conf), "new", *program]
        conf.write_text("maptimeout 20\nstartup_message off\n")
        return ["/usr/bin/env", "screen", "-c", str(conf), "-S", "keyturn", *program]

    def __exit__(self, *error: object) -> None:
        """The server that this test started, and no other."""
        commands = {
            "tmux": ["tmux", "-S", str(self.folder / "s"), "kill-server"],
            "screen": ["screen", "-S", "keyturn", "-X", "quit"],
        }
        environment = {**os.environ, "SCREENDIR": str(self.folder)}
        subprocess.run(commands[self.name], env=environment, capture_output=True, check=False, timeout=60)
        super().__exit__(*error)

    def arrives(self, key: str) -> None:
        """Typed alone: the next one is typed when this one is there."""
        sequence = SEQUENCES.get(key) or key.encode()
        if key in CHORD:
            known = len(self.records("kill"))
            self.presses(sequence, lambda: len(self.records("kill")) > known)
        else:
            self.presses(sequence, lambda: key in self.typed_keys())


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: the name of a socket has little room."""
    with tempfile.TemporaryDirectory(prefix="k") as path:
        yield Path(path)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in ("tmux", "screen")])
def test_every_key_of_the_table_arrives(name: str, folder: Path) -> None:
    """OP-07: the chord too, and Esc alone, which GNU screen would hold back from a program that asks for the mouse"""
    keys = sorted({name for key in KEYS for name in key.keys.split(",") if name})
    with Multiplexed(name, folder) as desk:
        for key in keys:
            desk.arrives(key)

        assert set(desk.typed_keys()) == set(keys) - CHORD
