"""Equity on some days by the minute, from fills and bar closes, for the chart (AN-06)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts import BarClosed
from core.model.instrument import Instrument, share
from core.model.values import ZERO, Money, Price, Symbol
from core.ports import Recorded
from core.post_mortem.days import Books
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
    closes: Mapping[Symbol, Price],
    fills: Iterable[FillStory],
) -> tuple[EquityPoint, ...]:
    """Return a point per minute of these days. A position's first price of a day is the last one before it.

    Parameters
    ----------
    closes
        Last prices of positions before `by_day`, USD.
    """
    books, wanted, points = Books(closes), set(days), []
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
        points += _of_day(day, records, books, by_record)
    return tuple(points)


def _of_day(
    day: date, records: Sequence[Recorded], books: Books, fills: Mapping[int, Sequence[FillStory]]
) -> list[EquityPoint]:
    cash: defaultdict[Symbol, Decimal] = defaultdict(lambda: ZERO)
    named: dict[Symbol, Instrument] = {}
    began = _worth(books, named)
    found: dict[datetime, EquityPoint] = {}
    for record in records:
        books.take(record)
        for fill in fills.get(record.sequence, ()):
            order = fill.order.order
            named[order.symbol] = order.instrument
            cash[order.symbol] -= order.instrument.cost(fill.quantity, fill.price) * fill.sign + fill.fee
        if isinstance(record.fact, BarClosed):
            made = _worth(books, named) - began + sum(cash.values(), ZERO)
            found[record.fact.bar.end] = EquityPoint(day, record.fact.bar.end, Money(made))
    return list(found.values())


def _worth(books: Books, named: Mapping[Symbol, Instrument]) -> Decimal:
    """Return the value of all positions at the last prices, otherwise at their average."""
    worth = ZERO
    for (symbol, _), standing in books.standing.items():
        price = books.closes.get(symbol) or standing.average
        if standing.quantity and price is not None:
            worth += (named.get(symbol) or share(symbol)).notional(standing.quantity, price)
    return worth
