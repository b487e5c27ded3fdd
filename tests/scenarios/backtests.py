"""The program with a home of its own, and seeded files to play: what tests of backtests begin with."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer.main

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


_built: dict[tuple[object, ...], Any] = {}


def built_once(command_info: Any, make: Any = typer.main.get_command_from_info, **terms: Any) -> Any:
    """The parser of a command: to make all of them anew for each call takes longer than most commands."""
    key = (command_info.name, command_info.callback, *terms.values())
    if key not in _built:
        _built[key] = make(command_info=command_info, **terms)
    return _built[key]


@pytest.fixture
def keyturn(tmp_path: Path) -> Keyturn:
    """The program with a home of its own, called with words; `typed` is what the operator types."""
    return keyturn_at(tmp_path / "home")


def keyturn_at(home: Path) -> Keyturn:
    def call(*words: object, typed: str = "") -> Answer:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
            patch.setenv("KEYTURN_HOME", str(home))
            patch.setattr("sys.argv", ["keyturn", *map(str, words)])
            patch.setattr("sys.stdin", io.StringIO(typed))
            patch.setattr(typer.main, "get_command_from_info", built_once)
            with redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit) as ended:
                app.main()
        return Answer(ended.value.code or 0, out.getvalue(), err.getvalue())  # type: ignore[arg-type]

    return call


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """A seeded week of SPY."""
    return minutes_of(tmp_path / "SPY_seeded.csv")


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """The mornings of its first two days."""
    return only_before("18:00", minutes_of(tmp_path / "SPY_seeded.csv", last=date(2026, 1, 6)))


def minutes_of(path: Path, symbol: str = "SPY", last: date = date(2026, 1, 9)) -> Path:
    path.write_text(_minutes(Symbol(symbol), last))
    return path


def only_before(clock: str, path: Path) -> Path:
    """Of each day the bars before that time of UTC."""
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(line for line in lines if line[11:16] < clock)]) + "\n")
    return path


@cache
def _minutes(symbol: Symbol, last: date) -> str:
    sessions = [s for s in load_calendar(date(2026, 1, 5), last).sessions() if s.day <= last]
    rows = [
        f"{bar.start:%Y-%m-%dT%H:%M:%SZ},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in synthetic_sessions(1, symbol, sessions)
    ]
    return "\n".join([f"timestamp,{HEADER}", *rows]) + "\n"


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Two seeded years of days, which rise and fall in long waves."""
    return days_of(tmp_path / "QQQ_daily_seeded.csv")


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """The first year of them."""
    return days_of(tmp_path / "QQQ_daily_seeded.csv", 250)


def days_of(path: Path, rows: int | None = None) -> Path:
    path.write_text(_days())
    return path if rows is None else shortened(path, rows)


def shortened(path: Path, rows: int) -> Path:
    path.write_text("\n".join(path.read_text().splitlines()[: rows + 1]) + "\n")
    return path


@cache
def _days() -> str:
    chance, close, rows = Random("days"), 30_000, []
    for number, session in enumerate(load_calendar(date(2022, 1, 3), date(2023, 12, 15)).sessions()):
        opened = close + chance.randint(-60, 60)
        close = max(1000, opened + chance.randint(-300, 300) + round(120 * math.sin(number / 17)))
        high, low = max(opened, close) + chance.randint(0, 150), min(opened, close) - chance.randint(0, 150)
        figures = ",".join(f"{cents / 100:.2f}" for cents in (opened, high, low, close))
        rows.append(f"{session.day},{figures},{chance.randint(40, 90)}000000")
    return "\n".join([f"date,{HEADER}", *rows]) + "\n"
