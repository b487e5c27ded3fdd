"""Each protection as a plain rescan: all closed trades, looked through anew at every close. Slow, and easy to believe.

A lock is (scope, since, until); what a history trips is every lock that any of its closes made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.session import Session
from core.risk.protections.closed_trades import STOP_OUTS, ClosedTrade
from core.settings.protections import (
    CooldownSettings,
    DayTradesSettings,
    LossStreakSettings,
    LowProfitSettings,
    MaxDrawdownSettings,
    StopLossGuardSettings,
)
from tests.unit.core.brokers.trading_floor import NEW_YORK, NewYorkHours, at

HOURS = NewYorkHours()
Made = tuple[str, datetime]
"""A scope in words, and until when it is shut."""


def _within(trades: Sequence[ClosedTrade], minutes: int) -> list[ClosedTrade]:
    """Those of the window that ends with the last."""
    return [t for t in trades if t.closed_at > trades[-1].closed_at - timedelta(minutes=minutes)]


def _end(trade: ClosedTrade, minutes: int) -> datetime:
    return trade.closed_at + timedelta(minutes=minutes)


def stop_loss_guard(trades: Sequence[ClosedTrade], terms: StopLossGuardSettings) -> Iterator[Made]:
    last = trades[-1]
    groups = []
    side = last.direction if terms.per_side else None
    if terms.per in ("symbol", "both"):
        groups.append((last.symbol, side))
    if terms.per in ("global", "both"):
        groups.append((None, side))
    for symbol, direction in groups:
        of_it = [t for t in trades if symbol in (None, t.symbol) and direction in (None, t.direction)]
        counted = []
        for t in of_it:
            if t.exit_reason in STOP_OUTS and t.ratio != 0 and t.ratio < terms.required_profit:
                counted.append(t)
            elif terms.consecutive:
                counted = []
        counted = [t for t in counted if t.closed_at > last.closed_at - timedelta(minutes=terms.lookback_minutes)]
        if len(counted) >= terms.trade_limit:
            words = " ".join(part for part in (symbol, direction) if part) or "global"
            yield words, _end(counted[-1], terms.stop_minutes)


def cooldown(trades: Sequence[ClosedTrade], terms: CooldownSettings) -> Iterator[Made]:
    last = trades[-1]
    if terms.loss == 0 or -last.ratio >= terms.loss:
        yield last.symbol, _end(last, terms.stop_minutes)


def low_profit(trades: Sequence[ClosedTrade], terms: LowProfitSettings) -> Iterator[Made]:
    last = trades[-1]
    judged = [
        t
        for t in _within(trades, terms.lookback_minutes)
        if t.symbol == last.symbol and (not terms.per_side or t.direction == last.direction)
    ]
    if len(judged) >= terms.trade_limit and sum(t.ratio for t in judged) < terms.required_profit:
        yield f"{last.symbol} {last.direction}" if terms.per_side else last.symbol, _end(last, terms.stop_minutes)


def loss_streak(trades: Sequence[ClosedTrade], terms: LossStreakSettings) -> Iterator[Made]:
    last = trades[-1]
    row = 0
    for t in trades:
        if t.strategy == last.strategy:
            row = row + 1 if t.ratio < 0 else 0
    if row >= terms.trade_limit:
        yield last.strategy or "global", _end(last, terms.stop_minutes)


def max_drawdown(trades: Sequence[ClosedTrade], terms: MaxDrawdownSettings) -> Iterator[Made]:
    """Of an equity of one, in ratios."""
    judged = _within(trades, terms.lookback_minutes)
    if len(judged) < terms.trade_limit:
        return
    sums = [Decimal(0)]
    for t in judged:
        sums.append(sums[-1] + t.ratio)
    peak, now = max(sums), sums[-1]
    if terms.method == "within":
        falls = [max(sums[: n + 1]) - at for n, at in enumerate(sums)]
        is_tripped = max(falls) > terms.limit
    else:
        is_tripped = (peak - now) / (1 + peak) > terms.limit
    if is_tripped:
        yield "global", _end(trades[-1], terms.stop_minutes)


def day_trades(trades: Sequence[ClosedTrade], terms: DayTradesSettings) -> Iterator[Made]:
    """Of a small account. Every day from the last trade on is tried, until one more trade may be made in it."""
    days = [_new_york(t.closed_at) for t in trades if _new_york(t.opened_at) == _new_york(t.closed_at)]
    day = _new_york(trades[-1].closed_at)

    def is_shut() -> bool:
        return sum(_business_days(made, day) < terms.days for made in days) >= terms.trade_limit - 1

    if is_shut():
        while is_shut():
            day += timedelta(days=1)
        yield "global", at("00:00", day)


def _business_days(after: date, until: date) -> int:
    """Those after a day, the last one included."""
    between = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
    return sum(isinstance(HOURS.session_on(day), Session) for day in between)


def _new_york(moment: datetime) -> date:
    return moment.astimezone(NEW_YORK).date()


RESCANS = {
    "stop_loss_guard": stop_loss_guard, "cooldown": cooldown, "low_profit": low_profit, "loss_streak": loss_streak,
    "max_drawdown": max_drawdown, "day_trades": day_trades,
}  # fmt: skip
