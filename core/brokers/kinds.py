"""Interface of a broker for the composition of a desk: name, keys, factory, capabilities.

A second broker is a folder with a `BrokerKind`, and a line in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from core.brokers.port import Broker, OrderStream
from core.model.account import Account, Mode
from core.model.api_contract import ApiRecord
from core.model.broker import NoAnswer
from core.model.capabilities import Capabilities
from core.model.connection import ConnectionStatus
from core.model.keys import KeyNames, Keys
from core.model.listed_asset import ListedAsset
from core.model.session import Session
from core.model.values import AccountId
from core.settings.settings import Settings


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

    def sessions(self, first: date, last: date) -> tuple[Session, ...] | NoAnswer:
        """Return the broker's own calendar, both days included; empty if it has none."""
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
