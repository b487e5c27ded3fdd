"""The performance of a desk from its journal: by day, by group of trades, with its use of margin (AN-01, RK-14).

An instant is a sample of the account's figures, at most one a minute while margin is in use, and one when that ends; a
cash account, or a broker without margin figures, has none. The figures are maintenance margin over equity, and initial
margin over equity if the broker reports it. Requirements are the broker's: FINRA Rule 4210(c) for maintenance,
Regulation T (12 CFR 220.12) for initial margin, or higher ones of the broker.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pandas as pd

from core.analytics.account_days import AccountDay, AccountFacts, account_days, growth, missing
from core.analytics.equity import Part, in_cents, to_the_cent
from core.analytics.groups import half_hour, regime_name
from core.analytics.metrics import (
    expectancy,
    mean_gain,
    mean_loss,
    metrics,
    profit_factor,
    returns_of,
    rolled,
    win_rate,
)
from core.analytics.metrics import framed as series_of
from core.analytics.presentation import ROLLING
from core.analytics.windows import SESSIONS_A_YEAR, DayOfEquity
from core.execution.fee_days import FeeDays
from core.facts import CorporateActionApplied, FillReversed, MarginSampled, OrderCreated, PositionCorrected, TradeClosed
from core.model.lazy_dataclass import dataclass
from core.model.position import AnyTrade
from core.model.signal import FAILED_WORDS
from core.model.staging import MANUAL, StopPlan
from core.model.values import ZERO, ClientOrderId, Money, Price, Symbol
from core.ports import Recorded

HELD: tuple[tuple[timedelta, str], ...] = (
    (timedelta(minutes=5), "under 5 min"),
    (timedelta(minutes=30), "under 30 min"),
    (timedelta(hours=2), "under 2 h"),
    (timedelta(hours=7), "under 7 h"),
)
"""Limits of holding times, the shortest first; longer trades were held overnight."""
OVERNIGHT = "overnight"
StopOf = Callable[[ClientOrderId], StopPlan | None]
"""Returns the stop of an entry as sent, or None."""
LocalTime = Callable[[datetime], time]
"""Returns the venue's local time of day."""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade with its groups. `profit` is exact USD; `r` is its ratio to the risk to the stop, None without one.

    `is_failed`: it failed in execution, which is no trading result (EX-18).
    """

    strategy: str
    by: str
    regime: str
    symbol: str
    half_hour: str
    held: str
    reason: str
    profit: Money
    r: float | None
    is_failed: bool


Figures = dict[str, float | int | None]
"""The figures of a group, by name."""
BY = ("strategy", "by", "regime", "symbol", "half_hour", "held", "reason")
"""The groupings; `by` is whether a person or a strategy proposed the trade, `reason` that of its exit."""


def rows_of(trades: Iterable[AnyTrade], stop_of: StopOf, local: LocalTime) -> list[TradeRow]:
    """Return a row per trade, in order; the half-hour is that of the entry."""
    return [
        TradeRow(
            trade.strategy,
            "manual" if trade.strategy == MANUAL else "strategies",
            regime_name(trade.regime),
            trade.symbol,
            half_hour(local(trade.entry_time)),
            time_held(trade.exit_time - trade.entry_time),
            trade.exit_reason.value,
            trade.profit,
            r_multiple(trade, stop_of(trade.entry_order)),
            trade.is_failed,
        )
        for trade in trades
    ]


def time_held(held: timedelta) -> str:
    return next((words for most, words in HELD if held < most), OVERNIGHT)


def r_multiple(trade: AnyTrade, stop: StopPlan | None) -> float | None:
    """Return the ratio of the profit to the entry's risk (R).

    The risk is the distance to its first stop, times the entered quantity.

    V. Tharp, "Trade Your Way to Financial Freedom" (1998). None without a stop, or with one at the entry price.
    """
    way = ZERO if stop is None else stop.way_from(trade.entry_price)
    risked = trade.instrument.cost(abs(trade.quantity), Price(way))
    return float(trade.profit / risked) if risked else None


def by_groups(rows: Sequence[TradeRow]) -> dict[str, dict[str, Figures]]:
    """Return the `figures` by grouping and group. Profits of groups add up to the cent.

    Groups are sorted by name, holding times from the shortest to the longest. Trades that failed in execution are a
    line of their own at the end; by exit reason each of their reasons is one.
    """
    frame, exact = framed(rows), [row.profit for row in rows]
    found: dict[str, dict[str, Figures]] = {}
    for by in BY:
        names = frame[by] if by == "reason" else frame[by].mask(frame["is_failed"], FAILED_WORDS)
        groups = sorted(frame.groupby(names).groups.items(), key=lambda each: _place(str(each[0])))
        sums = in_cents(Part(str(name), Money(sum((exact[n] for n in places), ZERO))) for name, places in groups)
        found[by] = {
            part.name: figures(frame.loc[places]) | {"profit": float(part.amount)}
            for part, (_, places) in zip(sums, groups, strict=True)
        }
    return found


def framed(rows: Sequence[TradeRow]) -> pd.DataFrame:
    """Return a row per trade, numbered from 0; money as floats."""
    return pd.DataFrame(rows, columns=[*BY, "profit", "r", "is_failed"]).astype(
        {"profit": float, "r": float, "is_failed": bool}
    )


def figures(group: pd.DataFrame) -> Figures:
    """Return the figures of one group. Of trades that failed in execution there are number and sum alone.

    R is of the trades with a stop, None without any; `without_r` counts the others.
    """
    profit, r = group["profit"], group["r"].dropna()
    if len(group) and group["is_failed"].all():
        profit, r = profit.iloc[:0], r.iloc[:0]
    return {
        "trades": len(group),
        "profit": float(group["profit"].sum()),
        "win_rate": win_rate(profit),
        "expectancy": expectancy(profit),
        "mean_gain": mean_gain(profit),
        "mean_loss": mean_loss(profit),
        "profit_factor": profit_factor(profit),
        "mean_r": expectancy(r),
        "total_r": float(r.sum()) if len(r) else None,
        "without_r": len(profit) - len(r),
    }


def _place(name: str) -> tuple[int, str]:
    """Return the sort key of a group."""
    if name == FAILED_WORDS:
        return len(HELD) + 1, name
    held = [words for _, words in HELD]
    return (held.index(name) if name in held else len(held) if name == OVERNIGHT else 0, name)


@dataclass(frozen=True, slots=True)
class MarginInstant:
    """Fractions of equity; None if equity was zero or less, and `initial` also if the broker did not report it."""

    at: datetime
    maintenance: float | None
    initial: float | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class MarginDay:
    """A trading day with margin in use.

    Attributes
    ----------
    instants
        The number of samples with margin in use.
    highest, at
        The highest maintenance margin over equity, and its time; None if equity was zero or less then: above any value.
    mean
        The mean of the samples in use, each counted once; at one a minute that is the mean over the time in use.
    initial
        The highest initial margin over equity; None if the broker did not report it.
    """

    day: date
    instants: int
    highest: float | None
    at: datetime
    mean: float | None
    initial: float | None


def instants_of(records: Iterable[Recorded]) -> list[MarginInstant]:
    """Return an instant per sample, in order."""
    found = []
    for record in records:
        if isinstance(fact := record.fact, MarginSampled):
            maintenance = _to(fact.maintenance_margin, fact.equity)
            initial = None if fact.initial_margin is None else _to(fact.initial_margin, fact.equity)
            found.append(MarginInstant(record.at, maintenance, initial, fact.maintenance_margin > ZERO))
    return found


def margin_days(instants: Iterable[MarginInstant], day_of: Callable[[datetime], date]) -> list[MarginDay]:
    """Return the days with margin in use, in order."""
    by_day: dict[date, list[MarginInstant]] = {}
    for instant in instants:
        if instant.is_in_use:
            by_day.setdefault(day_of(instant.at), []).append(instant)
    return [_day(day, found) for day, found in by_day.items()]


def _day(day: date, found: Sequence[MarginInstant]) -> MarginDay:
    worst = max(found, key=lambda each: float("inf") if each.maintenance is None else each.maintenance)
    shares = [each.maintenance for each in found if each.maintenance is not None]
    initial = [each.initial for each in found if each.initial is not None]
    mean = sum(shares) / len(shares) if len(shares) == len(found) else None
    return MarginDay(day, len(found), worst.maintenance, worst.at, mean, max(initial, default=None))


def _to(margin: Money, equity: Money) -> float | None:
    return float(margin / equity) if equity > ZERO else None


NEEDS: Mapping[str, int] = {
    "total_return": 1,
    "max_drawdown": 1,
    "drawdown_sessions": 1,
    "longest_under_water": 1,
    "sharpe": ROLLING,
    "sortino": ROLLING,
    "omega": ROLLING,
    "yearly_return": SESSIONS_A_YEAR,
    "calmar": SESSIONS_A_YEAR,
}
"""The number of session returns below which a measure of the account is not reported.

