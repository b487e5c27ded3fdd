"""Days that are over are signed by themselves, beside the engine (SP-08)."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from console.commands.assembly.engines import signing_of
from console.commands.assembly.host import Host
from console.commands.assembly.own_program import own_program
from core.brokers.alpaca.connection import ALPACA
from core.settings.settings import Settings
from state.folders import AccountFolder
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch
from state.proof.daily_signing import DailySigning
from state.proof.heads import read_heads, sign_days
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


def signing(folder: AccountFolder, now: Callable[[], datetime] = lambda: NOON, **more: str) -> DailySigning:
    return DailySigning(own_program("journal", "sign", "--account", "paper"), environ(folder, **more), now)


def told(signing: DailySigning, until: Callable[[], bool] = lambda: False) -> str | None:
    """What it says at last, or None once what is waited for is there."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if fault := signing.look():
            return fault
        if until():
            return None
        time.sleep(0.02)
    pytest.fail("nothing came of it")


def program(words: str) -> list[str]:
    return [sys.executable, "-c", words]


def test_what_is_owed_is_signed_at_a_start(folder: AccountFolder) -> None:
    """SP-08: by a process of its own; the engine's look never waits for it"""
    began = signing(folder, KEYTURN_RECORD_KEY="01" * 32)
    at = time.monotonic()
    assert began.look() is None
    assert time.monotonic() - at < 0.2
    assert told(began, lambda: len(read_heads(folder.heads)) == 2) is None


def test_each_day_is_signed_once_some_minutes_after_its_end(tmp_path: Path) -> None:
    """SP-08: a day ends at midnight in New York"""
    runs, now = tmp_path / "runs", NOON
    daily = DailySigning(program(f"open({str(runs)!r}, 'a').write('x')"), dict(os.environ), lambda: now)

    def many() -> int:
        return len(runs.read_text()) if runs.exists() else 0

    assert told(daily, lambda: many() == 1) is None
    for now in (NOON + timedelta(hours=6), datetime(2026, 11, 21, 5, 9, tzinfo=UTC)):  # noqa: B007 (its clock)
        assert daily.look() is None
        assert daily._signed_on == date(2026, 11, 20)
    now = datetime(2026, 11, 21, 5, 10, tzinfo=UTC)
    assert told(daily, lambda: many() == 2) is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            "import sys; sys.exit('keyturn: the keyring does not open: unlock it')",
            "the keyring does not open: unlock it",
        ),
        ("import sys; sys.exit(3)", "it ended with 3"),
        ("import time; time.sleep(60)", "it did not end in 0.01 minutes"),
    ],
)
def test_what_goes_wrong_is_said_once(words: str, why: str) -> None:
    """SP-08: and no question that nobody answers stays open"""
    daily = DailySigning(program(words), dict(os.environ), lambda: NOON, longest=0.6)
    if "sleep" not in words:
        daily.longest = 30
    assert told(daily) == f"the days that are over were not signed: {why}"
    assert daily.look() is None


def test_a_program_that_is_not_there_is_said() -> None:
    daily = DailySigning(["/nowhere/keyturn"], dict(os.environ), lambda: NOON)
    assert told(daily) == "the days that are over were not signed: No such file or directory"


def test_an_engine_says_that_there_is_no_key_and_goes_on(folder: AccountFolder) -> None:
    """SP-08: one line, no halt"""
    house = House(minutes("09:30", "09:40")).opens()
    keeper = Housekeeping(folder, FileKillSwitch(folder, {}), lambda: None, lambda _: None, lambda _: "on")
    keeper.signing = signing(folder)
    ends = time.monotonic() + 60
    while not house.line.engine.notes and time.monotonic() < ends:
        keeper.look(house.line)
        time.sleep(0.02)
    assert "were not signed: no key signs this record: keyturn journal key --new" in " ".join(house.line.engine.notes)
    assert not house.desk.control.halts


def test_a_stop_ends_what_it_began(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    daily = DailySigning(
        program(f"open({str(begun)!r}, 'w'); import time; time.sleep(60)"), dict(os.environ), lambda: NOON
    )
    assert told(daily, begun.exists) is None
    daily.close()
    assert "it ended with -15" in (told(daily) or "")


def test_the_settings_ask_for_it(folder: AccountFolder) -> None:
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
