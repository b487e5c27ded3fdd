"""Changes of the account's equity explained by their parts, for any days and for those of a journal (AN-06).

Money is exact here. Parts are rounded to the cent so that they add up: each is the cents that it adds to the running
sum. Equity is cash plus positions at the broker's valuation; positions are their cost in our books plus an open profit.
So a missing part, or one wrong by a cent, is in `rest` and nowhere else.

A day lies between two lists of the broker's activities: `ActivitiesCompared` has the account's figures, and the records
between two of them explain the change. So a late report counts on the day on which its cash moved, whatever its date,
except for a fee: it counts on the day that it names, and the equities since then are less by it (`FeeDays`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from core import facts
from core.execution.fee_days import FeeDays
from core.execution.ledger import Ledger
from core.model.instrument import share
from core.model.lazy_dataclass import dataclass
from core.model.order import Side, is_payout
from core.model.reconciliation import Difference
from core.model.session import Calendar
from core.model.values import CENT, ZERO, Money, Symbol, plain

OPENING = "opening equity"
OPEN_POSITIONS = "open positions"


@dataclass(frozen=True, slots=True)
class Part:
    """A contribution to the equity, USD, signed."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class AccountAt:
    """The account at one end of the explained period, USD.

    Attributes
    ----------
    equity, cash
        The broker's figures of the same time.
    cost
        The cost of the positions in our books: a short position counts below zero.
    """

    equity: Money
    cash: Money
    cost: Money

    def less(self, fees: Decimal) -> AccountAt:
        """Return the account with fees, below zero, that the broker took later."""
        return AccountAt(Money(self.equity + fees), Money(self.cash + fees), self.cost)

    @property
    def open_profit(self) -> Decimal:
        """The open profit at the broker's own prices."""
        return self.equity - self.cash - self.cost


@dataclass(frozen=True, slots=True)
class EquityChange:
    """The opening equity, then its changes; `rest` is unexplained. All in USD, to the cent.

    `parts` and `rest` together are the closing equity.
    """

    parts: tuple[Part, ...]
    rest: Money

    @property
    def closing(self) -> Money:
        return Money(sum((part.amount for part in self.parts), ZERO) + self.rest)

    @property
    def is_explained(self) -> bool:
        return self.rest == ZERO


def equity_change(
    opening: AccountAt, closing: AccountAt, trades: Iterable[Part] = (), moves: Iterable[Part] = ()
) -> EquityChange:
    """Explain the change from one equity to the other.

    Parameters
    ----------
    trades
        Realised profit, at cost and without fees: proceeds minus cost.
    moves
        Changes of cash or cost without a fill: fees, dividends, interest, transfers, corrections, corporate actions. A
        split has a part of zero: cost and value of the position stay.
    """
    open_profit = Money(closing.open_profit - opening.open_profit)
    parts = in_cents((Part(OPENING, opening.equity), *trades, Part(OPEN_POSITIONS, open_profit), *moves))
    return EquityChange(parts, Money(to_the_cent(closing.equity) - sum((part.amount for part in parts), ZERO)))


def in_cents(exact: Iterable[Part]) -> tuple[Part, ...]:
    """Round the parts to the cent: each is the cents that it adds to the running sum."""
    parts, so_far = [], ZERO
    for part in exact:
        before, so_far = so_far, so_far + part.amount
        parts.append(Part(part.name, Money(to_the_cent(so_far) - to_the_cent(before))))
    return tuple(parts)


def to_the_cent(amount: Decimal) -> Money:
    return Money(amount.quantize(CENT, ROUND_HALF_EVEN))


FEES = "fees of fills"


@dataclass(frozen=True, slots=True)
class EquityDay:
    """From the last list of the previous trading day to the last list of this one, UTC.

    Attributes
    ----------
    activities
        The ids of cash movements: if `change.rest` is not zero, one of them is wrong or missing.
    differences
        The findings of the day's comparisons.
    """

    day: date
    since: datetime
    until: datetime
    change: EquityChange
    activities: tuple[str, ...]
    differences: tuple[Difference, ...]


