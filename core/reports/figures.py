"""The sums of some days: results, and equity by the minute (AN-06)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from core.analytics.equity import Part, in_cents, to_the_cent
from core.facts import BarClosed
from core.model.instrument import Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.position import AnyTrade
from core.model.session import HOME, DayCloses
from core.model.signal import FAILED_WORDS
from core.model.values import NO_MONEY, ZERO, Money, Price, Symbol
from core.ports import Recorded
from core.post_mortem.day_attribution import A_DAY, Books
from core.post_mortem.missed_trades import LetGo
from core.post_mortem.page import made_by_strategy
from core.post_mortem.post_mortem import TradeExplained
from core.post_mortem.trade_attribution import Cause, FillStory

ROUNDED = "each trade rounded to the cent"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one or more days, USD.

    Attributes
    ----------
    trades, won, failed
        Closed trades, those of them with a profit, and those that failed in execution: these are not won (EX-18).
    made
        By the trades that ended, exact: of several on one day it is rounded once, in `result`. Of several days it is
        the sum of their results.
    paid
        For all fills, exact, and of several days the sum of theirs to the cent; in `fees` it is below zero, and what
        the trades paid is in `result` already.
    gained
        The realized profit of all fills, partial exits included, less fees (AN-01); of several days the sum in cents;
        None if not read.
    opening, closing
        The broker's equity at the previous close and at the last close, less the fees until then that it took later;
        None if not recorded.
    charged
        The broker's fees without an order that name these days, below zero: in no trade and in no result.
    """

    first: date
    last: date
    trades: int
    won: int
    made: Decimal
    paid: Decimal
    opening: Money | None
    closing: Money | None
    gained: Decimal | None = None
    charged: Money = NO_MONEY
    failed: int = 0

    @property
    def realised(self) -> Money | None:
        return None if self.gained is None else to_the_cent(self.gained)

    @property
    def result(self) -> Money:
        return to_the_cent(self.made)

    @property
    def fees(self) -> Money:
        return to_the_cent(-self.paid)

    @property
    def change(self) -> Money | None:
        return None if self.opening is None or self.closing is None else Money(self.closing - self.opening)


def figures_of(
    days: tuple[date, date],
    ends: tuple[Money | None, Money | None],
    trades: Iterable[AnyTrade],
    fees: Decimal,
    gained: Decimal | None = None,
    charged: Money = NO_MONEY,
) -> Figures:
    """Return the figures from the first of these days to the last.

    Parameters
    ----------
    ends
        The opening and closing equity, USD.
    trades
        The trades closed on these days.
    fees
        The broker's fees for fills, USD.
    gained
        The realized profit of all fills, USD.
    charged
        The broker's fees without an order, USD.
    """
    ended = list(trades)
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    made = sum((trade.profit for trade in ended), ZERO)
    won, failed = sum(is_won(trade) for trade in ended), sum(trade.is_failed for trade in ended)
    return Figures(*days, len(ended), won, made, fees, opening, closing, gained, charged, failed)


def is_won(trade: AnyTrade) -> bool:
    return trade.profit > 0 and not trade.is_failed


def result_of(told: TradeExplained) -> Money:
    """Return a trade's result to the cent: the sum of its parts."""
    return Money(sum((part.amount for part in told.split.parts), ZERO))


def biggest_of(told: TradeExplained) -> Part | None:
    """Return the largest part of its result, or None."""
    part = max(told.split.parts, key=lambda each: abs(each.amount), default=None)
    return None if part is None or not part.amount else part


def the_biggest(parts: Sequence[Part], most: int) -> list[Part]:
    """Return the largest parts, and the sum of the others."""
    biggest = sorted(parts, key=lambda part: -abs(part.amount))
    rest = biggest[most:]
    more = [Part(f"… {len(rest)} more", Money(sum((part.amount for part in rest), ZERO)))] if rest else []
    return [*biggest[:most], *more]


@dataclass(frozen=True, slots=True)
class OfGroup:
    """The result of a group of trades, USD to the cent; `is_failed` if they failed in execution (EX-18)."""

    name: str
    trades: int
    won: int
    result: Money
    is_failed: bool = False


