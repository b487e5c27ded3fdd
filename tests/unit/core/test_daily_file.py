"""Daily figures from a file: read exactly, or refused with the place and what to do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.files.csv_files import TableError, read_daily_bars, read_daily_values
from core.model.sizing import DailyBar, DailyValue
from core.model.values import Price
from tests.kit.rows import cases

HEAD = "date,open,high,low,close,volume\n"


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "SPY_daily.csv"
    path.write_text(text)
    return path


def test_extra_columns_are_ignored(tmp_path: Path) -> None:
    """RK-19"""
    path = a_file(tmp_path, HEAD + "2020-02-24,330,332.9,321.5,322.42,1\n2020-02-25,323,325,310,311.50,1\n")

    assert read_daily_bars(path) == [
        DailyBar(date(2020, 2, 24), *(Price(Decimal(figure)) for figure in ("332.9", "321.5", "322.42"))),
        DailyBar(date(2020, 2, 25), *(Price(Decimal(figure)) for figure in ("325", "310", "311.50"))),
    ]


def test_an_index_needs_its_close_alone(tmp_path: Path) -> None:
    """RK-19"""
    path = a_file(tmp_path, "Date,Close\n2020-02-24,25.03\n")

    assert read_daily_values(path) == [DailyValue(date(2020, 2, 24), Decimal("25.03"))]


@cases(
    "text days",
    ("DATE,OPEN,HIGH,LOW,CLOSE\n02/24/2020,20,27,20,25.030000\n03/16/2020,57,84,57,82.690000\n", 2),
    ("date,open,high,low,close,volume\n2020-02-24,20,27,20,25.03,0\n2020-02-25,20,27,20,25.03,\n", 2),
    ("date,close\n2020-02-24,200\n", 1),
)
def test_each_vix_file_format_is_read(tmp_path: Path, text: str, days: int) -> None:
    """RK-19: an index is not traded, its volume is empty or zero."""
    assert len(read_daily_values(a_file(tmp_path, text))) == days


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "2008-01-02,41,42,40,40.57,0\n2008-01-03,41,42,40,40.57,29060576\n",
        "Date,Close,Vol.\n2008-01-02,40.57,29.06M\n",
    ],
    ids=["volume", "vol"],
)
def test_a_file_with_volumes_is_no_vix(tmp_path: Path, text: str, snapshot: SnapshotAssertion) -> None:
    """RK-19: what is no VIX is no value of it."""
    path = a_file(tmp_path, text)

    with pytest.raises(TableError) as error:
        read_daily_values(path)

    assert str(error.value).removeprefix(f"{path}:") == snapshot


@pytest.mark.parametrize("close", ["200.01", "396.33", "0", "-18.7"])
def test_an_impossible_vix_close_is_refused(tmp_path: Path, close: str, snapshot: SnapshotAssertion) -> None:
    """RK-19: also where nothing else tells that the file is a share's."""
    path = a_file(tmp_path, f"date,close\n2021-03-30,122.15\n2021-03-31,{close}\n")

    with pytest.raises(TableError) as error:
        read_daily_values(path)

    assert str(error.value).removeprefix(f"{path}:") == snapshot


@cases(
    "row words",
    ("2020-02-24,1,330,321", "the line has 4 fields, 5 are needed; complete it"),
    ("24.02.2020,1,330,321,322,1", "date '24.02.2020' is no day such as 2020-02-24"),
    ("2020-02-24,1,330,321,x,1", "close 'x' is no number such as 18.70"),
    ("2020-02-24,1,330,321,\uff11,1", "close '\\uff11' is no number such as 18.70"),
    ("2020-02-24,1,330,321,1_0,1", "close '1_0' is no number such as 18.70"),
    (
        "2020-02-24,1,3,300.5,321,322,1",
        "the line has 7 fields, the header 6; take the comma out of a number, or quote it",
    ),
    ("2020-02-24,1,330,321,nan,1", "close 'nan' is no number such as 18.70"),
    ("2020-02-24,1,330,321,Infinity,1", "close 'Infinity' is no number such as 18.70"),
    ("2020-02-24,1,330,0,322,1", "low '0' is not above zero and under 10,000,000"),
    ("2020-02-24,1,330,321,340,1", "close '340' is not within 321 to 330; fix the row"),
    ("2020-02-24,1,330,321," + "9;" * 30, f"close '{'9;' * 20}…' is no number such as 18.70"),
    ("2020-02-20,1,330,321,322,1", "date '2020-02-20' is not after 2020-02-21; sort the file by date, one row a day"),
)
def test_an_invalid_row_is_named_by_its_line(tmp_path: Path, row: str, words: str) -> None:
    """RK-19"""
    path = a_file(tmp_path, HEAD + f"2020-02-21,1,330,321,322,1\n{row}\n")

    with pytest.raises(TableError) as error:
        read_daily_bars(path)

    assert str(error.value) == f"{path}:3: {words}"
