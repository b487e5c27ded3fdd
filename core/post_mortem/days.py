"""The state at each end of each day, derived from the records: positions, prices and equity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.analytics.equity_change import Part
from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import (
    BarClosed,
    CashMoved,
    CorporateActionApplied,
    DayCorrected,
    DayStarted,
    PositionChanged,
    PositionCorrected,
)
from core.model.session import DayCloses
from core.model.values import ZERO, Money, Price, Symbol
from core.ports import Recorded
from core.post_mortem.day import DayExplained, Standing, explained
from core.post_mortem.stories import FillStory, Key

A_DAY = timedelta(days=1)


def days_explained(
    days: Sequence[date],
    before: Iterable[Recorded],
    by_day: Mapping[date, Sequence[Recorded]],
    after: Iterable[Recorded],
    closes: DayCloses,
    fills: Mapping[date, Sequence[FillStory]],
) -> Iterator[DayExplained]:
    """Yield each of these days.

    Parameters
    ----------
    before, by_day, after
        The records before the first day of `by_day`, on each of its days, and after the last one.
    closes
        The closes of each day (`closes_of`).
    fills
        By their own day.
    """
    after = list(after)
    read = [record for records in by_day.values() for record in records]
    equity, moves = equities([*read, *after]), _moves([*read, *after])
    books = Books()
    for record in before:
        books.take(record)
    for day, records in by_day.items():
        began = dict(books.standing)
        books.taken_over.clear()
        for record in records:
            books.take(record)
        if day in days:
            yield explained(
                day,
                (equity.get(day, (None, None))[0], closing_of(equity, day)),
                (began, dict(books.standing)),
                (closes.all_until(day - A_DAY), closes.all_until(day)),
                fills.get(day, ()),
                moves.get(day, ()),
                dict(books.taken_over),
            )


def held_after(before: Iterable[Recorded]) -> set[Symbol]:
    """Return the symbols with an open position after these records."""
    books = Books()
    for record in before:
        books.take(record)
    return {symbol for (symbol, _), each in books.standing.items() if each.quantity}


def closes_of(
    before: Mapping[Symbol, Price], records: Iterable[Recorded], day_of: Callable[[datetime], date]
) -> DayCloses:
    """Return the closes by the bars of each day. The engine hears a daily bar at the next open.

    Parameters
    ----------
    before
        Last prices of earlier positions, USD.
    """
    closes = DayCloses()
    for symbol, price in before.items():
        closes.take(symbol, date.min, price)
    for record in records:
        if isinstance(record.fact, BarClosed):
            bar = record.fact.bar
            closes.take(bar.symbol, day_of(bar.start), bar.close)
    return closes


class Books:
    """Positions, as far as read.

    Attributes
    ----------
    taken_over
        Shares in the broker's books that ours lacked, since it was cleared.
    """

    def __init__(self) -> None:
        self.standing: dict[Key, Standing] = {}
        self.taken_over: defaultdict[Key, Decimal] = defaultdict(lambda: ZERO)

    def take(self, record: Recorded) -> None:
        match record.fact:
            case PositionChanged() as changed:
                self.standing[changed.symbol, changed.strategy] = Standing(changed.quantity, changed.average_price)
            case CorporateActionApplied() as split:
                for owner in split.owners:
                    before = self.standing.get((split.symbol, owner.strategy))
                    average = None if before is None or before.average is None else Price(before.average / split.ratio)
                    self.standing[split.symbol, owner.strategy] = Standing(owner.quantity, average)
            case PositionCorrected() as corrected:
                self._correct(corrected)

    def _correct(self, fact: PositionCorrected) -> None:
        """Note a correction: the shares were held all along. A split only multiplies them."""
        after = {(fact.symbol, o.strategy): Standing(o.quantity, o.average_price) for o in fact.owners}
        held = [key for key, each in self.standing.items() if key[0] == fact.symbol and each.quantity]
        if not after and fact.quantity:
            alone = held[0] if len(held) == 1 else (fact.symbol, UNKNOWN_OWNER)
            after = {alone: Standing(fact.quantity, fact.average_price)}
        for key in dict.fromkeys((*held, *after)):
            now, was = after.get(key, Standing(ZERO, None)), self.standing.get(key, Standing(ZERO, None))
            if not fact.is_split:
                self.taken_over[key] += now.quantity - was.quantity
            self.standing[key] = now


def _moves(records: Iterable[Recorded]) -> dict[date, list[Part]]:
    """Return cash movements without a fill by the broker's date, whenever reported."""
    found: defaultdict[date, list[Part]] = defaultdict(list)
    for record in records:
        if isinstance(record.fact, CashMoved):
            of = "" if record.fact.symbol is None else f" {record.fact.symbol}"
            found[record.fact.day].append(Part(f"{record.fact.kind.value}{of}", record.fact.amount))
    return found


def equities(records: Iterable[Recorded]) -> dict[date, tuple[Money, date | None]]:
    """Return each day's opening equity, and the day of its close; a later figure replaces an earlier one."""
    return {
        record.fact.day: (record.fact.equity, record.fact.close_of)
        for record in records
        if isinstance(record.fact, DayStarted | DayCorrected)
    }


def closing_of(equity: Mapping[date, tuple[Money, date | None]], day: date) -> Money | None:
    """Return the equity recorded by the following day; None if that names another close."""
    following = min((other for other in equity if other > day), default=None)
    if following is None:
        return None
    amount, close_of = equity[following]
    return amount if close_of in (day, None) else None
