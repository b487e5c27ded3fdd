"""Bars for which a strategy was asked in advance, and the context that was expected."""

from __future__ import annotations

from collections import deque
from typing import Any

from core.model.bar import Bar
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import Blocked
from core.strategies.context import Context


class BarBatches:
    """Bars for which a strategy was asked in advance, and its answers."""

    def __init__(self, bars: list[Bar], context: Context) -> None:
        self.bars = bars
        self.done = 0
        self.reasons: deque[Any] = deque()
        self.last: list[Any] | None = None
        self.row = pipe_messages.context_out(context)
        self.blocked = Blocked()
        self._terms = _terms(context)

    def expects(self, bar: Bar, context: Context) -> bool:
        if self.blocked.is_broken or self.done >= len(self.bars):
            return False
        return self.bars[self.done] == bar and self._terms == _terms(context)


def _terms(context: Context) -> tuple[object, ...]:
    """Return all context that a strategy is given, except for values it requests."""
    return (
        context.session,
        context.window_first,
        context.window_last,
        context.flat_from,
        context.entries_allowed,
        context.is_enabled,
        context.is_paused,
        context.is_day_disabled,
        context.entries_filled,
        context.held,
        context.entry_price,
        context.entered_at,
        context.recommendation,
        context.covered,
        context.is_waiting,
        context.is_broker_behind,
        context.risk_per_trade,
        context.max_notional,
        context.min_notional,
    )
