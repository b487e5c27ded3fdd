"""The scripted operator that prepares the stress desk: it buys, adds and cancels, then hands over the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.messages.commands import Command, KeepWatchlist, ProposeOrder, RequestCancel
from core.model.order import Effect, OrderType, StopHolder
from core.model.staging import MANUAL
from core.model.values import Symbol
from core.model.watchlist import MAIN
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.stress_market import (
    BY_HAND,
    CANCELLED,
    OPEN,
    ORDERS,
    POSITIONS,
    READY_AT,
    SHARES,
    WORKING_ENTRIES,
    dollars,
    level_of,
    watchlist,
)
from core.trading_state.state import TradingState

BUY_AT = OPEN + timedelta(minutes=3)
ADD_AT = BUY_AT + timedelta(seconds=15)
CANCEL_AT = ADD_AT + timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Act:
    at: datetime
    commands: Callable[[], Iterable[Command]]


class StressScript:
    """Buy manually the symbols that VWAP does not trade, add and cancel, confirm each ticket, and stop at `READY_AT`.

    The watchlist stays.
    """

    def __init__(self, state: TradingState, seed: int, watched: int = 0) -> None:
        self.state = state
        self.seed = seed
        self.watched = watched
        self._confirming = ConfirmAll(state)
        self._acts = [
            Act(BUY_AT, lambda: [self._buys(symbol) for symbol in BY_HAND]),
            Act(ADD_AT, lambda: [self._adds(symbol) for symbol in BY_HAND[: WORKING_ENTRIES + CANCELLED]]),
            Act(CANCEL_AT, self._cancels),
            Act(READY_AT, self._lets_go),
        ]

    def next_at(self) -> datetime | None:
        if not self._acts:
            return None
        own = self._acts[0].at
        key = self._confirming.next_at()
        return min((at for at in (own, key) if at is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        if self._acts and self._acts[0].at <= at:
            yield from self._acts.pop(0).commands()
        else:
            yield from self._confirming.press(at)

    def in_words(self) -> str | None:
        """Describe the progress; None when done."""
        if not self._acts:
            return None
        positions, orders = len(self.state.ledger.positions()), len(self.state.ledger.state.orders)
        return f"preparing the stress desk: {positions} of {POSITIONS} positions, {orders} of {ORDERS} orders"

    def _buys(self, symbol: Symbol) -> ProposeOrder:
        level = level_of(self.seed, symbol)
        return _bought(symbol, Effect.OPEN, level + 2, round(level * 0.97), StopHolder.BROKER)

    def _adds(self, symbol: Symbol) -> ProposeOrder:
        level = level_of(self.seed, symbol)
        return _bought(symbol, Effect.ADD, round(level * 0.98), round(level * 0.96), StopHolder.DESK)

    def _cancels(self) -> Sequence[Command]:
        working = [order for order in self.state.ledger.working_entries() if order.strategy == MANUAL]
        return [RequestCancel(order.id) for order in working[-CANCELLED:]]

    def _lets_go(self) -> Sequence[Command]:
        self._confirming.retire()
        return (KeepWatchlist(MAIN, watchlist(self.watched)),) if self.watched else ()


def _bought(symbol: Symbol, effect: Effect, limit: int, stop: int, holder: StopHolder) -> ProposeOrder:
    """Return one manual order; the desk holds the stop of a resting entry, so that no leg waits beside it."""
    return ProposeOrder(symbol, effect, SHARES, OrderType.LIMIT, dollars(limit), dollars(stop), holder)
