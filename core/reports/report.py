"""Build a report: of a day, or of a week compared with the one before (AN-06). Reads no files.

Trades, days and missed trades are those of the post-mortem, so that every amount equals that of `explain`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from core.analytics.equity_change import Part, to_the_cent
from core.facts import ActivitiesCompared, OrderFilled, ProposalEdited, ProposalStaged, TradeClosed
from core.model.position import AnyTrade
from core.model.session import HOME, Session
from core.model.values import ZERO, Money, ProposalId
from core.ports import Recorded
from core.post_mortem.days import closes_of, closing_of, equities
from core.post_mortem.missed_trades import SessionAt
from core.post_mortem.post_mortem import PostMortem, Read, TradeExplained, post_mortem
from core.post_mortem.stories import FillStory, Stories
from core.reports.controls import Controls, controls_of
from core.reports.curve import EquityPoint, Fall, curve_of, deepest_fall
from core.reports.figures import Figures, figures_of
from core.reports.quality import Quality, quality_of
from core.reports.standing import StillStands, still_stands
from core.reports.unprotected import Unprotected, unprotected_of

DayOf = Callable[[datetime], date]


@dataclass(frozen=True, slots=True)
class TradeTold:
    """An explained trade; `entered` is the reason of its entry's proposal, empty if not recorded."""

    told: TradeExplained
    entered: str


@dataclass(frozen=True, slots=True)
class ByTheBroker:
    """The account's figures of a day's last list of activities, USD."""

    at: datetime
    equity: Money
    cash: Money


