"""The program with a home of its own, and seeded files to play: what tests of backtests begin with."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

import app
from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_sessions
from core.model.values import Symbol

HEADER = "open,high,low,close,volume"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Keyturn = Callable[..., Answer]


@pytest.fixture
def keyturn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keyturn:
    """The program with a home of its own, called with words; `typed` is what the operator types."""
    monkeypatch.setenv("KEYTURN_HOME", str(tmp_path / "home"))

    def call(*words: object, typed: str = "") -> Answer:
        monkeypatch.setattr("sys.argv", ["keyturn", *map(str, words)])
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            app.main()
        found = capsys.readouterr()
        return Answer(ended.value.code or 0, found.out, found.err)  # type: ignore[arg-type]

    return call


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """A seeded week of SPY."""
    return minutes_of(tmp_path / "SPY_seeded.csv")


def minutes_of(path: Path, symbol: str = "SPY") -> Path:
    calendar = load_calendar(date(2026, 1, 5), date(2026, 1, 9))
    sessions = [s for s in calendar.sessions() if s.day <= date(2026, 1, 9)]
    rows = [
        f"{bar.start:%Y-%m-%dT%H:%M:%SZ},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in synthetic_sessions(1, Symbol(symbol), sessions)
    ]
    path.write_text("\n".join([f"timestamp,{HEADER}", *rows]) + "\n")
    return path


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Two seeded years of days, which rise and fall in long waves."""
    chance, close, rows = Random("days"), 30_000, []
    for number, session in enumerate(load_calendar(date(2022, 1, 3), date(2023, 12, 15)).sessions()):
        opened = close + chance.randint(-60, 60)
        close = max(1000, opened + chance.randint(-300, 300) + round(120 * math.sin(number / 17)))
        high, low = max(opened, close) + chance.randint(0, 150), min(opened, close) - chance.randint(0, 150)
        figures = ",".join(f"{cents / 100:.2f}" for cents in (opened, high, low, close))
        rows.append(f"{session.day},{figures},{chance.randint(40, 90)}000000")
    path = tmp_path / "QQQ_daily_seeded.csv"
    path.write_text("\n".join([f"date,{HEADER}", *rows]) + "\n")
    return path


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Two seeded days of SPY as a file."""
    calendar = load_calendar(date(2026, 1, 5), date(2026, 1, 6))
    sessions = [s for s in calendar.sessions() if s.day <= date(2026, 1, 6)]
    rows = [
        f"{bar.start:%Y-%m-%dT%H:%M:%SZ},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in synthetic_sessions(1, Symbol("SPY"), sessions)
    ]
    path = tmp_path / "SPY_seeded.csv"
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path
