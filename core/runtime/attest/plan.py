"""Which control is tried when in a run: one slot a trial over the session, those that need a closed market after it.

What ends by a trade that is stopped out shares one slot and one order: each check gives its own reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.risk.controls import Control, First, Trial
from core.runtime.attest.market import OPEN, SESSION

FIRST_AT = OPEN + timedelta(minutes=10)
LAST_AT = SESSION.close - timedelta(minutes=10)
AFTER = SESSION.close + timedelta(minutes=2)
LONGEST = timedelta(minutes=10)
CLOSED_SLOT = timedelta(minutes=2)
PLAIN = Trial()
"""Of the first slot: an order to which no control has anything to say."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When the controls of one order are tried; the first slot has none, and tries a plain order."""

    at: datetime
    controls: tuple[Control, ...]

    @property
    def trial(self) -> Trial:
        """What stands before the order, and the order, of all its controls."""
        return self.trials[0] if self.controls else PLAIN

    @property
    def trials(self) -> tuple[Trial, ...]:
        return tuple(control.trial for control in self.controls if isinstance(control.trial, Trial))


def slots_of(controls: Sequence[Control]) -> tuple[Slot, ...]:
    """A slot for each that can be tried, in the order of what happens before them: what stays comes last."""
    tried = [control for control in controls if isinstance(control.trial, Trial)]
    groups: list[tuple[Control, ...]] = [()]
    closed: list[tuple[Control, ...]] = []
    for first in First:
        of_it = tuple(control for control in tried if _first(control) is first)
        if first is First.STOPPED_OUT:
            groups += [of_it] if of_it else []
        else:
            (closed if first is First.CLOSED_MARKET else groups).extend((control,) for control in of_it)
    length = min(LONGEST, (LAST_AT - FIRST_AT) / len(groups))
    return (
        *(Slot(FIRST_AT + length * number, group) for number, group in enumerate(groups)),
        *(Slot(AFTER + CLOSED_SLOT * number, group) for number, group in enumerate(closed)),
    )


def _first(control: Control) -> First | None:
    return control.trial.first if isinstance(control.trial, Trial) else None
