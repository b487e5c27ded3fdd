"""The post-mortem of trades and days, put together from records (AN-06). Nothing here reads a file."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.analytics.equity_change import Part
from core.facts import (
    BarClosed,
    BreakerOpened,
    CallFailed,
    CashMoved,
    CorporateActionApplied,
    DayCorrected,
    DayStarted,
    Halted,
    MarketDataQuarantined,
    OrderStateUnknown,
    PositionChanged,
    ProposalSkipped,
    ProposalStaged,
    TradingHalted,
)
from core.model.bar import ONE_MINUTE, Bar
from core.model.values import ZERO, Money, Price, Symbol
from core.ports import OperatorError, Recorded
from core.post_mortem.day import DayExplained, Standing, explained
from core.post_mortem.let_go import LetGo, SessionAt, let_go_on
from core.post_mortem.split import Split, split_of
from core.post_mortem.stories import Key, Stories, TradeStory
from core.views.order_chain import chain_of

DISTURBS = (BreakerOpened, CallFailed, Halted, MarketDataQuarantined, OrderStateUnknown, TradingHalted)
"""What says that data or the way to the broker were not as they should be."""
AROUND = timedelta(minutes=15)
"""Before a trade and after it, what is shown of the market and of what others proposed."""


@dataclass(frozen=True, slots=True)
class Minute:
    """A bar with the session's VWAP up to its end, USD."""

    bar: Bar
    vwap: Decimal | None


