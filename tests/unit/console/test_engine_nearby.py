"""How a desk of this machine finds its engine, and what it says where none runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.client.engine_link import LinkBrokenError
from console.commands.assembly.attach import EngineNearby
from console.commands.assembly.host import Host
from state.engine_socket import NoEngineError
from state.halt_request import HaltRequest


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.settings.write_text('profile = "micro"\n[account]\nbroker = "simulated"\n')
    host.home.settings.chmod(0o600)
    host.home.account("demo").prepare()
    return host


def test_no_engine_is_started_without_permission(host: Host) -> None:
    """SY-01: the relay of a desk that attaches again: what was stopped stays stopped."""
    nearby = EngineNearby(host, may_start=False)

    with pytest.raises(NoEngineError, match="`keyturn engine start` starts it"):
        nearby.connect()
    assert not nearby.has_started
    assert not host.home.account("demo").lock.exists()


def test_a_waiting_desk_hears_of_a_watchdog_that_gave_up(host: Host, snapshot) -> None:
    """SY-01, SY-02: in words that the desk shows as they stand, also after its first picture."""
    HaltRequest(host.home.account("demo")).leave("the watchdog: 3 restarts in 10 minutes did not help: it was killed")

    with pytest.raises(LinkBrokenError) as away:
        EngineNearby(host, may_start=False).connect()
    assert str(away.value) == snapshot
