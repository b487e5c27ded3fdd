"""What goes wrong at an exchange now and then: an order refused, a fill in part, a halt, a worse price for much.

Nothing here is drawn: each comes from the seed and from what it happens to, so that it happens again in a rebuild
and in every run. With the settings at their defaults nothing happens at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from core.brokers.simulated.config import ExchangeConfig
from core.model.broker import Refused
from core.model.codes import RefusalKind
from core.model.order import OrderRequest
from core.model.session import Session
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol, rounded_down

ONE = Decimal(1)
LEAST_PART, MOST_PART = Decimal("0.2"), Decimal("0.8")
"""Of what could fill, where only a part does."""
_ALL = Decimal(2) ** 64


@dataclass(frozen=True, slots=True)
class Pause:
    """No order of a symbol trades from `first` to `last`, the latter left out."""

    first: datetime
    last: datetime

    def holds(self, at: datetime) -> bool:
        return self.first <= at < self.last


class Frictions:
    """Answers by the rules of the exchange, and by a number from 0 to 1 that each event has of its own."""

    def __init__(self, config: ExchangeConfig) -> None:
        self._config = config
        self._pauses: dict[Symbol, tuple[Session, Pause | None]] = {}

    def refusal(self, order: OrderRequest) -> Refused | None:
        """Some orders are refused although no rule says so."""
        share = self._config.rejections
        if not share or self._number("refused", order.client_order_id) >= share:
            return None
        return Refused(RefusalKind.OTHER, "the order was rejected by the venue")

    def filled_of(self, quantity: Quantity, order_id: ClientOrderId, number: int, step: Decimal) -> Quantity:
        """How much of what could fill does so: all, or now and then a part, at least one step."""
        share = self._config.partial_fills
        if not share or quantity <= step or self._number("part", order_id, str(number)) >= share:
            return quantity
        part = LEAST_PART + (MOST_PART - LEAST_PART) * self._number("how much", order_id, str(number))
        return max(rounded_down(quantity * part, step), Quantity(step))

    def slippage(self, quantity: Quantity, room: Decimal) -> Decimal:
        """Of the price: the least, and more the more an order takes of all that our orders may have of the bar."""
        by_size = self._config.slippage_by_size
        if not by_size:
            return self._config.slippage
        part = min(quantity / room, ONE) if room > ZERO else ONE
        return self._config.slippage + by_size * part

    def is_halted(self, symbol: Symbol, session: Session, at: datetime) -> bool:
        if not self._config.halts:
            return False
        known = self._pauses.get(symbol)
        if known is None or known[0] is not session:
            known = self._pauses[symbol] = (session, self._pause(symbol, session))
        return known[1] is not None and known[1].holds(at)

    def _pause(self, symbol: Symbol, session: Session) -> Pause | None:
        """Once a session at most, anywhere in it."""
        day = session.day.isoformat()
        if self._number("halted", symbol, day) >= self._config.halts:
            return None
        lasts = timedelta(minutes=self._config.halt_minutes)
        free = max((session.close - session.open - lasts) // timedelta(minutes=1), 0)
        first = session.open + timedelta(minutes=int(free * self._number("when", symbol, day)))
        return Pause(first, first + lasts)

    def _number(self, *names: str) -> Decimal:
        """From 0 to below 1, the same for the same names and seed."""
        text = "\n".join((self._config.seed, *names))
        return Decimal(int.from_bytes(sha256(text.encode()).digest()[:8], "big")) / _ALL
