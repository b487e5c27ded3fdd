"""List the exits of a position that a ticket would open, besides its stop, with prices (OP-03, OP-06).

The desk watches them and the operator confirms each; those that the broker holds are part of the order itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.exits.rules import in_words
from core.model.order import Effect, Side, StopHolder
from core.model.session import Session
from core.model.staging import ListedExit, Proposal, StopPlan
from core.model.values import Price
from core.staging.attached_legs import target_of
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.vwap import VwapStrategy
from core.trading_state.state import TradingState

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
