"""Files of daily bars: how they are told from minutes, and what becomes of each row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.files.csv_files import TableError
from core.market.calendar import load_calendar
from core.market.csv_source import daily_bars, is_daily, read_days
from core.market.packed_rows import BrokenRow
from core.model.values import Symbol
from tests.kit.rows import cases

CALENDAR = load_calendar(date(2012, 10, 1), date(2013, 1, 31))
FIGURES = "100,101,99,100.5,5000"


def a_file(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "SPY_daily.csv"
    path.write_text("\n".join([f"{header},open,high,low,close,volume", *rows]) + "\n")
    return path


@cases(
    "header rows daily",
    ("date", ["2012-11-01", "2012-11-02"], True),
    ("timestamp", ["2012-11-01T00:00:00Z", "2012-11-02T00:00:00Z"], True),
    ("timestamp", ["2012-11-01T04:00:00Z", "2012-11-05T05:00:00Z"], True),
    ("timestamp", ["2012-11-01T13:30:00Z", "2012-11-01T13:31:00Z"], False),
    ("timestamp", ["2012-11-01T13:30:00Z"], False),
)
def test_a_daily_file_is_recognised(tmp_path: Path, header: str, rows: list[str], daily: bool) -> None:
    """MD-05"""
    assert is_daily(a_file(tmp_path, header, *(f"{row},{FIGURES}" for row in rows))) is daily


def test_a_daily_bar_is_heard_at_the_next_open(tmp_path: Path) -> None:
    """MD-05: the day after Thanksgiving closes at 13:00 New York, and the next session is Monday's."""
    path = a_file(tmp_path, "date", f"2012-11-23,{FIGURES}")

    ((bar, whole, place),) = daily_bars(read_days(path, Symbol("SPY")), Symbol("SPY"), CALENDAR)  # type: ignore[misc]

    assert bar.start == datetime(2012, 11, 23, 14, 30, tzinfo=UTC)
    assert whole.lasts == timedelta(hours=3, minutes=30)
    assert whole.heard_at == datetime(2012, 11, 26, 14, 30, tzinfo=UTC)
    assert place == "SPY_daily.csv:2"


def test_midnight_in_new_york_names_the_day(tmp_path: Path) -> None:
    """MD-05: as brokers stamp their daily bars."""
    path = a_file(tmp_path, "timestamp", f"2012-11-01T04:00:00Z,{FIGURES}", f"2012-11-02T00:00:00Z,{FIGURES}")

    assert [row.day for row in read_days(path, Symbol("SPY")) if not isinstance(row, BrokenRow)] == [
        date(2012, 11, 1),
        date(2012, 11, 2),
    ]


def test_an_invalid_row_is_set_aside(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    path = a_file(tmp_path, "date", f"2012-11-22,{FIGURES}", "2012-11-26,100,99,98,100,5", "tomorrow,1,1,1,1,1")

    found = list(daily_bars(read_days(path, Symbol("SPY")), Symbol("SPY"), CALENDAR))

    assert found == snapshot


def test_unordered_days_are_refused(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, "date", f"2012-11-02,{FIGURES}", f"2012-11-01,{FIGURES}")

    with pytest.raises(TableError, match=r"SPY_daily\.csv:3: '2012-11-01' is earlier than the row before it"):
        read_days(path, Symbol("SPY"))
