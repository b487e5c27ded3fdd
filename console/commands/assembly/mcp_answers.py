"""The answers of `keyturn mcp`: short enough for any client, lists in pages, refusals as data (SY-11).

Clients cut or refuse answers above 25,000 tokens. A token of figures and names has three characters at least. An answer
carries its values twice, as text and as structured content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent

from console.client.agents import CallRejectedError, EngineAwayError
from core.ports import OperatorError

MOST_TOKENS, CHARACTERS_OF_A_TOKEN = 25_000, 3
LARGEST = MOST_TOKENS * CHARACTERS_OF_A_TOKEN
"""Characters of an answer, or of a resource's text."""
LARGEST_VALUE = (LARGEST - 1_000) // 2
"""Characters of its values as JSON; the rest is what encloses them."""
ROOM = LARGEST_VALUE - 5_000
"""Characters for the rows of the lists of one answer."""
CUT = "(cut here: read the rest with the tools)"

WRONG_ARGUMENTS, UNKNOWN_DRAFT, NOT_DONE, TOO_LARGE = "wrong-arguments", "unknown-draft", "not-done", "too-large"
OVERSTEP = "overstep"

Values: TypeAlias = dict[str, Any]


class RefusedError(ToolError):
    """A call that got no answer: a code to act on, and the reasons for a person or a model."""

    def __init__(self, code: str, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.code, self.reasons = code, reasons


def called(call: Callable[[], Any]) -> Any:
    """Return what a call to the engine or the journal returns. Raises `RefusedError`."""
    try:
        return call()
    except (CallRejectedError, EngineAwayError) as error:
        raise RefusedError(error.code, str(error)) from None
    except OperatorError as error:
        raise RefusedError(NOT_DONE, str(error)) from None


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def answer(values: Values) -> CallToolResult:
    """Return the answer with these values. One that is too large is refused: no row of it was meant to be cut."""
    text = as_json(values)
    if len(text) > LARGEST_VALUE:
        return refusal(TOO_LARGE, ["the answer is too large; ask for fewer rows"])
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=values)


def refusal(code: str, reasons: Sequence[str], **more: object) -> CallToolResult:
    """Return an error whose code and reasons a program can read."""
    return CallToolResult(
        content=[TextContent(type="text", text="; ".join(reasons))],
        structured_content={"code": code, "reasons": list(reasons), **more},
        is_error=True,
    )


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(
    name: str, rows: list[Values], in_all: int, before: int | None, *, newest_last: bool = False, room: int = ROOM
) -> Values:
    """Return the rows that there is room for, and under `more` how many are left and the arguments for them.

    `rows` are the first of the list's `before` last ones, of all without `before`; `in_all` counts the whole list.
    """
    shown = fitting(rows, lambda row: len(as_json(row)) + 1, room, newest_last=newest_last)
    return {name: shown, "more": {name: left_of(len(shown), in_all, before)}}


def page_of(
    name: str, rows: list[Values], count: int, before: int | None, *, newest_last: bool = False, room: int = ROOM
) -> Values:
    """Return a page of a whole list."""
    end = len(rows) if before is None else min(before, len(rows))
    found = rows[max(0, end - count) : end] if newest_last else rows[len(rows) - end :][:count]
    return page(name, found, len(rows), before, newest_last=newest_last, room=room)


def left_of(shown: int, in_all: int, before: int | None, **also: object) -> Values:
    """Return how many rows a list has, how many are left, and the arguments that get them; None if none is left."""
    left = (in_all if before is None else min(before, in_all)) - shown
    return {"in_all": in_all, "left": left, "next": {**also, "before": left} if left else None}


def fitting(rows: list[Values], size: Callable[[Values], int], room: int, *, newest_last: bool) -> list[Values]:
    """Return the newest rows whose sizes fit into the room."""
    kept: list[Values] = []
    for row in reversed(rows) if newest_last else rows:
        room -= size(row)
        if room < 0:
            break
        kept.append(row)
    return kept[::-1] if newest_last else kept


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def text_of(values: Mapping[str, Any]) -> str:
    """Return values as indented lines."""
    text = "\n".join(_lines(values))
    return text if len(text) <= LARGEST else f"{text[: LARGEST - len(CUT) - 1].rpartition(chr(10))[0]}\n{CUT}"


def lines_of(row: Values) -> int:
    """Return the characters of a row in such a text."""
    return sum(len(line) + 1 for line in _lines([row], "rows", 1))


def _lines(value: object, name: str = "", depth: int = 0) -> Iterator[str]:
    blanks = "  " * depth
    if isinstance(value, Mapping):
        if name:
            yield f"{blanks}{name}:"
        for key, each in value.items():
            yield from _lines(each, str(key), depth + bool(name))
    elif isinstance(value, list) and value:
        yield f"{blanks}{name}:"
        for each in value:
            yield "  " * (depth + 1) + "-"
            yield from _lines(each, "", depth + 2)
    elif isinstance(value, list):
        yield f"{blanks}{name}: none"
    else:
        yield f"{blanks}{name}: {value}" if name else f"{blanks}{value}"