@dataclass(frozen=True, slots=True)
class Quarter:
    """Of the last sessions up to a week's end.

    Attributes
    ----------
    returns, needed
        Returns of a session that the journal has, and how many a Sharpe ratio needs.
    sharpe
        Made a year's; None of fewer returns than needed.
    max_drawdown
        Between closes, as a fraction; None where no close is known.
    """

    returns: int
    needed: int
    sharpe: float | None
    max_drawdown: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a day, or of a week.

    Attributes
    ----------
    days
        Each day's sums, in order.
    whole
        The sums of all days.
    by_the_broker
        The figures of the last day; None if no list was fetched.
    standing
        The state at the end of the last day.
    week_before
        None for a day's report, and if the journal does not have it.
    unprotected
        The seconds without a stop that a ticket named, by cause (EX-22).
    """

    is_week: bool
    days: tuple[Figures, ...]
    whole: Figures
    found: PostMortem
    trades: tuple[TradeTold, ...]
    controls: Controls
    quality: Quality
    by_the_broker: ByTheBroker | None
    standing: StillStands
    curve: tuple[EquityPoint, ...]
    week_before: Figures | None
    unprotected: tuple[Unprotected, ...] = ()
    quarter: Quarter | None = None

    @property
    def fall(self) -> Fall | None:
        """The deepest drawdown along these days; None of a journal that has no equity for them."""
        return None if self.whole.opening is None else deepest_fall(self.equity)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The profit of each position and the cash movements, summed over all days."""
        sums: dict[str, Decimal] = {}
        for part in (part for day in self.found.days for part in day.parts):
            sums[part.name] = sums.get(part.name, ZERO) + part.amount
        return tuple(Part(name, Money(amount)) for name, amount in sums.items())

    @property
    def explained(self) -> Money | None:
        """The explained change of all days, including trades, USD; None if the change is unknown."""
        return None if any(day.rest is None for day in self.found.days) else _sum(d.explained for d in self.found.days)

    @property
    def rest(self) -> Money | None:
        """The unexplained change, USD; None if the change is unknown."""
        return None if self.explained is None else _sum(day.rest for day in self.found.days if day.rest is not None)

    @property
    def equity(self) -> tuple[tuple[datetime, Money], ...]:
        """The equity along the curve, USD: each day begins at its opening, or where the previous one ended."""
        began = {day.first: day.opening for day in self.days}
        found: list[tuple[datetime, Money]] = []
        day, base, now = None, ZERO, ZERO
        for point in self.curve:
            if point.day != day:
                day, opening = point.day, began[point.day]
                base = now if opening is None else opening
            now = base + point.made
            found.append((point.at, Money(now)))
        return tuple(found)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to report."""
        told = self.trades or self.found.let_go or self.controls.acted or self.controls.near or self.quality.troubles
        return not (self.parts or told or self.unprotected) and self.standing.is_empty


def report_of(
    read: Read,
    days: Sequence[date],
    day_of: DayOf,
    session_at: SessionAt,
    *,
    is_week: bool,
    status: Sequence[Recorded] = (),
    before: Figures | None = None,
    quarter: Quarter | None = None,
) -> Report:
    """Return the report of these days.

    Parameters
    ----------
    status
        Of the time before `read.records`: what is folded into what still stands, the oldest first.
    before, quarter
        Of the week before, and of the quarter up to these days.
    """
    found = post_mortem(read, days, day_of, session_at)
    by_day: dict[date, list[Recorded]] = {}
    for record in read.records:
        by_day.setdefault(day_of(record.at), []).append(record)
    of_days = {day: by_day.get(day, []) for day in days}
    records = [record for of_day in of_days.values() for record in of_day]
    earlier = [record for day, of_day in by_day.items() if day < days[0] for record in of_day]
    stories = Stories([*read.before, *read.records])
    told = _days(found, stories.fills, day_of)
    reasons = _reasons(read.records)
    closes = closes_of(read.closes, [*read.records, *read.after], day_of)
    return Report(
        is_week,
        told,
        _together(told),
        found,
        tuple(TradeTold(each, reasons.get(str(each.story.trade.entry_order), "")) for each in found.trades),
        controls_of([*read.before, *earlier], records),
        quality_of(of_days, session_at),
        _by_the_broker(of_days[days[-1]]),
        still_stands(
            sorted([*status, *read.before], key=lambda record: record.sequence),
            read.records,
            closes.all_until(days[-1]),
        ),
        curve_of(days, read.before, by_day, closes, stories.fills, day_of, lambda day: _close_of(day, session_at)),
        before,
        unprotected_of(records, session_at),
        quarter,
    )


def week_figures(
    days: Sequence[date], records: Iterable[Recorded], later: Iterable[Recorded], day_of: DayOf
) -> Figures:
    """Return the figures of days of which only trades, fills and equity were read.

    `later` gives the last closing equity.
    """
    records = list(records)
    equity = equities([*records, *later])
    ends = (equity.get(days[0], (None, None))[0], closing_of(equity, days[-1]))
    trades: defaultdict[date, list[AnyTrade]] = defaultdict(list)
    fees: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for record in records:
        if isinstance(record.fact, TradeClosed):
            trades[day_of(record.fact.trade.exit_time)].append(record.fact.trade)
        elif isinstance(record.fact, OrderFilled):
            fees[day_of(record.fact.fill.at)] += record.fact.fill.fee
    told = [figures_of((day, day), (None, None), trades[day], fees[day]) for day in sorted({*days, *trades, *fees})]
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    return replace(_together(told), first=days[0], last=days[-1], opening=opening, closing=closing)


def _days(found: PostMortem, fills: Iterable[FillStory], day_of: DayOf) -> tuple[Figures, ...]:
    trades: defaultdict[date, list[AnyTrade]] = defaultdict(list)
    for each in found.trades:
        trades[day_of(each.story.trade.exit_time)].append(each.story.trade)
    fees: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    gained: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for fill in fills:
        fees[day_of(fill.at)] += fill.fee
        gained[day_of(fill.at)] += fill.realised
    return tuple(
        figures_of(
            (each.day, each.day), (each.opening, each.closing), trades[each.day], fees[each.day], gained[each.day]
        )
        for each in found.days
    )


def _close_of(day: date, session_at: SessionAt) -> datetime:
    session = session_at(HOME.at(day, HOME.opens))
    return session.close if isinstance(session, Session) else HOME.end_of(day)


def _together(days: Sequence[Figures]) -> Figures:
    """Return the sums of the figures shown for each day."""
    return Figures(
        days[0].first,
        days[-1].last,
        sum(day.trades for day in days),
        sum(day.won for day in days),
        sum((day.result for day in days), ZERO),
        -sum((day.fees for day in days), ZERO),
        days[0].opening,
        days[-1].closing,
        None if any(day.realised is None for day in days) else _sum(d.realised for d in days if d.realised is not None),
    )


def _sum(amounts: Iterable[Money]) -> Money:
    return Money(sum(amounts, ZERO))


def _reasons(records: Iterable[Recorded]) -> dict[str, str]:
    """Return the reason of each proposal, by the name that its order has too."""
    found: dict[ProposalId, str] = {}
    for record in records:
        match record.fact:
            case ProposalStaged(proposal=proposal) | ProposalEdited(proposal=proposal):
                found[proposal.id] = proposal.reason
    return {str(name): reason for name, reason in found.items()}


def _by_the_broker(records: Sequence[Recorded]) -> ByTheBroker | None:
    for record in reversed(records):
        if isinstance(record.fact, ActivitiesCompared):
            return ByTheBroker(record.fact.as_of, record.fact.equity, record.fact.cash)
    return None
