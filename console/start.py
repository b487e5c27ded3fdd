"""The start of a desk: whether there is a terminal for it, and the short way where nothing is to be parsed.

`keyturn` and `keyturn demo` without options need no parser. Typer, and the pydantic that it brings, are then imported
after the first paint or never. What either word does is what the parsed command does.
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
"""At most, of Textual. Its timer leaves a tick out where a paint took longer than one: at its own 60 a key that is
pressed during a paint waits up to 33 ms for the next."""
COMPLETION = "_KEYTURN_COMPLETE"
"""The variable by which a shell asks for completions; it calls the program without a word."""


def open_plainly(
    words: Sequence[str], environ: Mapping[str, str], opens: Mapping[tuple[str, ...], Callable[[], None]]
) -> bool:
    """Open the desk that `words` name, where that is all they are. False, and nothing done, where they need parsing."""
    opened = opens.get(tuple(words))
    if opened is None or COMPLETION in environ:
        return False
    prepare()
    opened()
    return True


def prepare() -> None:
    """Before a desk is loaded: refuse where nobody could see it; and let nothing be collected until it has painted."""
    need_a_terminal()
    os.environ.setdefault("TEXTUAL_FPS", PAINTS_A_SECOND)  # Textual reads it when it is loaded
    gc.disable()  # what is loaded for the first paint stays; `console.desk` turns it on again


def need_a_terminal() -> None:
    """Refuse, saying what to do instead, where nobody could see the desk or type."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError(NO_TERMINAL)
    if not sys.stderr.isatty():
        raise OperatorError(NO_ERROR_OUTPUT)
    if os.environ.get("TERM", "") == "dumb":
        raise OperatorError(DUMB)