def by_strategy(trades: Iterable[TradeExplained]) -> tuple[OfGroup, ...]:
    """Return the strategies, `manual` among them, the best first; then what failed in execution, as one line.

    Together they are the result.
    """
    return _groups(trades, lambda trade: FAILED_WORDS if trade.is_failed else trade.strategy)


def by_exit_reason(trades: Iterable[TradeExplained]) -> tuple[OfGroup, ...]:
    """Return the exit reasons, the best first, then those of failed executions; together they are the result."""
    return _groups(trades, lambda trade: trade.exit_reason.value)


def _groups(trades: Iterable[TradeExplained], name_of: Callable[[AnyTrade], str]) -> tuple[OfGroup, ...]:
    every = list(trades)
    found: dict[str, list[AnyTrade]] = {}
    for told in every:
        found.setdefault(name_of(told.story.trade), []).append(told.story.trade)
    sums = dict.fromkeys(found, ZERO)
    for its in _by_day(every):
        exact = {name: _made(told for told in its if name_of(told.story.trade) == name) for name in found}
        for part in in_cents(Part(name, Money(exact[name])) for name in sorted(exact, key=lambda n: (-exact[n], n))):
            sums[part.name] += part.amount
    groups = (
        OfGroup(name, len(its), sum(map(is_won, its)), Money(sums[name]), its[0].is_failed)
        for name, its in found.items()
    )
    return tuple(sorted(groups, key=lambda each: (each.is_failed, -each.result, each.name)))


def by_cause(trades: Iterable[TradeExplained]) -> tuple[Part, ...]:
    """Return the parts of all trades summed by cause, and the rounding difference; together they are the result."""
    every = list(trades)
    sums: dict[str, Decimal] = {}
    for part in (part for told in every for part in told.split.parts):
        sums[part.name] = sums.get(part.name, ZERO) + part.amount
    causes = [Part(cause.value, Money(sums[cause.value])) for cause in Cause if cause.value in sums]
    rounded = sum((to_the_cent(_made(its)) for its in _by_day(every)), ZERO) - sum(sums.values(), ZERO)
    return (*causes, Part(ROUNDED, Money(rounded))) if rounded else tuple(causes)


def _by_day(trades: Iterable[TradeExplained]) -> Iterable[list[TradeExplained]]:
    """Yield the trades of each day: a day is rounded as a whole."""
    found: dict[date, list[TradeExplained]] = {}
    for told in trades:
        found.setdefault(HOME.day_of(told.story.trade.exit_time), []).append(told)
    return found.values()


def _made(trades: Iterable[TradeExplained]) -> Decimal:
    return sum((told.story.trade.profit for told in trades), ZERO)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The missed entries of one strategy: their hypothetical profit, and their ends.

    Attributes
    ----------
    would_have_made
        Of those that would have been filled, after fees, USD; None if none would.
    ends
        `declined`, `expired` and `blocked`, with their counts.
    left_out
        Those of them that are not followed, so have no result.
    """

    strategy: str
    many: int
    would_have_made: Money | None
    ends: tuple[tuple[str, int], ...]
    left_out: int


def not_taken(found: Sequence[LetGo]) -> tuple[NotTaken, ...]:
    """Return the missed entries by strategy, most first; the sums equal those of `explain`."""
    by_name: dict[str, list[LetGo]] = {}
    for each in found:
        by_name.setdefault(each.proposal.strategy, []).append(each)
    cents = {part.name: part.amount for part in made_by_strategy(found)}
    return tuple(
        NotTaken(name, len(its), cents.get(name), _ends(its), sum(each.is_left_out for each in its))
        for name, its in sorted(by_name.items(), key=lambda item: -len(item[1]))
    )


def _ends(found: Iterable[LetGo]) -> tuple[tuple[str, int], ...]:
    counted: dict[str, int] = {}
    for each in found:
        counted[each.end] = counted.get(each.end, 0) + 1
    return tuple(sorted(counted.items()))


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
