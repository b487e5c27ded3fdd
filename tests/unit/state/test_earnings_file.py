"""`earnings.csv` beside the settings: read whole or not at all, named by line, read again when it changed (OT-02)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.files.csv_files import TableError
from core.messages.desk_commands import EarningsFileSeen
from core.model.news import EarningsDate, EarningsTime
from core.model.values import Symbol
from core.settings.settings import Settings
from state.home_files import read_earnings
from state.housekeeping import FileWatch, earnings_seen
from tests.kit.rows import table

AAPL, BRK_B = Symbol("AAPL"), Symbol("BRK.B")
DAY = date(2026, 12, 3)
GOOD = "symbol,date,when\nAAPL,2026-12-03,after\n"


def read(folder: Path, text: str) -> tuple[EarningsDate, ...]:
    path = folder / "earnings.csv"
    path.write_text(text)
    return read_earnings(path)


@table(
    "text found",
    (GOOD, [EarningsDate(AAPL, DAY, EarningsTime.AFTER)]),
    ("symbol,date\nAAPL,2026-12-03\n", [EarningsDate(AAPL, DAY)]),
    ("\ufeffDate, Symbol ,WHEN\r\n2026-12-03, brk.b , Before\r\n\r\n", [EarningsDate(BRK_B, DAY, EarningsTime.BEFORE)]),
    ("symbol,date,when,note\nAAPL,2026-12-03,,a guess\n", [EarningsDate(AAPL, DAY)]),
    ("symbol,date\n", []),
    (GOOD + "AAPL,2027-03-04,\n", [EarningsDate(AAPL, DAY, EarningsTime.AFTER), EarningsDate(AAPL, date(2027, 3, 4))]),
)
def test_the_rows_are_read(tmp_path: Path, text: str, found: list[EarningsDate]) -> None:
    """OT-02"""
    assert list(read(tmp_path, text)) == found


@table(
    "text place",
    ("", "earnings.csv: is empty"),
    ("AAPL,2026-12-03,after\n", "earnings.csv:1: no column symbol, date"),
    ("symbol;date\nAAPL;2026-12-03\n", "earnings.csv:1: no column"),
    (GOOD + "IBM,03.12.2026,after\n", "earnings.csv:3: date '03.12.2026' is no day"),
    (GOOD + "IBM,2026-13-01,after\n", "earnings.csv:3: date '2026-13-01' is no day"),
    (GOOD + "IBM,20261203,after\n", "earnings.csv:3: date '20261203' is no day"),
    (GOOD + "I B M,2026-12-03,after\n", "earnings.csv:3: symbol 'I B M' is no symbol"),
    (GOOD + "IBM,2026-12-03,noon\n", "earnings.csv:3: when 'noon' is neither"),
    (GOOD + "IBM,2026-12-03\n", "earnings.csv:3: the line has 2 fields"),
    (GOOD + "aapl,2026-12-03,before\n", "earnings.csv:3: date '2026-12-03' is there twice for AAPL"),
    (GOOD + "IBM,2026-12-03,after,x,y\n", "earnings.csv:3: the line has 5 fields"),
)
def test_a_wrong_row_is_named_and_nothing_is_taken(tmp_path: Path, text: str, place: str) -> None:
    """OT-02"""
    with pytest.raises(TableError) as error:
        read(tmp_path, text)
    assert place in str(error.value)


def test_without_a_file_there_are_no_dates(tmp_path: Path) -> None:
    """OT-02"""
    assert read_earnings(tmp_path / "earnings.csv") == ()


def test_a_changed_file_is_read_again_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    """OT-02: the fault is named once; without the file there are no dates any more"""
    path, clock = tmp_path / "earnings.csv", [0.0]
    watch = FileWatch(path, earnings_seen, lambda: clock[0])
    found, faults = list[object](), list[str]()
    for text in (None, GOOD, GOOD.replace("03", "99"), GOOD.replace("AAPL", "BRK.B"), None):
        path.unlink(missing_ok=True) if text is None else path.write_text(text)
        for _ in range(3):
            clock[0] += 1
            found.append(watch.look(Settings()))
            faults.append(watch.fault)

    seen = [each.earnings for each in found if isinstance(each, EarningsFileSeen)]
    assert [[report.symbol for report in each] for each in seen] == [[AAPL], [BRK_B], []]
    assert [each for each in faults if each] == [
        f"{path}:2: date '2026-12-99' is no day such as 2026-12-03; fix it, what was read before stays"
    ]
