"""`keyturn doctor` looks at everything between the desk and the exchange, and says what to do (OP-10)."""

from __future__ import annotations

import os
import re
import runpy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import keyring.backends.fail
import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from console.client.ssh_agent import VARIABLE
from console.commands.assembly.host import Host
from console.commands.doctor import _holder_of_the_streams, _looser_limits, _own_connections, _ssh_agent
from core.brokers.alpaca.contract import RECORDS
from core.model.account import Mode
from core.model.api_contract import Keys
from core.model.broker import NoAnswer
from core.model.instrument import Borrow, BrokerInstrument
from core.model.values import Symbol
from core.runtime.doctor import Doctor, Finding, Places
from core.settings.settings import Settings
from state.credentials import KnownAccounts
from state.files import Home
from state.host_info import look_around
from state.running_engine import EngineLock, Heartbeat, Status
from tests.kit.security_key import SecurityKey, an_agent
from tests.scenarios.backtests import Keyturn
from tests.scenarios.house import STEADY, a_day
from tests.scenarios.live_floor import LiveFloor

ROOT = Path(__file__).resolve().parents[2]
PLACES = Places("Alpaca", "alpaca.trading_url", "alpaca.feed (sip needs a subscription) and alpaca.data_url")


def looked_at(floor: LiveFloor, ahead: float = 0.0) -> dict[str, Finding]:
    def now() -> datetime:
        return floor.now() + timedelta(seconds=ahead)

    doctor = Doctor(floor, floor.updates, floor.market, (Symbol("SPY"),), Mode.PAPER, now, RECORDS, PLACES)
    return {finding.name: finding for finding in doctor.look()}


def a_floor() -> LiveFloor:
    return LiveFloor("10:06:10", a_day(("10:06", "10:20", STEADY)))


def test_a_sound_connection_shows_its_figures(snapshot: SnapshotAssertion):
    """OP-10"""
    found = looked_at(a_floor())
    assert [name for name, finding in found.items() if not finding.ok] == []
    assert [found["broker"].detail, found["market data"].detail] == snapshot


def test_announced_removals_show_their_day(snapshot: SnapshotAssertion):
    """MD-07: before the day and after it the same line, and nothing fails by it."""
    floor = a_floor()
    here, symbols = floor.market, (Symbol("SPY"),)
    told = list(Doctor(floor, floor.updates, here, symbols, Mode.PAPER, floor.now, RECORDS, PLACES).look())
    lines = [finding.detail for finding in told if finding.name == "contract"]

    assert [line for line in lines if line.startswith("2026-09-22")] == snapshot
    assert all(finding.ok for finding in told if finding.name == "contract")


def test_the_contract_table_is_printed(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion):
    """MD-07: `make contract`"""
    runpy.run_path(str(ROOT / "docs" / "contract.py"), run_name="__main__")

    assert re.sub(r"goes \([^)]*\)", "goes (WHEN)", capsys.readouterr().out) == snapshot


def test_a_hard_to_borrow_share_is_named(snapshot: SnapshotAssertion):
    """MD-07"""
    floor = a_floor()
    lent = floor.instrument(Symbol("SPY"))
    assert isinstance(lent, BrokerInstrument)
    floor.instrument = lambda symbol: replace(lent, borrow=Borrow.HARD)
    assert looked_at(floor)["symbol SPY"].detail == snapshot


def test_an_unreachable_broker_says_what_to_check(snapshot: SnapshotAssertion):
    """EX-09"""
    floor = a_floor()
    floor.troubles["account"] = NoAnswer("no route to the host")
    found = looked_at(floor)
    assert (found["broker"].detail, found["broker"].remedy) == snapshot
    assert "account" not in found


def test_a_clock_off_by_a_second_fails():
    """EX-11"""
    found = looked_at(a_floor(), ahead=3)["clock"]
    assert not found.ok
    assert found.detail.startswith("-3.0")
    assert "NTP" in found.remedy


def test_a_set_kill_variable_is_named(tmp_path: Path):
    """OP-08, SP-04"""
    sound = {f.name: f for f in look_around(Home.of({"KEYTURN_HOME": str(tmp_path)}), {})}
    assert all(finding.ok for finding in sound.values())
    killed = {f.name: f for f in look_around(Home.of({"KEYTURN_HOME": str(tmp_path)}), {"KEYTURN_KILL": "1"})}
    assert killed["kill switch"].remedy == "unset KEYTURN_KILL"


# ── surroundings


