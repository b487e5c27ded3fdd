"""The account at each close, from a journal, and its growth without deposits and withdrawals (AN-01).

The facts of the following day have the broker's figures for a close. A close that was not recorded stays missing: it
makes no return.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.analytics.metrics import DayOfEquity
from core.facts import CashMoved, DayCorrected, DayStarted, SharesMoved
from core.model.activity import ActivityKind
from core.model.instrument import share
from core.model.values import NO_MONEY, ZERO, Money
from core.ports import Recorded


@dataclass(frozen=True, slots=True)
class AccountDay:
    """The close of a session, USD.

    Attributes
    ----------
    equity
        None if it was not recorded.
    is_first_figure
        The broker reported no close: it is the first figure of the following day.
    moved
        Net cash and shares transferred since the previous close; not a result of trading.
    """

    day: date
    equity: Money | None
    is_first_figure: bool = False
    moved: Money = NO_MONEY


NOT_RECORDED: tuple[Money | None, bool] = None, False
"""A close: its equity, and whether that is the first figure of the following day."""


@dataclass(slots=True)
class AccountFacts:
    """The account's closes by day, and its transfers by the broker's date, USD.

    `unpriced` counts the transfers of shares of unknown value.
    """

    sessions: Sequence[date]
    closes: dict[date, tuple[Money | None, bool]] = field(default_factory=dict)
    moved: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    unpriced: int = 0

    def take(self, record: Recorded) -> None:
        """Add a record; a later figure for a close replaces an earlier one."""
        match record.fact:
            case DayStarted(day=day, equity=equity, close_of=None):
                before = bisect_left(self.sessions, day) - 1
                if before >= 0:
                    self.closes[self.sessions[before]] = (equity, True)
            case DayStarted(equity=equity, close_of=day) | DayCorrected(equity=equity, close_of=day) if day is not None:
                self.closes[day] = (equity, False)
            case CashMoved(kind=ActivityKind.TRANSFER) as cash:
                self.moved[cash.day] += cash.amount
            case SharesMoved(kind=ActivityKind.SHARES) as shares:
                self.unpriced += shares.price is None
                if shares.price is not None:
                    self.moved[shares.day] += share(shares.symbol).notional(shares.quantity, shares.price)


def account_days(facts: AccountFacts, first: date, last: date) -> tuple[AccountDay, ...]:
    """Return a row per session, from the close before `first` to the last recorded one up to `last`, none left out."""
    sessions = facts.sessions
    begin = max(bisect_left(sessions, first) - 1, 0)
    span = [day for day in sessions[begin:] if day <= last]
    known = [number for number, day in enumerate(span) if day in facts.closes]
    if not known:
        return ()
    span = span[known[0] : known[-1] + 1]
    moved = _by_session(facts.moved, span) | {span[0]: NO_MONEY}
    return tuple(AccountDay(day, *facts.closes.get(day, NOT_RECORDED), moved[day]) for day in span)


def _by_session(moved: Mapping[date, Decimal], span: Sequence[date]) -> dict[date, Money]:
    """Sum transfers by session; one on a day without a session is in the next close."""
    sums: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in moved.items():
        place = bisect_left(span, day)
        if place < len(span):
            sums[span[place]] += amount
    return {day: Money(sums[day]) for day in span}


def growth(days: Sequence[AccountDay]) -> list[DayOfEquity]:
    """Return the growth of the first equity; each return is (equity − transfers) / previous equity − 1, linked.

    The time-weighted return, with transfers taken as of the close: C. R. Bacon, "Practical Portfolio Performance
    Measurement and Attribution", 2nd ed. (2008). NaN if a close is missing, and after an equity of zero or less.
    """
    series: list[DayOfEquity] = []
    scale, before, moved = 1.0, math.inf, 0.0
    for day in days:
        moved += float(day.moved)
        if day.equity is None:
            series.append(DayOfEquity(day.day, math.nan))
            continue
        equity = float(day.equity)
        worth = scale * (equity - moved) if before > 0 else math.nan
        series.append(DayOfEquity(day.day, worth))
        if moved or before <= 0:
            scale = worth / equity if equity else math.nan
        before, moved = equity, 0.0
    return series


def missing(days: Iterable[AccountDay]) -> tuple[date, ...]:
    return tuple(day.day for day in days if day.equity is None)
