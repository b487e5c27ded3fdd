"""The statuses of an order: the broker's words for them, and the valid transitions (EX-01).

Nothing here changes an order. `check` runs before a transition is recorded, and raises if it is invalid.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.execution.order import Order
from core.facts import OrderStateChanged, Source
from core.model.codes import EndCode, IdleCode
from core.model.order import OrderStatus
from core.model.values import BrokerOrderId, ClientOrderId

PENDING = OrderStatus.PENDING
SUBMITTED = OrderStatus.SUBMITTED
PARTIALLY_FILLED = OrderStatus.PARTIALLY_FILLED
FILLED = OrderStatus.FILLED
CANCELLED = OrderStatus.CANCELLED
REJECTED = OrderStatus.REJECTED
EXPIRED = OrderStatus.EXPIRED

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    PENDING: frozenset({SUBMITTED, REJECTED, CANCELLED}),
    SUBMITTED: frozenset({PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED, EXPIRED}),
    PARTIALLY_FILLED: frozenset({PARTIALLY_FILLED, FILLED, CANCELLED, EXPIRED}),
    FILLED: frozenset(),
    CANCELLED: frozenset(),
    REJECTED: frozenset(),
    EXPIRED: frozenset(),
}
"""The registry of valid transitions."""

ONLY_THE_BROKER: frozenset[OrderStatus] = frozenset({SUBMITTED, PARTIALLY_FILLED, FILLED, EXPIRED})
"""Statuses that need a broker order id: we cannot cause them."""

BROKER_STATUSES: Mapping[str, OrderStatus] = {
    "new": SUBMITTED,
    "accepted": SUBMITTED,
    "pending_new": SUBMITTED,
    "accepted_for_bidding": SUBMITTED,
    "held": SUBMITTED,
    "stopped": SUBMITTED,
    "suspended": SUBMITTED,
    "calculated": SUBMITTED,
    "pending_cancel": SUBMITTED,
    "pending_replace": SUBMITTED,
    "pending_review": SUBMITTED,
    "done_for_day": SUBMITTED,
    "partially_filled": PARTIALLY_FILLED,
    "filled": FILLED,
    "canceled": CANCELLED,
    "replaced": CANCELLED,
    "rejected": REJECTED,
    "expired": EXPIRED,
}
"""Every broker status and its status here; an unknown one is kept raw and looked up, never guessed."""

NOT_TRADING: frozenset[str] = frozenset({"suspended", "calculated", "done_for_day", "pending_review"})
"""Statuses of a working order that no price fills now, by Alpaca's page "Orders at Alpaca".

`suspended` is not eligible for trading; `done_for_day` executes no more before the next trading day; `calculated` has
ended for the day and is being settled; `pending_review` is not routed yet. `stopped` is not one of them: its trade is
guaranteed.
"""

LEAVING: frozenset[str] = frozenset({"pending_cancel", "pending_replace"})
"""Statuses of a working order that may end at any moment, or at the next open, by a request that the broker has."""


def idle_code(word: str) -> IdleCode | None:
    """Return why an order with this broker status cannot be expected to trade now; None if it can (EX-22)."""
    if word in NOT_TRADING:
        return IdleCode.BROKER_WORD
    if word in LEAVING:
        return IdleCode.LEAVING
    return None if word in BROKER_STATUSES else IdleCode.UNKNOWN_WORD


class OrderError(Exception):
    """Raised if our own code requests an invalid change. The order stays as it was, and trading halts."""


class InvalidTransitionError(OrderError):
    """The registry does not have this transition."""


class TerminalStateError(OrderError):
    """The order has ended; no transition leads out."""


class BrokerConfirmationRequiredError(OrderError):
    """Only the broker can cause this transition, and no broker order id came with it."""


class DuplicateOrderError(OrderError):
    """An order with this client order id exists already, in this run or an earlier one (EX-04)."""


def check(
    order_id: ClientOrderId,
    before: OrderStatus,
    after: OrderStatus,
    broker_order_id: BrokerOrderId | None,
    source: Source,
) -> None:
    """Refuse a transition that the registry does not have.

    Raises
    ------
    TerminalStateError, InvalidTransitionError, BrokerConfirmationRequiredError
    """
    step = f"order {order_id}: {before.value} → {after.value}"
    if before.is_terminal:
        raise TerminalStateError(f"{step}: it has ended")
    if after not in TRANSITIONS[before]:
        raise InvalidTransitionError(f"{step} is no valid transition")
    if after in ONLY_THE_BROKER and (broker_order_id is None or source is Source.DESK):
        raise BrokerConfirmationRequiredError(f"{step} needs the broker's word and order id")


def change(
    order: Order,
    after: OrderStatus,
    source: Source,
    broker_order_id: BrokerOrderId | None,
    reason: str,
    code: EndCode = EndCode.AS_ITS_STATE_SAYS,
) -> OrderStateChanged:
    """Return the fact of a transition; raises if the registry does not have it (EX-02)."""
    check(order.id, order.status, after, broker_order_id or order.broker_order_id, source)
    return OrderStateChanged(order.id, order.status, after, source, broker_order_id, reason, code)
