"""Choose the next order of a signed basket, and limit how long an answer is waited for (EX-06)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.execution.order import Order
from core.model.basket import (
    BasketOrderState,
    BasketPhase,
    SignedOrder,
)
from core.model.order import OrderRequest, OrderStatus
from core.staging.basket_run import BasketRun
from core.trading_state.state import TradingState

SIDE_BY_SIDE = 4
"""Sales that are checked on fresh figures at once: more would be many requests in one instant (EX-17)."""


class BasketTurns:
    """Queries about a running basket; none of them changes anything."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.plans = state.plans

    def following(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> SignedOrder | None:
        """Return the next order; None if there is none, one is being checked, or an earlier one has no answer yet."""
        following = next((o for o in orders if self.plans.standings.of(run, o) is BasketOrderState.WAITING), None)
        if following is None or self._is_in_hand(run, orders) or self._is_lane_busy(following.proposal.order):
            return None
        return following

    def following_sale(self, run: BasketRun) -> SignedOrder | None:
        """Return the next sale without a pending request for its symbol; other symbols do not delay it (EX-22)."""
        standings = [(order, self.plans.standings.of(run, order)) for order in run.sells()]
        if [standing for _, standing in standings].count(BasketOrderState.CHECKING) >= SIDE_BY_SIDE:
            return None
        for order, standing in standings:
            beside = tuple(other for other, _ in standings if other.proposal.symbol == order.proposal.symbol)
            is_free = standing is BasketOrderState.WAITING and not self._is_in_hand(run, beside)
            if is_free and not self._is_lane_busy(order.proposal.order):
                return order
        return None

    def have_all_gone(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> bool:
        are_left = any(self.plans.standings.of(run, order) is BasketOrderState.WAITING for order in orders)
        return not are_left and not self._is_in_hand(run, orders)

    def doubted(self, run: BasketRun) -> list[SignedOrder]:
        """Return the buys in doubt that the operator has not been asked about."""
        found = [order for order in run.buys() if self.plans.standings.of(run, order) is BasketOrderState.IN_DOUBT]
        return [order for order in found if self.asks_at(run, [order]) >= (run.phase_since or self.state.at)]

    def asks_at(self, run: BasketRun, doubted: list[SignedOrder]) -> datetime:
        orders = [order for signed in doubted if (order := self.state.ledger.order(signed.order_id)) is not None]
        return (
            min(order.in_doubt_since or self.state.sightings.departing.left_at(order) for order in orders)
            + self._patience()
        )

    def due(self, run: BasketRun) -> Iterator[datetime]:
        """Yield the times at which the basket continues without an answer, or asks the operator."""
        for signed in run.orders:
            order = self.state.ledger.order(signed.order_id)
            if order is not None and self._waits_for_answer(run, signed):
                yield self._answer_due(order)
        if run.phase is BasketPhase.BUYING and (doubted := self.doubted(run)):
            yield self.asks_at(run, doubted)

    def unsettled(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> list[SignedOrder]:
        return [order for order in orders if not self.plans.standings.of(run, order).is_over]

    def not_filled(self, run: BasketRun) -> list[SignedOrder]:
        return [order for order in run.sells() if self.plans.standings.of(run, order) is not BasketOrderState.FILLED]

    def is_on_its_way_out(self, run: BasketRun) -> bool:
        """Whether a cancel of one of its orders is pending, or an order of it has no answer yet."""
        ids = (*(signed.order_id for signed in run.orders), *run.taken_back)
        orders = (order for order_id in ids if (order := self.state.ledger.order(order_id)) is not None)
        return any(o.is_cancelling or (o.status is OrderStatus.PENDING and o.in_doubt_since is None) for o in orders)

    def _is_in_hand(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> bool:
        doubted = self.doubted(run)
        return any(
            self.plans.standings.of(run, order).holds_the_turn or self._waits_for_answer(run, order) or order in doubted
            for order in orders
        )

    def _is_lane_busy(self, order: OrderRequest) -> bool:
        """An entry waits for every pending request, a reducing order only for exits of its symbol (EX-22)."""
        asked = [o for o in self.state.ledger.working() if o.status is OrderStatus.PENDING and o.kept is None]
        if order.effect.only_reduces:
            asked = [o for o in asked if o.only_reduces and o.request.symbol == order.symbol]
        return any(o.in_doubt_since is None for o in asked)

    def _waits_for_answer(self, run: BasketRun, signed: SignedOrder) -> bool:
        """Whether the stream reported the order but its own answer is still due, within the time-out."""
        order = self.state.ledger.order(signed.order_id)
        if order is None or signed.order_id in run.answered or signed.proposal.id in run.refusals:
            return False
        is_told = order.status is not OrderStatus.PENDING and order.status is not OrderStatus.REJECTED
        return is_told and self.state.at < self._answer_due(order)

    def _answer_due(self, order: Order) -> datetime:
        return self.state.sightings.departing.left_at(order) + self._patience()

    def _patience(self) -> timedelta:
        """Return the time-out of one answer (EX-06)."""
        return timedelta(seconds=float(self.state.control.settings.execution.answer_seconds))
