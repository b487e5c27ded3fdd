"""How this very program is started again as a process of its own."""

from __future__ import annotations

import sys

KEEPS_OUT_THE_FOLDER = "-P"
"""Of Python: what lies in the folder that one happens to be in is not imported, whatever it is called."""


def own_program(*words: str) -> list[str]:
    """`keyturn WORDS`, by the interpreter that runs now: also where no `keyturn` is on the path."""
    return [sys.executable, KEEPS_OUT_THE_FOLDER, "-m", "app", *words]
