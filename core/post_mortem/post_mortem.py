"""The post-mortem of trades and days, built from records (AN-06). Reads no files."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta

from core import facts
from core.execution.fee_days import FeeDays
from core.model.bar import ONE_MINUTE, Bar
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME, DayCloses
from core.model.values import Money, Price, Symbol
from core.ports import OperatorError, Recorded
from core.post_mortem.day_attribution import AROUND, DayExplained, Market, Minute, closes_of, days_explained
from core.post_mortem.missed_trades import LetGo, SessionAt, let_go_on
from core.post_mortem.trade_attribution import FillStory, Split, Stories, TradeStory, split_of
from core.views.order_chain import chain_of

DISTURBS = (
    facts.BreakerOpened,
    facts.CallFailed,
    facts.Halted,
    facts.MarketDataQuarantined,
    facts.OrderStateUnknown,
    facts.TradingHalted,
)
"""Facts on disturbed data or broker connections."""
A_DAY = timedelta(days=1)
"""The longest time from an entry's start to its first fill."""


@dataclass(frozen=True, slots=True)
class TradeExplained:
    """One trade.

    Attributes
    ----------
    best, worst
        Its highest and lowest profit, by the bars and its own result, USD; None without bars.
    minutes
        The symbol's bars around it, on the day of its exit.
    missing
        The number of minutes without a bar while it was open.
    timeline
        The records of its first order and of the one that closed it, each once.
    disturbed
        Records of disturbed data or broker connections.
    others
        Other proposals around it.
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
    """The post-mortem of one or more days; `disturbed` are the records of disturbed data or connections."""

    first: date
    last: date
    days: tuple[DayExplained, ...]
    trades: tuple[TradeExplained, ...]
    let_go: tuple[LetGo, ...]
    disturbed: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """The records for a post-mortem.

    Attributes
    ----------
    records
        All records from the first entry of a trade that ended on the days, the oldest first.
    before
        Earlier records: created orders and changed positions.
    closes
        Last prices of earlier positions, USD.
    after
        Records of the following days, for the equity at the last day's close and its late bars.
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
    """Return the post-mortem of all trades that ended on these days, or of one of them.

    `trade` is the beginning of its closing order's id.

    Raises
    ------
    OperatorError
        No trade of these days has this id.
    """
    stories = Stories([*read.before, *read.records])
    wanted = set(days)
    ended = [each for each in stories.trades if day_of(each.trade.exit_time) in wanted]
    chosen = [each for each in ended if each.key.startswith(trade or "")]
    if trade is not None and not chosen:
        raise OperatorError(
            f"no trade that an order {trade!r} closed on {days[0]}; `keyturn explain {days[0]}` lists them"
        )
    by_day: defaultdict[date, list[Recorded]] = defaultdict(list)
    for record in read.records:
        by_day[day_of(record.at)].append(record)
    fills: defaultdict[date, list[FillStory]] = defaultdict(list)
    for fill in stories.fills:
        fills[day_of(fill.at)].append(fill)
    market, around = Market([*read.records, *read.after], day_of), _Around(read.records)
    closes = closes_of(read.closes, [*read.records, *read.after], day_of)
    fees = fee_days_of([*read.before, *read.records, *read.after], session_at)
    return PostMortem(
        days[0],
        days[-1],
        tuple(days_explained(days, read.before, by_day, read.after, closes, fills, fees)),
        tuple(_trade(story, around, market, closes, day_of) for story in chosen),
        tuple(let_go_on(days, by_day, read.before, session_at)),
        tuple(record for day in days for record in by_day.get(day, ()) if isinstance(record.fact, DISTURBS)),
    )


def fee_days_of(records: Sequence[Recorded], session_at: SessionAt) -> FeeDays:
    """Return the fees of these records by day."""
    fees = FeeDays(lambda day: session_at(HOME.at(day, HOME.opens)))
    for record in records:
        fees.take(record.at, record.fact)
    return fees


class _Around:
    """Finds the records of a period by bisection."""

    def __init__(self, records: Sequence[Recorded]) -> None:
        self._records = records
        self._ats = [record.at for record in records]

    def between(self, first: datetime, last: datetime) -> Sequence[Recorded]:
        return self._records[bisect_left(self._ats, first) : bisect_right(self._ats, last)]


# ── trades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _trade(
    story: TradeStory, around: _Around, market: Market, closes: DayCloses, day_of: Callable[[datetime], date]
) -> TradeExplained:
    trade = story.trade
    day = day_of(trade.exit_time)
    held = market.between(trade.symbol, trade.entry_time, trade.exit_time)
    close = closes.on(trade.symbol, day)
    best, worst = _reach(story, held)
    is_in_a_day = day == day_of(trade.entry_time) and market.is_of_minutes
    near = around.between(trade.entry_time - AROUND, trade.exit_time + AROUND)
    own = {str(order.id) for order in story.orders}
    return TradeExplained(
        story,
        split_of(story, close),
        close,
        best,
        worst,
        market.around(trade.symbol, trade.entry_time, trade.exit_time),
        max(int((trade.exit_time - trade.entry_time) / ONE_MINUTE) - 1 - len(held), 0) if is_in_a_day else 0,
        _timeline(story, around.between(trade.entry_time - A_DAY, trade.exit_time + AROUND)),
        tuple(record for record in near if isinstance(record.fact, DISTURBS)),
        tuple(record for record in near if _is_anothers(record, own)),
    )


def _reach(story: TradeStory, held: Sequence[Bar]) -> tuple[Money | None, Money | None]:
    """Return the highest and lowest profit of the full quantity, by the bars' extremes and its own result."""
    if not held or not story.fills:
        return None, None
    trade, sign = story.trade, 1 if story.is_long else -1
    high, low = max(bar.high for bar in held), min(bar.low for bar in held)
    ends = [sign * trade.instrument.notional(trade.quantity, price - trade.entry_price) for price in (high, low)]
    return Money(max(*ends, trade.profit)), Money(min(*ends, trade.profit))


def _timeline(story: TradeStory, records: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Return the records of both orders, each once, in order, as far as they were read."""
    found: dict[int, Recorded] = {}
    for order in (story.trade.entry_order, story.trade.exit_order):
        try:
            found |= {record.sequence: record for record in chain_of(str(order), records)}
        except OperatorError:
            continue
    return tuple(found[sequence] for sequence in sorted(found))


def _is_anothers(record: Recorded, own: set[str]) -> bool:
    match record.fact:
        case facts.ProposalStaged(proposal=proposal):
            return str(proposal.id) not in own
        case facts.ProposalSkipped(proposal=proposal):
            return proposal is not None
    return False
