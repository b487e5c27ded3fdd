"""The long form of `tests/scenarios/test_day_figures.py`: a recorded year of days, and a seeded month of minutes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.scenarios.backtests import minutes_of
from tests.scenarios.figures_oracle import cents, closes_of, fills_of, worth_at_closes
from tests.scenarios.test_day_figures import days_that_moved, explained, played_days, played_over_nights


def test_a_year_of_daily_bars_counts_on_its_days(tmp_path: Path) -> None:
    """AN-06"""
    assert len(days_that_moved(played_days(tmp_path, "2008-06", "2009-06"), "2008-06-02..2009-05-28")) > 20


def test_a_seeded_month_is_explained_to_the_cent(tmp_path: Path) -> None:
    """AN-06, AN-01"""
    bars = minutes_of(tmp_path / "SPY_seeded.csv", last=date(2026, 2, 3))
    header, *lines = bars.read_text().splitlines()
    bars.write_text("\n".join([header, *(line for line in lines if not "14:40" < line[11:16] < "20:40")]) + "\n")
    keyturn, journal, _ = played_over_nights(tmp_path, bars, late="20:40")

    worth = worth_at_closes(fills_of(journal), {"SPY": closes_of(bars)})
    days = explained(keyturn, journal, "2026-01-05..2026-02-02")

    assert {day["day"]: day["closing"] for day in days} == {
        day: cents(amount) for day, amount in list(worth.items())[:-1]
    }
    assert {day["rest"] for day in days} == {"0.00"}
    assert len(days) == 20