@dataclass(frozen=True, slots=True)
class TradeExplained:
    """One trade.

    Attributes
    ----------
    best, worst
        What it was ahead and behind at the most while it was held, by the bars, USD; None where there are none.
    minutes
        Of its symbol around it, on the day on which it was left.
    missing
        Whole minutes while it was held that no bar told.
    timeline
        The records of its first order and of the one that closed it, each once.
    disturbed
        Records that say that data or the way to the broker were not as they should be.
    others
        What was proposed around it beside it.
    """

    story: TradeStory
    split: Split
    close: Price | None
    best: Money | None
    worst: Money | None
    minutes: tuple[Minute, ...]
    missing: int
    timeline: tuple[Recorded, ...]
    disturbed: tuple[Recorded, ...]
    others: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class PostMortem:
    """Of one day or more; `disturbed` are the records that say that something was not as it should be."""

    first: date
    last: date
    days: tuple[DayExplained, ...]
    trades: tuple[TradeExplained, ...]
    let_go: tuple[LetGo, ...]
    disturbed: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for one.

    Attributes
    ----------
    records
        All of the days from the first entry of a trade that ended in them, the oldest first.
    before
        Of the time before those: how orders were made and positions changed.
    closes
        Last prices of what was held before them, USD.
    after
        Of the days that follow, as far as the equity at the last day's close is told.
    """

    records: Sequence[Recorded]
    before: Sequence[Recorded] = ()
    closes: Mapping[Symbol, Price] = field(default_factory=dict)
    after: Sequence[Recorded] = ()


def post_mortem(
    read: Read,
    days: Sequence[date],
    day_of: Callable[[datetime], date],
    session_at: SessionAt,
    trade: str | None = None,
) -> PostMortem:
    """Of all trades that ended on these days; of one alone where `trade` is the beginning of its closing order's id.

    Raises
    ------
    OperatorError
        No trade of these days has this id.
    """
    stories = Stories([*read.before, *read.records])
    market = _Market(read.records, day_of)
    wanted = set(days)
    chosen = [t for t in stories.trades if day_of(t.trade.exit_time) in wanted and t.key.startswith(trade or "")]
    if trade is not None and not chosen:
        raise OperatorError(
            f"no trade that an order {trade!r} closed on {days[0]}; `keyturn explain {days[0]}` lists them"
        )
    of_days = [record for record in read.records if day_of(record.at) in wanted]
    return PostMortem(
        days[0],
        days[-1],
        tuple(_days(read, days, day_of, stories, market)),
        tuple(_trade(story, read.records, market, day_of) for story in chosen),
        tuple(_let_go(read, days, day_of, session_at)),
        tuple(record for record in of_days if isinstance(record.fact, DISTURBS)),
    )


def _let_go(
    read: Read, days: Sequence[date], day_of: Callable[[datetime], date], session_at: SessionAt
) -> Iterable[LetGo]:
    for day in days:
        before = [*read.before, *(record for record in read.records if day_of(record.at) < day)]
        yield from let_go_on([r for r in read.records if day_of(r.at) == day], before, session_at)


# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Market:
    """The bars that were recorded, by symbol and day, in order."""

    def __init__(self, records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> None:
        bars: defaultdict[tuple[Symbol, date], dict[datetime, Bar]] = defaultdict(dict)
        for record in records:
            if isinstance(record.fact, BarClosed):
                bar = record.fact.bar
                bars[bar.symbol, day_of(bar.start)][bar.start] = bar
        self._bars = {key: tuple(found[start] for start in sorted(found)) for key, found in bars.items()}

    def of(self, symbol: Symbol, day: date) -> tuple[Bar, ...]:
        return self._bars.get((symbol, day), ())

    def close(self, symbol: Symbol, day: date) -> Price | None:
        bars = self.of(symbol, day)
        return bars[-1].close if bars else None

    def closes(self, day: date) -> dict[Symbol, Price]:
        return {symbol: bars[-1].close for (symbol, on), bars in self._bars.items() if on == day and bars}

    def around(self, symbol: Symbol, day: date, first: datetime, last: datetime) -> tuple[Minute, ...]:
        """With VWAP from the day's first bar: typical prices weighted by volume."""
        told, weighted, volume = [], ZERO, ZERO
        for bar in self.of(symbol, day):
            weighted += (bar.high + bar.low + bar.close) * bar.volume
            volume += bar.volume
            if first - AROUND <= bar.start <= last + AROUND:
                told.append(Minute(bar, weighted / (3 * volume) if volume else None))
        return tuple(told)

    def between(self, symbol: Symbol, first: datetime, last: datetime, day_of: Callable[[datetime], date]) -> list[Bar]:
        """Whole minutes between two instants, over days."""
        found: list[Bar] = []
        for (of, on), bars in sorted(self._bars.items(), key=lambda item: item[0][1]):
            if of == symbol and day_of(first) <= on <= day_of(last):
                starts = [bar.start for bar in bars]
                found += bars[bisect_left(starts, first) : bisect_right(starts, last - ONE_MINUTE)]
        return found


# ── trades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _trade(
    story: TradeStory, records: Sequence[Recorded], market: _Market, day_of: Callable[[datetime], date]
) -> TradeExplained:
    trade = story.trade
    day = day_of(trade.exit_time)
    held = market.between(trade.symbol, trade.entry_time, trade.exit_time, day_of)
    close = market.close(trade.symbol, day)
    best, worst = _reach(story, held)
    is_in_a_day = day == day_of(trade.entry_time)
    since, until = trade.entry_time - AROUND, trade.exit_time + AROUND
    own = {str(order.id) for order in story.orders}
    return TradeExplained(
        story,
        split_of(story, close),
        close,
        best,
        worst,
        market.around(trade.symbol, day, trade.entry_time, trade.exit_time),
        max(int((trade.exit_time - trade.entry_time) / ONE_MINUTE) - 1 - len(held), 0) if is_in_a_day else 0,
        _timeline(story, records),
        tuple(r for r in records if since <= r.at <= until and isinstance(r.fact, DISTURBS)),
        tuple(r for r in records if since <= r.at <= until and _is_anothers(r, own)),
    )


