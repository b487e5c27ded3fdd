"""The performance of a desk from its journal alone: the account by day, trades by group, margin over time (AN-01)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from core.analytics.account_days import AccountDay, AccountFacts, account_days, growth, missing
from core.analytics.equity_change import to_the_cent
from core.analytics.groups import Figures, LocalTime, by_groups, figures, framed, rows_of
from core.analytics.margin_use import MarginDay, MarginInstant, instants_of, margin_days
from core.analytics.metrics import SESSIONS_A_YEAR, DayOfEquity, metrics, returns_of, rolled
from core.analytics.metrics import framed as series_of
from core.analytics.wording import ROLLING
from core.facts import CorporateActionApplied, MarginSampled, OrderCreated, PositionCorrected, TradeClosed
from core.model.position import AnyTrade
from core.model.staging import StopPlan
from core.model.values import ZERO, ClientOrderId, Money, Price, Symbol
from core.ports import Recorded

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
    groups
        Figures of all trades by group.
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
) -> DeskMeasures:
    """Return the measures of the closed trades and of the account, from `first` to `last`.

    Parameters
    ----------
    records
        From the journal's beginning, to include the entry of each trade, to some days after `last`.
    sessions
        The venue's days in order, beginning before the first record.
    """
    account, ended, sampled = AccountFacts(sessions), _Ended(), []
    for record in records:
        account.take(record)
        ended.take(record)
        if isinstance(record.fact, MarginSampled) and first <= day_of(record.at) <= last:
            sampled.append(record)
    days, instants = account_days(account, first, last), instants_of(sampled)
    worth = growth(days)
    trades = [trade for trade in ended.trades if first <= day_of(trade.exit_time) <= last]
    rows = rows_of(trades, ended.stops.get, local)
    returns = len(returns_of(series_of(worth)["equity"]))
    too_few = {name: needed for name, needed in NEEDS.items() if returns < needed}
    told = metrics(worth, [float(trade.profit) for trade in trades])
    told = {**told, **_exact(days, trades), **dict.fromkeys(too_few)}
    del told["mean_exposure"]  # a journal does not have the value of the positions at each close
    return DeskMeasures(
        first=first,
        last=last,
        days=days,
        growth=tuple(worth),
        returns=returns,
        measures={name: _known(value) for name, value in told.items()},
        too_few=too_few,
        rolling=rolled(series_of(worth)["equity"]),
        trades=figures(framed(rows)) | {"profit": _cents(trade.profit for trade in trades)},
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
        "profit": _cents(trade.profit for trade in trades),
        "slippage": _cents(trade.slippage for trade in trades),
        "fees": _cents(trade.fees for trade in trades),
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

    def _split(self, split: CorporateActionApplied) -> None:
        """Divide the stops of the position's entries by the number of shares for one."""
        owners = {owner.strategy for owner in split.owners}
        for order, (symbol, strategy, stop) in self._sent.items():
            if symbol == split.symbol and strategy in owners:
                behind = None if stop.behind is None else Price(stop.behind / split.ratio)
                after = replace(stop, price=Price(stop.price / split.ratio), behind=behind)
                self._sent[order] = symbol, strategy, after
