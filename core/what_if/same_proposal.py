"""Match the proposals of the recorded and the changed day.

Manual proposals are numbered: after a missing one, its name and its key would otherwise go to the next.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.model.order import OrderRequest
from core.model.staging import Proposal
from core.model.values import ClientOrderId, ProposalId
from core.trading_state.state import TradingState


def asks_the_same(one: Proposal, other: Proposal) -> bool:
    """Whether two proposals are equal apart from name, quantity and time."""
    return _asked(one) == _asked(other)


def _asked(proposal: Proposal) -> tuple[object, ...]:
    order = proposal.order
    what = (proposal.strategy, proposal.symbol, proposal.only_reduces, proposal.is_guard)
    if not isinstance(order, OrderRequest):
        return *what, order.effect
    prices = () if proposal.is_guard else (order.limit_price, order.stop_price)
    return *what, order.side, order.type, *prices


class NamesNow:
    """Current names of recorded proposals and orders; `then` has all recorded proposals."""

    def __init__(self, then: Mapping[ProposalId, Proposal], state: TradingState) -> None:
        self._then = then
        self._state = state
        self._now: dict[ProposalId, ProposalId] = {}

    def of_proposal(self, name: ProposalId) -> ProposalId | None:
        """Return the current name; None if no equal proposal waits."""
        then = self._then.get(name)
        if then is None:
            return name
        if name in self._now:
            return self._now[name]
        waiting = self._state.stage.state.proposals
        taken = set(self._now.values())
        alike = [each.id for each in waiting.values() if asks_the_same(each, then) and each.id not in taken]
        if not alike:
            return None
        found = self._now[name] = name if name in alike else alike[0]
        return found

    def of_order(self, name: ClientOrderId) -> ClientOrderId | None:
        """Return the current name; None if the order of that name is now a different one."""
        here = ProposalId(name)
        if here in self._now:
            return ClientOrderId(self._now[here])
        order, then = self._state.ledger.order(name), self._then.get(here)
        if order is None or then is None:
            return name
        return name if (order.strategy, order.request.symbol) == (then.strategy, then.symbol) else None
