"""What a killed process held is free: an account's lock, the turn to ask for the VIX, its strategies' processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from state.files import AccountFolder
from state.home_files import VixFile
from state.running_engine import AlreadyRunningError, EngineLock, holder
from state.user_strategies import example_strategy
from tests.real.terminal import ROOT
from tests.real.tools import is_running
from tests.real.waiting import until
from tests.scenarios.own import Endless, text_of

HOLDS_LOCK = """
import sys
from pathlib import Path
from state.files import AccountFolder
from state.running_engine import EngineLock
EngineLock(AccountFolder(Path(sys.argv[1]))).acquire()
print("held", flush=True)
sys.stdin.read()
"""
HOLDS_TURN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from state.home_files import VixFile
with VixFile(Path(sys.argv[1]), lambda: datetime.now(UTC)).turn() as is_ours:
    print("held" if is_ours else "not ours", flush=True)
    sys.stdin.read()
"""
DESK = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import StrategyProcess

process = StrategyProcess("dips", "dips.py", sys.stdin.read(), timeout=120)
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


@contextmanager
def holding(program: str, path: Path) -> Iterator[int]:
    """A process that holds it, and is killed."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.kill()


def test_a_killed_engine_holds_nothing(tmp_path: Path) -> None:
    """SP-04, EX-20: the kernel gives the lock back; the number left in the file means nothing."""
    folder = AccountFolder(tmp_path / "paper")
    folder.prepare()
    with holding(HOLDS_LOCK, folder.path) as pid:
        assert holder(folder) == pid
        with pytest.raises(AlreadyRunningError) as refused:
            EngineLock(folder).acquire()
        assert refused.value.pid == pid

    assert str(pid) in folder.lock.read_text()
    assert holder(folder) is None
    with EngineLock(folder):
        assert holder(folder) == os.getpid()


def test_a_killed_process_leaves_its_turn_to_others(tmp_path: Path) -> None:
    """RK-19: to ask for the VIX"""
    file = VixFile(tmp_path / "vix.json", lambda: datetime(2026, 11, 19, 15, 0, tzinfo=UTC))
    with holding(HOLDS_TURN, tmp_path / "vix.json"), file.turn() as is_ours:
        assert not is_ours

    with file.turn() as is_ours:
        assert is_ours


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
