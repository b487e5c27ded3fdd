"""Daily figures from a CSV file: a market's bars (`date,high,low,close`), the VIX (`date,close`).

A file of the operator's, or a source's answer, is believed as a whole or not at all: a history with a hole has other
averages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from core.csv_table import FIRST_ROW, Row, TableError, columns_of, fields_of, rows_of, shown, text_of
from core.model.regime import DailyBar, DailyValue
from core.model.values import Price

BAR_COLUMNS = ("date", "high", "low", "close")
VALUE_COLUMNS = ("date", "close")
LARGEST_PRICE = Decimal(10_000_000)
LARGEST_INDEX = Decimal(200)
"""Points: the VIX closed at 82.69 at most in its life."""
VOLUME_COLUMNS = frozenset({"volume", "vol", "vol."})
NOT_THE_VIX = "give the VIX's own history"
FORMS = ("%Y-%m-%d", "%m/%d/%Y")
"""Of a date: ISO 8601, and the exchange's own."""
_Item = TypeVar("_Item", DailyBar, DailyValue)


def read_daily_bars(path: Path) -> list[DailyBar]:
    """Every bar of a file, in order of time. Raises `TableError` at the first row that cannot be believed."""
    return _read(path, rows_of(path, text_of(path), "day"), BAR_COLUMNS, _bar)


def read_daily_values(path: Path) -> list[DailyValue]:
    """Every value of the VIX in a file, as `read_daily_bars` does. Prices of something else are refused."""
    return daily_values(path, text_of(path))


def daily_values(name: Path, text: str) -> list[DailyValue]:
    """The values of the VIX in a text; `name` stands in errors. Raises `TableError`."""
    rows = rows_of(name, text, "day")
    _require_no_volumes(name, rows)
    return _read(name, rows, VALUE_COLUMNS, _value)


def _require_no_volumes(path: Path, rows: list[Row]) -> None:
    """What is traded has volumes; an index has none, its column is empty or zero. Raises `TableError`."""
    columns = [index for index, name in enumerate(rows[0]) if name.strip().lower() in VOLUME_COLUMNS]
    for number, row in enumerate(rows[1:], FIRST_ROW):
        for text in (row[column].strip() for column in columns if column < len(row)):
            if any(digit in "123456789" for digit in text):
                raise TableError(f"{path}:{number}: volume {shown(text)} is a share's, the VIX has none; {NOT_THE_VIX}")


def _read(
    path: Path, rows: list[Row], names: tuple[str, ...], item_of: Callable[[str, date, list[str]], _Item]
) -> list[_Item]:
    columns = columns_of(path, rows[0], names)
    items: list[_Item] = []
    last: date | None = None
    for number, row in enumerate(rows[1:], FIRST_ROW):
        place = f"{path}:{number}"
        day, *figures = fields_of(place, row, columns)
        found = _date(place, day)
        if last is not None and found <= last:
            raise TableError(f"{place}: {shown(day)} is not after {last}; sort the file by date, one row a day")
        items.append(item_of(place, found, figures))
        last = found
    return items


def _bar(place: str, day: date, figures: list[str]) -> DailyBar:
    high, low, close = (Price(_price(place, text)) for text in figures)
    if not low <= close <= high:
        raise TableError(f"{place}: close {close} is not within {low} to {high}; mend the row")
    return DailyBar(day, high, low, close)


def _value(place: str, day: date, figures: list[str]) -> DailyValue:
    close = _number(place, figures[0])
    if not is_of_the_vix(close):
        raise TableError(
            f"{place}: close {shown(figures[0])} is none of the VIX: above 0 and at most {LARGEST_INDEX}; {NOT_THE_VIX}"
        )
    return DailyValue(day, close)


def is_of_the_vix(value: Decimal) -> bool:
    """Whether the index can have closed there."""
    return value.is_finite() and 0 < value <= LARGEST_INDEX


def _date(place: str, text: str) -> date:
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise TableError(f"{place}: date {shown(text)} is no day such as 2020-02-24")


def _price(place: str, text: str) -> Decimal:
    price = _number(place, text)
    if not (price.is_finite() and 0 < price < LARGEST_PRICE):
        raise TableError(f"{place}: {shown(text)} is not above zero and under {LARGEST_PRICE:,}")
    return price


def _number(place: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise TableError(f"{place}: {shown(text)} is no number such as 18.70") from None
