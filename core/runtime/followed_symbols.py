"""The symbols whose quotes and bars a desk receives: those it trades and those its operator watches (RK-08, MD-06).

A followed symbol stays followed until the engine ends.
"""

from __future__ import annotations

from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.trading_state.traded_symbols import traded_symbols


def followed(state: TradingState) -> tuple[Symbol, ...]:
    """Return the followed symbols, the most important first, because the stream may have too little room for all.

    The order: held, working, proposed, followed by a strategy, in the settings, watched (MD-06).
    """
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    working = {order.request.symbol for order in state.ledger.working()}
    proposed = {proposal.symbol for proposal in state.stage.proposals()}
    traded = traded_symbols(state)
    known = {*traded, *state.alerts.symbols, *state.watchlists.symbols}
    urgent = [*sorted(held), *sorted(working), *sorted(proposed)]
    ranked = [*urgent, *(s for s in traded if state.orchestrator.runners.get(s)), *traded]
    return tuple(dict.fromkeys(s for s in (*ranked, *state.alerts.symbols, *state.watchlists.symbols) if s in known))
