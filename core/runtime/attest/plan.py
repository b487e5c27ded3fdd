"""The schedule of a run: one slot per trial during the session; trials that need a closed market come after it.

Checks that a stopped-out trade triggers share one slot and one order: each check gives its own reason.
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
"""The trial of the first slot: an order that no control stops or warns about."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When the controls of one order are tried; the first slot has no control and tries a plain order."""

    at: datetime
    controls: tuple[Control, ...]

    @property
    def trial(self) -> Trial:
        """The setup and the order that all its controls share."""
        return self.trials[0] if self.controls else PLAIN

    @property
    def trials(self) -> tuple[Trial, ...]:
        return tuple(control.trial for control in self.controls if isinstance(control.trial, Trial))


def slots_of(controls: Sequence[Control]) -> tuple[Slot, ...]:
    """Return a slot for each control that can be tried, ordered by setup; a setup with a lasting effect comes last."""
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
