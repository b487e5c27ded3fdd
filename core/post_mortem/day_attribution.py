"""Explain a trading day's change of equity: the state at each end of a day, and the recorded bars."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from core import facts
from core.analytics.equity import Part, in_cents, to_the_cent
from core.execution.fee_days import FeeDays
from core.execution.ledger_state import UNKNOWN_OWNER
from core.model.bar import ONE_MINUTE, Bar
from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import is_payout
from core.model.session import DayCloses
from core.model.values import NO_MONEY, ZERO, Money, Price, Symbol, plain
from core.ports import Recorded
from core.post_mortem.trade_attribution import FillStory, Key
from core.strategies.vwap_mean_reversion import VwapState

NO_PRICE = "no price of {} was recorded before {}: what was held of it is taken at its average price"
TAKEN_OVER = "{} {} were taken over from the broker's books: they count as held since the day began"
NO_CLOSING = "provisional: the equity at the day's close is not recorded yet; parts and trades may still change"
LATE_FEES = "the closing equity is the broker's less {} USD of fees that it took after this close"
NO_OPENING = "the equity as the day began was not recorded: the parts are what is known"


@dataclass(frozen=True, slots=True)
class Standing:
    """A strategy's position in a symbol at an end of the day; `average` is its opening price, USD."""

    quantity: Decimal
    average: Price | None


@dataclass(frozen=True, slots=True)
class DayExplained:
    """The explanation of one trading day, USD to the cent.

    Attributes
    ----------
    opening, closing
        The broker's equity at the previous close and at this day's, less the fees of these days that it took later;
        None if not recorded.
    parts
        The profit of each position after fees, and cash movements without a fill.
    rest
        The unexplained part of the change; None if an end of the day is unknown.
    notes
        Assumptions made where a record was missing.
    charged
        The fees without an order that name this day, below zero: among the parts.
    """

    day: date
    opening: Money | None
    closing: Money | None
    parts: tuple[Part, ...]
    rest: Money | None
    notes: tuple[str, ...]
    charged: Money = NO_MONEY

    @property
    def is_provisional(self) -> bool:
        """Return whether the closing equity is not recorded yet: parts and trades may still change."""
        return self.closing is None

    @property
    def change(self) -> Money | None:
        return None if self.opening is None or self.closing is None else Money(self.closing - self.opening)

    @property
    def explained(self) -> Money:
        return Money(sum((part.amount for part in self.parts), ZERO))


def explained(
    day: date,
    ends: tuple[Money | None, Money | None],
    held: tuple[Mapping[Key, Standing], Mapping[Key, Standing]],
    marks: tuple[Mapping[Symbol, Price], Mapping[Symbol, Price]],
    fills: Iterable[FillStory],
    moves: Iterable[Part] = (),
    taken_over: Mapping[Key, Decimal] = MappingProxyType({}),
) -> DayExplained:
    """Explain a day; each pair is the day's beginning and its end.

    Parameters
    ----------
    ends
        Equity, USD; None if not recorded.
    held
        The positions at each end, by symbol and strategy.
    marks
        The last price of each symbol at each end, USD.
    fills
        Those of the day.
    moves
        Cash movements without a fill: fees, dividends, interest, transfers.
    taken_over
        Shares in the broker's books that ours lacked: they and their equity existed when the day began.
    """
    worth: defaultdict[Key, Decimal] = defaultdict(lambda: ZERO)
    traded: dict[Symbol, Instrument] = {}
    for fill in fills:
        order = fill.order.order
        if is_payout(fill.order.id):  # its cash is an activity's
            continue
        traded[order.symbol] = order.instrument
        worth[order.symbol, fill.order.strategy] -= order.instrument.cost(fill.quantity, fill.price) * fill.sign
        worth[order.symbol, fill.order.strategy] -= fill.fee
    notes: list[str] = []
    for standing, marked, sign, when in zip(held, marks, (-1, 1), ("the day began", "it ended"), strict=True):
        for (symbol, strategy), held_of in standing.items():
            if not held_of.quantity:
                continue
            price = marked.get(symbol)
            if price is None:
                price = held_of.average or Price(ZERO)
                notes.append(NO_PRICE.format(symbol, when))
            instrument = traded.get(symbol) or share(symbol)
            worth[symbol, strategy] += sign * instrument.notional(held_of.quantity, price)
    for (symbol, strategy), quantity in taken_over.items():
        now = held[1].get((symbol, strategy))
        price = marks[0].get(symbol) or (None if now is None else now.average)
        if quantity and price is not None:
            worth[symbol, strategy] -= (traded.get(symbol) or share(symbol)).notional(quantity, price)
            notes.append(TAKEN_OVER.format(plain(quantity), symbol))
    parts = [Part(f"{symbol} {strategy}", Money(amount)) for (symbol, strategy), amount in worth.items()]
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    began_with = Part("", ends[0] or Money(ZERO))
    _, *told = in_cents((began_with, *sorted(parts, key=lambda part: part.amount), *moves))
    rest = None
    if opening is None or closing is None:
        notes.append(NO_OPENING if closing is not None else NO_CLOSING)
    else:
        rest = Money(closing - opening - sum((part.amount for part in told), ZERO))
    return DayExplained(day, opening, closing, tuple(told), rest, tuple(dict.fromkeys(notes)))


