"""Every entry has a stop and names its holder; if neither the broker nor the desk holds it, the ticket says YOU (OP-06,
RK-02). Moving a stop so that it would lose more warns.
"""

from __future__ import annotations

from core.model.order import Side, StopHolder
from core.model.quote import NoQuote
from core.model.session import Session
from core.model.staging import NoStop, Verdict, unsaid
from core.model.values import priced
from core.risk.checks.verdicts import passed, refused, usd, warned
from core.risk.gate import Candidate, ReviewContext


class StopPresentCheck:
    """Shuts an entry without a stop; ends when it has one."""

    name = "stop"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return _moved_away(candidate, state) or _waits(candidate, state) or passed(self.name, "closes; needs none")
        stop = candidate.stop
        if isinstance(stop, NoStop):
            return refused(self.name, f"no stop: {stop.reason}")
        price = candidate.nearest(state.quote_of_now)
        if stop.behind is not None:
            return passed(
                self.name, f"the broker holds a stop {priced(stop.behind)} behind the best price from its fill on"
            )
        if price is not None and ((stop.price >= price) if candidate.order.side is Side.BUY else (stop.price <= price)):
            return refused(
                self.name,
                f"the stop {priced(stop.price)} is on the wrong side of {priced(price)}; move it to the other",
            )
        if stop.holder is StopHolder.YOU:
            return warned(self.name, f"nobody holds the stop {priced(stop.price)}: YOU do")
        if candidate.order.extended_hours:
            return warned(self.name, f"the stop {priced(stop.price)} acts in regular hours: nothing guards it before")
        if stop.holder is StopHolder.DESK:
            return warned(self.name, f"this desk watches the stop {priced(stop.price)}; its exit needs your key")
        return unsaid(self.name, lambda: f"the broker holds the stop {priced(stop.price)} {_hours(state)}")


def _hours(state: ReviewContext) -> str:
    session = state.session_of_day
    if not isinstance(session, Session):
        return "in regular hours"
    return f"from {state.venue.local(session.open):%H:%M} to {state.venue.local(session.close):%H:%M}"


def _waits(candidate: Candidate, state: ReviewContext) -> Verdict | None:
    """Warn of an exit away from the market: it reserves the shares of the stop and does not protect them (EX-13)."""
    order, quote = candidate.order, state.quote
    if not order.type.rests or order.legs or order.limit_price is None or isinstance(quote, NoQuote):
        return None
    is_away = order.limit_price > quote.bid if order.side is Side.SELL else order.limit_price < quote.ask
    return warned("stop", "while it waits at its limit, no stop guards these shares") if is_away else None


def _moved_away(candidate: Candidate, state: ReviewContext) -> Verdict | None:
    """Warn if the new stop would lose more than the one it replaces."""
    order = candidate.order
    old = state.ledger.order(order.replaces) if order.replaces is not None else None
    if old is None or old.request.stop_price is None or order.stop_price is None:
        return None
    further = old.request.stop_price - order.stop_price
    more = further if order.side is Side.SELL else -further
    if more <= 0:
        return None
    return warned("stop", f"it moves AWAY from the market: {usd(order.risk(more))} more are lost at it")
