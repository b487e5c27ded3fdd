"""Whether an approval permits one order now, and the approvals that a standing authorization gives (OP-02).

An approval permits one order, once, until it lapses. Every submission passes through `refusal_to_redeem`.
"""

from __future__ import annotations

from datetime import datetime

from core.model.order import OrderRequest
from core.model.staging import Approval
from core.model.values import Digest
from core.staging.stage import Stage
from core.staging.stage_state import AuthorizationUse


def refusal_to_redeem(stage: Stage, approval: Approval, order_digest: Digest, at: datetime) -> str | None:
    """Return why this approval does not permit an order with this digest now, or None (OP-02).

    The only place where permission is judged; every submission passes through it.
    """
    if approval.id in stage.state.used or approval.id in stage.state.less:
        return f"approval {approval.id} was used already; confirm a new ticket"
    if approval.order_digest != order_digest:
        return f"the order is not the one that approval {approval.id} was given for; confirm a new ticket"
    if at > approval.lapses_at:
        lapsed = stage.calendar.venue.clock(approval.lapses_at)
        return f"approval {approval.id} lapsed at {lapsed}; confirm a new ticket"
    if approval.less_of is not None:
        return None  # a larger quantity was confirmed; the submission compares both orders
    confirmation = stage.state.confirmations.get(approval.ticket_id)
    if confirmation is None or confirmation.is_void:
        return f"approval {approval.id} has no confirmation that stands; confirm a new ticket"
    if approval.authorization_id is None and approval != confirmation.approval:
        return f"approval {approval.id} is not the one that the confirmation gave; confirm a new ticket"
    return None


def permit(stage: Stage, use: AuthorizationUse, order: OrderRequest, account: str, at: datetime) -> Approval | str:
    """Return an approval for one order within an authorization's limits, or why it is outside of them."""
    authorization = use.authorization
    if at > authorization.ends_at:
        ended = stage.calendar.venue.clock(authorization.ends_at)
        return f"what the ticket permitted ended at {ended}; stage a new order"
    if (order.symbol, order.side, order.stop_price) != (
        authorization.symbol,
        authorization.side,
        authorization.stop_price,
    ):
        return "the ticket permitted another order than this; stage a new order"
    if authorization.terms is not None and order.terms != authorization.terms:
        return "the ticket permitted other prices than these; stage a new order"
    left = authorization.quantity - use.released
    if order.quantity > left:
        return f"the ticket permitted {left} more, not {order.quantity}; stage a new order"
    digest = order.digest(account)
    return Approval(
        f"{authorization.id}-{use.releases + 1}",
        authorization.ticket_id,
        authorization.id,
        digest,
        authorization.ends_at,
    )
