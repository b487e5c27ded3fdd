"""The figures of a ticket in money, and the exits that it would open (OP-03, OP-06, EX-21, RK-25).

The desk watches them and the operator confirms each; those that the broker holds are part of the order itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.execution.order import Order
from core.exits.rules import in_words
from core.model.account import Account
from core.model.bar import NoQuote, Quote
from core.model.order import Effect, Side, StopHolder
from core.model.session import Session
from core.model.staging import ListedExit, Proposal, ReviewFigures, StopPlan
from core.model.values import ClientOrderId, Fraction, Money, Price
from core.risk.checks.funds import free_for, margin_effect
from core.risk.gate import ReviewContext
from core.risk.margin import MarginEffect
from core.risk.self_cross import crossed_by_exit
from core.staging.resting_entries import target_of
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.vwap import VwapStrategy
from core.trading_state.state import TradingState
from core.workflows.staging.proposal_staging import candidate_of

AVERAGES = {VwapStrategy.name: "VWAP", MeanReversionStrategy.name: "average"}
"""Strategies that exit at the average of their signal, and the name of that average."""
OPENING = frozenset({Effect.OPEN, Effect.SHORT, Effect.ADD})


def watched_exits(state: TradingState, proposal: Proposal) -> tuple[ListedExit, ...]:
    """Return all exits that `u` authorizes: a stop held by this desk, and the exits beside it."""
    stop = proposal.stop
    is_ours = isinstance(stop, StopPlan) and stop.holder is StopHolder.DESK
    held = (ListedExit("stop", stop.price),) if is_ours and isinstance(stop, StopPlan) else ()
    return (*held, *listed_exits(state, proposal)) if proposal.order.effect in OPENING else ()


def listed_exits(state: TradingState, proposal: Proposal) -> tuple[ListedExit, ...]:
    """Return the exits: targets first, nearest leading, then those without a price."""
    if proposal.order.effect not in OPENING or proposal.order.replaces is not None:
        return ()
    targets = sorted(_targets(state, proposal), key=lambda exit: exit.price or Decimal(0))
    if proposal.order.side is Side.SELL:
        targets.reverse()
    return (*targets, *_others(state, proposal))


def signed_in_words(state: TradingState) -> Iterator[str]:
    """Yield `SPY until 16:00 London` for each position whose exits need no key (OP-06)."""
    for position in state.ledger.positions():
        use = state.stage.signed_exits(position.entry_order, state.at)
        if use is not None:
            yield f"{position.symbol} until {state.calendar.venue.told(use.mandate.ends_at)}"


def _targets(state: TradingState, proposal: Proposal) -> Iterator[ListedExit]:
    terms = state.control.settings.exits
    if proposal.strategy in AVERAGES and proposal.reference is not None and proposal.target_price is None:
        target = proposal.order.instrument.ticks.nearest(proposal.reference)
        yield ListedExit(f"target {AVERAGES[proposal.strategy]}", target)
    if proposal.target_price is not None:
        if target_of(proposal.order) is None:
            yield ListedExit("target", proposal.target_price)
        return
    price = _off(proposal, terms.profit_target)
    if price is not None and terms.guards(proposal.strategy) and terms.profit_target:
        yield ListedExit("target", price)


def _others(state: TradingState, proposal: Proposal) -> Iterator[ListedExit]:
    settings, strategy = state.control.settings, proposal.strategy
    terms = settings.exits
    if terms.guards(strategy):
        yield from (ListedExit(words, None) for words in in_words(terms))
    runner = state.orchestrator.roster.runner(strategy, proposal.symbol)
    if runner is not None and strategy not in AVERAGES:
        yield ListedExit("when its signal turns", None)
    day = state.calendar.session_on(state.calendar.trading_day(state.at))
    is_flat = not settings.holds_overnight(strategy) and (runner is not None or terms.guards(strategy))
    if is_flat and isinstance(day, Session):
        minutes = settings.flat_minutes(strategy) if runner is not None else terms.flat_minutes
        flat = state.calendar.venue.told(day.close - timedelta(minutes=minutes))
        yield ListedExit(f"flat from the bar of {flat}", None)


def _off(proposal: Proposal, gain: Decimal) -> Price | None:
    paid = proposal.order.limit_price or proposal.intended_price
    if paid is None:
        return None
    order = proposal.order
    return order.instrument.ticks.nearest(paid * (1 + gain if order.side is Side.BUY else 1 - gain))


def figures_of(proposal: Proposal, price: Price | None, context: ReviewContext) -> ReviewFigures:
    """Return the ticket's figures in money; an unknown figure is None."""
    order = proposal.order
    cost = order.cost(price) if price is not None else None
    worst = worst_loss_of(proposal, context)
    account = context.account if isinstance(context.account, Account) else None
    share = Fraction(cost / account.equity) if cost is not None and account and account.equity > 0 else None
    after = None
    if cost is not None and account and not proposal.only_reduces:
        after = Money(free_for(order, context.ledger, account) - _taken(proposal, cost, account, context))
    return ReviewFigures(cost, worst, share, after)


