"""Handle orders that a stopped desk left: recorded, but never sent (EX-22).

The books are compared first. Then a reducing order is sent at once if its authorization still permits exactly it and it
fits the position; else it ends unsent and waits on a ticket, before everything else. An entry is not sent any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from core.execution.cover import unreserved
from core.execution.order import Order
from core.facts import OrderKept
from core.messages.effects import Effect
from core.messages.inputs import SubmissionKept
from core.model.codes import BlockCode, GuardCode
from core.model.order import OrderStatus
from core.model.values import plain
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.isolation import apart
from core.workflows.orders.submission import Submission, why_kept
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.protection.stop_renewal import StopRenewal
from core.workflows.staging.order_changes import RequestedChange

GUARDS = {BlockCode.LEFT: GuardCode.LEFT, BlockCode.LIMITED: GuardCode.LIMITED, BlockCode.LOST: GuardCode.NOT_THERE}


class UnsentOrders:
    def __init__(
        self, state: TradingState, submission: Submission, protective_stops: ProtectiveStops, stop_renewal: StopRenewal
    ) -> None:
        self.state = state
        self.submission = submission
        self.protective_stops = protective_stops
        self.stop_renewal = stop_renewal

    @answers(SubmissionKept)
    def on_kept(self, message: SubmissionKept) -> Iterable[Effect]:
        """Record the kept order, the last record of it before the desk stops."""
        self.state.sightings.departing.end(message.client_order_id)
        order = self.state.ledger.order(message.client_order_id)
        if order is not None and order.status is OrderStatus.PENDING:
            self.state.record(OrderKept(order.id, message.approval))
        return ()

    def send(self) -> Iterator[Effect]:
        """Send each kept order once after a comparison, if the books agree on its symbol.

        A lapsed one ends even if they differ: it would reserve the shares that another exit sells.
        """
        at = self.state.at
        for order in [o for o in self._kept() if self._agrees(o) or _has_lapsed(o, at)]:
            if order.again_at is None or at >= order.again_at or _has_lapsed(order, at):
                yield from apart(self.state, partial(self._send, order))

    def next_due(self) -> Iterator[datetime]:
        """Yield the retry times of rate-limited orders, once the books were compared."""
        kept = filter(self._agrees, self._kept())
        return (order.again_at for order in kept if order.again_at is not None)

    def due(self) -> Iterator[Effect]:
        return self.send()

    def _kept(self) -> list[Order]:
        """Return the kept orders; none before the first comparison of the books."""
        if not self.state.control.state.was_compared:
            return []
        return [order for order in self.state.ledger.working() if order.kept is not None]

    def _agrees(self, order: Order) -> bool:
        return order.request.symbol not in self.state.sightings.differing

    def _send(self, order: Order) -> Iterator[Effect]:
        why_not = self._why_not(order)
        if why_not is None:
            yield from self.submission.release_kept(order)
            return
        approval, was_taken_back = order.kept, order.is_cancelling
        why, code = why_kept(order)
        yield from self.submission.end_unsent(order, f"{why}; {why_not}", code, approval)
        if order.only_reduces and not was_taken_back:
            if self._agrees(order):
                yield from self._guard(order)
            self.stop_renewal.ask_again(order, RequestedChange(why, GUARDS[code]))

    def _why_not(self, order: Order) -> str | None:
        if not order.only_reduces:
            return "an entry is not sent later; stage it again"
        if order.is_cancelling or order.cancel_requested_at is not None:
            return "it was taken back"
        if _has_lapsed(order, self.state.at):
            return "what was signed permits it no more"
        if order.request.replaces is not None:
            old = self.state.ledger.chains.replaced(order)
            if old is None or old.is_cancelling:
                return "the order that it would replace is over"
            is_filled = order.request.quantity > old.remaining
            return "the order that it would replace has filled in part" if is_filled else None
        return self._too_much(order)

    def _too_much(self, order: Order) -> str | None:
        """Return why it exceeds the position beside other working exits; its own shares are among their claims."""
        free = unreserved(self.state.ledger, order.request.symbol, order.strategy, order.request.side)
        if self.protective_stops.is_loose(order):
            return "there is nothing that it would close"
        return None if free >= 0 else f"{plain(-free)} fewer are held by now than exits ask for"

    def _guard(self, order: Order) -> Iterator[Effect]:
        """Send the stop for fewer shares if its authorization permits that."""
        if order.is_protective and order.parent is not None:
            yield from self.protective_stops.cover(order.parent)


def _has_lapsed(order: Order, at: datetime) -> bool:
    return order.kept is None or at > order.kept.lapses_at
