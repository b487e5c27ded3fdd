"""`keyturn status` of an account that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.status import status_of
from core.ports import OperatorError


def test_an_account_that_is_not_there_is_not_called_stopped(tmp_path: Path) -> None:
    """SY-02: as `kill` says it."""
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.account("demo").prepare()

    with pytest.raises(OperatorError, match="no account 'nosuch'; there are demo"):
        status_of(host, "nosuch")
    assert status_of(host, "demo")["state"] == "stopped"