def equity_days(records: Iterable[tuple[datetime, facts.Fact]], calendar: Calendar) -> Iterator[EquityDay]:
    """Yield every day of the records, from the first list of activities on, the oldest first.

    `records` start at the journal's beginning: the positions are derived from them.
    """
    books = _Books(calendar)
    days = [day for at, fact in records if (day := books.take(at, fact)) is not None]
    if (last := books.last()) is not None:
        days.append(last)
    yield from _with_late_fees(days)


def _with_late_fees(days: Sequence[_Day]) -> Iterator[EquityDay]:
    """Explain each day, with each late fee on the day to which it belongs; one from before the first is on none."""
    named = [day.day for day in days]
    owed = [ZERO] * (len(days) + 1)
    for end, day in enumerate(days):
        for late in day.happened.late:
            first = bisect_left(named, late.day, 0, end) if named[0] <= late.day else -1
            for boundary in range(first + 1, end + 1):
                owed[boundary] += late.part.amount
            if first >= 0:
                days[first].happened.moves.append(late.part)
                days[first].happened.activities.append(late.activity)
    for day, before, after in zip(days, owed, owed[1:], strict=False):
        found, opening, closing = day.happened, day.opening, day.closing
        change = equity_change(opening.account.less(before), closing.account.less(after), found.trades, found.other)
        activities, differences = tuple(found.activities), tuple(found.differences)
        yield EquityDay(day.day, opening.at, closing.at, change, activities, differences)


@dataclass(frozen=True, slots=True)
class _LateFee:
    """A fee whose cash moved after the day to which it belongs."""

    day: date
    part: Part
    activity: str


@dataclass(slots=True)
class _Happened:
    """The recorded changes of equity: profits and corrections by symbol, USD."""

    profits: dict[Symbol, Decimal] = field(default_factory=dict)
    fees: Decimal = ZERO
    moves: list[Part] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)
    taken_over: dict[Symbol, Decimal] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    late: list[_LateFee] = field(default_factory=list)

    def add(self, other: _Happened) -> None:
        for mine, theirs in ((self.profits, other.profits), (self.taken_over, other.taken_over)):
            for symbol, amount in theirs.items():
                mine[symbol] = mine.get(symbol, ZERO) + amount
        self.fees += other.fees
        self.moves += other.moves
        self.activities += other.activities
        self.differences += other.differences
        self.late += other.late

    @property
    def trades(self) -> Iterator[Part]:
        return (Part(f"realised {symbol}", Money(profit)) for symbol, profit in self.profits.items())

    @property
    def other(self) -> Iterator[Part]:
        if self.fees:
            yield Part(FEES, Money(-self.fees))
        for symbol, cost in self.taken_over.items():
            if cost:
                yield Part(f"corrected {symbol}", Money(cost))
        yield from self.moves


@dataclass(frozen=True, slots=True)
class _Seen:
    """The account at the time of a list of activities."""

    at: datetime
    account: AccountAt


@dataclass(frozen=True, slots=True)
class _Day:
    """A day between its two lists."""

    day: date
    opening: _Seen
    closing: _Seen
    happened: _Happened


