"""Which program between the desk and the person's terminal answers for it (OP-04).

tmux can pass a question on to the outer terminal (`allow-passthrough`). The desk does not use it. Measured with tmux
3.3a and questions about a mode whose number the answer repeats:

- Written behind a frame, the question came before the frame in 72 of 72 cases, written by itself in 70 of 72, and
  with a terminal that stops in 213 of 225. Asked after tmux's own answer it came behind it in all 385 cases. So the
  order could prove a paint.
- But tmux takes the answer for keys. They go to the pane that is active when they come, also of another program. They
  end a prefix that the person has begun: of Ctrl+B, the answer and `x`, the desk gets the `x`, which declines on a
  ticket. In copy mode and in a prompt they act there. No look at the state of tmux before the question prevents this,
  and a stalled line, which the question is for, makes it likely.
"""

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
