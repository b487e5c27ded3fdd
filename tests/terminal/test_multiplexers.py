"""Every key of the table through tmux and GNU screen arrives as the key that the table names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.keymap import KEYS
from tests.terminal.pty_desk import APP, ROOT

PATIENCE = 20.0
NAMED = {
    "up": ("Up", "\x1b[A"),
    "down": ("Down", "\x1b[B"),
    "right": ("Right", "\x1b[C"),
    "left": ("Left", "\x1b[D"),
    "home": ("Home", "\x1b[1~"),
    "end": ("End", "\x1b[4~"),
    "pageup": ("PPage", "\x1b[5~"),
    "pagedown": ("NPage", "\x1b[6~"),
    "delete": ("DC", "\x1b[3~"),
    "backspace": ("BSpace", "\x7f"),
    "enter": ("Enter", "\r"),
    "escape": ("Escape", "\x1b"),
    "tab": ("Tab", "\t"),
    "shift+tab": ("BTab", "\x1b[Z"),
    "space": ("Space", " "),
    "f10": ("F10", "\x1b[21~"),
}
"""Textual's name, tmux's, and what GNU screen hands on."""
CHORD = ("ctrl+k", "f10")


def every_key() -> list[str]:
    return sorted({name for key in KEYS for name in key.keys.split(",")})


def character_of(name: str) -> str:
    return name if len(name) == 1 else unicodedata.lookup(name.replace("_", " ").upper())


class Inside:
    """The small desk inside a multiplexer: what it was typed, in order; the kill keys as `kill`."""

    def __init__(self, record: Path) -> None:
        self.record = record

    def heard(self) -> list[str]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        words = [line.split(" ")[1:] for line in lines]
        return [rest[1] if rest[0] == "typed" else rest[0] for rest in words if rest[0] in ("typed", "kill", "ready")]

    def until_heard(self, many: int) -> list[str]:
        end = time.monotonic() + PATIENCE
        while len(self.heard()) < many and time.monotonic() < end:
            time.sleep(0.02)
        return self.heard()


def command(record: Path) -> list[str]:
    return ["env", f"PYTHONPATH={ROOT}", sys.executable, str(APP), str(record), "idle"]


@contextmanager
def tmux(folder: Path) -> Iterator[tuple[Inside, list[str]]]:
    server = ["tmux", "-L", f"keyturn-{os.getpid()}", "-f", "/dev/null"]
    record = folder / "tmux.txt"
    term = ["set", "-g", "default-terminal", "tmux-256color", ";"]
    subprocess.run([*server, *term, "new-session", "-d", "-x", "120", "-y", "40", *command(record)], check=True)
    try:
        yield Inside(record), [*server, "send-keys"]
    finally:
        subprocess.run([*server, "kill-server"], check=False)


@contextmanager
def screen(folder: Path) -> Iterator[tuple[Inside, list[str]]]:
    name, record = f"keyturn-{os.getpid()}", folder / "screen.txt"
    outside = {**os.environ, "SCREENDIR": str(folder / "s")}
    (folder / "s").mkdir(mode=0o700)
    start = ["screen", "-c", "/dev/null", "-T", "screen", "-dmS", name, *command(record)]
    subprocess.run(start, env=outside, check=True)
    try:
        yield Inside(record), ["env", f"SCREENDIR={folder / 's'}", "screen", "-S", name, "-p", "0", "-X", "stuff"]
    finally:
        subprocess.run(["screen", "-S", name, "-X", "quit"], env=outside, check=False)


def for_tmux(name: str) -> list[str]:
    if name in NAMED:
        return [NAMED[name][0]]
    if name.startswith("ctrl+"):
        return [f"C-{name.removeprefix('ctrl+')}"]
    return ["-l", character_of(name)]


def for_screen(name: str) -> list[str]:
    if name in NAMED:
        text = NAMED[name][1]
    elif name.startswith("ctrl+"):
        text = chr(ord(name[-1]) & 0x1F)
    else:
        text = character_of(name)
    return [text.replace("\\", "\\\\").replace("^", "\\^").replace("$", "\\$")]


@pytest.mark.parametrize(("program", "opens", "says"), [("tmux", tmux, for_tmux), ("screen", screen, for_screen)])
def test_every_key_of_the_table_arrives(program: str, opens: object, says: object, tmp_path: Path) -> None:
    """OP-07: and what does not arrive must be said by the help"""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    arrived: dict[str, str | None] = {}

    with opens(tmp_path) as (desk, send):  # type: ignore[operator]
        assert desk.until_heard(1) == ["ready"]
        time.sleep(0.5)
        for name in every_key():
            known = len(desk.heard())
            subprocess.run([*send, *says(name)], check=True)  # type: ignore[operator]
            heard = desk.until_heard(known + 1)
            arrived[name] = heard[known] if len(heard) > known else None

    assert arrived == {name: "kill" if name in CHORD else name for name in every_key()}
