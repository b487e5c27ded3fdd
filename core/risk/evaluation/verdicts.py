"""Verdicts on a night's figures: retire, promote or keep, and why a verdict was not possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.model.evaluation import EvaluationFigures, NoFigure
from core.model.values import ZERO, percent
from core.risk.evaluation.figures import Result, of_a_session
from core.settings.evaluation import EvaluationSettings


@dataclass(frozen=True, slots=True)
class Retire:
    reason: str


@dataclass(frozen=True, slots=True)
class Promote:
    reason: str


@dataclass(frozen=True, slots=True)
class Keep:
    words: str


def judged(figures: EvaluationFigures, terms: EvaluationSettings) -> Retire | Promote | Keep:
    """Return the first reason to retire it; else whether all three figures are high enough to promote it.

    If a figure is missing the strategy is kept as it is.
    """
    if figures.losses_in_a_row >= terms.losses_in_a_row:
        return Retire(f"{figures.losses_in_a_row} losses in a row, {terms.losses_in_a_row} retire it")
    sharpe = figures.daily_sharpe
    if sharpe is None or isinstance(sharpe, NoFigure):
        return Keep(f"skipped this time: {'no Sharpe ratio' if sharpe is None else sharpe.reason}")
    if isinstance(figures.win_rate, NoFigure):
        return Keep(f"skipped this time: {figures.win_rate.reason}")
    if sharpe < (least := of_a_session(terms.least_sharpe)):
        return Retire(
            f"Sharpe {sharpe:.3f} a session of {terms.window_days} days is under {least:.3f}, "
            f"which is {terms.least_sharpe} a year"
        )
    if figures.win_rate < terms.least_win_rate:
        return Retire(
            f"it won {percent(figures.win_rate, 1)} of {figures.trades} trades, "
            f"under {percent(terms.least_win_rate, 0)}"
        )
    if isinstance(figures.profit_factor, NoFigure):
        return Keep(f"nothing more is proposed: {figures.profit_factor.reason}")
    if (
        terms.more
        and sharpe > of_a_session(terms.more_over_sharpe)
        and figures.win_rate > terms.more_over_win_rate
        and figures.profit_factor > terms.more_over_profit_factor
    ):
        return Promote(
            f"Sharpe {sharpe:.2f} a session, {percent(figures.win_rate, 1)} of {figures.trades} trades won, "
            f"profit factor {figures.profit_factor:.2f}"
        )
    return Keep("goes on as it is")


def bad_regimes(results: Sequence[Result], since: date, terms: EvaluationSettings) -> Iterator[tuple[str, str]]:
    """Yield regimes in which it lost money and won too rarely, each with the reason."""
    by_regime: dict[str, list[Decimal]] = {}
    for result in results:
        if result.day >= since and result.regime and not result.is_failed:
            by_regime.setdefault(result.regime, []).append(result.profit)
    for regime, profits in sorted(by_regime.items()):
        wins, lost = sum(profit > ZERO for profit in profits), -sum(profits, ZERO)
        if len(profits) >= terms.regime_trades and lost > ZERO and wins < terms.least_win_rate * len(profits):
            yield regime, f"{len(profits)} trades in it lost {lost:,.2f} USD, {wins} of them won"


def vix_is_high(closes: Sequence[tuple[date, Decimal]], terms: EvaluationSettings) -> bool:
    """Return whether the last `vix_days` closes are all over the limit."""
    last = closes[-terms.vix_days :]
    return len(last) == terms.vix_days and all(value > terms.vix_over for _, value in last)
