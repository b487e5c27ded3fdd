"""Checks against other orders: crosses with our own, repeats, and how often a strategy trades (RK-25, RK-24, RK-15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.execution.stop_coverage import unreserved_of
from core.model.bar import NoQuote, Quote
from core.model.order import OrderClass, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.position import Position
from core.model.staging import CheckResult, NoStop, StopPlan, Verdict, unsaid
from core.model.values import SHORT_ID, Price, plain, priced
from core.risk.checks.losses import ProtectionCheck
from core.risk.day import entries_taken
from core.risk.gate import Candidate, ReviewContext, passed, refused, unmeasured, warned
from core.risk.protections.frequency import GOES_ON, DayTrades, RepeatedExecution
from core.risk.protections.protection import EVERYTHING, Scope
from core.risk.recent_entries import TWIN, WORD
from core.risk.regime import entries_allowed
from core.risk.strategy_limits import entries_a_day

# ── crosses with our own orders ──────────────────────────────────────────────────────────────────────────────────────
# Whether an order would trade against another of the same account, or the broker would treat it as a wash trade
# (RK-25).
#
# There are two rules. At every broker, an order that trades at once meets resting orders on the other side whose prices
# it reaches. Alpaca's own rule ("User Protection, Preventing Wash Trades") is stricter: an order without a limit price,
# stops included, meets any order on the other side; two limit prices are compared; orders with legs, those legs, and
# trailing stops are exempt.


def name_of(order: Order) -> str:
    """As in `3f9a02 SELL 0.5 SPY limit 103.00`: enough to find it in Orders."""
    request = order.request
    terms = [request.type.word]
    terms += [priced(price) for price in (request.stop_price, request.limit_price) if price is not None]
    what = f"{request.side.value.upper()} {plain(order.remaining)} {request.symbol}"
    return f"{order.id[:SHORT_ID]} {what} {' '.join(terms)}"


def crossed_by_entry(
    order: OrderRequest, ledger: Ledger, quote: Quote | NoQuote, *, refuses_wash_trades: bool
) -> Order | None:
    """Return the first of our working orders that this entry would meet, without the order it replaces.

    Every broker refuses two opening orders on both sides of one symbol, whatever their prices.
    """
    touch = _touch(order.side, quote)
    for resting in _opposite(order, ledger):
        if not resting.only_reduces:
            return resting
        if refuses_wash_trades and is_wash_trade(order, resting):
            return resting
        if _takes(order, resting, touch):
            return resting
    return None


def crossed_by_exit(
    order: OrderRequest,
    ledger: Ledger,
    quote: Quote | NoQuote,
    *,
    refuses_wash_trades: bool,
    waits_for_the_open: bool = False,
) -> tuple[Order, ...]:
    """Return the working entries, of any owner, that this exit would meet; it cancels them first.

    A market exit meets entries that rest at the touch, and without a quote every one. Entries with legs are exempt at a
    broker with Alpaca's table, unless they rest at the touch. One that waits for the open trades at a price that nobody
    knows: it meets every entry, with legs too. An entry that the broker has not acknowledged is not
    cancelled first: an exit waits for no answer (EX-22).
    """
    touch = _touch(order.side, quote)
    return tuple(
        resting
        for resting in _opposite(order, ledger)
        if not resting.only_reduces
        and resting.status is not OrderStatus.PENDING
        and not ledger.chains.is_in_doubt(resting)
        and (
            (waits_for_the_open and order.type.goes_at_once)
            or _makes_way(order, resting, touch, refuses_wash_trades=refuses_wash_trades)
        )
    )


def _makes_way(order: OrderRequest, resting: Order, touch: Price | None, *, refuses_wash_trades: bool) -> bool:
    if refuses_wash_trades and is_wash_trade(order, resting):
        return True
    is_unpriced = order.limit_price is None and touch is None
    if refuses_wash_trades and is_unpriced:
        return False  # orders with legs and trailing orders, which that broker accepts
    return _takes(order, resting, touch)


def in_the_way_of_stop(order: OrderRequest, stop: StopPlan | NoStop, ledger: Ledger) -> Order | None:
    """By Alpaca's table, return our working order for which the broker would refuse the stop that follows this entry.

    Such a stop has no limit price, so it meets every non-exempt order on the entry's side. The entry's own rest is left
    out, because its fills cannot be foreseen.
    """
    if not sends_its_stop(order, stop):
        return None
    beside = _resting(order.side, order, ledger)
    return next((resting for resting in beside if resting.role is None and is_simple(resting.request)), None)


def whose_stop_it_bars(order: OrderRequest, ledger: Ledger) -> Order | None:
    """By Alpaca's table, return our working entry whose later stop this entry would block."""
    if not is_simple(order):
        return None
    for resting in ledger.working_on(order.symbol, order.side):
        if resting.only_reduces or resting.id == order.replaces or resting.stop is None:
            continue
        if sends_its_stop(resting.request, resting.stop):
            return resting
    return None


