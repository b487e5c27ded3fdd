"""Measure the price change of an exit while it waits: from its staging, both ends by the same rule.

The middle of a quote and the close of a bar differ even without a move, so they are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts import Fact, ProposalEnded, ProposalStaged
from core.model.order import Side
from core.model.staging import Proposal
from core.model.values import Money, Price, ProposalId, Symbol
from core.trading_state.state import TradingState


@dataclass(frozen=True, slots=True)
class _Seen:
    """The prices of one instant, USD; None if there was none."""

    middle: Price | None
    close: Price | None


class WaitingPrices:
    """Remembers the prices at which each exit was staged, since the start; earlier ones are unknown."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._staged_at: dict[ProposalId, _Seen] = {}

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, ProposalStaged) and fact.proposal.is_exit:
            self._staged_at[fact.proposal.id] = self._seen(fact.proposal.symbol)
        elif isinstance(fact, ProposalEnded):
            self._staged_at.pop(fact.proposal_id, None)

    def moved(self, proposal: Proposal) -> Money | None:
        """Return the change in USD since the staging (negative is worse), by both quotes, else by both closes.

        None for a proposal that is not an exit, or was staged before this start, or has no price of one kind at both
        ends.
        """
        before = self._staged_at.get(proposal.id)
        if before is None or not proposal.is_exit:
            return None
        order, now = proposal.order, self._seen(proposal.symbol)
        if before.middle is not None and now.middle is not None:
            gained = now.middle - before.middle
        elif before.close is not None and now.close is not None:
            gained = now.close - before.close
        else:
            return None
        return order.instrument.notional(order.quantity, gained if order.side is Side.SELL else -gained)

    def _seen(self, symbol: Symbol) -> _Seen:
        quote = self._state.sightings.quotes.get(symbol)
        close = self._state.orchestrator.state.marks.get(symbol)
        return _Seen(None if quote is None else Price(quote.mid), None if close is None else Price(close))
