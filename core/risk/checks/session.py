"""The market is open for this order, and the broker's clock agrees with ours (EX-11, RK-20)."""

from __future__ import annotations

from core.model.instrument import BrokerInstrument
from core.model.order import TimeInForce
from core.model.session import NoSession
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext


class SessionCheck:
    """Shuts every entry while the market is closed, or at a wrong clock; ends when it opens, or the clock is set."""

    name = "session and clock"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if isinstance(state.instrument, BrokerInstrument) and (not_yet := state.instrument.asked.not_yet):
            return refused(self.name, not_yet)
        if closed := _closed(candidate, state):
            return refused(self.name, closed)
        open_ = _open(state)
        if state.broker_time is None:
            return passed(self.name, f"{open_}; the broker's clock is asked at confirmation")
        skew = abs((state.broker_time - state.at).total_seconds())
        if skew > state.settings.risk.clock_wrong_seconds:
            return refused(
                self.name, f"the broker's clock differs by {skew:.1f} s: set this machine's clock, then again"
            )
        if skew > state.settings.risk.clock_skew_seconds:
            return warned(self.name, f"the broker's clock differs by {skew:.1f} s; set this machine's clock")
        return passed(self.name, open_)


def _open(state: ReviewContext) -> str:
    if not isinstance(state.session, NoSession):
        return "open"
    ends = state.venue.extended_until(state.at, state.session_of_day)
    return "open" if ends is None else f"open for limit orders, extended hours until {state.venue.told(ends)}"


def _closed(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return why this order cannot act now; None if it can."""
    is_included = state.settings.risk.session.policy == "include_extended"
    order = candidate.order
    if order.extended_hours and not candidate.only_reduces and not is_included:
        return "it would act before the open and after the close, and the settings want neither; type it again"
    if not isinstance(state.session, NoSession):
        return None
    ends = state.venue.extended_until(state.at, state.session_of_day)
    if ends is not None and order.extended_hours:
        return None
    if candidate.only_reduces:
        return f"the market is closed: {state.session.reason}; {_waits(candidate, is_extended=ends is not None)}"
    if ends is None or not is_included:
        return f"the market is closed: {state.session.reason}"
    return f"extended hours until {state.venue.told(ends)}: {_unmarked(candidate)}"


def _waits(candidate: Candidate, *, is_extended: bool) -> str:
    """Describe how an exit or stop waits for the market, and which order would act now instead."""
    can_be_typed = is_extended and candidate.order.type.goes_at_once
    return "it waits for the open" + ("; a limit order typed now would act at once" if can_be_typed else "")


def _unmarked(candidate: Candidate) -> str:
    """Return why an entry does not act in extended hours, and how to change that."""
    if not candidate.is_manual:
        return "strategies enter in the regular session alone; wait for it, or type the order"
    if not candidate.order.type.rests:
        return "only a limit order acts in them; give it a limit"
    if candidate.order.time_in_force is not TimeInForce.DAY:
        return "only an order for the day acts in them; make it one"
    return "it was typed for the regular session; type it again"
