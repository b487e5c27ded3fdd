"""The market is open, and the broker's clock and ours agree (EX-11)."""

from __future__ import annotations

from core.model.instrument import Instrument
from core.model.session import NoSession
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext
from core.risk.hours import NEW_YORK, extended_until


class SessionCheck:
    """Shuts every entry while the market is closed, or at a wrong clock; ends when it opens, or the clock is set."""

    name = "session and clock"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if isinstance(desk.instrument, Instrument) and desk.instrument.is_crypto:
            return refused(self.name, "crypto has a day of 24 hours, and this desk trades none yet")
        if isinstance(desk.session, NoSession):
            return refused(self.name, _closed(desk, desk.session))
        if desk.broker_time is None:
            return passed(self.name, "open; the broker's clock is asked at confirmation")
        skew = abs((desk.broker_time - desk.at).total_seconds())
        if skew > desk.settings.risk.clock_wrong_seconds:
            return refused(
                self.name, f"the broker's clock differs by {skew:.1f} s: set this machine's clock, then again"
            )
        if skew > desk.settings.risk.clock_skew_seconds:
            return warned(self.name, f"the broker's clock differs by {skew:.1f} s; set this machine's clock")
        return passed(self.name, "open")


def _closed(desk: ReviewContext, session: NoSession) -> str:
    ends = extended_until(desk.at, desk.session_of_day)
    if ends is None or desk.settings.risk.session.policy == "regular_only":
        return f"the market is closed: {session.reason}"
    until = f"{ends.astimezone(NEW_YORK):%H:%M} New York"
    return f"extended hours until {until}, and this desk marks no order for them yet; wait for the regular session"