def _reach(story: TradeStory, held: Sequence[Bar]) -> tuple[Money | None, Money | None]:
    """All that was entered, from its average price to the farthest that the bars went."""
    if not held or not story.fills:
        return None, None
    trade, sign = story.trade, 1 if story.is_long else -1
    high, low = max(bar.high for bar in held), min(bar.low for bar in held)
    ends = [sign * trade.instrument.notional(trade.quantity, price - trade.entry_price) for price in (high, low)]
    return Money(max(ends)), Money(min(ends))


def _timeline(story: TradeStory, records: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Both chains, each record once, in order; what stands before the records that were read is not there."""
    found: dict[int, Recorded] = {}
    for order in (story.trade.entry_order, story.trade.exit_order):
        try:
            found |= {record.sequence: record for record in chain_of(str(order), records)}
        except OperatorError:
            continue
    return tuple(found[sequence] for sequence in sorted(found))


def _is_anothers(record: Recorded, own: set[str]) -> bool:
    match record.fact:
        case ProposalStaged(proposal=proposal):
            return str(proposal.id) not in own
        case ProposalSkipped(proposal=proposal):
            return proposal is not None
    return False


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _days(
    read: Read, days: Sequence[date], day_of: Callable[[datetime], date], stories: Stories, market: _Market
) -> Iterable[DayExplained]:
    equity = _equities([*read.records, *read.after])
    moves = _moves([*read.records, *read.after])
    standing: dict[Key, Standing] = {}
    changes = iter([*read.before, *read.records])
    pending = next(changes, None)
    closes = dict(read.closes)
    for day in days:
        while pending is not None and day_of(pending.at) < day:
            _move(standing, pending)
            closes |= _closed(pending)
            pending = next(changes, None)
        began, marked = dict(standing), dict(closes)
        while pending is not None and day_of(pending.at) == day:
            _move(standing, pending)
            closes |= _closed(pending)
            pending = next(changes, None)
        yield explained(
            day,
            (equity.get(day, (None, None))[0], _closing(equity, day)),
            (began, dict(standing)),
            (marked, closes | market.closes(day)),
            [fill for fill in stories.fills if day_of(fill.at) == day],
            moves.get(day, ()),
        )


def _move(standing: dict[Key, Standing], record: Recorded) -> None:
    if isinstance(record.fact, PositionChanged):
        fact = record.fact
        standing[fact.symbol, fact.strategy] = Standing(fact.quantity, fact.average_price)
    elif isinstance(record.fact, CorporateActionApplied):
        for owner in record.fact.owners:
            key = record.fact.symbol, owner.strategy
            average = standing[key].average if key in standing else None
            split = None if average is None else Price(average / record.fact.ratio)
            standing[key] = Standing(owner.quantity, split)


def _moves(records: Iterable[Recorded]) -> dict[date, list[Part]]:
    """What moved cash without a fill, by the broker's own date of it, whenever its list told so."""
    found: defaultdict[date, list[Part]] = defaultdict(list)
    for record in records:
        if isinstance(record.fact, CashMoved):
            of = "" if record.fact.symbol is None else f" {record.fact.symbol}"
            found[record.fact.day].append(Part(f"{record.fact.kind.value}{of}", record.fact.amount))
    return found


def _closed(record: Recorded) -> dict[Symbol, Price]:
    return {record.fact.bar.symbol: record.fact.bar.close} if isinstance(record.fact, BarClosed) else {}


def _equities(records: Iterable[Recorded]) -> dict[date, tuple[Money, date | None]]:
    """The equity that each day began with, and the day at whose close it stood; a later word counts."""
    return {
        record.fact.day: (record.fact.equity, record.fact.close_of)
        for record in records
        if isinstance(record.fact, DayStarted | DayCorrected)
    }


def _closing(equity: Mapping[date, tuple[Money, date | None]], day: date) -> Money | None:
    """By the word of the day that follows; None where that names another close."""
    following = min((other for other in equity if other > day), default=None)
    if following is None:
        return None
    amount, close_of = equity[following]
    return amount if close_of in (day, None) else None
