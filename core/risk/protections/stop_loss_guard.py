"""Recent stop-outs shut a symbol, a side, or everything (RK-05; freqtrade's StoplossGuard)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.risk.protections.rolling_trades import RollingSum
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import StopLossGuardSettings


@dataclass(slots=True)
class CountedStop:
    """The counted stop-outs of one scope."""

    scope: Scope
    stops: RollingSum = field(default_factory=RollingSum)


@dataclass(slots=True)
class StopLossGuardState:
    counted: dict[str, CountedStop] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class StopLossGuard(TradeProtection):
    """Shuts a symbol, a side or every entry; ends its time after the last counted stop-out, or by a typed override."""

    name = "stop_loss_guard"
    is_count = True

    def __init__(self, terms: Callable[[], StopLossGuardSettings]) -> None:
        self.terms = terms
        self.state = StopLossGuardState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        is_counted = trade.is_stop_out and trade.ratio != 0 and trade.ratio < terms.required_profit
        for scope in self._scopes(trade, terms):
            counted = self.state.counted.setdefault(str(scope), CountedStop(scope))
            counted.stops.drop_until(trade.closed_at - timedelta(minutes=terms.lookback_minutes))
            if is_counted:
                self._count(counted, trade, terms)
            elif terms.consecutive:
                counted.stops = RollingSum()
            if not counted.stops:
                del self.state.counted[str(scope)]

    def _count(self, counted: CountedStop, trade: ClosedTrade, terms: StopLossGuardSettings) -> None:
        counted.stops.add(trade.closed_at)
        count = len(counted.stops)
        if count >= terms.trade_limit:
            until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
            reason = f"{count} stop-outs{_in_a_row(terms)}, the limit is {terms.trade_limit}"
            self.locks.shut(
                Lock(counted.scope, trade.closed_at, until, Decimal(count), Decimal(terms.trade_limit), reason)
            )

    def _scopes(self, trade: ClosedTrade, terms: StopLossGuardSettings) -> Iterator[Scope]:
        side = trade.direction if terms.per_side else None
        if terms.per in ("symbol", "both"):
            yield Scope(trade.symbol, side)
        if terms.per in ("global", "both"):
            yield Scope(None, side)

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        words = f"stop-outs{_in_a_row(terms)} of {terms.lookback_minutes} minutes"
        oldest = at - timedelta(minutes=terms.lookback_minutes)
        limit = Decimal(terms.trade_limit)
        found = [(counted.scope, Decimal(counted.stops.since(oldest)[0])) for counted in self.state.counted.values()]
        counting = [Measure(scope, count, limit, words) for scope, count in found if count]
        yield from counting or [Measure(EVERYTHING, Decimal(0), limit, words)]


def _in_a_row(terms: StopLossGuardSettings) -> str:
    return " in a row" if terms.consecutive else ""
