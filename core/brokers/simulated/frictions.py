"""The frictions of the simulated exchange: slippage by size, partial fills, rejections, halts, interest.

Nothing is random: each depends on the seed and on its subject, so that it repeats in a rebuild and in every run. With
the default settings there are none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from core.brokers.simulated.config import ExchangeConfig
from core.model.broker import Refused
from core.model.codes import RefusalKind
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.session import Session
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol, rounded_down

LEAST_PART, MOST_PART = Decimal("0.2"), Decimal("0.8")
"""Smallest and largest part of a partial fill."""
ONE = Decimal(1)


_ALL = Decimal(2) ** 64


@dataclass(frozen=True, slots=True)
class Pause:
    """A halt: no order of a symbol trades from `first` to before `last`."""

    first: datetime
    last: datetime

    def holds(self, at: datetime) -> bool:
        return self.first <= at < self.last


class Frictions:
    """Answers by the exchange's rules and a number from 0 to 1 per event."""

    def __init__(self, config: ExchangeConfig) -> None:
        self._config = config
        self._pauses: dict[Symbol, tuple[Session, Pause | None]] = {}

    def refusal(self, order: OrderRequest) -> Refused | None:
        """Refuse some orders without a rule."""
        share = self._config.rejections
        if not share or self._number("refused", order.client_order_id) >= share:
            return None
        return Refused(RefusalKind.OTHER, "the order was rejected by the venue")

    def filled_of(self, quantity: Quantity, order_id: ClientOrderId, number: int, step: Decimal) -> Quantity:
        """Return the filled part: all, or sometimes a part, at least one step."""
        share = self._config.partial_fills
        if not share or quantity <= step or self._number("part", order_id, str(number)) >= share:
            return quantity
        part = LEAST_PART + (MOST_PART - LEAST_PART) * self._number("how much", order_id, str(number))
        return max(rounded_down(quantity * part, step), Quantity(step))

    def slippage(self, quantity: Quantity, room: Decimal) -> Decimal:
        """Return the slippage as a share of the price, growing with the order's part of the bar's available volume."""
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
        """Return a halt, at most one per session, anywhere in it."""
        day = session.day.isoformat()
        if self._number("halted", symbol, day) >= self._config.halts:
            return None
        lasts = timedelta(minutes=self._config.halt_minutes)
        free = max((session.close - session.open - lasts) // timedelta(minutes=1), 0)
        first = session.open + timedelta(minutes=int(free * self._number("when", symbol, day)))
        return Pause(first, first + lasts)

    def _number(self, *names: str) -> Decimal:
        """Return a number from 0 to below 1, the same for the same names and seed."""
        text = "\n".join((self._config.seed, *names))
        return Decimal(int.from_bytes(sha256(text.encode()).digest()[:8], "big")) / _ALL
