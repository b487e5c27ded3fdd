"""`keyturn doctor` looks at everything between the desk and the exchange, and says what to do (OP-10)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from core.brokers.alpaca.contract import RECORDS
from core.model.account import Mode
from core.model.broker import NoAnswer
from core.model.instrument import Borrow, BrokerInstrument
from core.model.values import Symbol
from core.runtime.doctor import Doctor, Finding, Places
from state.folders import Home
from state.host_info import look_around
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


def test_a_sound_way_to_the_broker_is_told_with_its_figures():
    """OP-10"""
    found = looked_at(a_floor())
    assert [name for name, finding in found.items() if not finding.ok] == []
    assert "equity 200.00 USD" in found["broker"].detail
    assert "SPY 99.60 × 99.60" in found["market data"].detail


def test_what_the_broker_has_said_will_go_is_told_with_its_day():
    """MD-07: before the day and after it the same line, and nothing fails by it."""
    floor = a_floor()
    here, symbols = floor.market, (Symbol("SPY"),)
    told = list(Doctor(floor, floor.updates, here, symbols, Mode.PAPER, floor.now, RECORDS, PLACES).look())
    lines = [finding.detail for finding in told if finding.name == "contract"]

    assert any(line.startswith("2026-09-22 easy_to_borrow of an asset goes (") for line in lines)
    assert all(finding.ok for finding in told if finding.name == "contract")


def test_the_table_of_what_the_broker_promises_is_printed_with_what_is_due():
    """MD-07: `make contract`"""
    environ = os.environ | {"PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "docs/contract.py"],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("due:\n  2026-09-22 easy_to_borrow of an asset goes")
    assert "borrow_status" in done.stdout
    assert "a quote: GET /v2/stocks/quotes/latest" in done.stdout


def test_a_share_that_is_hard_to_borrow_is_told_as_such():
    """MD-07"""
    floor = a_floor()
    lent = floor.instrument(Symbol("SPY"))
    assert isinstance(lent, BrokerInstrument)
    floor.instrument = lambda symbol: replace(lent, borrow=Borrow.HARD)
    assert "hard to borrow: needs a locate" in looked_at(floor)["symbol SPY"].detail


def test_a_broker_that_cannot_be_reached_says_what_to_check():
    """EX-09"""
    floor = a_floor()
    floor.troubles["account"] = NoAnswer("no route to the host")
    found = looked_at(floor)
    assert found["broker"].detail == "no route to the host"
    assert "check the keys, the network" in found["broker"].remedy
    assert "account" not in found


def test_a_clock_that_is_off_by_more_than_a_second_fails():
    """EX-11"""
    found = looked_at(a_floor(), ahead=3)["clock"]
    assert not found.ok
    assert found.detail.startswith("-3.0")
    assert "NTP" in found.remedy


def test_a_state_folder_that_cannot_be_made_and_a_set_kill_are_named(tmp_path: Path):
    """OP-08, SP-04"""
    sound = {f.name: f for f in look_around(Home.of({"KEYTURN_HOME": str(tmp_path)}), {})}
    assert all(finding.ok for finding in sound.values())
    killed = {f.name: f for f in look_around(Home.of({"KEYTURN_HOME": str(tmp_path)}), {"KEYTURN_KILL": "1"})}
    assert killed["kill switch"].remedy == "unset KEYTURN_KILL"


def test_without_keys_it_says_so_and_exits_one(tmp_path: Path):
    """OP-10: a script can rely on it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("APCA_")}
    environ |= {"KEYTURN_HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    words = [sys.executable, "-m", "app", "doctor", "--json"]
    done = subprocess.run(words, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    told = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert not told["settings and keys"]["ok"]
    assert "APCA_API_KEY_ID" in told["settings and keys"]["detail"]
    assert set(told["disk"]) == {"name", "ok", "detail", "remedy"}
