"""The engine in a process of its own, as far as its desks can tell, and two of them: the one that the accidents happen
at, and another one on the same engine.

Both halves of the protocol are the real ones, their threads take turns on the test's clock (`turns.py`), and what they
say crosses a real socket and a line that takes its time (`line.py`). The other desk has no screen: it says what its
hand asks, at once.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from console.client.remote import RemoteEngine
from core.facts import Fact
from core.messages.commands import Command, Confirm, OpenTicket
from core.messages.desk_commands import TakeKey
from core.model.desk import DeskNumber, PaintProof, Seat
from core.model.values import ProposalId
from core.runtime.inbox import Link
from core.runtime.scripted_operator import turn_of
from core.runtime.service.service import EngineService, Peer
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.tickets import TicketView
from core.workflows.operator.desk_control import TAKE
from state.engine_socket import connected, listening
from tests.accidents.clock import Clock
from tests.accidents.house import engine_on, first_runtime
from tests.accidents.line import Line
from tests.accidents.turns import ROUNDS, SteppedThread

HERE = Peer(os.getpid(), os.getuid(), "tester", "/dev/pts/7", "")
BEAT = 0.4
"""Seconds between two looks at all of it, at most, however busy the desk's own process is."""
Hear = Callable[[int, datetime, Fact], None]
OnConfirm = Callable[[DeskNumber, Confirm], None]


class ServedWorld:
    """An engine with its service, on the clock.

    Parameters
    ----------
    hear
        Told each fact that it records.
    on_confirm
        Told each confirmation that reaches it, before it is judged.

    Attributes
    ----------
    is_still
        Its process has no turn.
    is_up
        There is one.
    """

    def __init__(self, clock: Clock, folder: Path, hear: Hear, on_confirm: OnConfirm) -> None:
        self.runtime, self.pace, begin = first_runtime(clock)
        self.is_still = False
        self.is_up = False
        self.links: list[SteppedThread] = []
        self.lines: list[Line] = []
        self._partings: list[SteppedThread] = []
        self._clock, self._path, self._hear, self._on_confirm = clock, folder / "engine.sock", hear, on_confirm
        self._begin(begin)

    def _begin(self, until: datetime) -> None:
        self._stack = ExitStack()
        listener = self._stack.enter_context(listening(self._path))
        self.service = EngineService(self.runtime, listener, "tests", lambda _connection: HERE, self._clock.now)
        desks, desk_listener = self.service.desks, self.service.desk_listener
        desks.thread = SteppedThread(self._clock, desks._serve, "desks")
        desk_listener.thread = SteppedThread(self._clock, desk_listener._serve, "desk_listener")
        self._listen_for_confirmations()
        self.runtime.engine.state.add_listener(self._hear)
        self.service.begin()
        self.runtime.run(until)
        self.is_up = True

    def _listen_for_confirmations(self) -> None:
        books = self.service.books
        hear = books.hear

        def hears(desk: DeskNumber, command: Command, seen: int, *, is_late: bool) -> str:
            if isinstance(command, Confirm):
                self._on_confirm(desk, command)
            return hear(desk, command, seen, is_late=is_late)

        books.hear = hears  # type: ignore[method-assign]

    def say(self, command: Command) -> None:
        """By a door of the engine's own process."""
        if self.is_up:
            self.runtime.send(self.service.books.port.through(command, self.runtime.account))

    def reach(self) -> socket.socket:
        return connected(self._path, 1.0)

    # ── time

    def open(self) -> None:
        """From here on it has its turns."""
        self._clock.on_move = self.turn
        self._beat()

    def _beat(self) -> None:
        self._clock.call_punctually(BEAT, self._beat)

    def turn(self) -> None:
        """All that can be done at this instant, by whoever has something to do."""
        for _ in range(ROUNDS):
            has_moved = self._engine_turns() if self.is_up and not self.is_still else False
            for link in self.links:
                has_moved = link.turn() or has_moved
            for parting in self._partings:
                has_moved = parting.turn() or has_moved
            for line in self.lines:
                has_moved = line.move() or has_moved
            if not has_moved:
                return

    def _engine_turns(self) -> bool:
        runtime = self.runtime
        while runtime.step(runtime.clock()):
            pass
        runtime.beat()
        has_moved = self.service.desks.thread.turn()  # type: ignore[attr-defined]
        return self.service.desk_listener.thread.turn() or has_moved  # type: ignore[attr-defined, no-any-return]

    # ── losses

    def ends(self, cleanly: bool) -> None:
        """By a stop, which says so; or by a signal, which nobody hears of but by the sockets."""
        if not self.is_up:
            return
        self.is_up = self.is_still = False
        if cleanly:
            self.runtime.stop("stopped by the operator")
        else:
            for line in self.lines:
                line.hang_up()
        self.service.end()
        parting = self.service.desks.thread  # a desk that takes nothing now has a while for its last words
        self._partings = [each for each in (*self._partings, parting) if not each.is_over]  # type: ignore[attr-defined, misc]
        self._stack.close()

    def begins_again(self) -> None:
        """Another one takes its journal up; the exchange went on."""
        dead = self.runtime
        at = self.pace.now(dead.at)
        feed = chain([dead._next] if dead._next is not None else [], dead._feed)
        self.runtime = VirtualRuntime(
            engine_on(dead.engine.state.journal, at),  # type: ignore[arg-type]
            dead.exchange,
            feed,
            start=at,
            switch=dead.latch.switch,
            link=Link(timedelta(milliseconds=20)),
            pace=self.pace,
        )
        self.runtime._arriving.extend(dead._arriving)
        self._begin(at)

    def close(self) -> None:
        self._clock.on_move = lambda: None
        self.ends(cleanly=False)
        for line in self.lines:
            line.close()

    # ── desks

    def a_desk(self, delay: float) -> tuple[RemoteEngine, Line]:
        line = Line(self._clock, self.reach, delay)
        desk = RemoteEngine(line.connect, Seat("/dev/pts/7", "tester"), "tests", self._clock.now)
        desk._thread = SteppedThread(self._clock, desk._live, "engine link")
        self.lines.append(line)
        self.links.append(desk._thread)
        return desk, line

    def forget(self, desk: RemoteEngine, line: Line) -> None:
        desk.leave("the accidents are over", on_purpose=True)
        desk._thread.join()
        line.move()
        self.lines.remove(line)
        self.links.remove(desk._thread)  # type: ignore[arg-type]


