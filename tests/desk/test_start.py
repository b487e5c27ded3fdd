"""A start without options is not parsed: it does what the parsed command does."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest

from console.commands.program import build
from console.start import COMPLETION, open_plainly
from core.ports import Composition, DemoRequest


class Asked:
    """A composition that opens nothing and keeps what it was asked for."""

    def __init__(self) -> None:
        self.of: list[tuple[str, DemoRequest | None]] = []

    def desk(self) -> None:
        self.of.append(("desk", None))

    def demo(self, request: DemoRequest) -> None:
        self.of.append(("demo", request))


@pytest.fixture(autouse=True)
def in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    yield
    gc.enable()


def parsed(words: list[str]) -> list[tuple[str, DemoRequest | None]]:
    asked = Asked()
    build(cast(Any, asked))(words, standalone_mode=False)
    return asked.of


@pytest.mark.parametrize("words", [[], ["demo"]])
def test_a_start_without_options_asks_for_what_the_parsed_one_asks_for(words: list[str]) -> None:
    """OP-03"""
    asked = Asked()

    assert open_plainly(words, {}, cast(Composition, asked))
    assert asked.of == parsed(words)
    assert len(asked.of) == 1


@pytest.mark.parametrize("words", [["--version"], ["demo", "--seed", "7"], ["demo", "--help"], ["replay"], ["Demo"]])
def test_what_has_options_is_parsed(words: list[str]) -> None:
    """OP-03"""
    asked = Asked()

    assert not open_plainly(words, {}, cast(Composition, asked))
    assert asked.of == []


def test_a_shell_that_asks_for_completions_opens_no_desk() -> None:
    """OP-03"""
    asked = Asked()

    assert not open_plainly([], {COMPLETION: "complete_bash"}, cast(Composition, asked))
    assert asked.of == []
