"""Parquet files: the same bars as of the CSV file with these rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from core.files import parquet as parquet_files
from core.files.csv_files import FileFault, TableError
from core.files.parquet import write_lines
from core.market.csv_source import is_daily, read_bars, read_days, symbol_named_in
from core.market.packed_rows import BrokenRow
from core.model.bar import Bar
from core.model.values import Symbol
from tests.kit.rows import table

SPY = Symbol("SPY")
FIRST = datetime(2013, 10, 8, 14, 50, tzinfo=UTC)
TIMES = [FIRST + timedelta(minutes=minute) for minute in range(4)]
PRICES = {
    "open": [166.8, 166.76, 100.0, 166.7],
    "high": [166.9, 166.8, 167.0, 166.7],
    "low": [166.7, 166.6, 99.1, 166.7],
    "close": [166.76, 166.7, 166.123, 166.7],
}
VOLUMES = [120_000, 90_000, 1, 0]


def a_file(folder: Path, times: object, name: str = "timestamp", **more: object) -> Path:
    path = folder / "SPY_1min.parquet"
    polars.DataFrame({name: times, **PRICES, "volume": VOLUMES, **more}).write_parquet(path)
    return path


def as_csv(path: Path) -> Path:
    """The lines that the reader's own process writes, as a file: the process takes half a second to start."""
    with path.open("rb") as file, path.with_suffix(".csv").open("w") as lines:
        write_lines(file, lines)
    return path.with_suffix(".csv")


def figures(bar: Bar | BrokenRow) -> list[str]:
    assert isinstance(bar, Bar)
    return [bar.start.isoformat(), *(str(each) for each in (bar.open, bar.high, bar.low, bar.close, bar.volume))]


NEW_YORK = timezone(timedelta(hours=-4))
OF_PANDAS = polars.Series(TIMES).dt.cast_time_unit("ns").dt.convert_time_zone("America/New_York")


@table(
    "name, times",
    ("timestamp", TIMES),
    ("timestamp", [each.astimezone(NEW_YORK) for each in TIMES]),
    ("__index_level_0__", OF_PANDAS),
    ("t", [int(each.timestamp() * 1000) for each in TIMES]),
    ("datetime", [each.isoformat() for each in TIMES]),
)
def test_the_lines_of_a_parquet_file_are_its_bars(tmp_path: Path, name: str, times: object) -> None:
    """MD-05"""
    path = as_csv(a_file(tmp_path, times, name, symbol=["SPY"] * 4, note=["", "a\r\nb", "\n", None]))

    assert symbol_named_in(path) == SPY
    assert not is_daily(path)
    assert [figures(bar) for bar in read_bars(path, SPY)] == [
        ["2013-10-08T14:50:00+00:00", "166.8", "166.9", "166.7", "166.76", "120000"],
        ["2013-10-08T14:51:00+00:00", "166.76", "166.8", "166.6", "166.7", "90000"],
        ["2013-10-08T14:52:00+00:00", "100.0", "167.0", "99.1", "166.123", "1"],
        ["2013-10-08T14:53:00+00:00", "166.7", "166.7", "166.7", "166.7", "0"],
    ]


@table("kind", polars.Date(), polars.Datetime("ns"))
def test_a_parquet_file_of_days_is_read(tmp_path: Path, kind: polars.DataType) -> None:
    """MD-05"""
    days = [date(2024, 1, day) for day in (2, 3, 4, 5)]
    path = as_csv(a_file(tmp_path, polars.Series(days).cast(kind), "date"))

    assert is_daily(path)
    assert [row.day for row in read_days(path, SPY) if not isinstance(row, BrokenRow)] == days


def test_columns_that_no_cell_can_hold_are_left_out(tmp_path: Path) -> None:
    """MD-08"""
    odd = {"parts": [[1.0, 2.0]] * 4, "lasts": [timedelta(minutes=1)] * 4, "raw": [b"\xff"] * 4}
    path = a_file(tmp_path, TIMES, **odd)

    assert len(read_bars(as_csv(path), SPY)) == len(TIMES)


def test_days_beside_a_clock_at_midnight_are_days(tmp_path: Path) -> None:
    """MD-05"""
    days = [date(2024, 1, day) for day in (2, 3, 4, 5)]

    assert is_daily(as_csv(a_file(tmp_path, days, "date", time=[time()] * 4)))


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    """MD-08"""
    path = a_file(tmp_path, TIMES)
    polars.read_parquet(path).clear().write_parquet(path)

    with pytest.raises(TableError) as refused:
        read_bars(as_csv(path), SPY)

    assert refused.value.fault is FileFault.VALUE


def test_exact_decimals_stay_exact(tmp_path: Path) -> None:
    """MD-05"""
    prices = {name: [Decimal(f"{each:.4f}") for each in column] for name, column in PRICES.items()}
    path = tmp_path / "SPY_1min.pq"
    polars.DataFrame({"timestamp": TIMES, **prices, "volume": VOLUMES}).write_parquet(path)

    assert [str(bar.open) for bar in read_bars(as_csv(path), SPY) if isinstance(bar, Bar)] == [
        "166.8000",
        "166.7600",
        "100.0000",
        "166.7000",
    ]


def test_a_row_without_a_price_is_broken(tmp_path: Path) -> None:
    """MD-08"""
    path = a_file(tmp_path, TIMES)
    opened = polars.Series("open", [166.8, None, float("nan"), 166.7])
    polars.read_parquet(path).with_columns(opened).write_parquet(path)

    assert [isinstance(row, BrokenRow) for row in read_bars(as_csv(path), SPY)] == [False, True, True, False]


def test_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    """MD-08"""
    path = as_csv(a_file(tmp_path, [each.replace(tzinfo=None) for each in TIMES]))

    with pytest.raises(TableError) as refused:
        read_bars(path, SPY)

    assert refused.value.fault is FileFault.ZONE


def test_a_parquet_file_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    """MD-05"""
    path = a_file(tmp_path, TIMES)

    assert [*read_bars(path, SPY)] == [*read_bars(as_csv(path), SPY)]


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    """MD-08: half of one ends the process that reads it"""
    path = a_file(tmp_path, TIMES)
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(TableError) as refused:
        read_bars(path, SPY)

    assert refused.value.fault is FileFault.FILE


def test_without_the_library_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD-08"""
    path = a_file(tmp_path, TIMES)
    monkeypatch.setattr(parquet_files, "find_spec", lambda _name: None)

    with pytest.raises(TableError, match=r"keyturn\[research\]") as refused:
        read_bars(path, SPY)

    assert refused.value.fault is FileFault.FILE
