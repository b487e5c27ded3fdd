"""How a desk of this machine finds its engine, and what it says where none runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from console.client.access import LinkBrokenError
from console.commands import engine
from console.commands.assembly.attach import EngineNearby
from console.commands.assembly.engine_process import Started, awaited
from console.commands.assembly.host import Host
from state.engine_socket import NoEngineError
from state.kill_switch import HaltRequest


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


def test_a_start_waits_while_the_engine_comes_up() -> None:
    """SY-02: a long journal on a loaded machine; what is waited for is said every few seconds"""
    clock, said = [0.0], list[str]()

    def sleeps(seconds: float) -> None:
        clock[0] += max(seconds, 1.0)

    def after(found_at: float, ends_at: float) -> str | None:
        clock[0], said[:] = 0.0, []
        return awaited(
            lambda: "engine" if clock[0] >= found_at else None, lambda: clock[0] < ends_at, lambda: "its journal",
            said.append, lambda: clock[0], sleeps,
        )  # fmt: skip

    assert (after(400.0, 500.0), len(said)) == ("engine", 80 - 1)
    assert (after(500.0, 12.0), len(said)) == (None, 2)


@pytest.mark.parametrize(("ran", "is_ours"), [(True, True), (False, True), (False, False)])
def test_a_start_names_the_desk_that_finds_its_engine(
    host: Host, ran: bool, is_ours: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SY-09"""
    folder = host.home.account("demo")
    monkeypatch.setattr(engine, "running_account", lambda _host: folder if ran else None)
    monkeypatch.setattr(engine, "start_service", lambda _host, _say: Started(folder, 7, is_ours))
    for program, each in (("keyturn", host), ("keyturn --simulated", host.simulated())):
        engine.start(SimpleNamespace(obj=each))  # type: ignore[arg-type]

        assert f"`{program}` attaches a desk" in capsys.readouterr().out