def sends_its_stop(order: OrderRequest, stop: StopPlan | NoStop | None) -> bool:
    """Return whether the desk sends the stop as a separate order when this entry fills: no leg is its stop."""
    return isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER and not _is_complex(order)


def _opposite(order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    return _resting(order.side.opposite, order, ledger)


def _resting(side: Side, order: OrderRequest, ledger: Ledger) -> Iterator[Order]:
    """Yield working orders on a side of the symbol, without the replaced order and legs that their holder
    keeps back.
    """
    for resting in ledger.working_on(order.symbol, side):
        if resting.id != order.replaces and not ledger.legs.is_held(resting):
            yield resting


def _takes(order: OrderRequest, resting: Order, touch: Price | None) -> bool:
    """Return whether the two would trade with each other now: one rests at its limit, and the other reaches it."""
    if order.type.waits or not resting.request.type.rests or resting.request.limit_price is None:
        return False
    bound = order.limit_price if order.limit_price is not None else touch
    return bound is None or _reaches(order.side, bound, resting.request.limit_price)


def is_wash_trade(order: OrderRequest, resting: Order) -> bool:
    """Return whether a broker with Alpaca's table refuses the order while the other rests; a leg is exempt."""
    return resting.role is None and _are_kept_apart(order, resting.request)


def _are_kept_apart(order: OrderRequest, other: OrderRequest) -> bool:
    """Apply Alpaca's table."""
    if any(map(_is_complex, (order, other))) or OrderType.TRAILING_STOP in (order.type, other.type):
        return False
    if order.limit_price is None or other.limit_price is None:
        return True
    return _reaches(order.side, order.limit_price, other.limit_price)


def is_simple(order: OrderRequest) -> bool:
    """Return whether the table covers it: it has no legs, and does not trail."""
    return not _is_complex(order) and order.type is not OrderType.TRAILING_STOP


def _is_complex(order: OrderRequest) -> bool:
    return order.order_class is not OrderClass.SIMPLE


def _reaches(side: Side, bound: Decimal, resting: Decimal) -> bool:
    """Return whether a buy up to a price, or a sale down to it, reaches a resting price."""
    return bound >= resting if side is Side.BUY else bound <= resting


def _touch(side: Side, quote: Quote | NoQuote) -> Price | None:
    if isinstance(quote, NoQuote):
        return None
    return quote.ask if side is Side.BUY else quote.bid


# ── the checks ───────────────────────────────────────────────────────────────────────────────────────────────────────

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
    on a day after SPY's range grew far over its average (RK-12). A strategy's own limit only lowers theirs (RK-07).

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
        most, reason = entries_a_day(state.settings, candidate.strategy, allowance.entries), allowance.reason
        if most < allowance.entries:
            reason = f"the limit of {candidate.strategy}"
        if taken.total < most:
            return unsaid(self.name, lambda: f"{taken.total} of {most} today before it; {reason}")
        whose = "typed entries" if candidate.is_manual else f"entries of {candidate.strategy}"
        return refused(self.name, f"FULL, {taken.total} of {most} {whose} today: {taken}")


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
    coming = {(group.symbol, group.strategy) for group in state.ledger.entry_groups()}
    held_over = {(p.symbol, p.strategy) for p in state.ledger.positions() if not is_of_today(p.opened_at)}
    return len((today | coming) - held_over - {own})
