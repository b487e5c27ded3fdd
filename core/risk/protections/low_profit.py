"""A symbol whose recent trades made too little together is shut (RK-08; freqtrade's LowProfitPairs)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.values import ZERO, percent
from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.risk.protections.rolling_trades import RollingSum
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import LowProfitSettings


@dataclass(slots=True)
class Judged:
    """The counted profit ratios of one scope."""

    scope: Scope
    ratios: RollingSum = field(default_factory=RollingSum)


@dataclass(slots=True)
class LowProfitState:
    judged: dict[str, Judged] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class LowProfit(TradeProtection):
    """Shuts the symbol's entries; ends its time after the last counted trade closed, or by a typed override."""

    name = "low_profit"

    def __init__(self, terms: Callable[[], LowProfitSettings]) -> None:
        self.terms = terms
        self.state = LowProfitState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        scope = Scope(trade.symbol, trade.direction if terms.per_side else None)
        ratios = self.state.judged.setdefault(str(scope), Judged(scope)).ratios
        ratios.add(trade.closed_at, trade.ratio)
        ratios.drop_until(trade.closed_at - timedelta(minutes=terms.lookback_minutes))
        if len(ratios) < terms.trade_limit or ratios.total >= terms.required_profit:
            return
        until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
        reason = f"{len(ratios)} trades made {percent(ratios.total)}, {percent(terms.required_profit)} is required"
        self.locks.shut(Lock(scope, trade.closed_at, until, ratios.total, terms.required_profit, reason))

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        oldest = at - timedelta(minutes=terms.lookback_minutes)
        found = [(judged.scope, *judged.ratios.since(oldest)) for judged in self.state.judged.values()]
        required = terms.required_profit
        judged = [_measured(scope, count, total, terms) for scope, count, total in found if count]
        yield from judged or [Measure(EVERYTHING, ZERO, required, f"no trade in {terms.lookback_minutes} minutes")]


def _measured(scope: Scope, count: int, total: Decimal, terms: LowProfitSettings) -> Measure:
    """Build the measure; with too few trades there is no figure yet."""
    words = f"{count} trade{'s' * (count != 1)} of {terms.lookback_minutes} minutes, {terms.trade_limit} are judged"
    if count >= terms.trade_limit:
        return Measure(scope, total, terms.required_profit, words)
    so_far = f"{words}; {percent(total)} so far, {percent(terms.required_profit)} is required"
    return Measure(scope, None, terms.required_profit, so_far, f"{count} of {terms.trade_limit} trades")
