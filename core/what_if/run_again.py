"""A recorded run played again: its market and answers by the same rules, what came from outside as it was recorded.

Until a change acts, each thing is said after as many events as then; from there on at its time, for the events are
others. Keys are a person's: they turn on the proposal that they were turned on, whatever its ticket says by then.
"""

from __future__ import annotations

from datetime import datetime

from core.facts import SettingsApplied
from core.messages.command_ports import CommandPort, PortKind
from core.messages.inputs import NotificationAnswered
from core.runtime.run_record import RecordedRun, RunKind
from core.runtime.scripted_operator import ConfirmAll, Script
from core.runtime.virtual import VirtualRuntime
from core.what_if.operators import Noted, Pressed, PressedAgain, Silent, Together
from core.what_if.said_again import Changed, Known, SaidAgain, Taken


class RunAgain(VirtualRuntime):
    """A virtual runtime with the recorded run in the place of a person. `again` is called before it runs."""

    _script: Noted | None = None

    def again(
        self,
        run: RecordedRun,
        known: Known,
        changed: Changed | None,
        *,
        bars: int,
        has_parted: bool = False,
        pressed: Pressed = (),
    ) -> Taken:
        """From here on what was heard from outside is said again. Returns what will become of the change.

        `bars` are those that the run heard: by them one that has parted from it leaves at the same point of the market.
        One that `has_parted` from it has other events from the beginning: a model, and what follows a changed run.
        `pressed` is what its script pressed in the unchanged one.
        """
        state = self.engine.state
        taken = Taken()
        self._said = SaidAgain(run, known, state, changed, taken, bars, has_parted)
        for door in self._said.doors():
            self.admit(door.known)
        terms = run.started.settings.notify
        if run.started.kind is RunKind.DEMO and terms.in_demo and terms.rules:
            self._notifier = Silent()
        if isinstance(self.operator, Script):
            self.operator = self._script = Noted(self.operator)
        if changed is not None or has_parted:
            if self._script is not None:
                self.operator = PressedAgain(pressed, self._said.now)
            has_script = run.started.operator == "confirm-all"
            own = ConfirmAll(state, lambda proposal: self._said.is_to_be_confirmed(proposal, has_script))
            self.operator = own if self.operator is None else Together((self.operator, own))
            if self._by_script is None:
                door = CommandPort(PortKind.SCRIPT)
                self.admit(door.known)
                self._by_script = door.through
        return taken

    @property
    def pressed(self) -> Pressed:
        """What its script has pressed by now."""
        return () if self._script is None else tuple(self._script.pressed)

    def step(self, until: datetime | None = None) -> bool:
        said = self._said
        following = self._earliest()
        if said.has_left(self.events, following):
            self.leave()
            return False
        found = said.next(self.events, following, self.at, until)
        if found is None:
            return super().step(until)
        at, message = found
        self.at = max(self.at, at)
        if isinstance(message, SettingsApplied):
            self.engine.state.at = self.at
            self.engine.state.record(message)
        elif isinstance(message, NotificationAnswered):
            self.take(self.at, message)
        else:
            self.obey(message)
        return True

    def _is_quiet(self) -> bool:
        return not self._said.has_more and super()._is_quiet()
