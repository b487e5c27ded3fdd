"""The engine in a process of its own, as far as its desks can tell, and two of them: the one that the accidents happen
at, and another one on the same engine.

Both halves of the protocol are the real ones, their threads take turns on the test's clock (`turns.py`), and what they
say crosses a real socket and a line that takes its time (`line.py`). The other desk has no screen: it says what its
hand asks, at once.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random

from console.client.remote import RemoteEngine
from core.facts import (
    ConfirmationReceived,
    DeskLeft,
    DeskLost,
    EngineStarted,
    Fact,
    KeyFreed,
    KeyTaken,
    OrderCreated,
)
from core.messages.commands import Command, Confirm, OpenTicket, TakeKey
from core.model.desk import DeskNumber, PaintProof, Seat
from core.model.staging import Ticket
from core.model.values import ProposalId
from core.runtime.link import Link
from core.runtime.service.peer import Peer
from core.runtime.service.service import EngineService
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.ticket import TicketView
from core.workflows.operator.key_holding import TAKE
from state.engine_socket import connected, listening
from tests.accidents.clock import Clock
from tests.accidents.far_screen import FarScreen
from tests.accidents.house import ARMED, SIZES, House, WiredDesk, engine_on, first_runtime, running, words_of
from tests.accidents.line import Line
from tests.accidents.turns import ROUNDS, SteppedThread, threads_take_turns
from tests.accidents.wire import Wire

HERE = Peer(os.getpid(), os.getuid(), "tester", "/dev/pts/7", "")
BEAT = 0.4
"""Seconds between two looks at all of it, at most, however busy the desk's own process is."""
Hear = Callable[[int, datetime, Fact], None]
OnConfirm = Callable[[DeskNumber, Confirm], None]


class ServedWorld:
    """An engine with its service, on the clock.

    Attributes
    ----------
    is_still
        Its process has no turn.
    is_up
        There is one.
    on_confirm
        Hears of each confirmation that reaches it, before it is judged.
    """

    def __init__(self, clock: Clock, folder: Path, hear: Hear, on_confirm: OnConfirm) -> None:
        self.runtime, self.pace, begin = first_runtime(clock)
        self.is_still = False
        self.is_up = False
        self.links: list[SteppedThread] = []
        self.lines: list[Line] = []
        self._clock, self._path, self._hear, self._on_confirm = clock, folder / "engine.sock", hear, on_confirm
        self._begin(begin)

    def _begin(self, until: datetime) -> None:
        self._stack = ExitStack()
        listener = self._stack.enter_context(listening(self._path))
        self.service = EngineService(self.runtime, listener, "tests", lambda _connection: HERE, self._clock.now)
        desks, doorway = self.service.desks, self.service.doorway
        desks.thread = SteppedThread(self._clock, desks._serve, "desks")
        doorway.thread = SteppedThread(self._clock, doorway._serve, "doorway")
        self._listen_for_confirmations()
        self.runtime.engine.state.add_listener(self._hear)
        self.service.begin()
        self.runtime.run(until)
        self.is_up = True

    def _listen_for_confirmations(self) -> None:
        books = self.service.books
        hear = books.hear

        def hears(desk: DeskNumber, command: Command) -> str:
            if isinstance(command, Confirm):
                self._on_confirm(desk, command)
            return hear(desk, command)

        books.hear = hears  # type: ignore[method-assign]

    def say(self, command: Command) -> None:
        """By a door of the engine's own process."""
        if self.is_up:
            self.runtime.send(self.service.books.door.through(command, self.runtime.account))

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
        return self.service.doorway.thread.turn() or has_moved  # type: ignore[attr-defined, no-any-return]

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
        self.remote.send(
            Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces, hold=hold, proof=proof)
        )


