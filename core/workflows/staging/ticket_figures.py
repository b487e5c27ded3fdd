"""Compute a ticket's figures in money, and the orders that block its exit (EX-21, RK-25)."""

from __future__ import annotations

from core.execution.order import Order
from core.model.account import Account
from core.model.quote import NoQuote, Quote
from core.model.staging import Proposal, ReviewFigures, StopPlan
from core.model.values import ClientOrderId, Fraction, Money, Price
from core.risk.checks.buying_power import free_for
from core.risk.checks.margin import margin_effect
from core.risk.gate import ReviewContext
from core.risk.margin import MarginEffect
from core.risk.self_cross import crossed_by_exit
from core.trading_state.state import TradingState
from core.workflows.staging.proposal_staging import candidate_of


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
