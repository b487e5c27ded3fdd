"""The figures by which a strategy is evaluated, each by its formula, from its closed trades alone (ST-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from core.model.evaluation import EvaluationFigures, NoFigure
from core.model.values import ZERO, Fraction, Money

SESSIONS_A_YEAR = Decimal(252)
PLACES = Decimal("0.0001")
DAILY_PLACES = Decimal("0.000001")
DIGITS = 28
"""Precision of every step, independent of the process's context."""
LEAST_SESSIONS = 2
"""Minimum for a standard deviation."""
ANNUAL_SESSIONS = 63
"""Minimum for an annualized figure: a quarter, as in `core.analytics.wording` (AN-01)."""


@dataclass(frozen=True, slots=True)
class Result:
    """A closed trade: the trading day it ended on, its profit (USD), and the regime at its entry.

    `regime` is empty if it was unknown. A trade whose first exit failed is not a trading result: it is counted apart.
    """

    day: date
    profit: Money
    regime: str = ""
    is_failed: bool = False


def figures_of(
    results: Sequence[Result], since: date, sessions: Sequence[date], losses_in_a_row: int, least_trades: int
) -> EvaluationFigures:
    """Compute the figures of trades that ended on or after `since`.

    `sessions` are the counted trading days since then.
    """
    recent = [result for result in results if result.day >= since]
    traded = [result for result in recent if not result.is_failed]
    counted = [result.profit for result in traded]
    daily = sharpe_of(traded, sessions)
    wins = sum(profit > ZERO for profit in counted)
    return EvaluationFigures(
        since=since,
        trades=len(counted),
        wins=wins,
        losses_in_a_row=losses_in_a_row,
        win_rate=win_rate_of(wins, len(counted), least_trades),
        sharpe=a_year(daily, len(sessions)),
        profit_factor=profit_factor_of(counted),
        failed=len(recent) - len(traded),
        daily_sharpe=daily,
    )


def win_rate_of(wins: int, trades: int, least: int) -> Fraction | NoFigure:
    """Winning trades / all trades, to four places. A trade with zero profit is not a win.

    There is no figure with fewer than `least` trades.
    """
    if trades < least:
        return NoFigure(f"{trades} trades of the {least} that a win rate needs")
    return Fraction((Decimal(wins) / trades).quantize(PLACES))


def profit_factor_of(profits: Sequence[Decimal]) -> Decimal | NoFigure:
    """Sum of the gains / sum of the losses, to four places. There is no figure if no trade lost."""
    lost = -sum((profit for profit in profits if profit < ZERO), ZERO)
    if not lost:
        return NoFigure("no trade lost, so that there is no profit factor")
    with localcontext() as context:
        context.prec = DIGITS
        return (sum((profit for profit in profits if profit > ZERO), ZERO) / lost).quantize(PLACES)


def sharpe_of(results: Sequence[Result], sessions: Sequence[date]) -> Decimal | NoFigure:
    """The Sharpe ratio of the daily results, to six places, not annualized: mean / standard deviation.

    A day's result is the sum, in USD, of the trades that ended on it, and zero on a session without any; the deviation
    is the sample's (n − 1), the riskless rate zero. The ratio does not depend on the capital, so it equals the ratio of
    returns on a constant capital (W. F. Sharpe, The Sharpe Ratio, 1994).

    There is no figure with fewer than two sessions, nor if every session had the same result.
    """
    if len(sessions) < LEAST_SESSIONS:
        return NoFigure(f"{len(sessions)} sessions of the {LEAST_SESSIONS} that a Sharpe ratio needs")
    of_day = dict.fromkeys(sessions, ZERO)
    for result in results:
        of_day[result.day] = of_day.get(result.day, ZERO) + result.profit
    with localcontext() as context:
        context.prec = DIGITS
        mean = sum(of_day.values(), ZERO) / len(of_day)
        variance = sum(((day - mean) ** 2 for day in of_day.values()), ZERO) / (len(of_day) - 1)
        if not variance:
            return NoFigure("every session made the same, so that there is no Sharpe ratio")
        return (mean / variance.sqrt()).quantize(DAILY_PLACES)


def a_year(daily: Decimal | NoFigure, sessions: int) -> Decimal | NoFigure:
    """The annual Sharpe ratio, to four places: √252 × that of a session. There is none of fewer than 63 sessions."""
    if isinstance(daily, NoFigure):
        return daily
    if sessions < ANNUAL_SESSIONS:
        return NoFigure(f"{sessions} sessions of the {ANNUAL_SESSIONS} that a Sharpe ratio a year needs")
    with localcontext() as context:
        context.prec = DIGITS
        return (SESSIONS_A_YEAR.sqrt() * daily).quantize(PLACES)


def of_a_session(yearly: Decimal) -> Decimal:
    """Return the ratio of a session that a limit for a year means."""
    with localcontext() as context:
        context.prec = DIGITS
        return (yearly / SESSIONS_A_YEAR.sqrt()).quantize(DAILY_PLACES)
