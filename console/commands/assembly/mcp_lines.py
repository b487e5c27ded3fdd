"""The lines and bodies of clients, mended where a call would be lost (SY-11).

A text that was cut within an emoji has half of a character as an escape, which is valid JSON and no text: the half is
replaced. A byte order mark at the begin of a line is dropped.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator
from io import TextIOWrapper

import anyio

BYTE_ORDER_MARK = "\ufeff"
REPLACED = "\\ufffd"
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def mended(line: str) -> str:
    """Return a line whose escapes are whole characters; every other part stays as it was written."""
    line = line.removeprefix(BYTE_ORDER_MARK)
    if "\\ud" not in line and "\\uD" not in line:
        return line
    return _ESCAPE.sub(lambda found: REPLACED if found["half"] else found[0], line)


class Lines:
    """The mended lines of a stream."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self._stream = anyio.wrap_file(stream)

    async def __aiter__(self) -> AsyncIterator[str]:
        async for line in self._stream:
            yield mended(line)


def standard_input() -> TextIOWrapper:
    """Return the standard input for this server alone; what it starts reads nothing from it."""
    wire = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    return TextIOWrapper(os.fdopen(wire, "rb", closefd=False), encoding="utf-8", errors="replace")
