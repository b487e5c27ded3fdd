"""What the protections did on recorded days: four of October 2013, minute by minute."""

from __future__ import annotations

from collections import Counter
from datetime import time
from pathlib import Path

import pytest

import app
from core.facts import Fact, ProtectionTripped, SignalRaised, TradeClosed
from core.model.session import XNYS
from core.model.signal import EntrySignal
from core.settings.settings import PROFILES
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
    facts = played(profile, tmp_path, monkeypatch, "strategies.vwap.limits.windows=[]")

    assert sum(isinstance(fact, TradeClosed) for fact in facts) == trades
    assert Counter(fact.name for fact in facts if isinstance(fact, ProtectionTripped)) == trips


@cases("profile", *PROFILES)
def test_vwap_enters_inside_its_window_in_every_profile(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RK-07: by the start of the bar; the account's window of swing is 09:35 to 15:45"""
    facts = played(profile, tmp_path, monkeypatch, "strategies.vwap.entry_deviation=0.001")
    entries = [f.signal for f in facts if isinstance(f, SignalRaised) and isinstance(f.signal, EntrySignal)]
    starts = sorted(XNYS.local(entry.bar_start).time() for entry in entries)

    assert len(starts) > 1
    assert time(10) <= starts[0]
    assert starts[-1] <= time(11, 30)


def played(profile: str, folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> list[Fact]:
    """Replay the days, every proposal confirmed."""
    file = str(MARKET / "AIG_1min_2013-10-07_to_2013-10-10.csv")
    words = ["replay", file, "--symbol", "AIG", "--headless", "--operator", "confirm-all", "--json"]
    words += ["--profile", profile, "--journal-dir", str(folder / "journal"), "--set", setting]
    monkeypatch.setenv("KEYTURN_HOME", str(folder))
    monkeypatch.setattr("sys.argv", ["keyturn", *words])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert not ended.value.code
    return [record.fact for record in read(folder / "journal")]
