"""What a desk reaches: its engine, in this process or elsewhere, with losses and gaps, and files (OP-13).

The console itself never accesses the disk; the composition root supplies `HostFiles`, whose calls may block and are
made in a separate thread.
"""

from __future__ import annotations

import os
import pwd
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Literal, Protocol

from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command
from core.model.desk import DeskNumber, Seat
from core.model.reference_data import AssetsFound
from core.model.values import AccountId, Price, Quantity, Symbol
from core.ports import OperatorError, Recorded
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading
from core.views.results import HistoryDay


def a_console_port() -> CommandPort:
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
    on_change
        Called in another thread after each change of the view but of its time, and of the link; it never waits and does
        not raise.
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
        self.on_change: Callable[[], None] = nobody_looks
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
    def close(self, reason: str, timeout: float) -> bool:
        """Leave, and wait for at most `timeout` seconds; return whether it is done."""


REMEMBERED = 16
"""The number of remembered gaps: each one disarms tickets, so older ones do not matter."""
GAP = 1.0
"""Seconds of silence after which the screen is unconfirmed (OP-04); the engine sends twice in that time."""

SILENT = 3.0
"""Seconds after which the silence is shown prominently: a hanging engine does not break the link."""


class LinkBrokenError(OperatorError):
    """The engine's machine cannot be reached; the message is shown unchanged."""


class EngineLink(LinkToEngine):
    """The link of one desk to another process. Written in the thread that reads the connection, read in any."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._gaps: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._heard_at = now()
        self._lost_at: float | None = None

    def hear(self) -> None:
        """Note a message from the engine."""
        now = self._now()
        if self._lost_at is not None or now - self._heard_at > GAP:
            self._gaps.append((self._heard_at, now))
        self._heard_at, self._lost_at, self.trouble = now, None, None

    def lose(self, trouble: str) -> None:
        """Note the loss of the connection and its reason."""
        if self._lost_at is None:
            self._lost_at = self._now()
        self.trouble = trouble

    @property
    def doubt(self) -> str | None:
        if self.trouble is not None:
            return self.trouble
        silent = self._now() - self._heard_at
        return f"the engine has said nothing for {silent:.0f} s" if silent > GAP else None

    @property
    def silence(self) -> float | None:
        silent = self._now() - self._heard_at
        return silent if self.trouble is None and silent >= SILENT else None

    def had_gap(self, since: float, until: float) -> bool:
        if self.doubt is not None and self._heard_at < until:
            return True
        return any(begin < until and since < end for begin, end in list(self._gaps))


WAITS_FOR_ANSWER = "waiting for the engine to answer"
WAITS_FOR_BOOKS = "the engine answers; waiting for its positions and orders"
"""What a desk waits for that has not received a view yet, in order."""


class EngineReports(EngineAccess):
    """What a conversation reports of a remote engine. Written in the link's thread, read in any.

    Attributes
    ----------
    presses
        The number of the engine's halts and kills included in the view.
    account
        The account of the engine that receives this desk's commands; None while there is none.
    """

    link: EngineLink

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(EngineLink(now), WAITS_FOR_ANSWER, "engine link")
        self.presses = 0
        self.account: AccountId | None = None
        self._now = now
        self._clock: tuple[datetime, float, float] | None = None
        self._number: DeskNumber | None = None
        self._desk: DeskNumber | None = None

    @property
    def desk(self) -> DeskNumber | None:
        return self._desk

    @property
    def has_seen_it(self) -> bool:
        """Whether a view of the engine was received."""
        return self._clock is not None

    def welcome(self, desk: DeskNumber, account: AccountId, keys: Mapping[str, str]) -> None:
        self._number, self._keys, self.account, self.presses = desk, keys, account, 0
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(WAITS_FOR_BOOKS)

    def lose(self, trouble: str) -> None:
        """Note the loss of the connection and its reason."""
        self.account = None
        self.link.lose(trouble)
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(trouble)
        self.on_change()

    def prepare(self, words: str) -> None:
        self.view = EngineLoading(words)

    def fail(self, words: str) -> None:
        """Show that this engine cannot be used."""
        self.view = EngineFailed(words)
        self.on_change()

    def show(self, view: DeskView) -> None:
        """Show a view, and take the desk's number with it: in the previous view a returned desk has no control."""
        last = self.view if isinstance(self.view, DeskView) else None
        self.view, self._desk = view, self._number
        if last is None or view.number != last.number:
            self.on_change()
        if last is None or view.log is not last.log:
            self._on_news()

    def set_clock(self, clock: datetime, rate: float) -> None:
        self._clock = (clock, self._now(), rate)


