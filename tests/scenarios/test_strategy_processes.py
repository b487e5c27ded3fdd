"""The process of a strategy: how it begins, answers, is lost and is ended."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from core.runtime.strategy_host.process import LoadRefused, LostError, StrategyProcess
from core.strategies.base import OverdueError
from state.user_strategies import example_strategy
from tests.kit.warm_processes import cold
from tests.scenarios.own import Endless, text_of

WAIT = 120.0
"""Seconds after which an answer has failed to come; no test waits for them to pass."""
ENDLESS_WORDS = (
    text_of(Endless)
    .replace('name = "endless"', 'name = "dips"')
    .replace(
        "def then(self, bar", "def figures(self, day):\n        while True:\n            pass\n\n    def then(self, bar"
    )
)


def a_process(text: str) -> StrategyProcess:
    return StrategyProcess("dips", "dips.py", text, patience=WAIT)


def test_a_refused_text_leaves_no_process(snapshot: SnapshotAssertion) -> None:
    """ST-01"""
    process = a_process("import os")

    assert process.ready(WAIT) == LoadRefused(snapshot)
    assert not process.is_running


def test_strings_hash_alike_in_each_process() -> None:
    """MD-05: so that a set of strings has one order"""
    processes = [a_process("raise RuntimeError(hash('SPY'))") for _ in range(2)]

    with cold():
        refusals = {process.ready(WAIT) for process in processes}

    assert len(refusals) == 1
    assert isinstance(refusals.pop(), LoadRefused)


def test_a_hung_process_is_replaced_an_ended_one_not() -> None:
    """ST-07"""
    process = a_process(ENDLESS_WORDS)
    with cold():
        assert process.ready(WAIT) is None
    process.ask("make", 0, {}, None)
    first = process.generation

    with pytest.raises(OverdueError):
        process.ask("figures", 0, "2026-01-05", seconds=0)

    assert not process.is_running
    assert process.ready(WAIT) is None
    assert process.generation == first + 1

    process.end()
    with pytest.raises(LostError, match="its process is not there"):
        process.ask("make", 0, {}, None)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("import_('os')._exit(3)", r"its process ended by itself \(3\)"),
        ("import_('os').close(1)", "its process closed its pipe|its process ended by itself"),
        ("import_('os').write(1, bytes([255]) * 8)", "its process wrote what is no answer"),
        ("import_('os').write(1, bytes([0, 0, 0, 1]))", "its process wrote what is no answer"),
    ],
)
def test_how_a_process_was_lost_is_said(act: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-07"""
    if "close" not in act:  # it ends by itself, however long the machine takes to say so
        monkeypatch.setattr("core.runtime.strategy_host.process.A_MOMENT", WAIT)
    text = example_strategy("dips").replace(
        '        return (("falls', f'        import_ = __import__\n        x = {act}\n        return (("falls'
    )
    process = a_process(text)
    assert process.ready(WAIT) is None
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match=words):
        process.ask("figures", 0, "2026-01-05")

    assert not process.is_running


def test_an_unasked_answer_ends_the_process() -> None:
    """ST-01: what it says next would be taken for the answer to another question."""
    twice = "import_ = __import__\n        import_('os').write(1, bytes([0, 0, 0, 2]) + b'[]')\n        return (("
    process = a_process(example_strategy("dips").replace("        return ((", f"        {twice}"))
    process.ready(WAIT)
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match="its process wrote what is no answer"):
        process.ask("figures", 0, "2026-01-05")
