"""Nine trading days of results, from Thursday, 26 September to Tuesday, 8 October 2013."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.model.values import Money
from core.views import ClosedRow, DayRow

FIRST = date(2013, 9, 26)
MADE = ("0", "-120.50", "340", "12.25", "0", "-1,204.10", "88", "45.10", "0")


def usd(text: str) -> Money:
    return Money(Decimal(text.replace(",", "")))


def weekdays(count: int, first: date = FIRST) -> list[date]:
    days = [first + timedelta(days=number) for number in range(2 * count)]
    return [day for day in days if day.weekday() < 5][:count]


def nine_days(begins: str = "10000") -> tuple[DayRow, ...]:
    rows, equity = [], usd(begins)
    for day, made in zip(weekdays(len(MADE)), MADE, strict=True):
        profit = usd(made)
        half = Money(profit / 2)
        closed = (ClosedRow("vwap", 2, 1, half), ClosedRow("manual", 1, int(profit > 0), half)) if profit else ()
        rows.append(DayRow(day, equity, closed))
        equity = Money(equity + profit)
    return tuple(rows)


NINE = nine_days()
TODAY = NINE[-1].day
NOW = datetime(2013, 10, 8, 15, tzinfo=UTC)