Less than a year is not annualized: GIPS Standards for Firms (CFA Institute, 2020). The ratios need as many as their
rolling figures: a quarter of a year, which is our own choice.
"""


@dataclass(frozen=True, slots=True)
class DeskMeasures:
    """The measures from one day to another.

    Attributes
    ----------
    days
        The account's closes, including the one before the first day.
    growth
        The growth of the first of them without deposits and withdrawals, USD.
    measures
        By name, as in `metrics`; None if undefined, or with too few days.
    too_few
        The required number of returns for each measure that is None for lack of days; `returns` is the actual number.
    rolling
        Over the last 63 sessions, by day.
    trades, failed
        Figures of the trades, and of those that failed in execution, which are in no measure.
    groups
        Figures of the trades by group.
    unpriced
        The number of share transfers of unknown value, which count as a result.
    """

    first: date
    last: date
    days: tuple[AccountDay, ...]
    growth: tuple[DayOfEquity, ...]
    returns: int
    measures: Mapping[str, object]
    too_few: Mapping[str, int]
    rolling: Sequence[Mapping[str, object]]
    trades: Figures
    failed: Figures
    groups: Mapping[str, Mapping[str, Figures]]
    instants: Sequence[MarginInstant]
    margin: Sequence[MarginDay]
    unpriced: int

    @property
    def missing(self) -> tuple[date, ...]:
        return missing(self.days)


def desk_measures(
    records: Iterable[Recorded],
    first: date,
    last: date,
    sessions: Sequence[date],
    day_of: Callable[[datetime], date],
    local: LocalTime,
    fees: FeeDays,
) -> DeskMeasures:
    """Return the measures of the closed trades and of the account, from `first` to `last`.

    Parameters
    ----------
    records
        From the journal's beginning, to include the entry of each trade, to some days after `last`.
    sessions
        The venue's days in order, beginning before the first record.
    fees
        Takes these records: by it each fee counts on its day.
    """
    account, ended, sampled = AccountFacts(sessions, fees), _Ended(), []
    for record in records:
        account.take(record)
        ended.take(record)
        if isinstance(record.fact, MarginSampled) and first <= day_of(record.at) <= last:
            sampled.append(record)
    days, instants = account_days(account, first, last), instants_of(sampled)
    worth = growth(days)
    closes = series_of(worth)
    trades = [trade for trade in ended.trades if first <= day_of(trade.exit_time) <= last]
    rows = rows_of(trades, ended.stops.get, local)
    traded, failed = ([row for row in rows if row.is_failed is is_failed] for is_failed in (False, True))
    sums = (("", traded), (FAILED_WORDS, failed))  # together what the account made, to the cent
    made, lost = in_cents(Part(name, Money(sum((row.profit for row in its), ZERO))) for name, its in sums)
    returns = len(returns_of(closes["equity"]))
    too_few = {name: needed for name, needed in NEEDS.items() if returns < needed}
    told = metrics(worth, [float(row.profit) for row in traded])
    told = {**told, **_exact(days, trades), "profit": float(made.amount), **dict.fromkeys(too_few)}
    del told["mean_exposure"]  # a journal does not have the value of the positions at each close
    return DeskMeasures(
        first=first,
        last=last,
        days=days,
        growth=tuple(worth),
        returns=returns,
        measures={name: _known(value) for name, value in told.items()},
        too_few=too_few,
        rolling=rolled(closes["equity"], closes["cent"]),
        trades=figures(framed(traded)) | {"profit": float(made.amount)},
        failed=figures(framed(failed)) | {"profit": float(lost.amount)},
        groups=by_groups(rows),
        instants=instants,
        margin=margin_days(instants, day_of),
        unpriced=account.unpriced,
    )


def _exact(days: Sequence[AccountDay], trades: Sequence[AnyTrade]) -> dict[str, object]:
    """Return the amounts of money: exact to the cent, and the account's own equity instead of its growth."""
    known = [float(to_the_cent(day.equity)) for day in days if day.equity is not None]
    return {
        "first_equity": known[0] if known else None,
        "last_equity": known[-1] if known else None,
        "moved": _cents(day.moved for day in days),
        "slippage": _cents(trade.slippage for trade in trades),
        "fees": _cents(trade.fees for trade in trades),
        "charged": _cents(day.charged for day in days[1:]),
    }