class _Books:
    """A ledger of the journal; the changes of the day, and those since its last list."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._ledger = Ledger(calendar)
        self._fees = FeeDays(calendar.session_on, calendar.venue)
        self._opening: _Seen | None = None
        self._closing: _Seen | None = None
        self._day = _Happened()
        self._now = _Happened()

    def take(self, at: datetime, fact: facts.Fact) -> _Day | None:
        """Take a fact; return the previous day if it starts another."""
        if isinstance(fact, facts.ActivitiesCompared):
            self._fees.take(at, fact)
            return self._compared(fact)
        if isinstance(fact, facts.CashMoved):
            self._cash(at, fact)
            return None
        before = self._cost(fact)
        fold = None if isinstance(fact, facts.DayStarted) else self._ledger.folds.get(type(fact))
        if fold is not None:  # a new day removes nothing here: orders that a desk keeps longer may still fill
            fold(at, fact)
        self._note(fact, self._cost(fact) - before)
        return None

    def last(self) -> _Day | None:
        """Return the day without a successor."""
        opening, closing = self._opening, self._closing
        if opening is None or closing is None:
            return None
        return _Day(self._calendar.trading_day(closing.at), opening, closing, self._day)

    def _cash(self, at: datetime, fact: facts.CashMoved) -> None:
        """Note a movement of cash; a late fee waits for its day."""
        of = "" if fact.symbol is None else f" {fact.symbol}"
        part = Part(f"{fact.kind.value}{of} {fact.activity_id}", fact.amount)
        fee = self._fees.day_of(at, fact)
        if fee is not None and fee.day != fee.moved_on:
            self._now.late.append(_LateFee(fee.day, part, fact.activity_id))
            return
        self._now.moves.append(part)
        self._now.activities.append(fact.activity_id)

    def _compared(self, fact: facts.ActivitiesCompared) -> _Day | None:
        """Take a list of activities.

        The first one starts the first day; the first of another day ends the previous one.
        """
        costs = (p.cost if p.quantity > 0 else -p.cost for p in self._ledger.positions())
        seen = _Seen(fact.as_of, AccountAt(fact.equity, fact.cash, Money(sum(costs, ZERO))))
        self._now.differences += fact.differences
        found, day_of = None, self._calendar.trading_day
        if self._opening is None:
            self._opening, self._day = seen, _Happened()
        elif self._closing is not None and day_of(self._closing.at) != day_of(seen.at):
            found = self.last()
            self._opening, self._closing, self._day = self._closing, seen, self._now
        else:
            self._closing = seen
            self._day.add(self._now)
        self._now = _Happened()
        return found

    def _cost(self, fact: facts.Fact) -> Decimal:
        """Return the cost of the fact's symbol, below zero for a short position."""
        if isinstance(fact, facts.OrderFilled):
            order = self._ledger.order(fact.fill.client_order_id)
            return ZERO if order is None else self._cost_of(order.request.symbol)
        if isinstance(fact, facts.PositionCorrected | facts.FillReversed):
            return self._cost_of(fact.symbol)
        if isinstance(fact, facts.CorporateActionApplied):  # what came back as cash is an activity of its own
            return self._cost_of(fact.symbol) + (ZERO if fact.to is None else self._cost_of(fact.to))
        return ZERO

    def _cost_of(self, symbol: Symbol) -> Decimal:
        held = self._ledger.positions_in(symbol)
        return sum((p.cost if p.quantity > 0 else -p.cost for p in held), ZERO)

    def _note(self, fact: facts.Fact, cost: Decimal) -> None:
        now = self._now
        match fact:
            case facts.OrderFilled():
                self._filled(fact, cost)
            case facts.FillReversed():
                paid = ZERO if is_payout(fact.client_order_id) else fact.cost if fact.side is Side.BUY else -fact.cost
                now.profits[fact.symbol] = now.profits.get(fact.symbol, ZERO) + cost + paid
            case facts.PositionCorrected():
                now.taken_over[fact.symbol] = now.taken_over.get(fact.symbol, ZERO) + cost
            case facts.SharesMoved() if fact.price is not None:
                worth = share(fact.symbol).notional(fact.quantity, fact.price)
                now.moves.append(Part(f"{fact.kind.value} {fact.symbol} {fact.activity_id}", Money(worth)))
                now.taken_over[fact.symbol] = now.taken_over.get(fact.symbol, ZERO) - worth
            case facts.CorporateActionApplied() if fact.quantity_before:
                after = plain(fact.quantity_after) if fact.to is None else f"{plain(fact.quantity_after)} {fact.to}"
                what = "paid out" if fact.is_paid_out else "split" if fact.to is None else "renamed"
                name = f"{what} {fact.symbol} {plain(fact.quantity_before)} to {after}"
                now.moves.append(Part(name, Money(ZERO if fact.is_paid_out else cost)))

    def _filled(self, fact: facts.OrderFilled, cost: Decimal) -> None:
        """Note a fill: its profit is the reduction of the position's cost beyond the cash that it moved.

        A payout moves none: its activity does.
        """
        order = self._ledger.order(fact.fill.client_order_id)
        assert order is not None  # it was folded
        ((instrument, signed),) = order.request.moves(fact.fill.quantity)
        profit = cost if is_payout(order.id) else cost - instrument.notional(signed, fact.fill.price)
        if profit:
            symbol = order.request.symbol
            self._now.profits[symbol] = self._now.profits.get(symbol, ZERO) + profit
        self._now.fees += fact.fill.fee
