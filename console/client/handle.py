"""EngineHandle: commands in, immutable views out. The console's only interface to a local engine.

The engine runs in a separate daemon thread. The console polls `view`; the engine's thread never waits for the console.
A press of the kill key sets the gateway's latch in the caller's thread, before anything is queued.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from console.client.access import EngineAccess, LinkToEngine, a_console_port
from core.messages.command_ports import CommandPort
from core.messages.commands import Command, Halt, Kill
from core.messages.desk_commands import AttachDesk
from core.model.desk import DeskNumber
from core.model.values import AccountId, Symbol
from core.ports import JournalError, OperatorError
from core.views import DeskView
from core.views.desk import NEWS, EngineFailed, EngineLoading, is_due

if TYPE_CHECKING:
    from core.runtime.runtime import Runtime

LINK = "the console of this process"
"""The name of this desk's connection, the only one."""


class EngineHandle(EngineAccess):
    """Owns the engine's thread.

    Parameters
    ----------
    build
        Builds the runtime in the engine's thread; resources are closed by the given stack.
    port
        The port for commands that open positions or loosen limits; registered with the engine before it runs, and kept
        private.
    wall
        The clock for drawing views, in seconds.
    """

    def __init__(
        self,
        build: Callable[[ExitStack], Runtime],
        port: CommandPort | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(LinkToEngine(), "reading the journal", "engine")
        self._build = build
        self._wall = wall
        self.port = port or a_console_port()
        self._runtime: Runtime | None = None
        self._drawn_at = 0.0
        self._reason = "left"
        self._early: list[Command] = []

    def send(self, command: Command) -> None:
        """Put a command into the inbox; before the engine is ready, only a halt and a kill are kept."""
        if self._runtime is not None:
            self._runtime.send(self.port.through(command, self._account(), self._number()))
        elif isinstance(command, Halt | Kill):
            self._early.append(command)

    def _account(self) -> AccountId | None:
        return self.view.account if isinstance(self.view, DeskView) else None

    @property
    def desk(self) -> DeskNumber | None:
        number = self._number()
        rows = self.view.status.key.desks if isinstance(self.view, DeskView) else ()
        return number if any(row.number == number for row in rows) else None

    def _number(self) -> DeskNumber | None:
        return None if self._runtime is None else self._runtime.desk_of(LINK)

    def press_kill(self) -> None:
        self.send(Halt("key"))

    def press_kill_again(self, naked: bool = False) -> None:
        self.send(Kill("key", naked))

    def attend(self, attended: bool) -> None:
        if self._runtime is not None:
            self._runtime.attend(attended)

    def watch(self, symbol: Symbol | None) -> None:
        self._watched = symbol
        if self._runtime is not None:
            self._runtime.watch(symbol)

    def search(self, text: str) -> None:
        if self._runtime is not None:
            self.found = self._runtime.search(text)

    def clock(self) -> datetime | None:
        return self._runtime.clock() if self._runtime is not None else None

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """Let the engine finish its act and close its journal. Any thread; does not wait: see `ended`."""
        self._reason = reason
        self._is_leaving = True
        if self._runtime is not None:
            self._runtime.leave()

    def close(self, reason: str, timeout: float) -> bool:
        self.leave(reason)
        return self._thread.ident is None or self.ended.wait(timeout)

    # ── the engine's thread ──────────────────────────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        try:
            with ExitStack() as stack:
                self._work(stack)
        except (OperatorError, JournalError, OSError) as error:
            self.view = EngineFailed(str(error))
        except Exception as error:  # the thread's boundary: an unexpected error is shown, and nothing trades
            self.view = EngineFailed(
                f"unexpected {type(error).__name__}: {error}; start again, the journal holds all that was done"
            )
        finally:
            if self._runtime is not None:
                self.last_words = self._runtime.last_words
            self.ended.set()
            self.on_change()

    def _work(self, stack: ExitStack) -> None:
        runtime = self._build(stack)
        runtime.admit(self.port.known)
        gc.freeze()  # loaded objects stay: a full collection over them would stop every thread for a tenth of a second
        runtime.on_beat(self._publish)
        self._keys = runtime.keys()
        self._runtime = runtime
        runtime.watch(self._watched)
        runtime.send(self.port.through(AttachDesk(self.port.seat, LINK), runtime.account))
        for command in self._early:
            runtime.send(command)
        try:
            self._run(runtime)
        finally:
            self.last_words = runtime.last_words

    def _run(self, runtime: Runtime) -> None:
        if not self._is_leaving:
            runtime.run()
        if self._is_leaving:
            runtime.stop(self._reason)
            return
        runtime.stop("the market has ended")
        self._draw(self._wall())

    def _publish(self) -> None:
        now = self._wall()
        since = now - self._drawn_at
        if self._runtime is None:
            return
        has_news = self._runtime.has_news()
        if is_due(since, has_news=has_news, has_changed=self._runtime.has_changed):
            self._draw(now)
        if has_news and since >= NEWS:
            self._on_news()

    def _draw(self, now: float) -> None:
        if self._runtime is not None:
            self._drawn_at = now
            last, words = self.view, self._runtime.preparing()
            self.view = view = self._runtime.view() if words is None else EngineLoading(words)
            if not (isinstance(view, DeskView) and isinstance(last, DeskView) and view.number == last.number):
                self.on_change()
