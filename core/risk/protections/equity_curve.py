"""A strategy opens only while its last trades made money on average (RK-13).

A result is a profit ratio, so that trades of every size weigh the same. While a strategy is shut, its refused entries
go on as shadow trades, as many a day as it may open, and their results count like those of trades: it can recover. A
strategy that stays below zero for too long is disabled until the operator resumes it after a review. The operator's own
orders and positions taken over from the broker belong to no strategy and have no curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core.execution.ledger_state import UNKNOWN_OWNER
from core.model.staging import MANUAL
from core.model.values import ZERO, percent
from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import EquityCurveSettings

NO_STRATEGY = (MANUAL, UNKNOWN_OWNER)


@dataclass(slots=True)
class Curve:
    """One strategy's last results, oldest first.

    Attributes
    ----------
    are_shadows
        For each ratio, whether it is a shadow trade's.
    below
        Results in a row after which their mean was not positive.
    is_disabled
        Until the operator resumes it.
    """

    ratios: list[Decimal] = field(default_factory=list)
    are_shadows: list[bool] = field(default_factory=list)
    total: Decimal = ZERO
    below: int = 0
    is_disabled: bool = False

    def add(self, trade: ClosedTrade, most: int) -> None:
        self.ratios.append(trade.ratio)
        self.are_shadows.append(trade.is_shadow)
        self.total += trade.ratio
        while len(self.ratios) > most:
            self.total -= self.ratios.pop(0)
            del self.are_shadows[0]

    @property
    def mean(self) -> Decimal:
        return self.total / len(self.ratios)

    @property
    def words(self) -> str:
        """As in `20 trades, 3 of them shadows,`."""
        shadows = sum(self.are_shadows)
        return f"{len(self.ratios)} trades" + (f", {shadows} of them shadows," if shadows else "")


@dataclass(slots=True)
class EquityCurveState:
    curves: dict[str, Curve] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class EquityCurve(TradeProtection):
    """Shuts the strategy's entries; ends when its mean is above zero, shadows included, or, once disabled, by the
    operator.
    """

    name = "equity_curve"

    def __init__(self, terms: Callable[[], EquityCurveSettings]) -> None:
        self.terms = terms
        self.state = EquityCurveState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        if trade.strategy in NO_STRATEGY:
            return
        terms, curve = self.terms(), self.state.curves.setdefault(trade.strategy, Curve())
        curve.add(trade, terms.trades)
        if len(curve.ratios) < terms.trades:
            return
        curve.below = 0 if curve.total > 0 else curve.below + 1
        curve.is_disabled |= curve.below >= terms.disabled_after
        self._settle(trade.closed_at, trade.strategy, curve)

    def after(self, ended: Iterable[ClosedTrade]) -> EquityCurve:
        """Return a copy that has taken these trades; this one stays unchanged."""
        trial = EquityCurve(self.terms)
        trial.state = deepcopy(self.state)
        for trade in ended:
            trial.take(trade)
        return trial

    def resume(self, at: datetime, strategy: str) -> None:
        """Enable a strategy after the operator's review; it stays locked while its mean is not positive."""
        curve = self.state.curves.get(strategy)
        if curve is not None and curve.is_disabled:
            curve.is_disabled, curve.below = False, 0
            self._settle(at, strategy, curve)

    def is_shut(self, strategy: str) -> bool:
        return str(_scope(strategy)) in self.locks.by_scope

    def disabled(self) -> Iterator[str]:
        return (strategy for strategy, curve in self.state.curves.items() if curve.is_disabled)

    def _settle(self, at: datetime, strategy: str, curve: Curve) -> None:
        if curve.total > 0 and not curve.is_disabled:
            self.locks.lift(_scope(strategy))
            return
        review = f"; below for {curve.below} in a row: disabled until you resume it" if curve.is_disabled else ""
        reason = f"the last {curve.words} made {percent(curve.mean, 3)} on average, more than zero is required{review}"
        self.locks.shut(Lock(_scope(strategy), at, None, curve.mean, ZERO, reason))

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        for strategy, curve in self.state.curves.items():
            is_judged = len(curve.ratios) >= terms.trades
            words = (
                f"the mean of the last {curve.words} is above zero"
                if is_judged
                else f"{curve.words} of the {terms.trades} that are judged"
            )
            progress = "" if is_judged else f"{len(curve.ratios)} of {terms.trades} trades"
            yield Measure(_scope(strategy), curve.mean if is_judged else None, ZERO, words, progress)
        if not self.state.curves:
            words = f"no trade of a strategy yet, {terms.trades} are judged"
            yield Measure(EVERYTHING, None, ZERO, words, f"0 of {terms.trades} trades")


def _scope(strategy: str) -> Scope:
    """Trades without a known strategy count together."""
    return Scope(strategy=strategy or None)
