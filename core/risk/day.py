"""What the account was worth when the New York day began, and the week: what losses are measured against (RK-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.facts import DayStarted
from core.model.values import Money

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(slots=True)
class DayState:
    """`week` is its Monday; its equity is that of the first day of it on which the account was seen."""

    day: date | None = None
    equity: Money | None = None
    week: date | None = None
    week_equity: Money | None = None


class Day:
    """The slice of the opening equities."""

    def __init__(self) -> None:
        self.state = DayState()
        self.folds = {DayStarted: self._started}

    def opening_equity(self, day: date) -> Money | None:
        """Equity at the day's start, USD; None before its first account figure."""
        return self.state.equity if self.state.day == day else None

    def opening_equity_of_week(self, day: date) -> Money | None:
        """Equity at the start of the day's week, USD; None before its first account figure."""
        return self.state.week_equity if self.state.week == monday_of(day) else None

    def loss(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-day equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity(day)
        return None if opening is None else Money(opening - equity)

    def loss_of_week(self, day: date, equity: Decimal) -> Money | None:
        """Start-of-week equity less `equity`, USD; below zero is a gain."""
        opening = self.opening_equity_of_week(day)
        return None if opening is None else Money(opening - equity)

    def _started(self, _at: datetime, fact: DayStarted) -> None:
        self.state.day = fact.day
        self.state.equity = fact.equity
        if self.state.week != monday_of(fact.day):
            self.state.week, self.state.week_equity = monday_of(fact.day), fact.equity


def end_of_day(day: date) -> datetime:
    """The midnight after a New York day, UTC; days of 23 and 25 hours have theirs."""
    return datetime.combine(day + timedelta(days=1), time(0), NEW_YORK).astimezone(UTC)


def end_of_week(day: date) -> datetime:
    """The midnight before the Monday after."""
    return end_of_day(monday_of(day) + timedelta(days=6))


def monday_of(day: date) -> date:
    """Of the day's week. Exchange weeks begin on Monday, also where that is a holiday."""
    return day - timedelta(days=day.weekday())
