"""Ports: the only way in for commands that open or loosen, and the age at which a key does not count (OP-01, OP-13,
OP-04, OP-07).

A port is created by the console or a script, and registered with the engine before it runs; later none is admitted. Its
commands carry its token. The engine keeps only the token's digest, so that code which finds the engine, its runtime or
its inbox finds no way to sign. This is no sandbox: code of the same process that searches the interpreter for the
console itself is not stopped by it.

The operator may have closed the ticket since, or pressed the kill chord.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from enum import Enum
from hashlib import sha256
from hmac import compare_digest

from core.messages.commands import Command, Confirm, Halt, Keyed, Kill, Loosens, RequestCancel, SignBasket
from core.model.codes import Denial
from core.model.desk import DeskNumber, Seat, Sender
from core.model.lazy_dataclass import dataclass
from core.model.values import AccountId

NO_PORT = "Rejected: sender is not the console. Find out which program sent it"
NO_ACCOUNT = "Rejected: it names no account. Find out which program sent it"
TOO_LATE = "a port is made known before the desk runs"
SCRIPT_ON_REAL_MONEY = "keys by script are taken on the simulated exchange alone"


class PortKind(Enum):
    CONSOLE = "console"
    SCRIPT = "script"
    """Keys without a keyboard: replays, backtests, the demo's operator, tests."""


@dataclass(frozen=True, slots=True)
class KnownPort:
    """A registered port, as the engine knows it."""

    kind: PortKind
    digest: bytes


class CommandPort:
    """Held by the console, or by a script's player, and never passed on."""

    __slots__ = ("_sender", "kind")

    def __init__(self, kind: PortKind, terminal: str = "", user: str = "") -> None:
        self.kind = kind
        is_script = kind is PortKind.SCRIPT
        self._sender = Sender(terminal or kind.value, user, secrets.token_bytes(32), is_script)

    @property
    def known(self) -> KnownPort:
        return KnownPort(self.kind, _digest(self._sender.token))

    @property
    def seat(self) -> Seat:
        return Seat(self._sender.terminal, self._sender.user)

    def through(self, command: Command, account: AccountId | None = None, desk: DeskNumber | None = None) -> Command:
        """Stamp a command for this account and desk; only a command that needs a port carries the token."""
        said = command if account is None else addressed(command, account)
        said = said if desk is None else replace(said, desk=desk)
        return replace(said, sender=self._sender) if isinstance(said, Keyed) else said


def addressed(command: Command, account: AccountId) -> Command:
    return replace(command, account=account)


@dataclass(frozen=True, slots=True)
class Denied:
    """A command was refused and nothing of it done: code and reason."""

    code: Denial
    reason: str
    desk: DeskNumber | None = None


class PortRegistry:
    """The engine's registry: known ports, and the checks of a command's port and account."""

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self._known: tuple[KnownPort, ...] = ()
        self._is_shut = self._is_real = False

    def admit(self, port: KnownPort) -> None:
        """Register a port. Raises `ValueError` once the desk runs, and for a script at a real broker."""
        if port in self._known:
            return
        if self._is_shut:
            raise ValueError(TOO_LATE)
        if self._is_real and port.kind is PortKind.SCRIPT:
            raise ValueError(SCRIPT_ON_REAL_MONEY)
        self._known = (*self._known, port)

    def shut(self) -> None:
        """The desk runs: admit no further port."""
        self._is_shut = True

    def stand_at_a_real_broker(self) -> None:
        """Refuse scripts from here on."""
        self._is_real = True

    def refusal(self, command: Command) -> Denied | None:
        """Return why a command is refused.

        None if it is for this account, and came through a known port if it needs one.
        """
        if not self.is_for_this_account(command):
            words = NO_ACCOUNT if command.account is None else self._elsewhere(command.account)
            return Denied(Denial.OTHER_ACCOUNT, words)
        words_of_the_port = self._past_the_port(command.sender) if isinstance(command, Keyed) else None
        return None if words_of_the_port is None else Denied(Denial.NO_PORT, words_of_the_port)

    def is_for_this_account(self, command: Command) -> bool:
        """A halt or a kill without an account stops every engine that it reaches."""
        stops = command.account is None and isinstance(command, Halt | Kill)
        return stops or command.account == self.account

    def _elsewhere(self, account: AccountId) -> str:
        return f"Rejected: it is for account {account}, and this desk is for {self.account}. Send it there"

    def _past_the_port(self, sender: Sender | None) -> str | None:
        if sender is None:
            return NO_PORT
        digest = _digest(sender.token)
        kinds = [port.kind for port in self._known if compare_digest(port.digest, digest)]
        if not kinds:
            return NO_PORT
        return SCRIPT_ON_REAL_MONEY if self._is_real and kinds[0] is PortKind.SCRIPT else None


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()


STOOD_STILL = 2.0
"""Seconds from a key to its handling after which it is late: a desk doubts a silent engine after one."""
LATE = "the engine stood still while this key was on its way, so it counts for nothing; read it again, then press"


def as_late(command: Command) -> Command:
    """Mark commands that confirm or loosen, or may do so: the cancel of a stop, a kill that also cancels stops.

    A command that stops something is valid however late.
    """
    marked = isinstance(command, Confirm | SignBasket | Loosens | RequestCancel | Kill)
    return replace(command, came_late=True) if marked else command
