"""A recorded run replayed, and the operators of such a run.

Until a change takes effect, each input comes after the same number of events as recorded; from then on at its time,
because the events differ. Keys are a person's: they apply to the same proposal as recorded, with its current ticket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from core.facts import SettingsApplied
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command
from core.messages.effects import MakeReport, SendNotification
from core.messages.inputs import FromAgent, FromNotifier, NotificationAnswered, ReportAnswered
from core.model.lazy_dataclass import dataclass
from core.runtime.inbox import Operator
from core.runtime.scripted_operator import ConfirmAll, Script
from core.runtime.simulated_exchange import RecordedRun, RunKind
from core.runtime.virtual import VirtualRuntime
from core.what_if.input_replayer import Ahead, Changed, Known, Place, SaidAgain, Taken

Pressed = tuple[tuple[datetime, tuple[Command, ...]], ...]
"""A script's presses and their times."""


class Noted:
    """An operator whose presses are recorded."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.pressed: list[tuple[datetime, tuple[Command, ...]]] = []

    def next_at(self) -> datetime | None:
        return self._operator.next_at()

    def press(self, at: datetime) -> Iterator[Command]:
        commands = tuple(self._operator.press(at))
        self.pressed.append((at, commands))
        yield from commands


class PressedAgain:
    """Replays a script's presses at their times, on the proposals and tickets they were made for."""

    def __init__(self, pressed: Pressed, now: Callable[[Command], Command | None]) -> None:
        self._pressed = deque(pressed)
        self._now = now

    def next_at(self) -> datetime | None:
        return self._pressed[0][0] if self._pressed else None

    def press(self, _at: datetime) -> Iterator[Command]:
        for command in self._pressed.popleft()[1]:
            if (now := self._now(command)) is not None:
                yield now


class Silent:
    """A carrier that sends nothing: the recorded delivery results are replayed."""

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Do nothing: the answer was recorded, if one came."""

    def report(self, effect: MakeReport, put: Callable[[ReportAnswered], None]) -> None:
        """Do nothing, as above."""

    def close(self) -> None:
        """Do nothing."""


class Together:
    """Several operators combined, the earliest press first."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._operators = tuple(operators)

    def next_at(self) -> datetime | None:
        return min((at for each in self._operators if (at := each.next_at()) is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        due = next((each for each in self._operators if (own := each.next_at()) is not None and own <= at), None)
        if due is not None:
            yield from due.press(at)


@dataclass(frozen=True, slots=True)
class AsItWas:
    """Known facts on a run after its unchanged replay.

    Attributes
    ----------
    pressed
        The presses of its script.
    places
        The places of external inputs; None for those in time.
    """

    pressed: Pressed = ()
    places: tuple[Place | None, ...] = ()


UNKNOWN = AsItWas()


class RunAgain(VirtualRuntime):
    """A virtual runtime that replays a recorded run's inputs. `again` is called before it runs."""

    _script: Noted | None = None

    def again(
        self,
        run: RecordedRun,
        known: Known,
        changed: Changed | None,
        *,
        has_parted: bool = False,
        was: AsItWas = UNKNOWN,
    ) -> Taken:
        """Replay the external inputs from here on. Return the object that collects the change's results.

        With `has_parted` the events differ from the beginning: in a model, and after a changed run. `was` is known from
        the unchanged replay.
        """
        state = self.engine.state
        taken = Taken()
        self._said = SaidAgain(run, known, state, changed, taken, has_parted, was.places)
        for port in self._said.ports():
            self.admit(port.known)
        terms = run.started.settings.notify
        if run.started.kind is RunKind.DEMO and terms.in_demo and terms.in_force:
            self._notifier = Silent()
        if isinstance(self.operator, Script):
            self.operator = self._script = Noted(self.operator)
        if changed is not None or has_parted:
            if self._script is not None:
                self.operator = PressedAgain(was.pressed, self._said.now)
            has_script = run.started.operator == "confirm-all"
            own = ConfirmAll(state, lambda proposal: self._said.is_to_be_confirmed(proposal, has_script))
            self.operator = own if self.operator is None else Together((self.operator, own))
            if self._by_script is None:
                port = CommandPort(PortKind.SCRIPT)
                self.admit(port.known)
                self._by_script = port.through
        return taken

    @property
    def was(self) -> AsItWas:
        """The presses of its script and the places of inputs so far."""
        return AsItWas(() if self._script is None else tuple(self._script.pressed), tuple(self._said.places))

    def step(self, until: datetime | None = None) -> bool:
        said = self._said
        following = self._earliest()
        ahead = Ahead(self.events, following, self._hears_a_bar(following))
        if said.has_left(ahead):
            self.leave()
            return False
        found = said.next(ahead, self.at, until)
        if found is None:
            return super().step(until)
        at, message = found
        self.at = max(self.at, at)
        if isinstance(message, SettingsApplied):
            self.engine.state.at = self.at
            self.engine.state.record(message)
        elif isinstance(message, FromNotifier | FromAgent):
            self.take(self.at, message)
        else:
            self.obey(message)
        return True

    def _hears_a_bar(self, at: datetime | None) -> bool:
        """Whether the next event at that time is the arrival of a bar, in the order of events."""
        if at is None or not self._arriving or self._arriving[0].heard_at > at:
            return False
        begins = self._next is not None and self._next[0] <= at
        return not begins and not (self._heap and self._heap[0][0] <= at)

    def _is_quiet(self) -> bool:
        return not self._said.has_more and super()._is_quiet()
