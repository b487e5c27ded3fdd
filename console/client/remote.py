"""An engine in another process: the same interface as `EngineHandle`, without loading any engine code.

The conversation is in `conversation.py`, which the link's thread loads after the desk's first paint.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.client.access import NOT_ASKED, WAITING, Owed, nobody_looks
from console.client.engine_link import EngineLink
from core.messages.commands import Command, Halt, Kill
from core.model.desk import DeskNumber, Seat
from core.model.reference_data import AssetsFound
from core.model.values import AccountId, Symbol
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading

if TYPE_CHECKING:
    from console.client.conversation import Connect, Conversation


WAITS_FOR_ANSWER = "waiting for the engine to answer"
WAITS_FOR_BOOKS = "the engine answers; waiting for its positions and orders"
"""What a desk waits for that has not received a view yet, in order."""


def nothing() -> None:
    """Do nothing: no connection waits."""


class RemoteEngine:
    """A desk's connection to a remote engine.

    Parameters
    ----------
    connect
        Makes a connection for a role; called again for each attempt.
    seat
        The desk's place by its own statement; the engine trusts only the kernel.
    on_leave
        Called once the desk is left and no press is pending, in any thread, to make a waiting `connect` give up.
    """

    goes_on = True

    def __init__(
        self,
        connect: Connect,
        seat: Seat,
        release: str,
        now: Callable[[], float] = time.monotonic,
        on_leave: Callable[[], None] = nothing,
        place: str = "",
    ) -> None:
        self.view: DeskView | EngineLoading | EngineFailed = EngineLoading(WAITS_FOR_ANSWER)
        self.ended = threading.Event()
        self.last_words: tuple[str, ...] = ()
        self.link = EngineLink(now)
        self.desk: DeskNumber | None = None
        """The number of this desk in the engine of the view; None without one."""
        self.unsaid: deque[str] = deque(maxlen=8)
        """Requests that did not reach the engine, as text; removed when shown."""
        self.found: AssetsFound | None = None
        self.presses = 0
        """The number of the engine's halts and kills included in the view."""
        self.account: AccountId | None = None
        """The account of the engine that receives this desk's commands; None while there is none."""
        self._connect, self._seat, self._release, self._now = connect, seat, release, now
        self._on_leave, self.place = on_leave, place
        self._keys: Mapping[str, str] = {}
        self._clock: tuple[datetime, float, float] | None = None
        self._number: DeskNumber | None = None
        self._watched: Symbol | None = None
        self._attends = False
        self._on_news: Callable[[], None] = nobody_looks
        self._is_leaving = self._says_goodbye = False
        self._conversation: Conversation | None = None
        self._early: list[bool] = []
        """Presses from before the conversation, each with whether it is a kill."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="engine link", daemon=True)

    # ── interface ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """Start. `on_news` is called in the link's thread for each view with news; it never waits."""
        self._on_news = on_news
        self._thread.start()

    def send(self, command: Command) -> None:
        """Send a command, for the account of the view at which it was typed."""
        if isinstance(command, Halt):
            self.press_kill()
        elif isinstance(command, Kill):
            self.press_kill_again(command.naked)
        else:
            self._ask(command)

    def _ask(self, command: Command) -> None:
        """Send a command, or report that the link is down; it is not sent later."""
        if self._conversation is None or self.link.trouble is not None or self.account is None:
            self.unsaid.append(f"{NOT_ASKED}{self.link.trouble or WAITING}")
        else:
            self._conversation.say(command, self.account)

    def press_kill(self) -> None:
        """Press the kill key once.

        Any thread; never waits; may be repeated. Without a link it is sent as soon as possible.
        """
        self._press(kills=False)

    def press_kill_again(self, naked: bool = False) -> None:
        """Kill: `K` on the kill screen.

        Removing the stops too is sent like any loosening command: over this desk's connection, and not at all without a
        link.
        """
        self._press(kills=True)
        if naked:
            self._ask(Kill("key", naked=True))

    def _press(self, *, kills: bool) -> None:
        with self._lock:
            if self._conversation is None:
                self._early.append(kills)
                return
        self._conversation.press(kills=kills)

    @property
    def owes_press(self) -> Owed | None:
        """The more severe of the pending presses, or None. Any thread."""
        with self._lock:
            if self._conversation is not None:
                return self._conversation.owes_press
            return ("kill" if any(self._early) else "halt") if self._early else None

    def attend(self, attended: bool) -> None:
        """Set whether a person is deciding: virtual time runs at ×1 meanwhile."""
        if attended != self._attends:
            self._attends = attended
            if self._conversation is not None:
                self._conversation.attend(attended)

    def watch(self, symbol: Symbol | None) -> None:
        """Set the symbol whose chart the console shows, or None."""
        if symbol != self._watched:
            self._watched = symbol
            if self._conversation is not None:
                self._conversation.watch(symbol)

    def search(self, text: str) -> None:
        """Search if the link works, and never later; the result is put into `found`."""
        if self._conversation is not None and self.link.trouble is None:
            self._conversation.search(text)

    def clock(self) -> datetime | None:
        """Return the engine's estimated current time."""
        if self._clock is None:
            return None
        at, heard_at, rate = self._clock
        return at + timedelta(seconds=(self._now() - heard_at) * rate)

    def keys(self) -> Mapping[str, str]:
        return self._keys

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """Leave; the engine continues.

        Any thread; does not wait: see `ended`. Pending presses may still be sent until then.
        """
        self._says_goodbye = self._says_goodbye or (on_purpose and not self._is_leaving)
        self._is_leaving = True
        if self.owes_press is None:
            self._on_leave()
        if self._conversation is not None:
            self._conversation.leave(says_goodbye=self._says_goodbye)

    def close(self, reason: str, patience: float) -> bool:
        self.leave(reason)
        has_ended = self._thread.ident is None or self.ended.wait(patience)
        self._on_leave()
        return has_ended

    # ── the link's thread ────────────────────────────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        try:
            self._begin().go_on()
        except Exception as error:  # the thread's boundary: an unexpected error is shown; the engine continues
            self.fail(f"unexpected {type(error).__name__}: {error}; attach again, the engine goes on")
        finally:
            self.ended.set()

    def _begin(self) -> Conversation:
        from console.client.conversation import Conversation

        conversation = Conversation(self, self._connect, self._seat, self._release, self._now)
        conversation.attends, conversation.watched = self._attends, self._watched
        with self._lock:
            for kills in self._early:
                conversation.press(kills=kills)
            self._conversation = conversation
        if self._is_leaving:
            conversation.leave(says_goodbye=self._says_goodbye)
        return conversation

    # ── events of the conversation, in the link's thread ─────────────────────────────────────────────────────────

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

    def prepare(self, words: str) -> None:
        self.view = EngineLoading(words)

    def fail(self, words: str) -> None:
        """Show that this engine cannot be used."""
        self.view = EngineFailed(words)

    def show(self, view: DeskView) -> None:
        """Show a view, and take the desk's number with it: in the previous view a returned desk has no control."""
        is_news = not isinstance(self.view, DeskView) or view.log is not self.view.log
        self.view, self.desk = view, self._number
        if is_news:
            self._on_news()

    def set_clock(self, clock: datetime, rate: float) -> None:
        self._clock = (clock, self._now(), rate)