def worst_loss_of(proposal: Proposal, context: ReviewContext) -> Money | None:
    """Return the loss at its stop, USD; None without a stop or a known price."""
    farthest = candidate_of(proposal).farthest(context.quote)
    if not isinstance(proposal.stop, StopPlan) or farthest is None:
        return None
    return proposal.order.risk(proposal.stop.way_from(farthest))


def _taken(proposal: Proposal, cost: Money, account: Account, context: ReviewContext) -> Money:
    """Return its use of buying power, as the margin check counts it; margin may need more than its cost."""
    effect = margin_effect(candidate_of(proposal), context, account) if account.lends else None
    return effect.used if isinstance(effect, MarginEffect) else cost


def in_the_way(
    state: TradingState, proposal: Proposal, quote: Quote | NoQuote | None = None
) -> tuple[ClientOrderId, ...]:
    """Return the orders that block this exit: those that reserve its shares (EX-21), and entries that it would cross.

    Crossing is judged by this quote, or else by the last one known.
    """
    holding = holds_its_shares(state, proposal)
    if not proposal.is_exit or not state.control.settings.risk.self_cross.enabled:
        return holding
    if quote is None:
        quote = state.figures_for(state.at, proposal.symbol, None).quote_of_now
    crossed = crossed_by_exit(
        proposal.order, state.ledger, quote, refuses_wash_trades=state.sightings.capabilities.refuses_wash_trades
    )
    return (*holding, *(order.id for order in crossed if order.id not in holding))


def holds_its_shares(state: TradingState, proposal: Proposal) -> tuple[ClientOrderId, ...]:
    """Return our stops and targets that reserve its shares (EX-21), and partly filled entries with legs."""
    if not proposal.is_exit:
        return ()
    ledger = state.ledger
    exits = ledger.exits.working(proposal.symbol, proposal.strategy)
    entries = ledger.working_entries(proposal.symbol, proposal.strategy)
    return (
        *(order.id for order in exits if order.stands_by and not ledger.legs.is_held(order)),
        *(order.id for order in entries if order.request.legs and order.filled_quantity),
    )


def is_as_shown(state: TradingState, proposal: Proposal, cancels: tuple[ClientOrderId, ...]) -> bool:
    """Whether the orders that reserve its shares are those that the ticket names.

    An entry that it would only cross, and that has ended or is new, does not require another confirmation.
    """
    now = holds_its_shares(state, proposal)
    orders = ((order_id, state.ledger.order(order_id)) for order_id in cancels)
    shown = [order_id for order_id, order in orders if order is None or _holds_shares(order)]
    return set(now) <= set(cancels) and set(shown) <= set(now)


def _holds_shares(order: Order) -> bool:
    return order.only_reduces or bool(order.request.legs and order.filled_quantity)
