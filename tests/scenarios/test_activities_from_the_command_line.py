"""`keyturn activities`: the days of a journal, each explained, in words and as JSON."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from state.folders import AccountFolder
from state.journal import FileJournal
from tests.scenarios.backtests import Keyturn
from tests.scenarios.test_a_month_of_the_account import SESSIONS, a_house, buys, sells_all


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Eight sessions of an account with a trade, fees, a dividend, interest and a transfer, on the disk."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    sells_all(house, "09:36", SESSIONS[5])
    house.until("21:00", SESSIONS[8])
    folder = AccountFolder(tmp_path / "DEMO")
    with closing(FileJournal(folder)) as kept:
        for record in house.journal.records():
            kept.append(record.at, record.fact)
        kept.sync()
    return folder.journal


def test_a_range_of_days_is_told_with_every_part_to_the_cent(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    told = keyturn("activities", "--journal-dir", journal, "--range", "2026-11-04..2026-11-12").out

    assert [line for line in told.split("\n") if line.startswith("2026-")] == [
        f"2026-11-{day:02d}" for day in (4, 5, 6, 9, 10, 11, 12)
    ]
    assert "dividend SPY +3.33 USD of 2026-11-05" in told
    assert "NOT EXPLAINED" not in told
    assert told.count("closing equity") == 7


def test_a_day_is_told_as_json(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    (day,) = json.loads(keyturn("activities", "--journal-dir", journal, "--day", "2026-11-09", "--json").out)

    names = [part["name"] for part in day["parts"]]
    assert (day["day"], day["rest"], day["differences"]) == ("2026-11-09", "0.00", [])
    assert names[:3] == ["opening equity", "realised SPY", "open positions"]
    assert [one["words"].partition(" USD")[0] for one in day["activities"]] == ["fee -0.03", "fee -0.01"]


def test_without_a_day_the_last_is_told(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    assert keyturn("activities", "--journal-dir", journal).out.startswith(f"{SESSIONS[8]}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--day", "monday"), "is no day such as 2026-11-20"),
        (("--range", "2026-11-04"), "two days with .. between them"),
        (("--range", "2026-11-04..now"), "is no day such as 2026-11-20"),
        (("--day", "2026-11-04", "--range", "2026-11-04..2026-11-05"), "one of them, not both"),
    ],
)
def test_what_is_no_day_is_refused(keyturn: Keyturn, journal: Path, words: tuple[str, ...], said: str) -> None:
    """AN-06"""
    answer = keyturn("activities", "--journal-dir", journal, *words)

    assert answer.code == 2
    assert said in answer.err


@pytest.mark.parametrize(("day", "name", "usd"), [("05", "dividend SPY", "3.33"), ("09", "fee", "-0.03")])
def test_a_day_that_is_explained_names_what_moved_cash_without_a_fill(
    keyturn: Keyturn, journal: Path, day: str, name: str, usd: str
) -> None:
    """AN-06: its rest is nothing."""
    found = json.loads(keyturn("explain", f"2026-11-{day}", "--journal-dir", journal, "--json").out)

    (told,) = found["days"]
    assert {"name": name, "amount": usd} in told["parts"]
    assert told["rest"] == "0.00"