class OtherDesk:
    """The second one: its hand looks at its newest picture, and means what it says."""

    def __init__(self, world: ServedWorld, delay: float) -> None:
        self._world = world
        self.delay = delay
        self.is_there = False
        self.comes()

    def comes(self) -> None:
        self.is_there = True
        self.remote, self.line = self._world.a_desk(self.delay)
        self.remote.start()

    def leaves(self) -> None:
        """By its key; the key that it held is free."""
        self.is_there = False
        self._world.forget(self.remote, self.line)

    @property
    def view(self) -> DeskView | None:
        return self.remote.view if isinstance(self.remote.view, DeskView) else None

    @property
    def holds(self) -> bool:
        return self.view is not None and self.view.status.key.is_held_by(self.remote.desk)

    @property
    def tickets(self) -> tuple[TicketView, ...]:
        return self.view.tickets if self.view is not None else ()

    def takes(self) -> None:
        if self.view is not None:
            self.remote.send(TakeKey(TAKE, self.view.status.key.hold))

    def opens(self, proposal: ProposalId) -> None:
        self.remote.send(OpenTicket(proposal))

    def confirms(self, shown: TicketView, hold: int) -> None:
        """A key that no screen of a watcher would let through."""
        ticket = shown.ticket
        proof = PaintProof.ANSWERED
        self.remote.send(replace(turn_of(ticket), hold=hold, proof=proof))
