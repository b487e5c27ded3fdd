"""`keyturn status` of an account that is named."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from console.commands.assembly.host import Host
from console.commands.status import _uncovered, exit_code, status_of
from core.ports import OperatorError
from state.files import AccountFolder
from state.running_engine import EngineLock, Heartbeat, Status


def test_an_unknown_account_is_not_called_stopped(tmp_path: Path) -> None:
    """SY-02: as `kill` says it."""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.account("demo").prepare()

    with pytest.raises(OperatorError, match="no account 'nosuch'; there are demo"):
        status_of(host, "nosuch")
    assert status_of(host, "demo")["state"] == "stopped"


@pytest.mark.parametrize(("pid", "word"), [(os.getpid(), "silent"), (1, "starting")], ids=["its own", "another"])
def test_an_old_heartbeat_is_not_called_halted(tmp_path: Path, pid: int, word: str) -> None:
    """SY-02: neither is called halted."""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    folder = host.home.account("demo")
    folder.prepare()
    counted = ("positions", "orders_working", "orders_sent", "proposals_waiting", "journal_sequence")
    beat = {**dict.fromkeys(counted, 0), "state": "on", "pid": pid, "mode": "paper", "account": "demo"}
    folder.heartbeat.write_bytes(orjson.dumps({**beat, "uncovered": []}))
    os.utime(folder.heartbeat, (0, 0))

    with EngineLock(folder):
        assert status_of(host, None)["state"] == word


AGES = {"of this moment": (0, "on", 0), "old": (-16, "silent", 1), "of the future": (16, "silent", 1)}


@pytest.mark.parametrize(("offset", "word", "code"), AGES.values(), ids=AGES)
def test_only_a_fresh_beat_is_healthy(tmp_path: Path, offset: int, word: str, code: int) -> None:
    """SY-02"""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    folder = _beaten(host, os.getpid())
    os.utime(folder.heartbeat, (1000 + offset,) * 2)

    with EngineLock(folder):
        state = status_of(host, None, now=1000)["state"]
    assert (state, exit_code(state)) == (word, code)


def test_an_engine_that_starts_is_not_healthy(tmp_path: Path) -> None:
    """SY-02: the heartbeat of the engine before says nothing of this one, and neither does none at all"""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    folder = _beaten(host, 1)
    with EngineLock(folder):
        before = status_of(host, None)["state"]
        folder.heartbeat.unlink()
        assert [exit_code(each) for each in (before, status_of(host, None)["state"])] == [1, 1]


def _beaten(host: Host, pid: int) -> AccountFolder:
    folder = host.home.account("demo")
    folder.prepare()
    Heartbeat(folder).beat(Status("on", pid, "paper", 0, 0, 0, 0, 0, "demo"))
    return folder


@pytest.mark.parametrize(
    ("kinds", "told"),
    [(("no_stop",), 1), (("of a later release",), 1), ((), 1), (("no_stop", "idle", "in_doubt"), 1)],
    ids=["known", "unknown", "none", "more"],
)
def test_unprotected_shares_are_told_whatever_their_kind(kinds: tuple[str, ...], told: int) -> None:
    """SY-02: a heartbeat may be of another release"""
    lines = list(_uncovered(("SPY 2.5",), kinds))
    assert len(lines) == told
    assert "SPY 2.5" in lines[0]
    assert list(_uncovered((), kinds)) == []
