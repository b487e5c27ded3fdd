"""Days that are over are signed by themselves, beside the engine (SP-08)."""

from __future__ import annotations

import math
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from console.commands.assembly.engines import signing_of
from console.commands.assembly.host import Host
from console.commands.program import build
from core.brokers.alpaca.connection import ALPACA
from core.ports import OperatorError
from core.settings.settings import Settings
from state.files import AccountFolder
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch
from state.proof.heads import read_heads, sign_days
from state.proof.signing_key import DailySigning
from tests.proof.journals import KEY, over, written
from tests.scenarios.house import House, minutes

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    """Two days of last year."""
    return written(tmp_path / "home" / "state" / "paper", 2, 5)


def environ(folder: AccountFolder, **more: str) -> dict[str, str]:
    home = {"KEYTURN_HOME": str(folder.path.parents[1]), "PATH": os.environ["PATH"]}
    return {**home, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", **more}


def told(signing: DailySigning) -> str | None:
    """What it says once what it began is over."""
    fault = signing.look()
    signing.settle()
    return fault or signing.look()


def program(words: str) -> list[str]:
    return [sys.executable, "-c", words]


def signs(folder: AccountFolder, **more: str) -> Result:
    return CliRunner().invoke(build(Host.of(environ(folder, **more))), ["journal", "sign", "--account", "paper"])


def test_days_that_are_over_are_signed(folder: AccountFolder) -> None:
    """SP-08: by the command that an engine starts beside itself"""
    assert signs(folder, KEYTURN_RECORD_KEY="01" * 32).exit_code == 0
    assert len(read_heads(folder.heads)) == 2


def test_without_a_key_nothing_is_signed(folder: AccountFolder) -> None:
    """SP-08"""
    assert isinstance(signs(folder).exception, OperatorError)
    assert read_heads(folder.heads) == []


def test_each_day_is_signed_once_after_its_end(tmp_path: Path) -> None:
    """SP-08: some minutes after midnight in New York"""
    runs, now = tmp_path / "runs", NOON
    daily = DailySigning(program(f"open({str(runs)!r}, 'a').write('x')"), dict(os.environ), lambda: now)

    for now, signed in (
        (NOON, 1),
        (NOON + timedelta(hours=6), 1),
        (datetime(2026, 11, 21, 5, 9, tzinfo=UTC), 1),
        (datetime(2026, 11, 21, 5, 10, tzinfo=UTC), 2),
    ):
        assert told(daily) is None
        assert len(runs.read_text()) == signed, now


def test_what_goes_wrong_is_said_once(snapshot) -> None:
    """SP-08: and no question that nobody answers stays open"""
    found = []
    for words, longest in (
        ("import sys; sys.exit('keyturn: the keyring does not open: unlock it')", 600),
        ("import sys; sys.exit(3)", 600),
        ("import signal; signal.pause()", 0),
    ):
        daily = DailySigning(program(words), dict(os.environ), lambda: NOON, longest=longest)
        found.append(told(daily))
        assert daily.look() is None
    found.append(told(DailySigning(["/nowhere/keyturn"], dict(os.environ), lambda: NOON)))

    assert found == snapshot


def test_an_engine_says_that_there_is_no_key(folder: AccountFolder, snapshot) -> None:
    """SP-08: one line, no halt"""
    house = House(minutes("09:30", "09:40")).opens()
    switch = FileKillSwitch(folder, {})
    keeper = Housekeeping(folder, switch, lambda: None, lambda _: None, lambda _: "on", saved_at=math.inf)
    keeper.signing = DailySigning(program("exit('keyturn: no key')"), dict(os.environ), lambda: NOON)

    keeper.look(house.line)
    keeper.signing.settle()
    keeper.look(house.line)

    assert house.line.engine.notes == snapshot
    assert not house.desk.control.halts


def test_a_stop_ends_what_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-08"""
    begun = threading.Event()
    monkeypatch.setattr(os, "setpriority", lambda *_: begun.set())
    daily = DailySigning(program("import signal; signal.pause()"), dict(os.environ), lambda: NOON)

    assert daily.look() is None
    begun.wait()
    daily.close()
    daily.settle()

    assert (daily.look() or "").endswith("-15")


def test_the_settings_ask_for_daily_signing(folder: AccountFolder) -> None:
    """SP-08, SY-06: off at first, for a keyring may ask a person; the broker's keys stay here"""
    host = Host.of(environ(folder, APCA_API_SECRET_KEY="of the broker"))
    assert signing_of(host, folder, Settings()) is None
    daily = signing_of(host, folder, Settings.model_validate({"proof": {"sign_daily": True}}), (ALPACA.keys,))
    assert daily is not None
    assert daily.environ == environ(folder)
    assert list(daily.program[-4:]) == ["journal", "sign", "--account", "paper"]


def test_two_who_sign_at_once_sign_each_day_once(folder: AccountFolder) -> None:
    """SP-08"""
    gate, found = threading.Barrier(4), []

    def sign() -> None:
        gate.wait()
        found.extend(sign_days(folder, KEY, over(2)))

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(read_heads(folder.heads)) == 2
