"""What a broker is to whoever puts a desk together: its name, its keys, how it is made, what it can do.

A second broker is a folder with a `BrokerKind` in it, and a line in `registry.py`.
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
    """What a broker says of the account at a start; `words` is why it takes no orders, or empty."""

    account: Account
    words: str


class AccountBroker(Broker, Protocol):
    """A broker, and what a start asks of it."""

    def standing(self) -> BrokerAccount | NoAnswer:
        """The account as a start finds it. Raises `AccountRefusedError` where the keys are not taken."""
        ...

    def sessions(self, first: date, last: date) -> tuple[Session, ...] | NoAnswer:
        """The broker's own calendar, both days included; none where it has none."""
        ...

    def assets(self) -> Sequence[ListedAsset] | NoAnswer:
        """Every share that can be traded there, for who searches one."""
        ...

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        """Tell each change of the way to the broker: `Channel.BROKER`."""
        ...

    def close(self) -> None:
        """No question waits or is repeated from here on."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Both ways to one broker; nothing is sent before it is asked for."""

    broker: AccountBroker
    orders: OrderStream


@dataclass(frozen=True, slots=True)
class BrokerKind:
    """A broker at which somebody has an account. Its desk runs in real time, and takes no keys by script.

    Attributes
    ----------
    name
        As `account.broker` has it.
    title
        For people.
    connect
        Both ways to it, of the settings, for paper or live. What it needs is imported then and not before.
    source
        The name of the data source that goes with it, unless `account.data` names another.
    reached_by
        The settings that say where it is reached, for who looks why it is not.
    contract
        What it promises of each field that is read (MD-07).
    prefix
        What its accounts are called by before their own name, so that no two brokers share a folder.
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
        """The desk's own name of an account that the broker calls so."""
        return AccountId(f"{self.prefix}{name}")


@dataclass(frozen=True, slots=True)
class SimulatedKind:
    """The simulated exchange: its desk runs in virtual time, and keys by script are taken there alone. The only one."""

    name: str
    capabilities: Capabilities
