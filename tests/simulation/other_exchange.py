"""An exchange that is not as ours is: it leaves an exit's sibling alone, fills limits late, drops a replacement's legs.

What the desk promises may depend on none of the three (EX-13).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.brokers.simulated.exchange import ExchangeConfig, RequestLog, SimulatedExchange
from core.brokers.simulated.intrabar import is_within
from core.brokers.simulated.market import Segment
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.order_book import Book, BookedOrder
from core.brokers.simulated.order_entry import OrderEntry, Situation
from core.model.broker import Accepted, Execution, UpdateEvent
from core.model.order import OrderClass
from core.model.session import Calendar
from core.model.values import ZERO, ClientOrderId, ExecutionId, Money, Price, Quantity


@dataclass(frozen=True, slots=True)
class Manners:
    """How this exchange treats what ours treats kindly.

    Attributes
    ----------
    ends_siblings
        Where one leg fills, the other gets smaller or ends.
    limits_wait
        Seconds from a limit's first touch to its first fill.
    drops_legs
        What takes the place of an order with legs comes without them.
    """

    ends_siblings: bool = True
    limits_wait: float = 0.0
    drops_legs: bool = False


class OtherBook(Book):
    """Legs that know nothing of each other."""

    def fill(self, order: BookedOrder, quantity: Quantity, price: Price, at: datetime) -> None:
        number = len(order.executions) + 1
        fee = Money(self._fee_per_share * quantity)
        execution = Execution(ExecutionId(f"{order.broker_order_id}-{number}"), at, quantity, price, fee)
        order.executions.append(execution)
        order.filled += quantity
        order.paid += quantity * price
        if order.remaining == ZERO:
            self._close(order, at)
        self._tell(order, UpdateEvent.PARTIAL_FILL if order.is_working else UpdateEvent.FILL, at, execution)

    def end(self, order: BookedOrder, event: UpdateEvent, at: datetime) -> None:
        """An entry's end is its held legs' end; a leg ends alone."""
        if order.parent is None or order.is_held:
            super().end(order, event, at)
            return
        self._close(order, at)
        self._tell(order, event, at)


class LateMatching(Matching):
    """Limits that are touched fill later, where the price is still there."""

    wait = timedelta(0)

    def _fill_a_limit(
        self,
        order: BookedOrder,
        reached: tuple[Price, ...],
        passed: tuple[Price, ...],
        segment: Segment,
        *,
        waits: bool = True,
    ) -> None:
        touched: dict[ClientOrderId, datetime] = self.__dict__.setdefault("touched", {})
        limit = order.request.limit_price
        if self.wait and limit is not None and any(is_within(order.side, price, limit) for price in reached):
            since = touched.setdefault(order.request.client_order_id, segment.at)
            if segment.at < since + self.wait:
                return
        super()._fill_a_limit(order, reached, passed, segment, waits=waits)


class OtherEntry(OrderEntry):
    """A replacement may come without the legs that it asks for."""

    drops_legs = False

    def _accept(self, at: datetime, situation: Situation, old: BookedOrder | None = None) -> Accepted:
        if old is not None and self.drops_legs and situation.order.legs:
            bare = replace(situation.order, legs=(), order_class=OrderClass.SIMPLE)
            situation = replace(situation, order=bare)
        return super()._accept(at, situation, old)


class OtherExchange(SimulatedExchange):
    def __init__(self, config: ExchangeConfig, calendar: Calendar, log: RequestLog, manners: Manners) -> None:
        super().__init__(config, calendar, log)
        if not manners.ends_siblings:
            self._book = OtherBook(config.fee_per_share)
            self._market, _ = self._rules(calendar)
            self._bars = self._market.bars
        self._matching = LateMatching(config, calendar, self._market, self._book, self._ledger)
        self._matching.wait = timedelta(seconds=manners.limits_wait)
        self._entry = OtherEntry(config, self._listing, self._matching, self._market, self._book, self._ledger)
        self._entry.drops_legs = manners.drops_legs
        self._working = self._book.working
