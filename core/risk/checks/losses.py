"""Checks of losses: of the account, at the stop, and by protections (RK-03, RK-02, RK-21, OP-06, RK-09, RK-22)."""

from __future__ import annotations

from decimal import Decimal

from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.order import Side, StopHolder
from core.model.session import Session
from core.model.sizing import Term
from core.model.staging import CheckResult, NoStop, StopPlan, Verdict, at_stake, unsaid
from core.model.values import ZERO, priced
from core.risk.checks.order_value import would_pass
from core.risk.exposure import open_losses
from core.risk.gate import (
    Candidate,
    ReviewContext,
    lacking,
    overridden_until,
    passed,
    refused,
    usd,
    warned,
    without_equity,
)
from core.risk.protections.closed_trades import Direction
from core.risk.protections.protection import GLOBAL, Lock, Scope
from core.risk.protections.protection_registry import Override
from core.risk.sizing_inputs import cuts_of, risk_of
from core.risk.strategy_limits import daily_loss
from core.settings.risk import DAILY, WEEKLY

NAMES = {DAILY: "daily loss", WEEKLY: "weekly loss"}


def loss_verdict(key: str, span: str, opening: Decimal | None, limit: Decimal | None, state: ReviewContext) -> Verdict:
    name, latches = NAMES[key], state.protections.latches
    if isinstance(state.account, NoAccount):
        return without_equity(name, f"equity is not known: {state.account.reason}", state)
    if opening is None:
        return without_equity(name, f"equity at the start of {span} is not known, so no loss can be measured", state)
    if limit is None:
        return without_equity(name, "the limit is a share of an equity that is not known yet; wait a moment", state)
    loss = opening - state.account.equity
    told = latches.told(key, GLOBAL)
    override = latches.passing(key, GLOBAL, told.since, state.at) if told is not None else None
    if told is not None and override is not None and not override.ends_at(loss):
        return warned(name, f"{told.reason}; {overridden_until(override, state.at, state.venue)}{_again(override)}")
    if loss >= limit:
        return refused(name, f"{usd(loss)} lost {span}, the limit is {usd(limit)}")
    if told is not None:
        return refused(name, f"{told.reason}; shut until it ends, whatever was made good since")
    since = _since(key, state)
    return unsaid(name, lambda: f"{usd(max(loss, ZERO))} of {usd(limit)}, {since}")


def _again(override: Override) -> str:
    return "" if override.again_at is None else f", shut again at {usd(override.again_at)} lost"


def _since(key: str, state: ReviewContext) -> str:
    return state.opening.since(state.day) if key == DAILY else state.opening.since_of_week(state.day)


class DailyLossCheck:
    """Entries stop for the day once the account's loss since the last close reaches its limit (RK-03), and those of a
    strategy once its own loss reaches its own (RK-07).

    Shuts every entry, or the strategy's; ends with the trading day, or an hour after a typed override until it has
    grown by half of the limit.

    If the account's value is unknown, `risk.on_missing_equity` decides whether they stop.
    """

    name = NAMES[DAILY]

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        opening = state.opening.opening_equity(state.day)
        verdict = loss_verdict(DAILY, "today", opening, state.settings.risk.daily_loss.of(opening), state)
        if candidate.only_reduces or verdict.standing is CheckResult.REFUSES:
            return verdict
        return _of_its_own(candidate.strategy, opening, state) or verdict


def _of_its_own(strategy: str, opening: Decimal | None, state: ReviewContext) -> Verdict | None:
    """Return why a strategy's own daily loss refuses its entry, or what is missing to measure it; else None."""
    limit = daily_loss(state.settings, strategy, opening)
    if limit is None:
        return None
    loss, name = state.strategy_loss(strategy), NAMES[DAILY]
    if loss.is_shut:
        return refused(name, f"{strategy}: its loss reached its limit today; shut until the day ends")
    if loss.lost is None:
        return refused(name, f"{strategy}: a position of it has no price yet, so that its loss is not known")
    if limit.usd is not None and loss.lost >= limit.usd:
        return refused(name, f"{strategy}: {usd(loss.lost)} lost today, its limit is {usd(limit.usd)}")
    if not limit.is_known:
        return without_equity(name, f"{strategy}: its limit is a share of an equity that is not known yet", state)
    return None


class WeeklyLossCheck:
    """Entries stop for the week once the account's loss since last week's close reaches its limit (RK-03).

    Shuts every entry; ends with the week, or an hour after a typed override until it has grown by half
    of the limit.

    If the account's value is unknown, `risk.on_missing_equity` decides whether they stop.
    """

    name = NAMES[WEEKLY]

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        opening = state.opening.opening_equity_of_week(state.day)
        return loss_verdict(WEEKLY, "this week", opening, state.settings.risk.weekly_loss.of(opening), state)