def test_a_service_whose_folder_is_missing_is_named(tmp_path: Path) -> None:
    """SY-10: without a service the folder is made"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "not mounted")})
    with_service, without = (
        {f.name: f for f in look_around(home, {}, has_service=it)}["state folder"] for it in (True, False)
    )

    assert (with_service.ok, without.ok) == (False, True)
    assert str(home.state) in with_service.detail
    assert with_service.remedy
    assert without.remedy


@pytest.mark.parametrize("environ", [{"TMUX": "/tmp/tmux,1,0"}, {"STY": "1.x"}, {}])
def test_what_answers_for_the_terminal_has_a_line(tmp_path: Path, environ: dict[str, str]) -> None:
    """SY-10, OP-04"""
    found = {f.name: f for f in look_around(Home.of({"KEYTURN_HOME": str(tmp_path)}), environ)}["proof of painting"]

    assert (found.ok, bool(found.remedy)) == (True, bool(environ))


def test_an_agent_that_does_not_answer_fails_only_where_a_touch_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-10, OP-15: a socket of before, and none"""
    monkeypatch.delenv("TMUX", raising=False)
    for path in (str(tmp_path / "gone"), ""):
        monkeypatch.setenv(VARIABLE, path)
        needed, unneeded = (_ssh_agent(touching(it)) for it in ("live", "never"))

        assert (needed.ok, unneeded.ok) == (False, True)
        assert VARIABLE in needed.detail
        assert needed.remedy
        assert unneeded.remedy


def test_an_agent_that_answers_has_its_keys_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-10"""
    with an_agent(tmp_path, SecurityKey()) as agent:
        monkeypatch.setenv(VARIABLE, agent.path)
        found = _ssh_agent(touching("live"))

    assert found.ok
    assert "1 key" in found.detail
    assert agent.asked == [b"\x0b"]


def touching(when: str) -> Settings:
    return Settings.model_validate({"confirm": {"touch": when}})


def test_our_own_connections_are_told(tmp_path: Path) -> None:
    """SY-10: of an engine that runs, of one that has just ended, of one of before, and of none"""
    host = Host({}, Home.of({"KEYTURN_HOME": str(tmp_path)}))
    none = _own_connections(host)
    folder = host.home.account("PA1")
    folder.prepare()
    Heartbeat(folder).beat(Status("trading", 4711, "paper", 0, 0, 0, 0, 1, "PA1"))
    with EngineLock(folder):
        running = _own_connections(host)
    ended = _own_connections(host)
    os.utime(folder.heartbeat, (1_700_000_000, 1_700_000_000))
    before = _own_connections(host)

    assert [bool(found.remedy) for found in (none, running, ended, before)] == [False, False, True, False]
    assert all(found.ok for found in (none, running, ended, before))
    assert f"process {os.getpid()}" in running.detail


def test_streams_of_our_running_engine_are_left_alone(tmp_path: Path) -> None:
    """SY-10: the broker has one place for each, and refuses a second connection"""
    host = Host({}, Home.of({"KEYTURN_HOME": str(tmp_path)}))
    keys = Keys(SecretStr("PK1"), SecretStr("secret"))
    folder = host.home.account("PA1")
    folder.prepare()
    KnownAccounts(host.home).remember(keys, "PA1")
    with EngineLock(folder):
        held_by = _holder_of_the_streams(host, keys)
        others = _holder_of_the_streams(host, Keys(SecretStr("PK2"), SecretStr("secret")))
    floor = a_floor()
    floor.updates.run = floor.market.run = unconnected
    doctor = Doctor(
        floor, floor.updates, floor.market, (Symbol("SPY"),), Mode.PAPER, floor.now, RECORDS, PLACES, held_by
    )
    found = {finding.name: finding for finding in doctor.look()}

    assert (others, _holder_of_the_streams(host, keys)) == ("", "")
    for name in ("order updates", "data stream"):
        assert (found[name].ok, found[name].detail) == (True, held_by)


def unconnected(*_arguments: object) -> None:
    raise AssertionError("nothing connects")


def test_each_of_the_surroundings_has_a_line(keyturn: Keyturn) -> None:
    """SY-10: also without keys"""
    names = {finding["name"] for finding in keyturn("doctor", "--json").json}

    assert {"state folder", "proof of painting", "own connections", "proxy", "ssh-agent"} <= names


def test_without_keys_it_says_so_and_exits_one(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch):
    """OP-10: a script can rely on it."""
    for name in [name for name in os.environ if name.startswith("APCA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("keyring.core._keyring_backend", keyring.backends.fail.Keyring())
    done = keyturn("doctor", "--json")
    told = {finding["name"]: finding for finding in done.json}
    assert done.code == 1
    assert not told["settings and keys"]["ok"]
    assert "APCA_API_KEY_ID" in told["settings and keys"]["detail"]
    assert set(told["disk"]) == {"name", "ok", "detail", "remedy"}


def test_a_limit_of_a_strategy_that_changes_nothing_is_named():
    """RK-07"""
    limits = {"max_notional": {"usd": "80"}, "entries_a_day": 1}
    (found,) = _looser_limits(Settings.model_validate({"strategies": {"vwap": {"limits": limits}}}))

    assert found.ok
    assert "strategies.vwap.limits.max_notional" in found.detail
    assert not list(_looser_limits(Settings()))
