"""Bars that a strategy was asked of before they came, and what they were expected to come with."""

from __future__ import annotations

from collections import deque
from typing import Any

from core.model.bar import Bar
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.process import Blocked
from core.strategies.context import Context


class BarBatches:
    """Bars that were asked of before they came, and what was answered."""

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
    """All that a strategy is told, but what it asks for."""
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