A_DAY = timedelta(days=1)


def days_explained(
    days: Sequence[date],
    before: Iterable[Recorded],
    by_day: Mapping[date, Sequence[Recorded]],
    after: Iterable[Recorded],
    closes: DayCloses,
    fills: Mapping[date, Sequence[FillStory]],
    fees: FeeDays,
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
    fees
        Of all these records.
    """
    before, after = list(before), list(after)
    read = [record for records in by_day.values() for record in records]
    equity, moves = equities([*read, *after], fees), _moves([*before, *read, *after], fees)
    books = Books()
    for record in before:
        books.take(record)
    for day, records in by_day.items():
        began = dict(books.standing)
        books.taken_over.clear()
        for record in records:
            books.take(record)
        if day in days:
            found = explained(
                day,
                (equity.get(day, (None, None))[0], closing_of(equity, day)),
                (began, dict(books.standing)),
                (closes.all_until(day - A_DAY), closes.all_until(day)),
                fills.get(day, ()),
                moves.get(day, ()),
                dict(books.taken_over),
            )
            owed = fees.owed_at(day)
            is_less = owed and any(close_of == day for _, close_of in equity.values())
            late = (LATE_FEES.format(to_the_cent(-owed)),) if is_less else ()
            yield replace(found, notes=(*found.notes, *late), charged=fees.charged_on(day))


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
        if isinstance(record.fact, facts.BarClosed):
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
            case facts.PositionChanged() as changed:
                self.standing[changed.symbol, changed.strategy] = Standing(changed.quantity, changed.average_price)
            case facts.CorporateActionApplied() as split:
                for owner in split.owners:
                    before = self.standing.pop((split.symbol, owner.strategy), None)
                    average = None if before is None else split.rescaling.known_price(before.average)
                    self.standing[split.symbol_now, owner.strategy] = Standing(owner.quantity, average)
            case facts.PositionCorrected() as corrected:
                self._correct(corrected)

    def _correct(self, fact: facts.PositionCorrected) -> None:
        """Note a correction: the shares were held all along. A split only multiplies them, a spin-off divides them."""
        after = {(fact.symbol, o.strategy): Standing(o.quantity, o.average_price) for o in fact.owners}
        held = [key for key, each in self.standing.items() if key[0] == fact.symbol and each.quantity]
        if not after and fact.quantity:
            alone = held[0] if len(held) == 1 else (fact.symbol, UNKNOWN_OWNER)
            after = {alone: Standing(fact.quantity, fact.average_price)}
        is_beside = any(key[0] == fact.came_from and each.quantity for key, each in self.standing.items())
        if is_beside:  # its worth left the shares that it came from, and those are held
            for key in [key for key in self.taken_over if key[0] == fact.symbol]:
                del self.taken_over[key]
        for key in dict.fromkeys((*held, *after)):
            now, was = after.get(key, Standing(ZERO, None)), self.standing.get(key, Standing(ZERO, None))
            if not fact.is_split and not is_beside:
                self.taken_over[key] += now.quantity - was.quantity
            self.standing[key] = now


def _moves(records: Iterable[Recorded], fees: FeeDays) -> dict[date, list[Part]]:
    """Return cash movements without a fill by the broker's date, whenever reported."""
    found: defaultdict[date, list[Part]] = defaultdict(list)
    for record in records:
        if isinstance(record.fact, facts.CashMoved):
            of = "" if record.fact.symbol is None else f" {record.fact.symbol}"
            part = Part(f"{record.fact.kind.value}{of}", record.fact.amount)
            found[fees.belongs_to(record.at, record.fact)].append(part)
    return found


def equities(records: Iterable[Recorded], fees: FeeDays) -> dict[date, tuple[Money, date | None]]:
    """Return each day's opening equity with the fees that belong to it, and the day of its close.

    A later figure replaces an earlier one.
    """
    return {
        record.fact.day: (Money(record.fact.equity + fees.owed_at(record.fact.close_of)), record.fact.close_of)
        for record in records
        if isinstance(record.fact, facts.DayStarted | facts.DayCorrected)
    }


def closing_of(equity: Mapping[date, tuple[Money, date | None]], day: date) -> Money | None:
    """Return the equity recorded by the following day; None if that names another close."""
    following = min((other for other in equity if other > day), default=None)
    if following is None:
        return None
    amount, close_of = equity[following]
    return amount if close_of in (day, None) else None


AROUND = timedelta(minutes=15)
"""The period before and after a trade that is shown, with other proposals."""


@dataclass(frozen=True, slots=True)
class Minute:
    """A bar with the session's VWAP up to its end, USD."""

    bar: Bar
    vwap: Price | None


class Market:
    """`day_of` returns the trading day of an instant.

    Attributes
    ----------
    is_of_minutes
        False for daily bars: the engine hears each of them on a later day.
    """

    def __init__(self, records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> None:
        self._day_of = day_of
        is_of_days = True
        bars: defaultdict[tuple[Symbol, date], dict[datetime, Bar]] = defaultdict(dict)
        for record in records:
            if isinstance(record.fact, facts.BarClosed):
                bar = record.fact.bar
                day = day_of(bar.start)
                bars[bar.symbol, day][bar.start] = bar
                is_of_days &= day_of(record.at) > day
        self.is_of_minutes = not (bars and is_of_days)
        self._bars: defaultdict[Symbol, dict[date, tuple[Bar, ...]]] = defaultdict(dict)
        for (symbol, day), found in bars.items():
            self._bars[symbol][day] = tuple(found[start] for start in sorted(found))

    def around(self, symbol: Symbol, first: datetime, last: datetime) -> tuple[Minute, ...]:
        """Return the bars of the last instant's day around these, with VWAP from the day's first bar on."""
        told, measured = [], VwapState()
        for bar in self._of(symbol, self._day_of(last)):
            measured.volume += bar.volume
            measured.weighted += (bar.high + bar.low + bar.close) * bar.volume
            if first - AROUND <= bar.start <= last + AROUND:
                told.append(Minute(bar, measured.vwap))
        return tuple(told)

    def between(self, symbol: Symbol, first: datetime, last: datetime) -> list[Bar]:
        """Return the whole minutes between two instants, across days."""
        found: list[Bar] = []
        for day, bars in sorted(self._bars.get(symbol, {}).items()):
            if self._day_of(first) <= day <= self._day_of(last):
                starts = [bar.start for bar in bars]
                found += bars[bisect_left(starts, first) : bisect_right(starts, last - ONE_MINUTE)]
        return found

    def _of(self, symbol: Symbol, day: date) -> tuple[Bar, ...]:
        return self._bars.get(symbol, {}).get(day, ())
