"""Equity on some days by the minute, from fills and bar closes, for the chart (AN-06)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts import BarClosed
from core.model.instrument import Instrument, share
from core.model.session import DayCloses
from core.model.values import ZERO, Money, Price, Symbol
from core.ports import Recorded
from core.post_mortem.days import A_DAY, Books
from core.post_mortem.stories import FillStory


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """`made` is the day's profit so far, USD: fills, fees, and positions at the last closes."""

    day: date
    at: datetime
    made: Money


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest drawdown along a curve: USD, its fraction of the highest equity before it, and its two ends."""

    amount: Money
    fraction: Decimal
    begins: datetime
    ends: datetime


def deepest_fall(equity: Iterable[tuple[datetime, Money]]) -> Fall | None:
    """None where equity never falls, or is not above zero."""
    found: Fall | None = None
    peak: tuple[datetime, Money] | None = None
    for at, value in equity:
        if peak is None or value >= peak[1]:
            peak = (at, value)
        elif peak[1] > 0 and (found is None or (peak[1] - value) / peak[1] > found.fraction):
            found = Fall(Money(peak[1] - value), (peak[1] - value) / peak[1], peak[0], at)
    return found


def curve_of(
    days: Iterable[date],
    before: Iterable[Recorded],
    by_day: Mapping[date, Sequence[Recorded]],
    closes: DayCloses,
    fills: Iterable[FillStory],
    day_of: Callable[[datetime], date],
    close_of: Callable[[date], datetime],
) -> tuple[EquityPoint, ...]:
    """Return a point per minute of these days; one per close for daily bars.

    A position's first price of a day is the close before it.
    """
    books, wanted, points = Books(), set(days), []
    by_record = {fill.record: [] for fill in fills}  # type: dict[int, list[FillStory]]
    for fill in fills:
        by_record[fill.record].append(fill)
    for record in before:
        books.take(record)
    for day, records in by_day.items():
        if day not in wanted:
            for record in records:
                books.take(record)
            continue
        points += _of_day(day, records, books, by_record, closes, day_of, close_of)
    return tuple(points)


def _of_day(
    day: date,
    records: Sequence[Recorded],
    books: Books,
    fills: Mapping[int, Sequence[FillStory]],
    closes: DayCloses,
    day_of: Callable[[datetime], date],
    close_of: Callable[[date], datetime],
) -> list[EquityPoint]:
    cash: defaultdict[Symbol, Decimal] = defaultdict(lambda: ZERO)
    named: dict[Symbol, Instrument] = {}
    prices = closes.all_until(day - A_DAY)
    began = _worth(books, prices, named)
    found: dict[datetime, EquityPoint] = {}

    def made() -> Money:
        return Money(_worth(books, prices, named) - began + sum(cash.values(), ZERO))

    for record in records:
        books.take(record)
        for fill in fills.get(record.sequence, ()):
            order = fill.order.order
            named[order.symbol] = order.instrument
            cash[order.symbol] -= order.instrument.cost(fill.quantity, fill.price) * fill.sign + fill.fee
        if isinstance(record.fact, BarClosed):
            bar = record.fact.bar
            if day_of(bar.start) != day:  # a whole day's, heard at the next open
                continue
            prices[bar.symbol] = bar.close
            found[bar.end] = EquityPoint(day, bar.end, made())
    if (at_the_close := closes.all_until(day)) != prices:
        prices, at = at_the_close, close_of(day)
        found[at] = EquityPoint(day, at, made())
    return list(found.values())


def _worth(books: Books, prices: Mapping[Symbol, Price], named: Mapping[Symbol, Instrument]) -> Decimal:
    """Return the value of all positions at these prices, otherwise at their average."""
    worth = ZERO
    for (symbol, _), standing in books.standing.items():
        price = prices.get(symbol) or standing.average
        if standing.quantity and price is not None:
            worth += (named.get(symbol) or share(symbol)).notional(standing.quantity, price)
    return worth
