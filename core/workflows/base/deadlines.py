"""When each workflow is due, and its turn: each apart, so that one that raises keeps no other from its deadline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from core.messages.effects import Effect
from core.ports import JournalError
from core.trading_state.state import TradingState
from core.workflows.base.declarations import HasDeadline
from core.workflows.base.isolation import halt_for


class Deadlines:
    """The workflows' deadlines. What was due when its workflow raised calls no more: it would for ever (EX-14)."""

    def __init__(self, state: TradingState, workflows: Sequence[HasDeadline]) -> None:
        self.state = state
        self.workflows = workflows
        self._all = tuple(enumerate(workflows))
        self._by_any_clock = tuple(each for each in self._all if not getattr(each[1], "ACTS_BY_TIME", False))
        """Those that act also while the clock is in doubt (EX-23)."""
        self._failed: dict[int, datetime] = {}

    def reach(self) -> Iterator[Effect]:
        """Everything that is due by now."""
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
        """What is due now has just failed: only what is yet to come calls again."""
        return self._earliest(self.state.at)

    def give_up_what_is_due(self) -> None:
        self._failed = dict.fromkeys(range(len(self.workflows)), self.state.at)

    def forgive(self) -> None:
        """A person has looked at it: what is due calls again."""
        self._failed.clear()

    def _not_waiting(self) -> Sequence[tuple[int, HasDeadline]]:
        """Each with its number, but those that wait while the clock is in doubt (EX-23)."""
        return self._by_any_clock if self.state.control.is_clock_in_doubt else self._all

    def _earliest(self, after: datetime | None) -> datetime | None:
        """Of what is due after that instant, if one is given; of a workflow that failed, after its failure."""
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
