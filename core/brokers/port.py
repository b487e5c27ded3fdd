"""What the live runtime asks of a broker. Every request blocks, ends by its own time-out, and never raises.

What went wrong is the answer: `Refused` only where the broker itself stated it, `NoAnswer` for every doubt (EX-06). A
request for an order is sent exactly once; what may be repeated safely (questions, cancels) the adapter repeats itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from core.model.account import Account
from core.model.activity import DropCopy
from core.model.broker import (
    Accepted,
    BrokerPicture,
    CancelTaken,
    NoAnswer,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
)
from core.model.connection import ConnectionStatus
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.values import BrokerOrderId, ClientOrderId, Symbol


class Broker(Protocol):
    """Called from several threads; submissions and replacements from one at a time."""

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        """One request, sent once."""
        ...

    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused | NoAnswer:
        """One request, sent once; `broker_order_id` is that of the order which makes way."""
        ...

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | CancelTaken | Refused | NotFound | NoAnswer: ...

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        """The order by our own id; `with_legs` where it was sent with legs, so that no list is believed about them."""
        ...

    def time(self) -> datetime | NoAnswer:
        """The broker's own clock, UTC."""
        ...

    def account(self) -> Account | NoAnswer: ...

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument: ...

    def picture(self) -> BrokerPicture | NoAnswer:
        """Account, positions, open orders and those closed in the last days, all or nothing (EX-09)."""
        ...

    def activities(self, since: date) -> DropCopy | NoAnswer:
        """Everything that happened to the account from a day on, with its figures (EX-09, AN-06)."""
        ...


class OrderStream(Protocol):
    """The broker's order updates, pushed. `run` connects, listens and comes back by itself until it is cancelled."""

    async def run(self, hear: Callable[[OrderUpdate], None], show: Callable[[ConnectionStatus], None]) -> None:
        """Each parsed update goes to `hear`, each change of the connection to `show`; neither waits or raises."""
        ...
