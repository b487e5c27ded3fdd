"""One engine an account, also when the one before it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from state.folders import AccountFolder
from state.lock import UNKNOWN_PID, AlreadyRunningError, EngineLock, holder

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from state.folders import AccountFolder
from state.lock import EngineLock
EngineLock(AccountFolder(Path(sys.argv[1]))).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path) -> AccountFolder:
    account = AccountFolder(tmp_path / "paper")
    account.prepare()
    return account


def test_a_second_engine_is_refused_and_told_who_holds_the_account(folder):
    """SP-04"""
    with EngineLock(folder), pytest.raises(AlreadyRunningError, match=f"'paper' \\(process {os.getpid()}\\)") as raised:
        EngineLock(folder).acquire()
    assert raised.value.pid == os.getpid()


def test_a_stopped_engine_leaves_the_account_free(folder):
    """SP-04"""
    lock = EngineLock(folder)
    lock.acquire()
    assert holder(folder) == os.getpid()
    lock.release()
    lock.release()
    assert holder(folder) is None
    with EngineLock(folder):
        assert folder.lock.stat().st_mode & 0o777 == 0o600


def test_nobody_holds_what_never_ran(folder):
    """SP-04"""
    assert holder(folder) is None
    assert not folder.lock.exists()


def test_a_killed_engine_holds_nothing(folder):
    """SP-04, EX-20: the kernel gives the lock back; the number left in the file means nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout.readline() == "held\n"
        assert holder(folder) == engine.pid
        with pytest.raises(AlreadyRunningError, match=str(engine.pid)):
            EngineLock(folder).acquire()
        engine.send_signal(signal.SIGKILL)

    assert str(engine.pid) in folder.lock.read_text()
    assert holder(folder) is None
    with EngineLock(folder):
        assert holder(folder) == os.getpid()


def test_a_holder_that_has_not_said_its_number_is_still_a_holder(folder):
    """SP-04"""
    with EngineLock(folder):
        for content in ("", "[]", '{"pid":"x"}'):
            folder.lock.write_text(content)
            assert holder(folder) == UNKNOWN_PID
            with pytest.raises(AlreadyRunningError, match="another process"):
                EngineLock(folder).acquire()
