"""Entries only inside the window: a strategy's by the start of its bar, a manual one by the venue's clock (RK-07).

The bounds are inclusive. A window to 11:30 allows a manual entry at 11:30:00 and refuses it at 11:30:01; the bar that
begins at 11:30 is inside.
"""

from __future__ import annotations

from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext


class WindowCheck:
    """Shuts every entry; ends when the window opens."""

    name = "entry window"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; at any time")
        first, last, place = state.settings.risk.window_start, state.settings.risk.window_end, state.venue.name
        if candidate.is_manual:
            moment = state.venue.local(state.at).time().replace(microsecond=0)
        else:
            moment = state.venue.local(candidate.signal_time).time().replace(second=0, microsecond=0)
        if not first <= moment <= last:
            told = moment.isoformat("seconds" if candidate.is_manual else "minutes")
            return refused(self.name, f"{told} is outside {first:%H:%M} to {last:%H:%M} {place}")
        return unsaid(self.name, lambda: f"until {last.isoformat('minutes')} {place}")
