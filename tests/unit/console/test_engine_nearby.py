"""How a desk of this machine finds its engine, and what it says where none runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.commands.assembly.attach import EngineNearby
from console.commands.assembly.host import Host
from state.engine_socket import NoEngineError


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.settings.write_text('[account]\nbroker = "simulated"\n')
    host.home.settings.chmod(0o600)
    host.home.account("demo").prepare()
    return host


def test_where_it_may_not_start_one_none_is_started(host: Host) -> None:
    """SY-01: the relay of a desk that attaches again: what was stopped stays stopped."""
    nearby = EngineNearby(host, may_start=False)

    with pytest.raises(NoEngineError, match="`keyturn engine start` starts it"):
        nearby.connect()
    assert not nearby.has_started
    assert not host.home.account("demo").lock.exists()
