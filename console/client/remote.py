"""An engine in another process: the same surface as `EngineHandle`, and nothing of an engine loaded.

What is said to it stands in `conversation.py`, which the link's thread loads: the desk has painted by then.
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
from core.model.listed_asset import AssetsFound
from core.model.values import AccountId, Symbol
from core.views import DeskView
from core.views.engine import EngineFailed, EngineLoading

if TYPE_CHECKING:
    from console.client.conversation import Connect, Conversation


def nothing() -> None:
    """No connection takes long."""


class RemoteEngine:
    """A desk's way to an engine elsewhere.

    Parameters
    ----------
    connect
        Makes one connection for a role; called again for each try.
    seat
        Where this desk is, by its own word: the engine believes the kernel's.
    on_leave
        Called when the desk is left and the engine is owed no press, in any thread: a `connect` that waits gives up.
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
        self.view: DeskView | EngineLoading | EngineFailed = EngineLoading("attaching to the engine")
        self.ended = threading.Event()
        self.last_words: tuple[str, ...] = ()
        self.link = EngineLink(now)
        self.desk: DeskNumber | None = None
        """What the engine of the picture calls this desk; None while there is none."""
        self.unsaid: deque[str] = deque(maxlen=8)
        """What was asked for and did not reach the engine, in words; whoever shows them takes them."""
        self.found: AssetsFound | None = None
        self.presses = 0
        """How many halts and kills of the engine are in its picture here."""
        self.account: AccountId | None = None
        """Whose engine hears this desk; None while none does."""
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
        """Presses from before there was anybody to say them to: whether each kills."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="engine link", daemon=True)

    # ── the surface ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """`on_news` is called in the link's thread when a picture with news is there. It never waits."""
        self._on_news = on_news
        self._thread.start()

    def send(self, command: Command) -> None:
        """Ask the engine for something, for the account of the picture that it was typed at."""
        if isinstance(command, Halt):
            self.press_kill()
        elif isinstance(command, Kill):
            self.press_kill_again(command.naked)
        else:
            self._ask(command)

    def _ask(self, command: Command) -> None:
        """A desk that is not heard now says so, and asks for nothing later."""
        if self._conversation is None or self.link.trouble is not None or self.account is None:
            self.unsaid.append(f"{NOT_ASKED}{self.link.trouble or WAITING}")
        else:
            self._conversation.say(command, self.account)

    def press_kill(self) -> None:
        """Any thread; never waits; may be repeated. Where the engine cannot be reached it goes as soon as it can."""
        self._press(kills=False)

    def press_kill_again(self, naked: bool = False) -> None:
        """`K` on the kill screen. That the stops go too is asked of the engine as anything else that loosens: by this
        desk, over its own connection, and not at all where it is not heard now.
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
        """Any thread."""
        with self._lock:
            if self._conversation is not None:
                return self._conversation.owes_press
            return ("kill" if any(self._early) else "halt") if self._early else None

    def attend(self, attended: bool) -> None:
        """A person is deciding: virtual time runs at ×1."""
        if attended != self._attends:
            self._attends = attended
            if self._conversation is not None:
                self._conversation.attend(attended)

    def watch(self, symbol: Symbol | None) -> None:
        """The console shows this symbol's chart, or none."""
        if symbol != self._watched:
            self._watched = symbol
            if self._conversation is not None:
                self._conversation.watch(symbol)

    def search(self, text: str) -> None:
        """Asked of an engine that hears this desk, and of none later; `found` has its answer."""
        if self._conversation is not None and self.link.trouble is None:
            self._conversation.search(text)

    def clock(self) -> datetime | None:
        """The engine's time now, as far as it is known here."""
        if self._clock is None:
            return None
        at, heard_at, rate = self._clock
        return at + timedelta(seconds=(self._now() - heard_at) * rate)

    def keys(self) -> Mapping[str, str]:
        return self._keys

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """The engine goes on. Any thread; does not wait: see `ended`. What is owed has its way open till then."""
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
        except Exception as error:  # the thread's edge: what was not foreseen is shown; the engine goes on
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

    # ── what the conversation tells, in the link's thread ────────────────────────────────────────────────────────

    @property
    def has_seen_it(self) -> bool:
        """Whether there was a picture of it."""
        return self._clock is not None

    def welcome(self, desk: DeskNumber, account: AccountId, keys: Mapping[str, str]) -> None:
        self._number, self._keys, self.account, self.presses = desk, keys, account, 0

    def lose(self, trouble: str) -> None:
        """Nothing comes any more, for this reason."""
        self.account = None
        self.link.lose(trouble)
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(trouble)

    def prepare(self, words: str) -> None:
        self.view = EngineLoading(words)

    def fail(self, words: str) -> None:
        """There is nothing to be had of this engine."""
        self.view = EngineFailed(words)

    def show(self, view: DeskView) -> None:
        """Its number comes with the picture that has it: by the one before, a desk that is back would hold no key."""
        is_news = not isinstance(self.view, DeskView) or view.log is not self.view.log
        self.view, self.desk = view, self._number
        if is_news:
            self._on_news()

    def set_clock(self, clock: datetime, rate: float) -> None:
        self._clock = (clock, self._now(), rate)
