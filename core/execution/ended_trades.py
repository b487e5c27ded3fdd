"""Build the trade of a closed position: its prices, profit, and exit reason (EX-18)."""

from __future__ import annotations

from core.execution.ledger_state import LedgerState
from core.execution.order import Order
from core.model.codes import EndCode
from core.model.order import OrderStatus, Side
from core.model.position import Fill, Position, Trade, trade_in
from core.model.signal import ExitReason
from core.model.values import Money

FAILURES = {
    (OrderStatus.REJECTED, False): ExitReason.BROKER_REJECT,
    (OrderStatus.CANCELLED, True): ExitReason.EXECUTION_ERROR,
}
"""Exit reasons by the status of a failed exit, and by whether it never arrived."""


def trade_of(books: LedgerState, flat: Position, fill: Fill, exit_order: Order) -> Trade:
    entry = books.orders.get(flat.entry_order)
    is_long = exit_order.request.side is Side.SELL
    sign = 1 if is_long else -1
    meant = exit_order.exit_reason or ExitReason.MANUAL
    failed = _failure_before(books, flat, exit_order)
    trade = Trade(
        symbol=flat.symbol,
        strategy=flat.strategy,
        entry_order=flat.entry_order,
        exit_order=exit_order.id,
        entry_time=flat.opened_at,
        entry_price=flat.instrument.price_of(flat.entered, flat.entry_cost),
        quantity=flat.entered,
        exit_time=fill.at,
        exit_price=flat.instrument.price_of(flat.left, flat.proceeds),
        exit_reason=failed or meant,
        intended_entry=flat.instrument.price_of(flat.entered, flat.intended_cost),
        intended_exit=flat.instrument.price_of(flat.left, flat.intended_proceeds),
        reference=entry.reference if entry else None,
        profit=Money(sign * (flat.proceeds - flat.entry_cost) - flat.fees),
        slippage=Money(sign * ((flat.entry_cost - flat.intended_cost) + (flat.intended_proceeds - flat.proceeds))),
        regime=flat.regime,
        meant=meant if failed else None,
        fees=flat.fees,
    )
    return trade if flat.traded is None else trade_in(flat.traded, trade)


def _failure_before(books: LedgerState, flat: Position, closing: Order) -> ExitReason | None:
    """Return how the exit before the closing one failed, if it did: it should have ended the trade (EX-18).

    Stops and targets that rest at the broker do not count as such an exit.
    """
    for order in reversed(books.orders.values()):
        if order.created_at < flat.opened_at:
            return None
        is_its = (order.request.symbol, order.strategy) == (flat.symbol, flat.strategy)
        if is_its and order.only_reduces and order is not closing and not (order.is_protective or order.is_target):
            return FAILURES.get((order.status, order.end_code is EndCode.NEVER_ARRIVED))
    return None
