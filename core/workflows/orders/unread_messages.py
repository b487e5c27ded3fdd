"""Messages of the broker that cannot be read: look up what they may report, and count the others (EX-05, EX-26).

An order update that names no order may have reported a fill: the books are requested, once a minute however many come.
What is odd in an answer is recorded once, because the rest of the answer is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.facts import BrokerMessagesQuarantined, UpdateIgnored
from core.messages.effects import Effect
from core.messages.inputs import BrokerUpdateUnread, ConnectionChanged
from core.model.account import Channel
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.orders.order_updates import OrderUpdates, look_up
from core.workflows.workflow import answers

NOBODY = ClientOrderId("")
"""Of a message in which no order's client order id can be read."""
EACH = timedelta(minutes=1)
"""Time between two comparisons that are requested only because of updates that name no order."""


class UnreadMessages:
    def __init__(self, state: TradingState, order_updates: OrderUpdates) -> None:
        self.state = state
        self.order_updates = order_updates
        self._nameless = 0
        self._reason = ""
        self._told_at: datetime | None = None
        self._told: set[str] = set()

    @answers(BrokerUpdateUnread)
    def on_unread(self, message: BrokerUpdateUnread) -> Iterator[Effect]:
        """Look up the order that it names; if it is not ours, request the books."""
        update = message.update
        order = self.order_updates.named_in(update)
        name = order.id if order is not None else update.client_order_id
        if order is None and update.client_order_id is None and update.broker_order_id is None:
            self._count(update.reason)
            return
        self.state.record(UpdateIgnored(name or NOBODY, f"{update.reason}; looked up"))
        if order is not None and not self.state.sightings.departing.is_here(order):
            yield look_up(order)
        else:
            self.state.sightings.books_are_wanted = True

    @answers(ConnectionChanged)
    def on_connection(self, message: ConnectionChanged) -> Iterable[Effect]:
        connection = message.connection
        for reason, count in connection.odd if connection.line is Channel.BROKER else ():
            if reason not in self._told:
                self._told.add(reason)
                self.state.record(BrokerMessagesQuarantined(connection.line, reason, count))
        return ()

    def _count(self, reason: str) -> None:
        self._nameless, self._reason = self._nameless + 1, reason
        if self._told_at is None or self.state.at >= self._told_at + EACH:
            self._tell()
        elif self._nameless == 1:
            self.state.sightings.deadline_moved = True

    def _tell(self) -> None:
        self.state.record(BrokerMessagesQuarantined(Channel.TRADES, self._reason, self._nameless))
        self._nameless, self._told_at = 0, self.state.at
        self.state.sightings.books_are_wanted = True

    def next_due(self) -> Iterator[datetime]:
        if self._nameless and self._told_at is not None:
            yield self._told_at + EACH

    def due(self) -> Iterable[Effect]:
        if any(self.state.at >= at for at in self.next_due()):
            self._tell()
        return ()
