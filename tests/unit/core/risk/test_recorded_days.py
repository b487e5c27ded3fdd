"""What the protections did on recorded days: four of October 2013 by the minute, 2008 and 2020 by the day."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from tests.bench.daily_dips import Season, seasons_of
from tests.bench.risk_days import minutes_of
from tests.data import MARKET


def season_of(year: int, profile: str) -> Season:
    return next(season for season in seasons_of(MARKET, year) if season.profile == profile)


@pytest.mark.parametrize(
    ("profile", "trades", "trips"),
    [("micro", 2, {}), ("swing", 17, {"loss_streak": 7, "stop_loss_guard": 4, "low_profit": 2})],
)
def test_small_losses_trip_streaks_and_no_drawdown(profile: str, trades: int, trips: dict[str, int]) -> None:
    """RK-04, RK-05, RK-09, RK-13: four symbols, every proposal confirmed; 0.31 of 200 USD, some 260 of 100,000

    What the market only touched is not filled: three dips of BAC that had won among it (AN-04).
    """
    told = list(minutes_of(MARKET, profile))

    assert sum("trade    " in line for line in told) == trades
    assert Counter(line.split()[4] for line in told if "TRIPPED" in line) == trips


def test_the_equity_curve_stopped_in_october_2008() -> None:
    """RK-13: after twenty trades that lost on average; what it refused went on as shadows and lost too."""
    swing = season_of(2008, "swing")

    assert swing.stopped_first == (date(2008, 10, 8), "equity_curve")
    assert (swing.dips, swing.taken) == (40, 21)
    assert swing.made < 0


def test_spys_range_allowed_no_dip_in_the_2020_crash() -> None:
    """RK-12: the crash fell by a third from here."""
    micro = season_of(2020, "micro")

    assert micro.stopped_first == (date(2020, 2, 25), "trade frequency")
    (frequency,) = (row for row in micro.rows if row.name == "trade frequency")
    assert frequency.reason == "SPY's range is 1.53 × its average, over 1.5: none today"
    assert micro.made > 0 > micro.made_by_all
