"""A desk's interface to an engine, in this process or elsewhere, and the operator's place (OP-13)."""

from __future__ import annotations

import os
import pwd
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Literal

from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command
from core.model.desk import DeskNumber, Seat
from core.model.reference_data import AssetsFound
from core.model.values import Symbol
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading


def a_console_door() -> CommandPort:
    """Return the console's port, with the names of its terminal and user."""
    return CommandPort(PortKind.CONSOLE, terminal(), user())


def a_seat() -> Seat:
    """Return this desk's place by its own statement; an engine in another process trusts only the kernel."""
    return Seat(terminal(), user(), os.environ.get("SSH_CONNECTION", "").split(" ")[0])


def terminal() -> str:
    """Return the terminal's device; empty without one."""
    for stream in (sys.__stdin__, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno())  # type: ignore[union-attr]
    return ""


def user() -> str:
    """Return this process's user by the system's user table; the environment is ignored."""
    number = os.getuid()
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


WAITING = "the engine is not there; this desk waits for it"
NOT_ASKED = "not asked: "
"""The prefix for a request that could not reach the engine; true until the link is back."""
Owed = Literal["halt", "kill"]


def nobody_looks() -> None:
    """Do nothing: without a listener, views are polled."""


class LinkToEngine:
    """A desk's link to its engine; this one never fails, because the engine is in this process.

    Attributes
    ----------
    trouble
        Why nothing reaches the engine, as text; None while the link works.
    """

    trouble: str | None = None

    @property
    def doubt(self) -> str | None:
        """Why a key typed now would have no effect, also while the engine is only silent; otherwise None."""
        return None

    @property
    def silence(self) -> float | None:
        """Seconds of silence of the engine over a working link; None if too short to count."""
        return None

    def had_gap(self, since: float, until: float) -> bool:
        """Whether the engine was gone or stood still between two instants of the console's clock."""
        return False


class EngineAccess(ABC):
    """Commands in, immutable views out: the console's only interface to an engine.

    Attributes
    ----------
    ended
        Set once this desk is done with its engine.
    last_words
        Requests that were due at the engine's end and could not be sent (EX-22).
    link
        The state of the connection.
    goes_on
        Whether the engine continues when the desk is left.
    place
        The engine's machine, as named by the operator; empty for this one.
    unsaid
        Requests that did not reach the engine, as text; removed when shown.
    found
        The last search result; None before the first.
    """

    goes_on = False
    place = ""

    def __init__(self, link: LinkToEngine, words: str, name: str) -> None:
        self.link = link
        self.view: DeskView | EngineLoading | EngineFailed = EngineLoading(words)
        self.ended = threading.Event()
        self.last_words: tuple[str, ...] = ()
        self.unsaid: deque[str] = deque(maxlen=8)
        self.found: AssetsFound | None = None
        self._keys: Mapping[str, str] = {}
        self._watched: Symbol | None = None
        self._on_news: Callable[[], None] = nobody_looks
        self._is_leaving = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """Start. `on_news` is called in another thread for each view with news; it never waits and does not raise."""
        self._on_news = on_news
        self._thread.start()

    def keys(self) -> Mapping[str, str]:
        """Return the key bindings that the settings change, by the table's identifiers; empty without an engine."""
        return self._keys

    @property
    def owes_press(self) -> Owed | None:
        """The more severe of the presses that the engine has not received yet, or None. Any thread."""
        return None

    @property
    @abstractmethod
    def desk(self) -> DeskNumber | None:
        """The number of this desk in the engine's books; None until it has one."""

    @abstractmethod
    def _live(self) -> None:
        """Run in the thread of the engine or of the link."""

    @abstractmethod
    def send(self, command: Command) -> None:
        """Send a command, for the account of the view at which it was typed."""

    @abstractmethod
    def press_kill(self) -> None:
        """Press the kill key once: no order that opens a position leaves from now on.

        Any thread; never waits; may be repeated.
        """

    @abstractmethod
    def press_kill_again(self, naked: bool = False) -> None:
        """Kill: `K` on the kill screen."""

    @abstractmethod
    def attend(self, attended: bool) -> None:
        """Set whether a person is deciding: virtual time runs at ×1 meanwhile."""

    @abstractmethod
    def watch(self, symbol: Symbol | None) -> None:
        """Set the symbol whose chart the console shows, or None; neither a command nor a fact."""

    @abstractmethod
    def search(self, text: str) -> None:
        """Search the broker's symbols by symbol or name; the result is put into `found`.

        Neither a command nor a fact.
        """

    @abstractmethod
    def clock(self) -> datetime | None:
        """Return the engine's current time, also between two views."""

    @abstractmethod
    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """Leave the engine. Any thread; does not wait: see `ended`.

        A desk that is left on purpose is detached at once; one that ends for another reason counts as lost (OP-13).
        """

    @abstractmethod
    def close(self, reason: str, patience: float) -> bool:
        """Leave, and wait for at most `patience` seconds; return whether it is done."""
