"""What the price has done to an exit while it waits: measured from its staging, both ends by one rule.

The middle of a quote and the close of a bar differ where nothing moved, so the one is never taken from the other.
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
    """The prices of one instant, USD; None where there was none."""

    middle: Price | None
    close: Price | None


class WaitingPrices:
    """Remembers the prices at which each exit was staged, since the start; those of before it are not known."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._staged_at: dict[ProposalId, _Seen] = {}

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, ProposalStaged) and fact.proposal.is_exit:
            self._staged_at[fact.proposal.id] = self._seen(fact.proposal.symbol)
        elif isinstance(fact, ProposalEnded):
            self._staged_at.pop(fact.proposal_id, None)

    def moved(self, proposal: Proposal) -> Money | None:
        """USD since the staging, below zero is worse: by the quotes of both instants, else by the closes of both.

        None of what is no exit, of one that was staged before this start, and where one rule has no price at both.
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
