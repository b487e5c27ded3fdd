"""Doors: where commands that open or loosen come in, and nowhere else (OP-01, OP-13); and whose desk each is meant for.

A door is made by whoever a person presses keys at, and made known to the engine while the desk is put together; once it
runs, no other is let in. What comes through it carries its token. The engine keeps the token's digest alone, so that
code which finds the engine, its runtime or its inbox finds nothing to sign with. This is no sandbox: code of the same
process that searches the interpreter for the console itself is not held back by it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from hmac import compare_digest

from core.messages.commands import Command, Halt, Keyed, Kill
from core.model.codes import Denial
from core.model.desk import DeskNumber, Seat
from core.model.sender import Sender
from core.model.values import AccountId

NO_DOOR = "it did not come through the console: nothing of it was done; find out which program sent it"
NO_ACCOUNT = "it names no account: nothing of it was done; find out which program sent it"
TOO_LATE = "a door is made known before the desk runs"
SCRIPT_ON_REAL_MONEY = "keys by script are taken on the simulated exchange alone"


class PortKind(Enum):
    CONSOLE = "console"
    SCRIPT = "script"
    """Keys without a keyboard: replays, backtests, the demo's operator, tests."""


@dataclass(frozen=True, slots=True)
class KnownPort:
    """What the engine knows of a door."""

    kind: PortKind
    digest: bytes


class CommandPort:
    """Held by the console, or by who plays a script, and handed to nobody."""

    __slots__ = ("_sender", "kind")

    def __init__(self, kind: PortKind, terminal: str = "", user: str = "") -> None:
        self.kind = kind
        self._sender = Sender(terminal or kind.value, user, secrets.token_bytes(32))

    @property
    def known(self) -> KnownPort:
        return KnownPort(self.kind, _digest(self._sender.token))

    @property
    def seat(self) -> Seat:
        """Where whoever stands at it sits."""
        return Seat(self._sender.terminal, self._sender.user)

    def through(self, command: Command, account: AccountId | None = None, desk: DeskNumber | None = None) -> Command:
        """The command as it comes out of this door, for this account and of this desk; one that needs no key carries no
        token.
        """
        said = command if account is None else addressed(command, account)
        said = said if desk is None else replace(said, desk=desk)
        return replace(said, sender=self._sender) if isinstance(said, Keyed) else said


def addressed(command: Command, account: AccountId) -> Command:
    """The command, for this account."""
    return replace(command, account=account)


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing of a command was done: why, by code and in words."""

    code: Denial
    reason: str
    desk: DeskNumber | None = None


class PortRegistry:
    """The engine's: which doors there are, whether a command came through one, and whether it is for this account."""

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self._known: tuple[KnownPort, ...] = ()
        self._is_shut = self._is_real = False

    def admit(self, door: KnownPort) -> None:
        """Raises `ValueError` once the desk runs, and for a script where the broker is a real one."""
        if door in self._known:
            return
        if self._is_shut:
            raise ValueError(TOO_LATE)
        if self._is_real and door.kind is PortKind.SCRIPT:
            raise ValueError(SCRIPT_ON_REAL_MONEY)
        self._known = (*self._known, door)

    def shut(self) -> None:
        """The desk runs: no further door."""
        self._is_shut = True

    def stand_at_a_real_broker(self) -> None:
        """No script from here on."""
        self._is_real = True

    def refusal(self, command: Command) -> Denied | None:
        """Why nothing is done; None where it is for this account, and came through a door where it needs one."""
        if not self.is_for_this_account(command):
            words = NO_ACCOUNT if command.account is None else self._elsewhere(command.account)
            return Denied(Denial.OTHER_ACCOUNT, words)
        words_of_the_door = self._past_the_door(command.sender) if isinstance(command, Keyed) else None
        return None if words_of_the_door is None else Denied(Denial.NO_DOOR, words_of_the_door)

    def is_for_this_account(self, command: Command) -> bool:
        """A halt or a kill that names none stops whatever it reaches."""
        stops = command.account is None and isinstance(command, Halt | Kill)
        return stops or command.account == self.account

    def _elsewhere(self, account: AccountId) -> str:
        return f"it is for account {account} and this desk is {self.account}'s: nothing of it was done; say it there"

    def _past_the_door(self, sender: Sender | None) -> str | None:
        if sender is None:
            return NO_DOOR
        digest = _digest(sender.token)
        kinds = [door.kind for door in self._known if compare_digest(door.digest, digest)]
        if not kinds:
            return NO_DOOR
        return SCRIPT_ON_REAL_MONEY if self._is_real and kinds[0] is PortKind.SCRIPT else None


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()
