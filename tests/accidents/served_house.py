"""A house whose desk has its engine behind a socket and another desk beside it; its judge knows whose key counts."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

from console.client.remote import RemoteEngine
from core.facts import ConfirmationReceived, DeskLeft, DeskLost, EngineStarted, Fact, KeyFreed, KeyTaken, OrderCreated
from core.messages.commands import Confirm
from core.model.desk import DeskNumber
from core.model.staging import Ticket
from tests.accidents.clock import Clock
from tests.accidents.far_screen import FarScreen
from tests.accidents.house import ARMED, SIZES, House, WiredDesk, running, words_of
from tests.accidents.line import Line
from tests.accidents.served import OtherDesk, ServedWorld
from tests.accidents.turns import threads_take_turns
from tests.accidents.wire import Wire


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
