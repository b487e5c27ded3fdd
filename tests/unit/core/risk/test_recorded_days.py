"""What the protections did on recorded days: four of October 2013 by the minute, 2008 and 2020 by the day."""

from __future__ import annotations

from datetime import date

import pytest

from tests.bench.daily_dips import Season, seasons_of
from tests.bench.risk_days import minutes_of
from tests.unit.core.risk.regime.seasons import DATA, real_data


def season_of(year: int, profile: str) -> Season:
    return next(season for season in seasons_of(DATA, year) if season.profile == profile)


@real_data
@pytest.mark.parametrize(
    ("profile", "trips", "refused"),
    [("micro", ["10-08 14:49", "10-09 14:53"], 2), ("swing", ["10-07 19:47", "10-09 14:53"], 1135)],
)
def test_what_the_first_gains_made_was_lost_again_and_the_drawdown_shut_a_day(
    profile: str, trips: list[str], refused: int
) -> None:
    """RK-04, RK-09: four symbols, every proposal confirmed; nothing else tripped."""
    told = list(minutes_of(DATA, profile))

    assert [line[:11] for line in told if "TRIPPED  max_drawdown global" in line] == trips
    assert len([line for line in told if "TRIPPED" in line]) == len(trips)
    assert sum(int(line.split()[0]) for line in told if "not staged: max drawdown" in line) == refused
    assert "10-10 14:53 UTC  ended    max_drawdown global" in told


@real_data
def test_the_equity_curve_stopped_buying_dips_in_october_2008() -> None:
    """RK-13: after twenty trades that lost on average; what it refused went on as shadows and lost too."""
    swing = season_of(2008, "swing")

    assert swing.stopped_first == (date(2008, 10, 8), "equity_curve")
    assert (swing.dips, swing.taken) == (40, 21)
    assert swing.made < 0


@real_data
def test_the_range_of_spy_allowed_no_dip_of_the_crash_of_2020() -> None:
    """RK-12: the crash fell by a third from here."""
    micro = season_of(2020, "micro")

    assert micro.stopped_first == (date(2020, 2, 25), "trade frequency")
    (frequency,) = (row for row in micro.rows if row.name == "trade frequency")
    assert frequency.reason == "SPY's range is 1.53 × its average, over 1.5: none today"
    assert micro.made > 0 > micro.made_by_all
