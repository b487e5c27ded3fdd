"""The interface to a broker: its requests for the live runtime, and its kind for the composition of a desk.

Failures are answers: `Refused` only if the broker itself stated it, `NoAnswer` for every doubt (EX-06). A request for
an order is sent exactly once; the adapter itself repeats safe requests (queries, cancels).

An adapter translates its broker's words for the state of an order to those of `BROKER_STATUSES` and `NOT_TRADING`
(`core/execution/order_status.py`), in `raw_status` too: an exit with any other word counts as one that may not trade.

A second broker is a folder with a `BrokerKind`, and a line in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

from core.model.account import Account, ConnectionStatus, Mode
from core.model.api_contract import ApiRecord, KeyNames, Keys
from core.model.broker import (
    Accepted,
    BrokerBooks,
    BrokerClock,
    CancelTaken,
    Capabilities,
    NoAnswer,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
    UnreadUpdate,
)
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.reconciliation import DropCopy
from core.model.reference_data import ListedAsset
from core.model.session import Session
from core.model.values import AccountId, BrokerOrderId, ClientOrderId, Symbol
from core.settings.settings import Settings

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

    def time(self, *, is_once: bool = False) -> BrokerClock | NoAnswer:
        """Return the broker's own clock, UTC; `is_once` sends one request and repeats none that fails."""
        ...

    def sessions(self, first: date, last: date) -> tuple[Session | date, ...] | NoAnswer:
        """Return the broker's own calendar in order, both days included; empty if it has none (MD-10).

        A day alone is one whose times could not be read.
        """
        ...

    def account(self) -> Account | NoAnswer: ...

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument: ...

    def books(self) -> BrokerBooks | NoAnswer:
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


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """The account at a start; `words` is why it accepts no orders, or empty."""

    account: Account
    words: str


class AccountBroker(Broker, Protocol):
    """A broker, with the requests of a start."""

    def standing(self) -> BrokerAccount | NoAnswer:
        """Read the account at a start. Raises `AccountRefusedError` if the keys are refused."""
        ...

    def keep_to(self, name: str) -> None:
        """From here on withhold the account, books and activities of every account but this one, by the broker's name:
        the answer is then a `NoAnswer` with `is_other_account`.
        """
        ...

    def assets(self) -> Sequence[ListedAsset] | NoAnswer:
        """Return every tradable share, for the search."""
        ...

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        """Report each change of the connection to the broker: `Channel.BROKER`."""
        ...

    def close(self) -> None:
        """Stop waiting and repeating from here on."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Requests and stream of one broker; nothing is sent before it is requested."""

    broker: AccountBroker
    orders: OrderStream


@dataclass(frozen=True, slots=True)
class BrokerKind:
    """A real broker. Its desk runs in real time, and accepts no scripted keys.

    Attributes
    ----------
    name
        As in `account.broker`.
    title
        For people.
    connect
        Build both connections from the settings, for paper or live. Dependencies are imported only then.
    source
        The name of the data source that goes with it, unless `account.data` names another.
    reached_by
        The settings of its address, for messages about a failed connection.
    contract
        The fields that are read, with their promises (MD-07).
    prefix
        Prefix of its accounts' names, so that no two brokers share a folder.
    """

    name: str
    title: str
    capabilities: Capabilities
    keys: KeyNames
    connect: Callable[[Settings, Mode, Keys], Connected]
    source: str
    reached_by: str
    contract: Callable[[], tuple[ApiRecord, ...]]
    prefix: str = ""

    def account_id(self, name: str) -> AccountId:
        """Return the desk's own name of the broker's account."""
        return AccountId(f"{self.prefix}{name}")


@dataclass(frozen=True, slots=True)
class SimulatedKind:
    """The simulated exchange: its desk runs in virtual time, and only there scripted keys are accepted.

    The only one.
    """

    name: str
    capabilities: Capabilities
