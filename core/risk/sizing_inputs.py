"""The inputs for sizing an order, and the name of the limit that caps it (OP-03)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.execution.ledger import Ledger
from core.model.account import Account
from core.model.instrument import BrokerInstrument
from core.model.order import OrderRequest, Side, StopHolder
from core.model.sizing import Size, Term, product
from core.model.staging import StopPlan, at_stake
from core.model.values import CENT, Money, Symbol, exact_percent, plain
from core.risk.capital_allocation import Allocations, capital_of
from core.risk.exposure import DeskStop, LastPrice, open_losses
from core.risk.gate import Candidate, ReviewContext
from core.risk.sizing import Conditions, WantedEntry, binding_cuts, size_of
from core.risk.sizing_history import SizingBook
from core.risk.strategy_limits import Limit, max_notional, per_trade
from core.settings.types import AmountSettings


def gathered(
    symbol: Symbol,
    strategy: str,
    book: SizingBook,
    ledger: Ledger,
    equity: Decimal | None,
    last: LastPrice,
    desk_stop: DeskStop,
    allocations: Allocations,
    order: OrderRequest | None = None,
) -> Conditions:
    """Gather the conditions for an order in `symbol`, without the order that `order` replaces."""
    losses = open_losses(ledger, last, desk_stop, None if order is None else order.replaces)
    found = book.conditions(symbol, strategy, held=held_in(ledger), equity=equity, open_losses=losses)
    share = allocations.of(strategy)
    if share is None or equity is None:
        return found
    return replace(found, capital_left=capital_of(share, strategy, symbol, ledger, equity, order).left)


def held_in(ledger: Ledger) -> tuple[tuple[Symbol, bool], ...]:
    """Return each held symbol and whether it is long; working entries count."""
    held = {(p.symbol, p.quantity > 0): None for p in ledger.positions()}
    held |= {(group.symbol, group.side is Side.BUY): None for group in ledger.entry_groups()}
    return tuple(held)


def conditions_of(candidate: Candidate, context: ReviewContext) -> Conditions:
    order = candidate.order
    return gathered(
        order.symbol,
        candidate.strategy,
        context.sizing,
        context.ledger,
        context.equity,
        context.last,
        context.desk_stop,
        context.allocations,
        order,
    )


def wanted_of(candidate: Candidate, context: ReviewContext) -> WantedEntry | None:
    """Return the order's own figures; None if it only reduces, has no stop, or no price is known."""
    price, farthest = candidate.price(context.quote_of_now), candidate.farthest(context.quote_of_now)
    stop, risk = candidate.stop, context.settings.risk
    if candidate.only_reduces or price is None or farthest is None or not isinstance(stop, StopPlan):
        return None
    if not stop.way_from(farthest):
        return None
    loss = per_trade(context.settings, candidate.strategy, context.equity).if_known
    most = max_notional(context.settings, candidate.strategy, context.equity).if_known
    is_whole = candidate.order.quantity == candidate.order.quantity.to_integral_value()
    instrument = context.instrument
    return WantedEntry(
        risk=None if loss is None else Money(loss),
        price=price,
        way=stop.way_from(farthest),
        max_notional=None if most is None else Money(most),
        step=Decimal(1) if is_whole or not isinstance(instrument, BrokerInstrument) else instrument.quantity_step,
        is_long=candidate.order.side is Side.BUY,
        least=risk.min_notional,
        is_bare=stop.holder is StopHolder.YOU,
        instrument=candidate.order.instrument,
    )


def cuts_of(candidate: Candidate, context: ReviewContext) -> tuple[Term, ...]:
    """Return the binding terms that lower this order's loss limit; computed only if one may."""
    ledger = context.ledger
    if context.sizing.is_calm and not ledger.positions() and not ledger.working_entries():
        return ()
    wanted = wanted_of(candidate, context)
    return () if wanted is None else binding_cuts(wanted, conditions_of(candidate, context))


def risk_of(candidate: Candidate, context: ReviewContext, cuts: tuple[Term, ...]) -> Limit | None:
    """Return what it may lose at its stop, after the binding terms; None if it only reduces."""
    if candidate.only_reduces:
        return None
    limit = per_trade(context.settings, candidate.strategy, context.equity)
    return limit if limit.usd is None else replace(limit, usd=limit.usd * product(cuts))


def size_now(candidate: Candidate, context: ReviewContext) -> Size | None:
    """Return the size that the desk would give such an order now, with its terms; None if it gives none."""
    wanted = wanted_of(candidate, context)
    return None if wanted is None else size_of(wanted, conditions_of(candidate, context))


def cap_of(candidate: Candidate, context: ReviewContext) -> str | None:
    """Return the first limit that one more step would exceed; None if the order could be larger, or closes.

    A step is one share for whole shares, else the instrument's step. Half a tick of stop rounding counts as reached.
    """
    order, risk = candidate.order, context.settings.risk
    price, farthest = candidate.price(context.quote_of_now), candidate.farthest(context.quote_of_now)
    if (
        candidate.only_reduces
        or price is None
        or farthest is None
        or not isinstance(context.instrument, BrokerInstrument)
    ):
        return None
    is_whole = order.quantity == order.quantity.to_integral_value()
    of, more = order.instrument, order.quantity + (1 if is_whole else context.instrument.quantity_step)
    cost = of.cost(more, price)
    largest = max_notional(context.settings, candidate.strategy, context.equity)
    if largest.usd is not None and cost > largest.usd:
        return f"{largest.whose(candidate.strategy)}{_in_words(largest.terms)}"
    cuts = cuts_of(candidate, context)
    loss = risk_of(candidate, context, cuts)
    if loss is not None and loss.usd is not None and isinstance(candidate.stop, StopPlan):
        way = candidate.stop.way_from(farthest) + of.ticks.at(farthest) / 2
        if of.risk(more, way) > loss.usd:
            whose = loss.whose(candidate.strategy)
            return " × ".join([f"{whose}risk {_in_words(loss.terms)}", *map(str, cuts)])
        left = conditions_of(candidate, context).budget_left
        if left is not None and of.risk(more, at_stake(price, farthest, candidate.stop)) > left:
            return f"the risk budget, {exact_percent(risk.sizing.budget)}"
    is_shared = context.allocations.of(candidate.strategy) is None
    capital = None if is_shared else conditions_of(candidate, context).capital_left
    if capital is not None and cost > capital:
        return "the strategy's allocation"
    if isinstance(context.account, Account) and cost > context.account.buying_power:
        return "buying power"
    return None


def _in_words(amount: AmountSettings) -> str:
    """As in `50 USD`, `8 %` of equity."""
    if amount.of_equity is not None:
        return exact_percent(amount.of_equity)
    usd = amount.usd
    return "" if usd is None else f"{plain(usd) if usd == usd.to_integral_value() else usd.quantize(CENT)} USD"
