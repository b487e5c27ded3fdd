"""Losses of a strategy in a row shut it for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import LossStreakSettings


@dataclass(slots=True)
class LossStreakState:
    """`in_a_row` is keyed by strategy; a strategy whose last trade made money is not kept."""

    in_a_row: dict[str, int] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class LossStreak(TradeProtection):
    """Shuts the strategy's entries; ends its time after the last loss closed, or by a typed override."""

    name = "loss_streak"
    is_count = True

    def __init__(self, terms: Callable[[], LossStreakSettings]) -> None:
        self.terms = terms
        self.state = LossStreakState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        if trade.ratio >= 0:
            self.state.in_a_row.pop(trade.strategy, None)
            return
        terms, count = self.terms(), self.state.in_a_row.get(trade.strategy, 0) + 1
        self.state.in_a_row[trade.strategy] = count
        if count >= terms.trade_limit:
            until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
            reason = f"{count} losses in a row, the limit is {terms.trade_limit}"
            self.locks.shut(
                Lock(_scope(trade.strategy), trade.closed_at, until, Decimal(count), Decimal(terms.trade_limit), reason)
            )

    def measures(self, at: datetime) -> Iterator[Measure]:
        limit, words = Decimal(self.terms().trade_limit), "losses in a row"
        rows = [Measure(_scope(name), Decimal(count), limit, words) for name, count in self.state.in_a_row.items()]
        yield from rows or [Measure(EVERYTHING, Decimal(0), limit, words)]


def _scope(strategy: str) -> Scope:
    """Trades without a known strategy count together."""
    return Scope(strategy=strategy or None)
