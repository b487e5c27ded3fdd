"""What the protections did on recorded days: four of October 2013, minute by minute."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import app
from core.facts import ProtectionTripped, TradeClosed
from state.journal import read
from tests.data import MARKET
from tests.kit.rows import cases


@cases(
    "profile trades trips", ("micro", 2, {}), ("swing", 8, {"stop_loss_guard": 3, "low_profit": 4, "loss_streak": 2})
)
def test_small_losses_trip_streaks_and_no_drawdown(
    profile: str, trades: int, trips: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RK-04, RK-05, RK-09, RK-13: one symbol, every proposal confirmed."""
    file = str(MARKET / "AIG_1min_2013-10-07_to_2013-10-10.csv")
    words = ["replay", file, "--symbol", "AIG", "--headless", "--operator", "confirm-all", "--json"]
    words += ["--profile", profile, "--journal-dir", str(tmp_path / "journal")]
    words += ["--set", "strategies.vwap.limits.windows=[]"]
    monkeypatch.setenv("KEYTURN_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["keyturn", *words])
    with pytest.raises(SystemExit) as ended:
        app.main()
    facts = [record.fact for record in read(tmp_path / "journal")]

    assert not ended.value.code
    assert sum(isinstance(fact, TradeClosed) for fact in facts) == trades
    assert Counter(fact.name for fact in facts if isinstance(fact, ProtectionTripped)) == trips
