"""Which program answers for the person's terminal (OP-04)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.io.multiplexers import answers_for_the_terminal


def processes(folder: Path, *names: str) -> Path:
    """The parents of this process, the nearest first, as Linux lists them."""
    pids = [os.getppid(), *range(50_000, 50_000 + len(names))]
    for number, name in enumerate(names):
        place = folder / str(pids[number])
        place.mkdir()
        (place / "comm").write_text(f"{name}\n")
        (place / "stat").write_text(f"{pids[number]} ({name} x) S {pids[number + 1]} 1 1 0 -1")
    return folder


@pytest.mark.parametrize(
    ("environ", "names", "found"),
    [
        ({"TMUX": "/tmp/tmux-0/default,1,0"}, (), "tmux"),
        ({"TERM": "tmux-256color"}, (), "tmux"),
        ({"STY": "1.pts"}, (), "screen"),
        ({"TERM": "screen.xterm-256color"}, (), "screen"),
        ({"TERM": "xterm-256color"}, ("bash", "mosh-server"), "mosh"),
        ({"TERM": "xterm-256color"}, ("bash", "sshd", "systemd"), ""),
        ({}, (), ""),
    ],
)
def test_what_answers(environ: Mapping[str, str], names: tuple[str, ...], found: str, tmp_path: Path) -> None:
    assert answers_for_the_terminal(environ, processes(tmp_path, *names)) == found
