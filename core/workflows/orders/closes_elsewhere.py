"""Count the fills by which somebody else closed shares of ours at the broker, at their own prices (EX-18, EX-09).

The broker's list has the other order with its average price. Its part of each owner's shares is recorded as an order of
that owner that has filled, with the role `Elsewhere.CLOSED`. It is never sent. So the trade has an exit reason, its
prices and the VWAP at its signal, and each sum of fills counts it. It is timed when it was noticed: the list has no
time.

The prices count only if those fills are exactly the missing shares. During a run these are the fills since the last
agreement. Before the first one they are those of orders that the broker accepted after the position was opened. What a
record has already counts no second time. Otherwise nothing is recorded, and the position is corrected without a trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count, takewhile

from core.execution import order_status
from core.execution.ledger_state import UNKNOWN_OWNER
from core.execution.order import Order
from core.facts import CorporateActionApplied, OrderCreated, OwnerShare, Source
from core.messages.effects import Effect
from core.model.broker import Execution, OrderReport
from core.model.lazy_dataclass import dataclass
from core.model.order import (
    ORDER_ID,
    PAID_OUT,
    RECORDED_AS,
    Elsewhere,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    traded_in,
)
from core.model.order import Effect as OrderEffect
from core.model.position import DERIVED, Position
from core.model.signal import ExitReason
from core.model.values import (
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Price,
    ProposalId,
    Quantity,
    Symbol,
)
from core.trading_state.state import TradingState
from core.workflows.orders.order_updates import OrderUpdates

INTERRUPTED = "the desk ended while it recorded a close elsewhere; it compares the books again"


@dataclass(frozen=True, slots=True)
class FillElsewhere:
    """What an external order filled beyond what is counted, and its average price, USD.

    `name` is the broker's id of the order.
    """

    name: BrokerOrderId
    quantity: Quantity
    price: Price
    time_in_force: TimeInForce = TimeInForce.DAY


class ClosesElsewhere:
    def __init__(self, state: TradingState, order_updates: OrderUpdates) -> None:
        self.state = state
        self.order_updates = order_updates

    def end_interrupted(self) -> None:
        """End records that a crash left between two facts: the broker does not have them, and they claim shares."""
        for order in self.state.ledger.working():
            if order.role is Elsewhere.CLOSED:
                after, reason = (OrderStatus.CANCELLED, INTERRUPTED) if order.remaining else (OrderStatus.FILLED, "")
                name = order.broker_order_id
                self.state.record(order_status.change(order, after, Source.RECONCILIATION, name, reason))

    def count(
        self,
        symbol: Symbol,
        missing: Decimal,
        after: Sequence[OwnerShare],
        listed: Mapping[BrokerOrderId, OrderReport],
        agreed: Mapping[BrokerOrderId, OrderReport] | None,
    ) -> Iterator[Effect]:
        """Record the fills that closed our shares; nothing if they are not exactly the `missing` ones.

        Parameters
        ----------
        missing
            The broker's shares less ours, signed.
        after
            Each owner's part after the correction.
        listed, agreed
            The external orders with fills, now and at the last agreement; None before the first one of this run.
        """
        held = [p for p in self.state.ledger.positions_in(symbol) if p.quantity * missing < 0]
        is_ours = all(position.strategy != UNKNOWN_OWNER for position in held)
        if not held or not is_ours or self.state.ledger.legs.parents_of_unnamed(symbol):
            return
        side = Side.BUY if missing > 0 else Side.SELL
        reports = [report for report in listed.values() if (report.symbol, report.side) == (symbol, side)]
        found = [self._beyond(report, held, agreed) for report in reports]
        fills = [fill for fill in found if fill is not None]
        is_priced = all(fill.price > ZERO for fill in fills)
        if not is_priced or sum((fill.quantity for fill in fills), ZERO) != abs(missing):
            return
        kept = {share.strategy: share.quantity for share in after}
        for position in held:
            sign = -1 if position.quantity < 0 else 1
            closed = abs(position.quantity) - max(sign * kept.get(position.strategy, ZERO), ZERO)
            for place, fill in enumerate(fills):
                part = Quantity(min(closed, fill.quantity))
                if part > ZERO:
                    closed -= part
                    fills[place] = replace(fill, quantity=Quantity(fill.quantity - part))
                    yield from self._record(position, side, replace(fill, quantity=part))

    def _beyond(
        self, report: OrderReport, held: Sequence[Position], agreed: Mapping[BrokerOrderId, OrderReport] | None
    ) -> FillElsewhere | None:
        """Return the fills that our books do not have, at price zero if it is not known; None if there are none."""
        if ORDER_ID.fullmatch(report.client_order_id):  # a Keyturn sent it: this one, before a restore, or another
            return None
        if agreed is None and not _is_since(report, held):
            return None
        records = self._records(report.broker_order_id)
        if None in records:  # it is counted in part by an order that left memory
            return None
        of = held[0].instrument
        known = [order for order in records if order is not None]
        counted, paid = sum((o.filled_quantity for o in known), ZERO), sum((o.filled_cost for o in known), ZERO)
        before = None if agreed is None else agreed.get(report.broker_order_id)
        is_priced = report.average_price is not None
        if before is not None and before.filled_quantity > counted:
            is_priced = is_priced and before.average_price is not None
            counted, paid = before.filled_quantity, of.cost(before.filled_quantity, before.average_price or ZERO)
        quantity = Quantity(report.filled_quantity - counted)
        if quantity <= ZERO:
            return None
        price = of.price_of(quantity, of.cost(report.filled_quantity, report.average_price or ZERO) - paid)
        in_force = report.time_in_force or TimeInForce.DAY
        return FillElsewhere(report.broker_order_id, quantity, price if is_priced else Price(ZERO), in_force)

    def pay_out(self, held: Sequence[Position], payout: CorporateActionApplied) -> Iterator[Effect]:
        """Record that each owner's shares left for what a merger paid; nothing of shares without an owner."""
        if payout.cash is None:
            return
        name = BrokerOrderId(f"{PAID_OUT}{payout.symbol} {payout.day}")
        for position in (each for each in held if each.strategy != UNKNOWN_OWNER):
            side = Side.SELL if position.quantity > 0 else Side.BUY
            yield from self._record(position, side, FillElsewhere(name, Quantity(abs(position.quantity)), payout.cash))

    def _records(self, name: BrokerOrderId) -> list[Order | None]:
        """Return the records of the fills of a broker's order; None for one that left memory."""
        ledger = self.state.ledger
        names = takewhile(ledger.has, (_record_id(name, number) for number in count(1)))
        return [ledger.order(name) for name in names]

    def _record(self, position: Position, side: Side, fill: FillElsewhere) -> Iterator[Effect]:
        at, ledger = self.state.at, self.state.ledger
        order_id = _record_id(fill.name, len(self._records(fill.name)) + 1)
        request = OrderRequest(
            client_order_id=order_id,
            symbol=position.symbol,
            side=side,
            effect=OrderEffect.CLOSE if side is Side.SELL else OrderEffect.COVER,
            quantity=fill.quantity,
            type=OrderType.MARKET,
            time_in_force=fill.time_in_force,
        )
        entry = ledger.order(position.entry_order)
        self.state.record(
            OrderCreated(
                order=traded_in(position.instrument, request),
                proposal_id=ProposalId(order_id),
                strategy=position.strategy,
                signal_time=at,
                stop=None,
                parent=None,
                exit_reason=ExitReason.MANUAL,
                intended_price=None,
                reference=None if entry is None else entry.reference,
                expires_at=None,
                role=Elsewhere.CLOSED,
            )
        )
        name = ExecutionId(f"{fill.name}{DERIVED}{order_id}")
        filled = OrderReport(
            client_order_id=order_id,
            broker_order_id=fill.name,
            symbol=position.symbol,
            side=side,
            type=request.type,
            time_in_force=request.time_in_force,
            quantity=fill.quantity,
            limit_price=None,
            stop_price=None,
            status=OrderStatus.FILLED,
            raw_status="filled",
            filled_quantity=fill.quantity,
            average_price=fill.price,
            executions=(Execution(name, at, fill.quantity, fill.price),),
        )
        yield from self.order_updates.take_in(ledger.state.orders[order_id], filled, Source.RECONCILIATION)


def _is_since(report: OrderReport, held: Sequence[Position]) -> bool:
    """Whether the broker accepted it after the positions were opened."""
    return report.accepted_at is not None and all(report.accepted_at > position.began for position in held)


def _record_id(name: BrokerOrderId, number: int) -> ClientOrderId:
    """Return the id of a record: the broker's order, and which of its records it is."""
    return ClientOrderId(f"{RECORDED_AS}{name}:{number}")
