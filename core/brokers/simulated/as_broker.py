"""The simulated exchange as a `Broker`, at one instant of its clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.account import Account
from core.model.activity import DropCopy
from core.model.broker import Accepted, BrokerPicture, NotFound, OrderReport, Refused
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.values import BrokerOrderId, ClientOrderId, Symbol


class SimulatedBroker:
    """Implements `core.brokers.port.Broker`. It always answers; its stream's updates are left for a comparison."""

    def __init__(self, exchange: SimulatedExchange, at: datetime, symbols: Sequence[Symbol]) -> None:
        self.exchange = exchange
        self.at = at
        self.symbols = symbols

    def submit(self, order: OrderRequest) -> Accepted | Refused:
        return self.exchange.submit(self.at, order)

    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused:
        return self.exchange.replace(self.at, order)

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | Refused | NotFound:
        return self.exchange.cancel(self.at, client_order_id)

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound:
        del with_legs  # legs are always included
        return self.exchange.order(self.at, client_order_id)

    def time(self) -> datetime:
        return self.at

    def account(self) -> Account:
        return self.exchange.account(self.at)

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return self.exchange.instrument(symbol)

    def picture(self) -> BrokerPicture:
        found = (self.exchange.instrument(symbol) for symbol in self.symbols)
        known = tuple(instrument for instrument in found if isinstance(instrument, BrokerInstrument))
        return replace(self.exchange.picture(self.at), instruments=known)

    def activities(self, since: date) -> DropCopy:
        return self.exchange.activities(self.at, since)
