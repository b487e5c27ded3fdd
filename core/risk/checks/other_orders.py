"""Checks against other orders of the account: self crosses, repeats, frequency (RK-25, RK-24, RK-15)."""

from __future__ import annotations

from datetime import datetime

from core.execution.cover import unreserved_of
from core.execution.ledger import Ledger
from core.model.bar import NoQuote
from core.model.position import Position
from core.model.staging import CheckResult, Verdict, unsaid
from core.risk.checks.losses import ProtectionCheck
from core.risk.checks.verdicts import passed, refused, unmeasured, warned
from core.risk.day import TWIN, WORD, entries_taken
from core.risk.gate import Candidate, ReviewContext
from core.risk.protections.frequency import GOES_ON, DayTrades, RepeatedExecution
from core.risk.protections.protection import EVERYTHING, Scope
from core.risk.regime import entries_allowed
from core.risk.self_cross import (
    crossed_by_entry,
    in_the_way_of_stop,
    is_simple,
    is_wash_trade,
    name_of,
    sends_its_stop,
    whose_stop_it_bars,
)

NOT_WHILE_IT_WORKS = "no part of a share is added while it works; take whole shares, or close first"


class SelfCrossCheck:
    """An entry never trades against one's own order, nor is sent if the broker would take it as a wash trade (RK-25).

    Shuts an entry that one's own resting order would meet; ends when that order is gone, or with another price.
    """

    name = "self-cross"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None for exits: they first cancel the crossing entry, and their ticket names it.

        `risk.self_cross` turns the check off.
        """
        if candidate.only_reduces or not state.settings.risk.self_cross.enabled:
            return None
        keeps_apart = state.capabilities.refuses_wash_trades
        own = crossed_by_entry(candidate.order, state.ledger, state.quote, refuses_wash_trades=keeps_apart)
        if own is None:
            return _of_stops(self.name, candidate, state) if keeps_apart else None
        if keeps_apart and own.is_protective and is_wash_trade(candidate.order, own):
            return refused(self.name, f"the position's stop stands there, {name_of(own)}: {NOT_WHILE_IT_WORKS}")
        if own.only_reduces and candidate.order.type.goes_at_once and isinstance(state.quote, NoQuote):
            return unmeasured(self.name, f"no quote, and your own {name_of(own)} rests", is_fresh=state.is_fresh)
        return refused(self.name, f"it would meet your own {name_of(own)}; cancel that first")


def _of_stops(check: str, candidate: Candidate, state: ReviewContext) -> Verdict | None:
    """Where the broker refuses opposite orders, refuse an entry that would block a stop that is due now or later."""
    order, ledger = candidate.order, state.ledger
    barring = in_the_way_of_stop(order, candidate.stop, ledger)
    if barring is not None:
        why = f"the broker would refuse its stop while your own {name_of(barring)} rests"
        return refused(check, f"{why}; cancel that first")
    barred = whose_stop_it_bars(order, ledger)
    if barred is not None:
        why = f"the broker would refuse the stop of your own {name_of(barred)} while this rests"
        return refused(check, f"{why}; wait until that is filled, or cancel it")
    if is_simple(order) and any(_lacks_its_stop(p, ledger) for p in ledger.positions() if p.symbol == order.symbol):
        return refused(
            check, f"a stop of {order.symbol} is still owed, and the broker would refuse it while this rests"
        )
    return None


def _lacks_its_stop(position: Position, ledger: Ledger) -> bool:
    """Return whether a stop that should be at the broker is missing: some held shares have no exit."""
    last, symbol, strategy = ledger.exits.last_stop(position), position.symbol, position.strategy
    entry = ledger.order(position.entry_order)
    is_signed = entry is not None and sends_its_stop(entry.request, entry.stop)
    free = unreserved_of(ledger, position) - ledger.legs.left_to_legs(symbol, strategy)
    return free > 0 and (is_signed or last is not None)


class TwinCheck:
    """An entry like one of the last seconds may be a mistake: the same symbol, side, quantity and price (RK-25).

    Shuts such an entry until its confirmation word is typed; ends with the seconds, or with other terms.

    The check itself only warns: the confirmation asks for the word and checks it. A basket has no word per order, so
    there such an entry is refused. `risk.twins` sets the limits.
    """

    name = TWIN

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        if candidate.only_reduces or not state.recent.state.by_symbol:
            return None
        price = candidate.price(state.quote)
        seen = state.recent.twin_of(candidate.order, price, state.ledger, state.at, state.settings.risk.twins)
        if seen is None:
            return None
        return warned(
            self.name, f"like {seen.in_words(candidate.order.symbol, state.venue)}: type {WORD} before its key"
        )


class RepeatedExecutionCheck(ProtectionCheck):
    """A strategy filled too many entries in a symbol, or had its stop renewed too often, within minutes (RK-24).

    Checks the protection's lock, which does not expire; returns nothing while it is not tripped.
    """

    def __init__(self) -> None:
        super().__init__(RepeatedExecution.name)

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        protection = state.protections.repeated_execution
        if not protection.locks.by_scope or not state.protections.is_on(protection):
            return None
        lock = protection.locks.on(Scope(symbol=candidate.order.symbol, strategy=candidate.strategy), state.at)
        return None if lock is None else refused(self.name, f"{lock.scope}: {lock.reason}, until {GOES_ON}")


class TradeFrequencyCheck:
    """Entries per day and strategy are limited: filled, working and confirmed ones, over all symbols; none are allowed
    on a day after SPY's range grew far over its average (RK-12).

    Shuts the strategy's entries; ends with the trading day, or when a working entry ends without a fill.
    """

    name = "trade frequency"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        risk, order = state.settings.risk, candidate.order
        allowance = entries_allowed(risk.entries_a_day, state.regime.market, state.day, risk.frequency)
        if allowance.is_shut:
            return refused(self.name, allowance.reason)
        if candidate.only_reduces:
            return passed(self.name, "closes; takes no entry")
        if order.replaces is not None:
            return passed(self.name, "takes the place of an entry that is counted")
        taken = entries_taken(candidate.strategy, state.day, state.ledger, state.signed, order.client_order_id)
        if taken.total < allowance.entries:
            return unsaid(
                self.name, lambda: f"{taken.total} of {allowance.entries} today before it; {allowance.reason}"
            )
        whose = "typed entries" if candidate.is_manual else f"entries of {candidate.strategy}"
        return refused(self.name, f"FULL, {taken.total} of {allowance.entries} {whose} today: {taken}")


class DayTradesCheck(ProtectionCheck):
    """Another entry could exceed the day-trade limit: positions opened today count as if closed today (RK-15).

    Checks the protection's lock, and before it open trades that could become day trades.
    """

    def __init__(self) -> None:
        super().__init__(DayTrades.name)

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        verdict, protection = super().review(candidate, state), state.protections.day_trades
        if candidate.only_reduces or not protection.is_watched or not state.protections.is_on(protection):
            return verdict
        is_shut = verdict is None or verdict.standing is CheckResult.REFUSES
        if is_shut or protection.locks.on(EVERYTHING, state.at) is not None:
            return verdict
        counted, others = protection.counted(state.at), _others_of_today(candidate, state)
        limit = state.settings.risk.protections.day_trades.trade_limit
        if counted + others + 1 < limit:
            return verdict
        return refused(
            self.name, f"{counted} day trades, {others} trades of today may become some, {limit} are too many"
        )


def _others_of_today(candidate: Candidate, state: ReviewContext) -> int:
    """Count other trades that were opened today or may still open today."""

    def is_of_today(opened_at: datetime) -> bool:
        return state.venue.day_of(opened_at) == state.day

    own = (candidate.order.symbol, candidate.strategy)
    today = {(p.symbol, p.strategy) for p in state.ledger.positions() if is_of_today(p.opened_at)}
    coming = {(o.request.symbol, o.strategy) for o in state.ledger.working_entries()}
    held_over = {(p.symbol, p.strategy) for p in state.ledger.positions() if not is_of_today(p.opened_at)}
    return len((today | coming) - held_over - {own})
