"""Backtests of several files run beside each other, each in a process of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.scenarios.backtests import keyturn_at, minutes_of

DAY = date(2026, 1, 5)


def test_files_are_played_each_in_its_process(tmp_path: Path) -> None:
    """AN-04: told in the order in which they were named."""
    keyturn = keyturn_at(tmp_path / "home")
    first, second = (minutes_of(tmp_path / f"{name}_seeded.csv", name, DAY) for name in ("IBM", "SPY"))
    words = ("--strategy", "vwap", "--json")

    found = keyturn("backtest", first, second, *words).json

    assert [each["file"] for each in found] == ["IBM_seeded.csv", "SPY_seeded.csv"]
    assert found[1] == keyturn("backtest", second, *words).json
