"""One thing has one word: what the program says never names a thing by a second one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("app.py", "console", "core", "state", "widgets")
SAID_NO_MORE = ROOT / "core" / "facts" / "older_records.py"
"""What older releases wrote down."""
BROKERS = ROOT / "core" / "brokers"
"""A broker speaks in its own manner."""
WORDS: Mapping[str, str] = {
    "put away": "put aside",
    "waits no more": "is over",
    "works no more": "is over",
    "no account value": "equity is not known",
    "on its way out already": "working already",
    "max notional": "the largest order",
    "most of an order": "the largest order",
    "takes the order back": "cancels the order",
    "taking up": "reading",
    "breaker closed": "breaker OK",
    "from maintenance": "excess over maintenance",
    "of the house": "built-in",
}
"""What no text says, and the program's own word for it."""


def texts() -> Iterator[tuple[Path, str]]:
    """Every text that is no docstring, of each file of the code that holds such a word anywhere."""
    for top in CODE:
        path = ROOT / top
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if file != SAID_NO_MORE and not file.is_relative_to(BROKERS):
                source = file.read_text()
                if any(word in source for word in WORDS):  # most files say none of them anywhere, and need no parsing
                    yield from ((file, text) for text in texts_in(source))


def texts_in(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def wrong_in(text: str) -> list[str]:
    return [f"{word!r}: say {right!r}" for word, right in WORDS.items() if re.search(rf"\b{word}\b", text)]


def test_one_thing_has_one_word() -> None:
    """SY-07"""
    assert [(file.relative_to(ROOT), wrong) for file, text in texts() for wrong in wrong_in(text)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [('say("it waits no more")', ["'waits no more': say 'is over'"]), ('"""It waits no more."""', [])],
)
def test_a_second_word_is_found_in_a_text_and_not_in_a_docstring(source: str, found: list[str]) -> None:
    """SY-07"""
    assert [wrong for text in texts_in(source) for wrong in wrong_in(text)] == found
