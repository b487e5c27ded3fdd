"""`keyturn status` of an account that is named."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from console.commands.assembly.host import Host
from console.commands.status import status_of
from core.ports import OperatorError
from state.lock import EngineLock


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