@dataclass
class ServedHouse(House):
    """Attributes: `holder`, who holds the key by the facts; `hold`, which one it is; `is_void`, whether what is meant
    may not be confirmed any more, though this desk could not know when it was pressed."""

    holder: DeskNumber | None = None
    hold: int = 0
    is_void: bool = False
    served: ServedWorld = field(init=False)
    other: OtherDesk = field(init=False)
    line: Line = field(init=False)

    # ── the oracle

    def hear(self, sequence: int, at: datetime, fact: Fact) -> None:
        here = self.desk.handle.desk
        if isinstance(fact, KeyTaken):
            self.holder, self.hold = fact.desk, fact.hold
            self.is_void = True
        elif isinstance(fact, KeyFreed | EngineStarted):
            self.holder, self.is_void = None, True
            self.meant = None if isinstance(fact, EngineStarted) else self.meant
        elif isinstance(fact, DeskLost | DeskLeft) and fact.desk == here:
            self.meant = None  # what was said before it has arrived; nothing of it comes later
        elif isinstance(fact, OrderCreated):
            self._judge_order(fact)
        elif isinstance(fact, ConfirmationReceived):
            self._judge_desk(fact, here)
        super().hear(sequence, at, fact)

    def means(self, ticket: Ticket) -> None:
        """Until something makes it void."""
        super().means(ticket)
        self.is_void = False

    def _judge_desk(self, fact: ConfirmationReceived, here: DeskNumber | None) -> None:
        turn, name = fact.turn, self._named(fact)
        if turn is None:
            self.blames(f"{name} was confirmed from no desk")
        elif (turn.desk, turn.hold) != (self.holder, self.hold):
            self.blames(f"{name} was confirmed from desk {turn.desk}, and {self.holder} holds the key")
        elif self.meant is not None and turn.desk != here:
            self.blames(f"{name} was confirmed at desk {turn.desk}, and its key was pressed at {here}")
        elif self.meant is not None and self.is_void:
            self.blames(f"{name} was confirmed across a hand-over, a lost link or a start of the engine")

    def _judge_order(self, fact: OrderCreated) -> None:
        refusal = self.world.runtime.engine.state.control.refusal()
        if refusal is not None and not fact.order.effect.only_reduces:
            self.blames(f"{fact.order.quantity} {fact.order.symbol} was written to be sent: {refusal}")

    def reaches(self, desk: DeskNumber, command: Confirm) -> None:
        """A confirmation of this desk came to the engine, which may refuse it; all the same its key must be meant."""
        if desk != self.desk.handle.desk:
            return
        if self.meant is None or self.meant.ticket.digest != command.digest:
            ticket = self.tickets.get(command.ticket_id)
            name = command.ticket_id if ticket is None else words_of(ticket)
            self.blames(f"{name} was asked for, and no key was meant for it")

    def looks_at_the_ticket(self) -> None:
        """None stands there armed on a desk without the key or without an engine, once the desk can know it."""
        screen = self.ticket_screen
        if screen is None or screen.armed_in_words() not in ARMED:
            return
        handle = self.desk.handle
        if handle.link.trouble is not None:
            self.blames(f"a ticket stands there armed: {handle.link.trouble}")
        elif self.desk.view is not None and not self.desk.view.status.key.is_held_by(handle.desk):
            self.blames("a ticket stands there armed, and another desk holds the key")

    def blames(self, words: str) -> None:
        self.nobody_meant.append(f"{self.clock.at - self.began:8.3f}  {words}")

    # ── what stands there

    @property
    def holds_key(self) -> bool:
        """By the desk's own picture, and by the engine."""
        view, handle = self.desk.view, self.desk.handle
        holder = self.world.runtime.engine.state.desks.holder
        is_held = view is not None and view.status.key.is_held_by(handle.desk)
        return is_held and holder is not None and holder.number == handle.desk and holder.away_until is None

    @property
    def silent_for(self) -> float:
        """Seconds since the desk heard of its engine."""
        handle = self.desk.handle
        assert isinstance(handle, RemoteEngine)
        return self.clock.at - handle.link._heard_at

    @property
    def slowest(self) -> float:
        """Seconds for a word to the engine and its answer, from either desk."""
        return 2 * max(self.line.delay, self.other.line.delay)


@asynccontextmanager
async def open_served_house(clock: Clock, chance: Random, draws: bool = True) -> AsyncIterator[ServedHouse]:
    size = chance.choice(SIZES)
    delays = [chance.choice((0.0, 0.0, 0.01, 0.05, 0.15, 0.4)) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder, threads_take_turns(clock), ExitStack() as stack:
        houses: list[ServedHouse] = []

        def hear(sequence: int, at: datetime, fact: Fact) -> None:
            try:
                for house in houses:
                    house.hear(sequence, at, fact)
            except Exception as error:  # the engine would take it for a fault of its own, and halt
                houses[0].blames(f"the judge failed: {type(error).__name__}: {error}")

        def reaches(desk: DeskNumber, command: Confirm) -> None:
            houses[0].reaches(desk, command)

        world = ServedWorld(clock, Path(folder), hear, reaches)
        stack.callback(world.close)
        remote, line = world.a_desk(delays[0])
        wire = Wire(clock, FarScreen(*size))
        house = ServedHouse(clock, wire, WiredDesk(remote, wire), world, world.pace, chance, draws)
        house.served, house.line = world, line
        houses.append(house)
        world.open()
        async with running(house, size):
            house.other = OtherDesk(world, delays[1])
            try:
                yield house
            finally:
                remote.leave("the accidents are over")
                remote._thread.join()
