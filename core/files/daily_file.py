"""Daily figures from a CSV file: a market's bars (`date,high,low,close`), the VIX (`date,close`).

An operator's file, or a source's answer, is accepted as a whole or not at all: a history with a gap has different
averages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from core.files.csv_table import FIRST_ROW, FileFault, Record, Table, TableError, text_of
from core.model.sizing import DailyBar, DailyValue
from core.model.values import Price

BAR_COLUMNS = ("date", "high", "low", "close")
VALUE_COLUMNS = ("date", "close")
LARGEST_PRICE = Decimal(10_000_000)
LARGEST_INDEX = Decimal(200)
"""Points: the VIX's highest close is 82.69."""
VOLUME_COLUMNS = frozenset({"volume", "vol", "vol."})
NOT_THE_VIX = "give the VIX's own history"
SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
"""Month/day/year, the exchange's own format; used if the file shows that it is that."""
MONTHS = 12
A_LEVEL = "18.70"
"""An example of a figure."""
_Item = TypeVar("_Item", DailyBar, DailyValue)


def read_daily_bars(path: Path) -> list[DailyBar]:
    """Return every bar of a file, in order of time. Raises `TableError` at the first invalid row."""
    return _read(Table(path, text_of(path), "day"), BAR_COLUMNS, _bar)


def read_daily_values(path: Path) -> list[DailyValue]:
    """Return every VIX value of a file, like `read_daily_bars`. Prices of traded symbols are refused."""
    return daily_values(path, text_of(path))


def daily_values(name: Path, text: str) -> list[DailyValue]:
    """Return the VIX values of a text; `name` is used in errors. Raises `TableError`."""
    table = Table(name, text, "day")
    _require_no_volumes(table)
    return _read(table, VALUE_COLUMNS, _value)


def _require_no_volumes(table: Table) -> None:
    """Refuse volumes: an index has none, so its column is empty or zero. Raises `TableError`."""
    columns = [index for index, name in enumerate(table.header) if name in VOLUME_COLUMNS]
    for line, row in enumerate(table.rows, FIRST_ROW):
        for text in (row[column].strip() for column in columns if column < len(row)):
            if any(digit in "123456789" for digit in text):
                found = Record(f"{table.path}:{line}", {"volume": text})
                raise found.fault("volume", f"is a share's, the VIX has none; {NOT_THE_VIX}")


def _read(table: Table, names: tuple[str, ...], item_of: Callable[[Record, date], _Item]) -> list[_Item]:
    items: list[_Item] = []
    last: date | None = None
    _require_month_first(table)
    for row in table.records(names):
        day = _date(row)
        if last is not None and day <= last:
            raise row.fault("date", f"is not after {last}; sort the file by date, one row a day")
        items.append(item_of(row, day))
        last = day
    return items


def _bar(row: Record, day: date) -> DailyBar:
    high, low, close = (Price(_price(row, name)) for name in BAR_COLUMNS[1:])
    if not low <= close <= high:
        raise row.fault("close", f"is not within {low} to {high}; fix the row")
    return DailyBar(day, high, low, close)


def _value(row: Record, day: date) -> DailyValue:
    close = row.number("close", A_LEVEL)
    if not is_of_the_vix(close):
        raise row.fault("close", f"is none of the VIX: above 0 and at most {LARGEST_INDEX}; {NOT_THE_VIX}")
    return DailyValue(day, close)


def is_of_the_vix(value: Decimal) -> bool:
    """Whether it is a possible close of the index."""
    return value.is_finite() and 0 < value <= LARGEST_INDEX


def _date(row: Record) -> date:
    found = SLASHED.fullmatch(row["date"])
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else date.fromisoformat(row["date"])
    except ValueError:
        raise row.fault("date", "is no day such as 2020-02-24", FileFault.DATE) from None


def _require_month_first(table: Table) -> None:
    """Refuse dates with slashes if no day above 12 shows the order. Raises `TableError`."""
    if "date" not in table.header:
        return
    column = table.header.index("date")
    found = [SLASHED.fullmatch(row[column].strip()) for row in table.rows if column < len(row)]
    pairs = [(int(each[1]), int(each[2])) for each in found if each is not None]
    if pairs and all(day <= MONTHS for _, day in pairs):
        raise TableError(
            f"{table.path}:{FIRST_ROW}: date {pairs[0][0]}/{pairs[0][1]} may name two days, and no row tells which; "
            "write the year first, as 2024-01-02",
            FileFault.DATE,
        )


def _price(row: Record, name: str) -> Decimal:
    price = row.number(name, A_LEVEL)
    if not 0 < price < LARGEST_PRICE:
        raise row.fault(name, f"is not above zero and under {LARGEST_PRICE:,}")
    return price
