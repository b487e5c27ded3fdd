"""What the protections did on recorded days: four of October 2013 by the minute, 2008 and 2020 by the day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

import app
from tests.bench.daily_dips import Season, seasons_of
from tests.bench.risk_days import SPAN, told
from tests.data import MARKET


def season_of(year: int, profile: str) -> Season:
    return next(season for season in seasons_of(MARKET, year) if season.profile == profile)


@pytest.mark.parametrize(
    ("profile", "trades", "trips"),
    [("micro", 2, {}), ("swing", 8, {"stop_loss_guard": 3, "low_profit": 4, "loss_streak": 2})],
)
def test_small_losses_trip_streaks_and_no_drawdown(
    profile: str, trades: int, trips: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RK-04, RK-05, RK-09, RK-13: four days of one symbol, every proposal confirmed."""
    words = ["replay", str(MARKET / f"AIG_{SPAN}.csv"), "--symbol", "AIG", "--headless", "--operator", "confirm-all"]
    words += ["--json", "--profile", profile, "--journal-dir", str(tmp_path / "journal")]
    monkeypatch.setenv("KEYTURN_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["keyturn", *words])
    with pytest.raises(SystemExit) as ended:
        app.main()
    lines = list(told(tmp_path / "journal"))

    assert not ended.value.code
    assert sum("trade    " in line for line in lines) == trades
    assert Counter(line.split()[4] for line in lines if "TRIPPED" in line) == trips


def test_the_equity_curve_stopped_in_october_2008() -> None:
    """RK-13: after twenty trades that lost on average; what it refused went on as shadows and lost too."""
    swing = season_of(2008, "swing")

    assert swing.stopped_first == (date(2008, 10, 8), "equity_curve")
    assert (swing.dips, swing.taken) == (40, 21)
    assert swing.made < 0


def test_spys_range_allowed_no_dip_in_the_2020_crash(snapshot: SnapshotAssertion) -> None:
    """RK-12: the crash fell by a third from here."""
    micro = season_of(2020, "micro")

    assert micro.stopped_first == (date(2020, 2, 25), "trade frequency")
    (frequency,) = (row for row in micro.rows if row.name == "trade frequency")
    assert frequency.reason == snapshot
    assert micro.made > 0 > micro.made_by_all
