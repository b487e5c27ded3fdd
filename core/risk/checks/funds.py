"""Checks of the account: buying power, margin, and the broker's limits (OP-03, RK-23, RK-14)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.account import Account, NoAccount
from core.model.bar import Quote
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import Effect, OrderRequest
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, ClientOrderId, Money, Symbol, percent
from core.risk.gate import Candidate, ReviewContext, passed, refused, unmeasured, usd, warned, without_equity
from core.risk.margin import MarginEffect, Unknown, effect_of, limit_under, maintenance_coming


class BuyingPowerCheck:
    """The account can pay for the entry, after reserves for orders that its figures do not show yet (OP-03).

    Shuts an entry that costs more than is free; ends with fewer shares, or when buying power is released. Where the
    broker accepts no order of the account it warns of an exit too (RK-22).
    """

    name = "buying power"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if isinstance(state.account, Account) and state.account.is_blocked:
            return refused(self.name, f"the broker accepts no orders: {state.account.blocked_because}")
        if candidate.only_reduces:
            return passed(self.name, "closes; needs none")
        if isinstance(state.account, NoAccount):
            return without_equity(self.name, f"buying power is not known: {state.account.reason}", state)
        cost = candidate.cost(state.quote_of_now)
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        free = free_for(candidate.order, state.ledger, state.account)
        if cost > free:
            reserved = reserved_for_unseen(state.ledger, state.account, but=candidate.order.replaces)
            return refused(
                self.name,
                f"{usd(cost)} is over {usd(free)} free, {usd(reserved)} reserved",
            )
        return unsaid(self.name, lambda: f"{usd(cost)} of {usd(free)}")


def free_for(order: OrderRequest | None, ledger: Ledger, account: Account) -> Decimal:
    """Return the buying power in USD that `order`, or any new order if None, may use.

    Amounts reserved for other orders in flight are subtracted; the amount that `order` releases itself is added.
    """
    if order is None:
        return account.buying_power - reserved_for_unseen(ledger, account)
    reserved = reserved_for_unseen(ledger, account, but=order.replaces)
    return account.buying_power - reserved + given_back(order, ledger, account)


def reserved_for_unseen(ledger: Ledger, account: Account, but: ClientOrderId | None = None) -> Decimal:
    """Return USD to reserve for orders that the account's figures do not show.

    These are entries in flight or in doubt, entries acknowledged after the figures were taken, and their fills since. A
    short sale reserves as much as a buy. A replacement reserves only its cost beyond the amount shown or reserved for
    the order it replaces. The unfilled rest of `but` is left out.
    """
    filled = (fill for fill in ledger.book.opened_since(account.at) if not _is_seen(fill.order, account))
    reserved = sum((fill.cost for fill in filled), ZERO)
    for order in ledger.working_entries():
        if order.submitted_at is not None and order.submitted_at < account.at:
            continue  # the figures show it
        if order.id == but:
            continue
        old = ledger.chains.replaced(order)
        reserved += max(order.cost_to_come - _counted(old, account), ZERO)
    return reserved


def given_back(order: OrderRequest, ledger: Ledger, account: Account) -> Decimal:
    """Return USD that the figures reserve for the order that this one replaces, so that nothing counts twice."""
    old = ledger.order(order.replaces) if order.replaces is not None else None
    if old is None or not old.is_working or old.only_reduces or not _is_seen(old, account):
        return ZERO
    return _shown(old)


def _counted(old: Order | None, account: Account) -> Decimal:
    """Return USD that already count for the replaced order."""
    if old is None:
        return ZERO
    return _shown(old) if _is_seen(old, account) else old.cost_to_come


def _is_seen(order: Order, account: Account) -> bool:
    """Return whether the broker had the order, and had reserved its cost, when it reported the account's figures."""
    was_there = order.submitted_at is not None and order.submitted_at < account.at
    return was_there and (order.ended_at is None or order.ended_at >= account.at)


def _shown(order: Order) -> Decimal:
    """Return the least USD that the broker reserves for a resting order.

    A short sale may have been valued at a bid that fell below its limit before the order arrived.
    """
    return order.request.instrument.cost(order.remaining, order.request.limit_price or order.counted_price)