class PerTradeLossCheck:
    """The loss at the stop stays within `risk.per_trade`, apart from the stop's rounding to its tick (RK-02).

    Shuts an entry that could lose too much at its stop; ends with the quantity that it names.

    Binding terms reduce the limit for every order, also for a manual size (RK-10, RK-11). A strategy's own limit holds
    where it is stricter (RK-07).
    """

    name = "loss at the stop"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        if not isinstance(candidate.stop, StopPlan):
            return refused(self.name, "without a stop the loss has no bound; give it a stop price")
        price = candidate.farthest(state.quote_of_now)
        cuts = cuts_of(candidate, state)
        risked = risk_of(candidate, state, cuts)
        if price is None or risked is None or risked.usd is None:
            return lacking(self.name, price, state)
        order, limit, whose = candidate.order, risked.usd, risked.whose(candidate.strategy)
        loss = order.risk(candidate.stop.way_from(price))
        if loss > limit and loss > limit + order.risk(order.instrument.ticks.at(price) / 2):  # half a tick is rounding
            return refused(
                self.name,
                f"{whose}{usd(loss)} is over {usd(limit)} a trade{_scaled_by(cuts)}; {would_pass(candidate, state)}",
            )
        if not risked.is_known:
            return lacking(self.name, price, state)
        return unsaid(self.name, lambda: f"{whose}{usd(loss)} of {usd(limit)}{_scaled_by(cuts)}")


def _scaled_by(cuts: tuple[Term, ...]) -> str:
    """Describe the reductions, as in `, at 0.5 throttle (5.20 of 10.00 USD lost today)`."""
    return ", at " + " × ".join(f"{term} ({term.words})" for term in cuts) if cuts else ""


class RiskBudgetCheck:
    """If all stops filled at once, this order's included, the loss would stay within a part of equity (RK-21).

    Shuts an entry that would exceed the budget of all stops; ends when a stop is nearer, or a position is closed.
    """

    name = "risk budget"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no risk")
        price, farthest, equity = (
            candidate.price(state.quote_of_now),
            candidate.farthest(state.quote_of_now),
            state.equity,
        )
        if price is None or farthest is None or equity is None:
            return lacking(self.name, price, state)
        held = open_losses(state.ledger, state.last, state.desk_stop, candidate.order.replaces)
        limit = state.settings.risk.sizing.budget * equity
        total = held + candidate.order.risk(at_stake(price, farthest, candidate.stop))
        if total <= limit:
            return unsaid(self.name, lambda: f"{usd(total)} of {usd(limit)} at the stops")
        before = f"{usd(held)} before it, " if held else ""
        return refused(
            self.name,
            f"{usd(total)} would be lost at the stops, {before}over {usd(limit)}; {would_pass(candidate, state)}",
        )


class StopPresentCheck:
    """Every entry has a stop and names its holder; if neither the broker nor the desk holds it, the ticket says YOU
    (OP-06, RK-02). Moving a stop so that it would lose more warns.

    Shuts an entry without a stop; ends when it has one.
    """

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
    """Warn of an exit that waits: it reserves the shares of the stop and does not protect them (EX-13)."""
    order, quote = candidate.order, state.quote
    limit = order.limit_price
    if not order.type.waits_unprotected or order.legs:
        return None
    if limit is None:
        return warned("stop", "while it waits, no stop guards these shares")
    if isinstance(quote, NoQuote):
        return None
    is_away = limit > quote.bid if order.side is Side.SELL else limit < quote.ask
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


class ProtectionCheck:
    """Entries locked by a protection are refused, each protection with its own reason (RK-09, RK-22).

    Ask one protection whether it locks the entry.

    Parameters
    ----------
    protection
        Its name: `max_drawdown`.
    """

    def __init__(self, protection: str) -> None:
        self.protection = protection
        self.name = protection.replace("_", " ")
        self._passes = passed(self.name, "not tripped")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        if not state.protections.by_name[self.protection].locks.by_scope:
            return self._passes
        direction = Direction.LONG if candidate.order.side is Side.BUY else Direction.SHORT
        found = state.protections.on_entry(
            self.protection, Scope(candidate.order.symbol, direction, candidate.strategy), state.at
        )
        if not found:
            return self._passes
        shut = [f"{lock.scope}: {lock.reason}, {lock.end(state.venue)}" for lock, override in found if override is None]
        if shut:
            return refused(self.name, "; ".join(shut))
        return warned(self.name, "; ".join(_passed_over(lock, override, state) for lock, override in found if override))


def _passed_over(lock: Lock, override: Override, state: ReviewContext) -> str:
    """Name each lock that passes only because of the operator's override (RK-06)."""
    return f"{lock.scope}: {lock.reason}; {overridden_until(override, state.at, state.venue)}"
