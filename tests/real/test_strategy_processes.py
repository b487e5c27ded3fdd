"""The process of a strategy ends where its desk was killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from state.user_strategies import example_strategy
from tests.real.waiting import until
from tests.scenarios.own import Endless, text_of

ROOT = Path(__file__).resolve().parents[2]
DESK = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import StrategyProcess

process = StrategyProcess("dips", "dips.py", sys.stdin.read(), patience=120)
assert process.ready(120) is None
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
def test_a_strategy_process_ends_with_a_killed_desk(text: str, questions: list[object]) -> None:
    """ST-07, SP-05: at the latest when its processor time is over."""
    words = [sys.executable, "-c", DESK, str(ROOT), json.dumps(questions)]

    desk = subprocess.run(words, input=text, capture_output=True, text=True, check=False)

    pid = int(desk.stdout)
    until(lambda: not is_running(pid))
