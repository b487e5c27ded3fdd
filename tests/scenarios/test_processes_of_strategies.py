"""The process of a strategy and the desk's own: what each does when the other is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runtime.strategy_host.process import STARTING, LoadRefused, LostError, StrategyProcess
from core.strategies.base import OverdueError
from state.user_strategies import example_strategy
from tests.kit.waiting import PATIENCE
from tests.scenarios.own import Endless, text_of

ROOT = Path(__file__).resolve().parents[2]
DESK = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import STARTING, StrategyProcess

process = StrategyProcess("dips", "dips.py", sys.stdin.read())
assert process.ready(STARTING) is None
for question in json.loads(sys.argv[2]):
    os.write(process._process.stdin.fileno(), pipe_messages.framed(question))
print(process._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
ENDLESS_WORDS = (
    text_of(Endless)
    .replace('name = "endless"', 'name = "dips"')
    .replace(
        "def then(self, bar", "def figures(self, day):\n        while True:\n            pass\n\n    def then(self, bar"
    )
)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize(
    ("text", "questions"),
    [
        pytest.param(example_strategy("dips"), [], id="one that waits"),
        pytest.param(ENDLESS_WORDS, [["make", 0, {}, None], ["figures", 0, "2026-01-05"]], id="one that never ends"),
    ],
)
def test_a_process_does_not_outlive_a_desk_that_was_killed(text: str, questions: list[object]) -> None:
    """ST-07, SP-05: at the latest when its processor time is over."""
    words = [sys.executable, "-c", DESK, str(ROOT), json.dumps(questions)]

    desk = subprocess.run(words, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)

    pid, until = int(desk.stdout), time.monotonic() + PATIENCE
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(pid)


def a_process(text: str, patience: float = 2.0) -> StrategyProcess:
    return StrategyProcess("dips", "dips.py", text, patience=patience)


def test_a_text_that_does_not_load_leaves_no_process() -> None:
    """ST-01"""
    process = a_process("import os")

    assert process.ready(STARTING) == LoadRefused(
        (
            "dips.py, line 1: it imports os, which a strategy may not: take it out; docs/STRATEGIES.md says what it "
            "may import",
        )
    )
    assert not process.is_running


def test_one_that_never_answers_is_ended_and_another_begins() -> None:
    """ST-07"""
    process = a_process(ENDLESS_WORDS, 0.5)
    assert process.ready(STARTING) is None
    process.ask("make", 0, {}, None)
    first = process.generation

    with pytest.raises(OverdueError, match="no answer in 2 s; its process was ended"):
        process.ask("figures", 0, "2026-01-05")

    assert not process.is_running
    assert process.ready(STARTING) is None
    assert process.generation == first + 1


def test_what_is_asked_of_a_process_that_is_gone_is_said() -> None:
    """ST-07"""
    process = a_process(example_strategy("dips"))
    process.ready(STARTING)
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
        ("[bytes(1 << 26) for _ in range(64)]", "its process took more memory than it may"),
    ],
)
def test_how_a_process_was_lost_is_said(act: str, words: str) -> None:
    """ST-07"""
    text = example_strategy("dips").replace(
        '        return (("falls', f'        import_ = __import__\n        x = {act}\n        return (("falls'
    )
    process = a_process(text)
    assert process.ready(STARTING) is None
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match=words):
        process.ask("figures", 0, "2026-01-05")

    assert not process.is_running


def test_a_process_that_speaks_without_being_asked_is_ended() -> None:
    """ST-01: what it says next would be taken for the answer to another question."""
    twice = "import_ = __import__\n        import_('os').write(1, bytes([0, 0, 0, 2]) + b'[]')\n        return (("
    process = a_process(example_strategy("dips").replace("        return ((", f"        {twice}"))
    process.ready(STARTING)
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match="its process wrote what is no answer"):
        process.ask("figures", 0, "2026-01-05")