class BrokerLimitsCheck:
    """An order that the broker would refuse, or that would make the account close-only, is refused beforehand (RK-23).

    Shuts an entry that the broker does not accept; ends with fewer shares, or when the broker allows more.
    """

    name = "broker limits"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Skip unknown figures: the checks of account, quote and instrument report them."""
        if candidate.only_reduces:
            return None
        order, instrument, account = candidate.order, state.instrument, state.account
        if order.extended_hours and isinstance(instrument, BrokerInstrument) and _takes_no_part(order, instrument):
            return refused(self.name, f"{order.symbol} trades in whole shares outside the regular session")
        if not isinstance(account, Account):
            return None
        if order.effect is Effect.SHORT and not account.sells_short:
            return refused(self.name, "the account may not sell short; turn it on at the broker")
        if too_much := _as_the_broker_values_it(candidate, state, account):
            return refused(self.name, too_much)
        most, cost = state.capabilities.closing_only_at, candidate.cost(state.quote_of_now)
        if most is None or cost is None or account.equity <= ZERO:
            return self._warned(state)
        total = state.exposure(order)[1] + cost
        if total > most * account.equity:
            return refused(
                self.name,
                f"all positions would be {total / account.equity:.2f} times equity; over {most} the broker lets the "
                "account only close; take fewer shares",
            )
        return self._warned(state) or unsaid(self.name, lambda: f"{total / account.equity:.2f} of {most} times equity")

    def _warned(self, state: ReviewContext) -> Verdict | None:
        instrument = state.instrument
        if isinstance(instrument, BrokerInstrument) and instrument.entry_warned:
            return warned(self.name, f"{instrument.symbol}: {instrument.entry_warned}")
        return None


def _as_the_broker_values_it(candidate: Candidate, state: ReviewContext, account: Account) -> str | None:
    """Value a short sale above the ask, unless its limit is higher."""
    order, quote, over = candidate.order, state.quote_of_now, state.capabilities.short_over_ask
    if not over or order.effect is not Effect.SHORT or not isinstance(quote, Quote):
        return None
    valued = order.cost(max(order.limit_price or ZERO, quote.ask * (1 + over)))
    free = free_for(order, state.ledger, account)
    if valued <= free:
        return None
    taken = f"{usd(valued)} of {usd(free)} free"
    return f"the broker values a short sale {percent(over)} over the ask: {taken}; sell fewer shares"


def _takes_no_part(order: OrderRequest, instrument: BrokerInstrument) -> bool:
    """Return whether the order has a fractional quantity where extended hours take only whole shares."""
    return not instrument.has_extended_fractions and order.quantity != order.quantity.to_integral_value()


class MarginCheck:
    """A margin account stays above maintenance and within buying power, at the asset's own margin requirement (RK-14).

    Shuts an entry that margin does not carry, and warns near maintenance; ends with fewer shares, or with more
    equity.
    """

    name = "margin"
    passes = passed(name, "a cash account borrows nothing")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; takes none")
        if isinstance(state.account, NoAccount):
            return without_equity(self.name, f"margin is not known: {state.account.reason}", state)
        if not state.account.lends and candidate.order.effect is Effect.SHORT:
            return refused(self.name, "a cash account sells nothing short")
        if not state.account.uses_margin:
            return self.passes
        effect = margin_effect(candidate, state, state.account)
        if isinstance(effect, Unknown):
            return unmeasured(self.name, effect.reason, is_fresh=state.is_fresh)
        return self._judged(effect, state)

    def _judged(self, effect: MarginEffect, state: ReviewContext) -> Verdict:
        terms = state.settings.risk.margin
        if effect.after < ZERO:
            return refused(self.name, "it would bring the account under maintenance; take fewer shares")
        if effect.after < terms.refuse_at:
            least = percent(terms.refuse_at)
            return refused(
                self.name,
                f"excess liquidity would be {percent(effect.after)}, at least {least}; take fewer shares",
            )
        if effect.used > effect.free:
            return refused(
                self.name,
                f"it takes {usd(effect.used)} of buying power, {usd(effect.free)} are free; take fewer shares",
            )
        reasons = []
        if effect.is_over_night:
            night = f"over the night {usd(max(effect.overnight or ZERO, ZERO))} may be spent"
            if terms.holds_overnight:
                return refused(self.name, f"{night}, and it takes {usd(effect.used_overnight)}; take fewer shares")
            reasons.append(f"{night}; close it before that")
        limit = limit_under(effect.after, terms.warn_at)
        if limit is not None:
            reasons.append(f"excess liquidity would be {percent(effect.after)}, under {percent(limit)}")
        if reasons:
            return warned(self.name, "; ".join(reasons))
        return unsaid(
            self.name,
            lambda: f"excess liquidity {percent(effect.before)} → {percent(effect.after)} when filled",
        )


def margin_effect(candidate: Candidate, state: ReviewContext, account: Account) -> MarginEffect | Unknown:
    """Return the effect of an entry on a margin account, working entries included."""
    price = candidate.price(state.quote_of_now)
    if price is None:
        return Unknown("no price to measure it by")

    def known(symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return state.instruments.get(symbol) or NoInstrument("not asked for yet")

    coming = maintenance_coming(state.ledger, known, account.at, but=candidate.order)
    free = free_for(candidate.order, state.ledger, account)
    return effect_of(candidate.order, price, account, state.instrument, (coming, free))


class MarginDeficitsCheck:
    """Days with a margin deficit are counted: one before the limit warns, at the limit no more borrowing is allowed
    (RK-14).

    Shuts entries that borrow or sell short; ends when the oldest counted deficit leaves the window.
    """

    name = "margin deficits"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None without an account: the margin check reports that."""
        terms, account = state.settings.risk.margin, state.account
        if not terms.counts_deficits or not isinstance(account, Account):
            return None
        if candidate.only_reduces:
            return passed(self.name, "closes; borrows nothing")
        if not account.uses_margin:
            return passed(self.name, "a cash account borrows nothing")
        days, most = state.margin.deficits_within(terms.deficit_days, state.day), terms.deficit_limit
        if len(days) < most - 1:
            return unsaid(self.name, lambda: f"{len(days)} of {most} days in {terms.deficit_days}")
        told = f"margin deficits on {', '.join(f'{day:%d %b}' for day in days[-most:])}"
        if len(days) < most:
            return warned(self.name, f"{told}; one more within {terms.deficit_days} days may bring a freeze")
        cost, ends = candidate.cost(state.quote_of_now), days[-most] + timedelta(days=terms.deficit_days)
        if candidate.order.effect is Effect.SHORT:
            return refused(self.name, f"{told}: nothing is sold short until {ends:%d %b}")
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        cash = cash_left(candidate, state, account)
        if cash is None:
            return unmeasured(self.name, "no price of what is held short", is_fresh=state.is_fresh)
        if cost > cash:
            return refused(
                self.name, f"{told}: nothing is borrowed until {ends:%d %b}; {usd(cost)} is over {usd(cash)} of cash"
            )
        return warned(self.name, f"{told}; this one is paid in cash")


def cash_left(candidate: Candidate, state: ReviewContext, account: Account) -> Money | None:
    """Return USD of the account's cash, less the cost of other working entries and of fills since the account was read.

    Proceeds of short sales are owed, so the value of the shorted shares is subtracted. Equity is a second bound,
    because cash less all shorts equals equity less long positions. None if a price is unknown.
    """
    shorts = shorts_of(state)
    if shorts is None:
        return None
    left_out = (candidate.order.client_order_id, candidate.order.replaces)
    working = sum((group.cost(left_out) for group in state.ledger.entry_groups()), ZERO)
    filled = sum((fill.cost for fill in state.ledger.book.opened_since(account.at)), ZERO)
    own = min(account.cash - shorts, account.equity)
    return Money(max(own - working - filled, ZERO))


def shorts_of(state: ReviewContext) -> Decimal | None:
    """Return the value of all shorted shares at their last prices, in USD; None if a price is unknown."""
    worth = ZERO
    for position in state.ledger.positions():
        if position.quantity >= ZERO:
            continue
        last = state.prices(position.symbol)
        if last is None:
            return None
        worth += position.instrument.notional(abs(position.quantity), last[1])
    return worth
