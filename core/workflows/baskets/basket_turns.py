"""Choose the next order of a signed basket, and report the result (EX-06)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.execution.excess_exits import effect_now, working_entries
from core.execution.order import Order
from core.model.account import Account
from core.model.basket import BasketOrderState, BasketPhase, BasketReport, BasketSource, ReportLine, SignedOrder
from core.model.broker import BrokerPicture
from core.model.order import OrderRequest, OrderStatus
from core.model.order_terms import order_in_words
from core.model.values import NO_SHARES, Money, Quantity, Symbol, plain
from core.staging.baskets import BasketRun
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


STILL_CLEARING = "its stop makes way; it goes when that is gone, and Orders shows it then"


class BasketReporting:
    """Makes the report of a finished basket."""

    def __init__(self, state: TradingState) -> None:
        self.state = state

    def report(self, run: BasketRun, picture: BrokerPicture | None) -> BasketReport:
        account = picture.account if picture is not None else self.state.sightings.account
        return BasketReport(
            lines=tuple(self._line(run, signed) for signed in run.orders),
            positions=_positions(run, picture),
            power_before=run.power_before,
            power_after=Money(account.buying_power) if isinstance(account, Account) else None,
            is_of_the_broker=picture is not None,
            left=self._left(run, picture),
        )

    def _left(self, run: BasketRun, picture: BrokerPicture | None) -> tuple[str, ...]:
        """List the remains of a flattening: positions, by the broker's books if it answered, and working entries."""
        if run.plan.source is not BasketSource.FLATTEN:
            return ()
        if picture is not None:
            held = {position.symbol: position.quantity for position in picture.positions}
            unread = [f"{each.symbol or 'a position'} cannot be read" for each in picture.unreadable_positions]
        else:
            held = {p.symbol: self.state.ledger.net_quantity(p.symbol) for p in self.state.ledger.positions()}
            unread = []
        positions = [f"{symbol} {plain(quantity)} held" for symbol, quantity in held.items() if quantity]
        entries = [
            (order_in_words(o.request), effect_now(self.state.ledger, o)) for o in working_entries(self.state.ledger)
        ]
        return (*positions, *unread, *(f"{words} still works and would {effect.value}" for words, effect in entries))

    def _line(self, run: BasketRun, signed: SignedOrder) -> ReportLine:
        request = signed.proposal.order
        order: Order | None = self.state.ledger.order(signed.order_id)
        told = "; ".join(run.refusals.get(signed.proposal.id, ()))
        if self.state.plans.standings.of(run, signed) is BasketOrderState.CLEARING:
            told = STILL_CLEARING
        return ReportLine(
            proposal_id=signed.proposal.id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            filled=order.filled_quantity if order is not None else NO_SHARES,
            expected=signed.price,
            average=order.average_price if order is not None else None,
            status=order.status if order is not None else None,
            reason=order.reason if order is not None and order.reason and not told else told,
        )


def _positions(run: BasketRun, picture: BrokerPicture | None) -> tuple[tuple[Symbol, Quantity], ...]:
    if picture is None:
        return ()
    held = {position.symbol: position.quantity for position in picture.positions}
    unread = {position.symbol for position in picture.unreadable_positions}
    symbols = dict.fromkeys(signed.proposal.symbol for signed in run.orders if signed.proposal.symbol not in unread)
    return tuple((symbol, held.get(symbol, NO_SHARES)) for symbol in symbols)
