"""A pause in a symbol after a trade with a large loss, or after every trade (RK-06; freqtrade's CooldownPeriod)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.model.values import ZERO, Fraction, percent
from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import CooldownSettings


@dataclass(slots=True)
class CooldownState:
    locks: Locks = field(default_factory=Locks)
    last: Fraction | None = None


class Cooldown(TradeProtection):
    """Shuts the symbol's entries; ends its time after the trade that paused it closed, or by a typed override."""

    name = "cooldown"

    def __init__(self, terms: Callable[[], CooldownSettings]) -> None:
        self.terms = terms
        self.state = CooldownState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        self.state.last = trade.ratio
        loss = -trade.ratio
        if terms.loss and loss < terms.loss:
            return
        what = (
            f"a loss of {percent(loss)}, {percent(terms.loss)} and more pause"
            if terms.loss
            else "each trade pauses its symbol"
        )
        until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
        self.locks.shut(Lock(Scope(trade.symbol), trade.closed_at, until, max(loss, ZERO), terms.loss, what))

    def measures(self, at: datetime) -> Iterator[Measure]:
        """Yield the last trade's loss while no symbol is paused; paused symbols report their own lock.

        A trade that paused its symbol no longer counts once the pause has ended.
        """
        lost, limit = max(-(self.state.last or ZERO), ZERO), self.terms().loss
        if any(self.locks.holding(at)):
            return
        if lost < limit or self.state.last is None:
            yield Measure(EVERYTHING, lost, limit, "the last trade's loss")
            return
        words = f"the last trade lost {percent(lost)}; the pause of its symbol is over"
        yield Measure(EVERYTHING, None, limit, words, "none paused")
