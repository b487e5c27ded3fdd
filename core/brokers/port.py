"""The live runtime's interface to a broker. Every request blocks, ends by its own time-out, and never raises.

Failures are answers: `Refused` only if the broker itself stated it, `NoAnswer` for every doubt (EX-06). A request for
an order is sent exactly once; the adapter itself repeats safe requests (queries, cancels).
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
    UnreadUpdate,
)
from core.model.connection import ConnectionStatus
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.values import BrokerOrderId, ClientOrderId, Symbol

HearUpdate = Callable[[OrderUpdate | UnreadUpdate], None]


class Broker(Protocol):
    """Called from several threads; submissions and replacements from one at a time."""

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        """Send one request, once."""
        ...

    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused | NoAnswer:
        """Send one request, once; `broker_order_id` is that of the replaced order."""
        ...

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | CancelTaken | Refused | NotFound | NoAnswer: ...

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        """Return the order by our own id; `with_legs` if it was sent with legs, so that no list is trusted for them."""
        ...

    def time(self) -> datetime | NoAnswer:
        """Return the broker's own clock, UTC."""
        ...

    def account(self) -> Account | NoAnswer: ...

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument: ...

    def picture(self) -> BrokerPicture | NoAnswer:
        """Return account, positions, open orders and those closed in the last days, all or nothing (EX-09)."""
        ...

    def activities(self, since: date) -> DropCopy | NoAnswer:
        """Return all account activities from a day on, with its figures (EX-09, AN-06)."""
        ...


class OrderStream(Protocol):
    """The broker's order updates, pushed. `run` connects, listens and reconnects until it is cancelled."""

    async def run(self, hear: HearUpdate, show: Callable[[ConnectionStatus], None]) -> None:
        """Pass each update, read or unread, to `hear`, each change of the connection to `show`; neither blocks."""
        ...
