"""An engine in another process: the same interface as `EngineHandle`, without loading any engine code.

The conversation is in `conversation.py`, which the link's thread loads after the desk's first paint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.client.access import NOT_ASKED, WAITING, EngineReports, Owed
from core.messages.commands import Command, Halt, Kill
from core.model.desk import Seat
from core.model.values import Symbol

if TYPE_CHECKING:
    from console.client.conversation import Connect, Conversation


class RemoteEngine(EngineReports):
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
        on_leave: Callable[[], None] = lambda: None,
        place: str = "",
    ) -> None:
        super().__init__(now)
        self._connect, self._seat, self._release = connect, seat, release
        self._on_leave, self.place = on_leave, place
        self._attends = False
        self._says_goodbye = False
        self._conversation: Conversation | None = None
        self._early: list[bool] = []
        """Presses from before the conversation, each with whether it is a kill."""
        self._lock = threading.Lock()

    # ── interface ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, command: Command) -> None:
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
        """Press the kill key once; without a link it is sent as soon as possible."""
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
        with self._lock:
            if self._conversation is not None:
                return self._conversation.owes_press
            return ("kill" if any(self._early) else "halt") if self._early else None

    def attend(self, attended: bool) -> None:
        if attended != self._attends:
            self._attends = attended
            if self._conversation is not None:
                self._conversation.attend(attended)

    def watch(self, symbol: Symbol | None) -> None:
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

    def close(self, reason: str, timeout: float) -> bool:
        self.leave(reason)
        has_ended = self._thread.ident is None or self.ended.wait(timeout)
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
            self.on_change()

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
