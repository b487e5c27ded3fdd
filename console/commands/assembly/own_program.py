"""The command line that starts this program as another process."""

from __future__ import annotations

import sys

KEEPS_OUT_THE_FOLDER = "-P"
"""Keeps Python from importing modules of the current folder."""


def own_program(*words: str) -> list[str]:
    """Return the command for `keyturn WORDS` with the current interpreter, also without `keyturn` on the path."""
    return [sys.executable, KEEPS_OUT_THE_FOLDER, "-m", "app", *words]
