"""Record the account's margin: samples, each warning distance, deficits (RK-14)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.facts import MarginDeficitSeen, MarginSampled, MarginWarned
from core.model.account import Account
from core.model.values import Fraction
from core.risk.margin import deficit_of, distance_of, limit_under
from core.trading_state.state import TradingState

APART = timedelta(minutes=1)
"""Least time between two samples, except for one that ends the use of margin."""
ALL_OF_IT = Fraction(Decimal(1))
GROWN = Decimal("1.1")
"""Growth of the last recorded deficit from which a new one is recorded."""


class MarginMonitor:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def see(self, account: Account) -> None:
        """Record the margin; nothing for an account without margin, or without a reported maintenance margin."""
        maintenance = account.maintenance_margin
        if not account.lends or maintenance is None:
            return
        distance = distance_of(account)
        now = ALL_OF_IT if distance is None else distance
        if self._is_due(is_in_use=distance is not None):
            self.state.record(MarginSampled(account.equity, maintenance, account.initial_margin, now))
        limit = limit_under(now, self.state.control.settings.risk.margin.warn_at)
        if limit != self.state.margin.state.limit:
            self.state.record(MarginWarned(now, limit))
        if self.state.control.settings.risk.margin.counts_deficits:
            self._remember(account)

    def _remember(self, account: Account) -> None:
        """Record the first deficit of a day, and each clearly larger one."""
        deficit, day = deficit_of(account), self.state.calendar.trading_day(self.state.at)
        before = self.state.margin.state.deficits.get(day)
        if deficit is not None and (before is None or deficit > before * GROWN):
            self.state.record(MarginDeficitSeen(day, deficit, account.equity))

    def _is_due(self, *, is_in_use: bool) -> bool:
        last = self.state.margin.last
        was_in_use = last is not None and last.maintenance_margin > 0
        if last is None or is_in_use is not was_in_use:
            return is_in_use or was_in_use
        return is_in_use and self.state.at - last.at >= APART