class HostFiles(Protocol):
    def why(self, order_id: str) -> Iterable[Recorded]:
        """Return the history of an order. Raises OperatorError, JournalError or OSError."""

    def explain(self, what: str) -> Iterable[str]:
        """Explain the result of a day or of an order's trade, in lines. Raises as `why` does."""

    def agent_score(self, agent: str) -> str:
        """Return an agent's score of the last days, in one line. Raises as `why` does."""

    def risk(self, held: Sequence[tuple[Symbol, Quantity, Price | None]], on: date, shocks: str) -> Iterable[str]:
        """Return what positions of a day could lose, by scenario and these shocks, in lines. Raises as `why` does."""

    def history(self, day: date | None) -> HistoryDay:
        """Return orders and trades of that day, or of the journal's last.

        Raises OperatorError, JournalError or OSError.
        """

    def write(self, name: str, text: str) -> str:
        """Write a new file, never over another, and return its place. Raises OperatorError or OSError."""

    def kept(self, folder: str) -> Mapping[str, str | None]:
        """Return the operator's files in that folder (presets or layouts); None if unreadable. Raises OSError."""

    def keep(self, folder: str, name: str, text: str) -> str:
        """Write or overwrite that file and return its place. Raises OperatorError or OSError."""

    def drop(self, folder: str, name: str) -> None:
        """Remove that file. Raises OperatorError or OSError."""

    def leave_press(self, *, kills: bool) -> None:
        """Leave a halt or kill for the engine that runs or starts next. Raises OperatorError or OSError."""

    def is_first_start(self) -> bool:
        """Return whether the guide was never closed here."""

    def guide_was_closed(self) -> None:
        """Do not show the guide again. Raises OSError."""

    def must_try_chord(self) -> bool:
        """Return whether real orders can be sent from here and the kill chord never arrived."""

    def chord_was_received(self) -> None:
        """Do not test the chord again. Raises OSError."""


class NoHostFiles:
    """For a desk without files, such as a replay's."""

    def why(self, order_id: str) -> Iterable[Recorded]:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {order_id}")

    def explain(self, what: str) -> Iterable[str]:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {what}")

    def agent_score(self, agent: str) -> str:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {agent}")

    def risk(self, held: Sequence[tuple[Symbol, Quantity, Price | None]], on: date, shocks: str) -> Iterable[str]:
        raise OperatorError(f"this desk keeps no daily files; {len(held)} positions of {on} {shocks} were not valued")

    def history(self, day: date | None) -> HistoryDay:
        raise OperatorError(f"this desk keeps its journal in memory; nothing can be read of {day or 'any day'}")

    def write(self, name: str, text: str) -> str:
        raise OperatorError(f"this desk keeps nothing on the disk; {name} ({len(text)} characters) was not written")

    def kept(self, _folder: str) -> Mapping[str, str | None]:
        return {}

    def keep(self, folder: str, name: str, text: str) -> str:
        words = f"{folder}/{name} ({len(text)} characters)"
        raise OperatorError(f"this desk keeps nothing on the disk; {words} was not written")

    def drop(self, folder: str, name: str) -> None:
        raise OperatorError(f"this desk keeps nothing on the disk; there is no {folder}/{name}")

    def leave_press(self, *, kills: bool) -> None:
        raise OperatorError("this desk keeps nothing on the disk")

    def is_first_start(self) -> bool:
        return False

    def guide_was_closed(self) -> None:
        """Nothing is stored."""

    def must_try_chord(self) -> bool:
        return False

    def chord_was_received(self) -> None:
        """Nothing is stored."""


NO_SURROUNDINGS = NoHostFiles()
