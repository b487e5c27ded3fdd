"""How long the desk's shares differ from the exchange's before it is read-only and somebody is told (EX-09).

An explanation of a difference is bounded: a minute and two comparisons. Time counts from the first books that showed
it, because nothing before them can be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.model.broker import BrokerBooks
from core.model.values import ZERO, Symbol
from core.trading_state.notifications import READ_ONLY

if TYPE_CHECKING:
    from simulation.auditor import Auditor

AT_MOST = timedelta(seconds=60)
COMPARISONS = 2
"""Besides the one that showed it first."""
NEXT_ONE = timedelta(seconds=15)
"""In which the comparison after that minute is asked for and answered."""


@dataclass(slots=True)
class Shown:
    """A difference that the broker's books showed: since when, and how often."""

    since: datetime
    times: int = 1


class DifferenceAudit:
    """Of one process: a crash begins the count anew."""

    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.shown: dict[Symbol, Shown] = {}

    def hear_books(self, books: BrokerBooks, at: datetime) -> None:
        """Before the engine hears them."""
        ledger = self.auditor.world.engine.state.ledger
        told = {position.symbol: position.quantity for position in books.positions}
        for symbol in self.auditor.world.symbols:
            if told.get(symbol, ZERO) == ledger.net_quantity(symbol) or not self._differs(symbol):
                self.shown.pop(symbol, None)  # a list that lags agrees by chance: what it says next is a new difference
                continue
            if symbol in self.shown:
                self.shown[symbol].times += 1
            else:
                self.shown[symbol] = Shown(at)

    def look(self, at: datetime) -> None:
        """Between two inputs of the engine."""
        for symbol in [symbol for symbol in self.shown if not self._differs(symbol)]:
            del self.shown[symbol]
        for symbol, shown in list(self.shown.items()):
            if at - shown.since > AT_MOST + NEXT_ONE and shown.times > COMPARISONS and not self._is_told():
                world = self.auditor.world
                ours, true = world.engine.state.ledger.net_quantity(symbol), world.exchange._ledger.quantity(symbol)
                words = f"{symbol} is {ours} here and {true} at the exchange, shown since {shown.since:%H:%M:%S}"
                self.auditor.require(False, f"{words} {shown.times} times, and nobody was told", "unnoticed")
                del self.shown[symbol]

    def _differs(self, symbol: Symbol) -> bool:
        world = self.auditor.world
        return world.engine.state.ledger.net_quantity(symbol) != world.exchange._ledger.quantity(symbol)

    def _is_told(self) -> bool:
        state = self.auditor.world.engine.state
        return not state.control.state.is_reconciled and READ_ONLY in state.notifications.state.matters
