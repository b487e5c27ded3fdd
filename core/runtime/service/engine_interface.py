"""The desks' threads' interface to the engine: commands for its inbox, and a limit on attachments (OP-13).

Above the limit a connection is closed before anything is recorded; a desk retries. A halt or kill needs no desk.
"""

from __future__ import annotations

import secrets
from collections import deque
from contextlib import suppress
from enum import Enum

from core.messages.command_ports import CommandPort, as_late
from core.messages.commands import (
    AttachDesk,
    Command,
    DetachDesk,
    Halt,
    Kill,
    LoseDesk,
    ServeDesks,
    SettingsFileSeen,
    WatchlistFilesSeen,
)
from core.model.desk import NO_NUMBER, DeskNumber, Seat
from core.model.reference_data import AssetsFound
from core.model.values import AccountId
from core.runtime.runtime import Runtime

NEW, BACK = 16, 64
"""Attaching and returning desks allowed within `WITHIN` seconds: as many as can be attached, and each four times."""
WITHIN = 20.0


class Arrival(Enum):
    """The kinds of arrival. The desk that has control has its own limit."""

    NEW = "new"
    BACK = "back"
    HOLDER = "holder"


MOST = {Arrival.NEW: NEW, Arrival.BACK: BACK, Arrival.HOLDER: NEW}
"""The most arrivals of each kind within `WITHIN`."""


class Arrivals:
    def __init__(self) -> None:
        self._times = {arrival: deque[float](maxlen=most) for arrival, most in MOST.items()}

    def takes(self, now: float, arrival: Arrival) -> bool:
        """Whether one more may be attached now; if so, it is counted."""
        times = self._times[arrival]
        if len(times) == times.maxlen and now - times[0] < WITHIN:
            return False
        times.append(now)
        return True


NOT_FOR_DESKS = ServeDesks | AttachDesk | DetachDesk | LoseDesk | SettingsFileSeen | WatchlistFilesSeen
"""Inputs of the desk server and of the file keeper, which a desk must not send."""

TOKENS = 256
"""The most tokens that are remembered; the token of the desk that has control always is."""


class EngineBooks:
    """The interface to one engine. Any thread; never waits."""

    def __init__(self, runtime: Runtime, door: CommandPort) -> None:
        self._runtime = runtime
        self.door = door
        self._tokens: dict[str, DeskNumber] = {}

    @property
    def account(self) -> AccountId:
        return self._runtime.account

    def begin(self) -> None:
        """Start serving desks; from now on the desk may be unattended (RK-27)."""
        self._send(ServeDesks(), None)

    def attach(self, seat: Seat, token: str) -> str:
        """Attach a desk, or reattach it by its token; return the name of its connection until it has its number."""
        link = secrets.token_hex(8)
        self._send(AttachDesk(seat, link, self._tokens.get(token), by_itself=bool(token)), None)
        return link

    def arrival_of(self, token: str) -> Arrival:
        """Return whether a desk with this token is new, returns, or returns with control."""
        number = self._tokens.get(token)
        if number is None:
            return Arrival.NEW
        return Arrival.HOLDER if number == self.holder else Arrival.BACK

    @property
    def holder(self) -> DeskNumber | None:
        """The desk that has control."""
        return self._runtime.key_holder

    def number_of(self, link: str) -> DeskNumber | None:
        return self._runtime.desk_of(link)

    def token_of(self, desk: DeskNumber) -> str:
        """Issue the token by which a desk returns; it replaces the previous one."""
        self._tokens = {token: number for token, number in self._tokens.items() if number != desk}
        if len(self._tokens) >= TOKENS:
            oldest = next(token for token, number in self._tokens.items() if number != self.holder)
            self._tokens = {token: number for token, number in self._tokens.items() if token != oldest}
        token = secrets.token_hex(16)
        self._tokens[token] = desk
        return token

    def hear(self, desk: DeskNumber, command: Command, seen: int, *, is_late: bool = False) -> str:
        """Put a desk's command into the inbox; return why it was refused, or an empty string.

        `seen` is the number of presses that its desk had been shown; `is_late` says that it may have waited unread.
        """
        if isinstance(command, NOT_FOR_DESKS):
            return f"{type(command).__name__} is nothing that a desk says"
        self._runtime.send(self.door.through(as_late(command) if is_late else command, desk=desk), seen)
        return ""

    def press(self, token: str, *, kills: bool) -> None:
        """Press a halt or a kill: it latches the gateway in this thread, before anything is queued (OP-07).

        `token` names the desk; a press with an unknown token counts too.
        """
        desk = self._tokens.get(token, NO_NUMBER)
        self._runtime.send(Kill("key", desk=desk) if kills else Halt("key", desk=desk))

    def attend(self, attended: bool) -> None:
        self._runtime.attend(attended)

    def search(self, text: str) -> AssetsFound:
        return self._runtime.search(text)

    def lost(self, desk: DeskNumber) -> None:
        """Report a desk whose connection was lost."""
        self._send(LoseDesk(), desk)

    def left(self, desk: DeskNumber) -> None:
        """Report a desk that its operator left."""
        self._tokens = {token: number for token, number in self._tokens.items() if number != desk}
        self._send(DetachDesk(), desk)

    def _send(self, command: Command, desk: DeskNumber | None) -> None:
        with suppress(RuntimeError):  # the engine's loop has ended
            self._runtime.send(self.door.through(command, self.account, desk))
