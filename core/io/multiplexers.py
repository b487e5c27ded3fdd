"""Which program between the desk and the person's terminal answers for it (OP-04)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MOSH = "mosh-server"
ANCESTORS = 16
PARENT = 1
"""The parent's place in `/proc/N/stat`, after the name and the state."""


def answers_for_the_terminal(environ: Mapping[str, str], proc: Path = Path("/proc")) -> str:
    """Return `tmux`, `screen` or `mosh`; empty where the terminal itself answers, as far as anybody can tell."""
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux"):
        return "tmux"
    if environ.get("STY") or term.startswith("screen"):
        return "screen"
    return "mosh" if _is_below(MOSH, proc) else ""


def _is_below(name: str, proc: Path) -> bool:
    process = os.getppid()
    with suppress(OSError, ValueError, IndexError):
        for _ in range(ANCESTORS):
            if process <= 1:
                return False
            if (proc / str(process) / "comm").read_text(errors="replace").strip() == name:
                return True
            after_name = (proc / str(process) / "stat").read_text(errors="replace").rpartition(")")[2]
            process = int(after_name.split()[PARENT])
    return False
