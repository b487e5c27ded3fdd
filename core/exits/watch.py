"""Marks of each position for its exits: when it was opened, and the best price since (ST-09, SP-05).

Folded from fills and bars after the ledger folded them, so that a restart at any instant finds the same marks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.facts import BarClosed, OrderFilled, PositionCorrected
from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.position import Position
from core.model.values import Price, Symbol


@dataclass(slots=True)
class ExitMark:
    """The mark of a position.

    Attributes
    ----------
    opened_at
        When its position was opened, UTC.
    best
        The best price since: a long's highest, a short's lowest, USD; at first the entry price.
    stop, target
        From the entry, USD; None if there are none, and after the broker's books showed a split: the entry's prices are
        then for other shares.
    is_stop_ours
        The ticket said that this desk watches that stop.
    """

    opened_at: datetime
    best: Price
    stop: Price | None = None
    target: Price | None = None
    is_stop_ours: bool = False


@dataclass(slots=True)
class WatchState:
    """`marks` is keyed `SYMBOL/strategy`, as positions are."""

    marks: dict[str, ExitMark] = field(default_factory=dict)


class ExitWatch:
    """The slice of the marks."""

    name = "exits"

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.state = WatchState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            OrderFilled: self._filled,
            PositionCorrected: self._corrected,
        }

    def restore(self, state: WatchState) -> None:
        self.state = state

    def mark(self, position: Position) -> ExitMark:
        """Return its mark; a fresh one if the position is older than this slice."""
        found = self.state.marks.get(position_key(position.symbol, position.strategy))
        if found is not None and found.opened_at == position.opened_at:
            return found
        entry = self.ledger.order(position.entry_order)
        if entry is None:
            return ExitMark(position.opened_at, position.average_price)
        stop, is_ours = entry.stop, entry.stop is not None and entry.stop.holder is StopHolder.DESK
        price = None if stop is None or stop.behind is not None else stop.price
        return ExitMark(position.opened_at, position.average_price, price, entry.target_price, is_ours)

    def take_bar(self, bar: Bar) -> None:
        """Update the best price.

        After the entry a whole bar counts; in the entry's own bar only the close is surely later.
        """
        for position in self.ledger.positions_in(bar.symbol):
            if bar.end <= position.opened_at:
                continue
            mark, is_long = self._kept(position), position.quantity > 0
            seen = bar.close if bar.start < position.opened_at else bar.high if is_long else bar.low
            mark.best = max(mark.best, seen) if is_long else min(mark.best, seen)

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        if self.ledger.state.positions:
            self.take_bar(fact.bar)

    def _kept(self, position: Position) -> ExitMark:
        mark = self.mark(position)
        self.state.marks[position_key(position.symbol, position.strategy)] = mark
        return mark

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        order = self.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        position = self.ledger.position(order.request.symbol, order.strategy)
        if position is None:
            self.state.marks.pop(position_key(order.request.symbol, order.strategy), None)
        else:
            self._kept(position)

    def _corrected(self, _at: datetime, fact: PositionCorrected) -> None:
        """Keep the marks of owners that kept shares; drop all after a split, or if no owner is known."""
        if fact.owners and not fact.is_split:
            self._forget_but(fact.symbol, {position_key(fact.symbol, share.strategy) for share in fact.owners})
            return
        self._forget_but(fact.symbol, set())
        for position in self.ledger.positions_in(fact.symbol):
            key = position_key(position.symbol, position.strategy)
            self.state.marks[key] = ExitMark(position.opened_at, position.average_price)

    def _forget_but(self, symbol: Symbol, kept: set[str]) -> None:
        for key in [key for key in self.state.marks if key.rpartition("/")[0] == symbol and key not in kept]:
            del self.state.marks[key]
