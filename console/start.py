"""The start of a desk: check for a terminal, and skip parsing if there are no options.

`keyturn` and `keyturn demo` without options need no parser. Typer and pydantic are then imported after the first paint
or never. The effect is that of the parsed command.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from core.ports import OperatorError

WITHOUT_ONE = (
    "without one: `keyturn demo --headless --operator confirm-all --speed 300`, or "
    "`keyturn replay FILE --headless --json`"
)
NO_TERMINAL = f"this needs a terminal; {WITHOUT_ONE}"
DUMB = f"TERM=dumb: this terminal cannot place text; set TERM to what it is (`TERM=xterm-256color`); {WITHOUT_ONE}"
NO_ERROR_OUTPUT = (
    f"the desk is drawn on standard error, and that is no terminal: run it without `2>` and without a pipe for it; "
    f"{WITHOUT_ONE}"
)
PAINTS_A_SECOND = "240"
"""Textual's frame rate limit.

Its timer skips a tick after a paint longer than one: at its default of 60 a key pressed during a paint waits up to 33
ms.
"""
COMPLETION = "_KEYTURN_COMPLETE"
"""The variable by which a shell asks for completions; it calls the program without arguments."""


def open_plainly(
    words: Sequence[str], environ: Mapping[str, str], opens: Mapping[tuple[str, ...], Callable[[], None]]
) -> bool:
    """Open the desk named by exactly these `words`. Return False, without effect, if they need parsing."""
    opened = opens.get(tuple(words))
    if opened is None or COMPLETION in environ:
        return False
    prepare()
    opened()
    return True


def prepare() -> None:
    """Refuse without a terminal, and disable garbage collection until the first paint."""
    need_a_terminal()
    os.environ.setdefault("TEXTUAL_FPS", PAINTS_A_SECOND)  # Textual reads it on import
    gc.disable()  # objects loaded for the first paint stay; `console.desk` enables it again


def need_a_terminal() -> None:
    """Refuse, with an alternative, if nobody could see the desk or type."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError(NO_TERMINAL)
    if not sys.stderr.isatty():
        raise OperatorError(NO_ERROR_OUTPUT)
    if os.environ.get("TERM", "") == "dumb":
        raise OperatorError(DUMB)