def _known(value: object) -> object:
    """Return None for NaN: an account without value has no growth from then on."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _cents(amounts: Iterable[Decimal]) -> float:
    return float(to_the_cent(Money(sum(amounts, ZERO))))


class _Ended:
    """The closed trades, and the stop of each entry in the prices of its trade."""

    def __init__(self) -> None:
        self.trades: list[AnyTrade] = []
        self.stops: dict[ClientOrderId, StopPlan] = {}
        self._sent: dict[ClientOrderId, tuple[Symbol, str, StopPlan]] = {}

    def take(self, record: Recorded) -> None:
        match record.fact:
            case OrderCreated(order=order, strategy=strategy, stop=stop) if stop is not None:
                self._sent[order.client_order_id] = order.symbol, strategy, stop
            case CorporateActionApplied() as split:
                self._split(split)
            case PositionCorrected(symbol=symbol, is_split=True):  # the ratio is unknown: no R of the position
                self._sent = {order: sent for order, sent in self._sent.items() if sent[0] != symbol}
            case TradeClosed(trade=trade):
                self.trades.append(trade)
                if (found := self._sent.get(trade.entry_order)) is not None:
                    self.stops[trade.entry_order] = found[-1]
            case FillReversed(undone=trade) if trade in self.trades:
                at, corrected = self.trades.index(trade), record.fact.corrected
                self.trades[at : at + 1] = [] if corrected is None else [corrected]

    def _split(self, split: CorporateActionApplied) -> None:
        """Divide the stops of the position's entries by the number of shares for one."""
        owners = {owner.strategy for owner in split.owners}
        for order, (symbol, strategy, stop) in self._sent.items():
            if symbol == split.symbol and strategy in owners:
                by = split.rescaling
                after = replace(stop, price=by.price(stop.price), behind=by.known_distance(stop.behind))
                self._sent[order] = split.symbol_now, strategy, after
