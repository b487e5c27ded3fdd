"""The lock of an account whose engine was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from state.folders import AccountFolder
from state.lock import AlreadyRunningError, EngineLock, holder

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from state.folders import AccountFolder
from state.lock import EngineLock
EngineLock(AccountFolder(Path(sys.argv[1]))).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_engine_holds_nothing(tmp_path: Path) -> None:
    """SP-04, EX-20: the kernel gives the lock back; the number left in the file means nothing."""
    folder = AccountFolder(tmp_path / "paper")
    folder.prepare()
    command = [sys.executable, "-c", HOLDER, str(folder.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "held\n"
        assert holder(folder) == engine.pid
        with pytest.raises(AlreadyRunningError) as refused:
            EngineLock(folder).acquire()
        assert refused.value.pid == engine.pid
        engine.send_signal(signal.SIGKILL)

    assert str(engine.pid) in folder.lock.read_text()
    assert holder(folder) is None
    with EngineLock(folder):
        assert holder(folder) == os.getpid()
