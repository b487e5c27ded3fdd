"""`keyturn export history`: a day's orders and trades from the journal, without an engine (SY-08)."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from state.files import Home
from tests.scenarios.backtests import Keyturn, keyturn, minutes_of, only_before  # noqa: F401


@pytest.fixture
def home(keyturn: Keyturn, tmp_path: Path) -> Path:  # noqa: F811
    """A stopped account with the mornings of a seeded week."""
    minutes = only_before("17:00", minutes_of(tmp_path / "SPY_seeded.csv"))
    words = ("replay", minutes, "--headless", "--operator", "confirm-all", "--profile", "swing", "--json")
    assert keyturn(*words, "--journal-dir", tmp_path / "played").code == 0
    journal = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("DEMO").journal
    journal.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(tmp_path / "played", journal)
    return tmp_path


def test_a_days_rows_come_without_an_engine(keyturn: Keyturn, home: Path) -> None:  # noqa: F811
    """SY-08: as JSON, as CSV with every column, and as a table; the last day unless one is named"""
    measures = keyturn("measures", "--journal-dir", home / "played", "--json").json
    every = []
    for day in ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09"):
        found = keyturn("export", "history", "--account", "DEMO", "--day", day, "--json")
        every += found.json if found.code == 0 else []
    last = keyturn("export", "history", "--account", "DEMO", "--json").json
    lines = keyturn("export", "history", "--account", "DEMO", "--csv").out.splitlines()

    assert len(lines) == len(last) + 1
    profits = [Decimal(row["profit"]) for row in every if row["kind"] == "trade"]
    assert (len(profits), sum(profits)) == (measures["trades"]["trades"], Decimal(str(measures["trades"]["profit"])))
    assert keyturn("export", "history", "--account", "DEMO").code == 0


def test_what_cannot_be_exported_says_why(keyturn: Keyturn, home: Path) -> None:  # noqa: F811
    for words in (("history", "--day", "2025-12-01"), ("positions", "--day", "2026-01-05"), ("histories",)):
        answer = keyturn("export", *words, "--account", "DEMO")
        assert (answer.code, len(answer.err.splitlines())) == (2, 1)
