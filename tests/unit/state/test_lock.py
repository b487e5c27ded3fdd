"""One engine an account, also when the one before it was killed."""

from __future__ import annotations

import os

import pytest

from state import running_engine
from state.running_engine import UNKNOWN_PID, AlreadyRunningError, EngineLock, holder


@pytest.fixture(autouse=True)
def no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is held is refused at once."""
    monkeypatch.setattr(running_engine, "TIMEOUT_SECONDS", 0.0)


def test_a_second_engine_is_refused(folder):
    """SP-04"""
    with EngineLock(folder), pytest.raises(AlreadyRunningError, match=f"'paper' \\(process {os.getpid()}\\)") as raised:
        EngineLock(folder).acquire()
    assert raised.value.pid == os.getpid()


def test_a_stopped_engine_frees_the_account(folder):
    """SP-04"""
    held = EngineLock(folder)
    held.acquire()
    assert holder(folder) == os.getpid()
    held.release()
    held.release()
    assert holder(folder) is None
    with EngineLock(folder):
        assert folder.lock.stat().st_mode & 0o777 == 0o600


def test_nobody_holds_what_never_ran(folder):
    """SP-04"""
    assert holder(folder) is None
    assert not folder.lock.exists()


def test_a_holder_without_a_number_holds(folder):
    """SP-04"""
    with EngineLock(folder):
        for content in ("", "[]", '{"pid":"x"}'):
            folder.lock.write_text(content)
            assert holder(folder) == UNKNOWN_PID
            with pytest.raises(AlreadyRunningError, match="another process"):
                EngineLock(folder).acquire()
