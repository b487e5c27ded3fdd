"""A demo's engine that a test moves event by event, with one desk at its keys; no wall clock is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from console.client.access import a_console_port
from console.client.handle import LINK
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import Fact
from core.messages.commands import Command, Confirm, OpenTicket
from core.messages.desk_commands import AttachDesk
from core.messages.inputs import Start
from core.model.desk import PaintProof
from core.model.staging import Proposal, Ticket
from core.model.values import ProposalId
from core.ports import Recorded
from core.trading_state.state import TradingState
from state.housekeeping import Housekeeping

F = TypeVar("F", bound=Fact)
NEVER = float("inf")


class SteppedDemo:
    """A demo at a home; `behind` is how far the desk lags behind its own clock when a command comes in."""

    def __init__(self, home: Path, *, seed: int = 5, speed: float = 600.0, **options: Any) -> None:
        self._stack = ExitStack()
        self.behind = timedelta(0)
        self._told: list[Recorded] = []
        self.runtime = demo_runtime(
            Host.of({"KEYTURN_HOME": str(home)}), DemoOptions(seed=seed, speed=speed, **options), self._stack
        )
        self.runtime.pace.speed = None
        self.runtime.pace.beat_by(lambda: NEVER)
        self.runtime.pace.now = lambda last: last + self.behind  # type: ignore[method-assign]
        self._door = a_console_port()
        self.runtime.admit(self._door.known)
        self.runtime.send(self._door.through(AttachDesk(self._door.seat, LINK), self.runtime.account))

    @property
    def desk(self) -> TradingState:
        return self.runtime.engine.state

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        return tuple(self.desk.stage.proposals())

    @property
    def ticket(self) -> Ticket | None:
        return next(iter(self.desk.stage.state.tickets.values()), None)

    def starts(self) -> SteppedDemo:
        self.runtime.take(self.runtime.at, Start())
        return self

    def until(self, there: Callable[[], Any], events: int = 100_000) -> Any:
        """Step on until it is there, and return it."""
        for _ in range(events):
            if found := there():
                return found
            assert self.runtime.step(), "the market ended first"
        raise AssertionError(f"it was not there after {events} events")

    def sends(self, command: Command) -> None:
        number = self.runtime.desk_of(LINK)
        self.runtime.send(self._door.through(command, self.runtime.account, number))

    def confirms(self, proposal: ProposalId) -> None:
        """Its ticket is opened, and confirmed a second later by the desk that has control."""
        self.sends(OpenTicket(proposal))
        self.until(lambda: self.ticket)
        opened = self.runtime.at
        self.until(lambda: self.runtime.at >= opened + timedelta(seconds=1))
        self.confirms_ticket()
        self.until(lambda: self.ticket is None)

    def confirms_ticket(self) -> None:
        ticket, hold = self.ticket, self.desk.desks.hold
        assert ticket is not None
        self.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect, hold=hold, proof=PaintProof.ANSWERED))

    def steps(self, events: int) -> None:
        for _ in range(events):
            self.runtime.step()

    def facts(self, kind: type[F]) -> list[F]:
        if self.desk.journal.sequence > len(self._told):
            self._told += self.desk.journal.records(len(self._told))
        return [record.fact for record in self._told if isinstance(record.fact, kind)]

    def beats(self) -> None:
        """The engine looks at the files around it, often enough to see that one has changed and is written whole."""
        assert isinstance(self.runtime.keeper, Housekeeping)
        assert self.runtime.keeper.watch is not None
        seconds = count(0, 60)
        self.runtime.keeper.watch.now = lambda: float(next(seconds))
        for _ in range(4):
            self.runtime.beat()
            self.runtime.step()

    def leaves(self) -> None:
        """As the console does when its operator leaves."""
        self.runtime.leave()
        self.runtime.play()
        self.runtime.stop("left")
        self._stack.close()
