"""Seasons of daily bars for a story, and the recorded ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from core.model.sizing import DailyBar, DailyValue
from core.model.values import Price
from tests.data import days_of

FIRST = date(2024, 1, 1)


def file_of(symbol: str) -> Path:
    return days_of(symbol)


def a_bar(day: date, close: str | int | Decimal, span: str | int | Decimal = 2) -> DailyBar:
    """Half of the span over the close, half of it under."""
    middle, half = Decimal(close), Decimal(span) / 2
    return DailyBar(day, Price(middle + half), Price(middle - half), Price(middle))


def bars(closes: Iterable[str | int | Decimal], span: str | int | Decimal = 2, first: date = FIRST) -> list[DailyBar]:
    """One bar a day of the calendar: what is measured counts sessions, and knows no weekend."""
    return [a_bar(first + timedelta(days=n), close, span) for n, close in enumerate(closes)]


def values(*points: str) -> list[DailyValue]:
    return [DailyValue(FIRST + timedelta(days=n), Decimal(point)) for n, point in enumerate(points)]
