"""Entries only inside the window: a strategy's by its bar's start, a typed one by the clock, New York time (RK-07).

To the second: a window to 11:30 lets pass what is typed at 11:30:00, and at 11:30:01 no more; the bar that begins at
11:30 is inside.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext

NEW_YORK = ZoneInfo("America/New_York")


class WindowCheck:
    """Shuts every entry; ends when the window opens."""

    name = "entry window"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; at any time")
        first, last = desk.settings.risk.window_start, desk.settings.risk.window_end
        if candidate.is_manual:
            moment = desk.at.astimezone(NEW_YORK).time().replace(microsecond=0)
        else:
            moment = candidate.signal_time.astimezone(NEW_YORK).time().replace(second=0, microsecond=0)
        if not first <= moment <= last:
            told = moment.isoformat("seconds" if candidate.is_manual else "minutes")
            return refused(self.name, f"{told} is outside {first:%H:%M} to {last:%H:%M} New York")
        return unsaid(self.name, lambda: f"until {last.isoformat('minutes')} New York")
