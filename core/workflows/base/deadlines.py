"""Deadlines of all workflows. Each runs in isolation: an exception in one does not delay the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from core.messages.effects import Effect
from core.ports import JournalError
from core.trading_state.state import TradingState
from core.workflows.base.declarations import HasDeadline
from core.workflows.base.isolation import halt_for


class Deadlines:
    """The workflows' deadlines.

    A deadline whose workflow raised is not called again: it would raise forever (EX-14).
    """

    def __init__(self, state: TradingState, workflows: Sequence[HasDeadline]) -> None:
        self.state = state
        self.workflows = workflows
        self._all = tuple(enumerate(workflows))
        self._by_any_clock = tuple(each for each in self._all if not getattr(each[1], "ACTS_BY_TIME", False))
        """The workflows that also act while the clock is in doubt (EX-23)."""
        self._failed: dict[int, datetime] = {}

    def reach(self) -> Iterator[Effect]:
        """Run every workflow that is due."""
        for number, workflow in self._not_waiting():
            faults = self.state.sightings.faults
            try:
                yield from workflow.due() or ()
            except JournalError:
                raise
            except Exception as error:  # as in `apart`
                halt_for(self.state, error)
            if self.state.sightings.faults > faults:
                self._failed[number] = self.state.at
            else:
                self._failed.pop(number, None)

    def next(self) -> datetime | None:
        return self._earliest(None)

    def next_later(self) -> datetime | None:
        """Return the next deadline in the future: the current ones have just failed."""
        return self._earliest(self.state.at)

    def give_up_what_is_due(self) -> None:
        self._failed = dict.fromkeys(range(len(self.workflows)), self.state.at)

    def forgive(self) -> None:
        """Call failed deadlines again after an operator has looked at the fault."""
        self._failed.clear()

    def _not_waiting(self) -> Sequence[tuple[int, HasDeadline]]:
        """Return each workflow with its number, except those that wait while the clock is in doubt (EX-23)."""
        return self._by_any_clock if self.state.control.is_clock_in_doubt else self._all

    def _earliest(self, after: datetime | None) -> datetime | None:
        """Return the earliest deadline after `after`, if given; for a failed workflow, after its failure."""
        earliest: datetime | None = None
        failed = self._failed
        for number, workflow in self._not_waiting():
            since = after or (failed.get(number) if failed else None)
            try:
                for at in workflow.next_due():
                    if (earliest is None or at < earliest) and (since is None or at > since):
                        earliest = at
            except JournalError:
                raise
            except Exception as error:  # as in `apart`
                halt_for(self.state, error)
        return earliest
