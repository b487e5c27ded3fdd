"""Through tmux and GNU screen, as an xterm sends it: every key of the table arrives as the key that it is (OP-07)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.keymap import KEYS
from console.terminal.driver import may_ask_for_mouse
from tests.real.terminal import APP, Pty

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
CHORD = ("ctrl+k", "f10")
BETWEEN, ALONE = 0.15, 1.0
"""Seconds between two keys, and after an escape, which each program on the way holds back for a while."""


def multiplexed(name: str, folder: Path, program: list[str]) -> list[str]:
    """A fresh server of its own, with nobody's settings."""
    if name == "tmux":
        (folder / "conf").write_text("set -g escape-time 20\n")
        return ["/usr/bin/env", "tmux", "-S", str(folder / "s"), "-f", str(folder / "conf"), "new", *program]
    (folder / "conf").write_text("maptimeout 20\nstartup_message off\n")
    return ["/usr/bin/env", "screen", "-c", str(folder / "conf"), "-S", "keyturn", *program]


def end(name: str, folder: Path) -> None:
    """The server that this test started, and no other."""
    commands = {
        "tmux": ["tmux", "-S", str(folder / "s"), "kill-server"],
        "screen": ["screen", "-S", "keyturn", "-X", "quit"],
    }
    environment = {**os.environ, "SCREENDIR": str(folder)}
    subprocess.run(commands[name], env=environment, capture_output=True, check=False, timeout=5)


def all_keys() -> list[str]:
    return sorted({name for key in KEYS for name in key.keys.split(",") if name})


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: the name of a socket has little room."""
    with tempfile.TemporaryDirectory(prefix="k") as path:
        yield Path(path)


@pytest.mark.parametrize("name", ["tmux", "screen"])
def test_every_key_of_the_table_arrives(name: str, folder: Path) -> None:
    """OP-07: the chord too, and Esc alone, which GNU screen would hold back from a program that asks for the mouse"""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed here")
    record = folder / "keys.txt"
    program = [sys.executable, str(APP), str(record), "idle"]
    try:
        with Pty(multiplexed(name, folder, program), {"SCREENDIR": str(folder)}) as terminal:
            terminal.until(lambda: record.exists() and "ready" in record.read_text())
            terminal.read_for(0.5)
            for key in all_keys():
                terminal.type(SEQUENCES.get(key) or key.encode())
                terminal.read_for(ALONE if key == "escape" else BETWEEN)
            terminal.read_for(0.5)
    finally:
        end(name, folder)

    lines = [line.split(" ") for line in record.read_text().splitlines()]
    arrived = {rest[0] for _, word, *rest in lines if word == "key"}
    assert arrived == set(all_keys()) - {*CHORD}
    assert sum(word == "kill" for _, word, *_ in lines) == len(CHORD)


@pytest.mark.parametrize(
    ("environ", "may"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "screen.xterm-256color", "STY": "1.pts-0"}, False),
        ({"TERM": "screen"}, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux"}, True),
        ({"TERM": "tmux-256color"}, True),
    ],
)
def test_the_mouse_is_asked_for_where_escape_still_arrives(environ: dict[str, str], may: bool) -> None:
    assert may_ask_for_mouse(environ) is may
