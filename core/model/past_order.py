"""An order that has ended and left memory, with all its fields in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.model.codes import CancelCode, EndCode, IdleCode
from core.model.order import AnyOrder, LegRole, OrderStatus
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.stated_terms import StatedTerms
from core.model.values import (
    NO_MONEY,
    NO_SHARES,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Money,
    Price,
    ProposalId,
    Quantity,
)


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A copy of the ledger order's fields; a new field there needs its default here too.

    Attributes
    ----------
    executions
        Executions that were counted; none of them counts again.
    kin
        Related orders: its parent, its legs and its replacements.
    """

    request: AnyOrder
    proposal_id: ProposalId
    strategy: str
    signal_time: datetime
    created_at: datetime
    stop: StopPlan | None
    parent: ClientOrderId | None
    exit_reason: ExitReason | None
    intended_price: Price | None
    reference: Price | None
    expires_at: datetime | None
    executions: tuple[ExecutionId, ...]
    kin: tuple[ClientOrderId, ...]
    status: OrderStatus = OrderStatus.PENDING
    broker_order_id: BrokerOrderId | None = None
    filled_quantity: Quantity = NO_SHARES
    filled_cost: Money = NO_MONEY
    reported_quantity: Quantity = NO_SHARES
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    end_code: EndCode = EndCode.AS_ITS_STATE_SAYS
    in_doubt_since: datetime | None = None
    not_found: int = 0
    first_not_found_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_failed_at: datetime | None = None
    let_go_at: datetime | None = None
    cancel_failures: int = 0
    cancel_reason: str = ""
    cancel_code: CancelCode | None = None
    late_fill: bool = False
    replacement: ClientOrderId | None = None
    replaced_by: ClientOrderId | None = None
    last_filled_on: date | None = None
    role: LegRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None
    is_bare: bool = False
    warnings: tuple[str, ...] = ()
    warned_at: datetime | None = None
    permit: Approval | None = None
    kept: Approval | None = None
    again_at: datetime | None = None
    terms_before: StatedTerms | None = None
    was_absent: bool = False
    idle: IdleCode | None = None
    idle_word: str = ""
    owed: Quantity | None = None
    is_asked_for: bool = False

    @property
    def id(self) -> ClientOrderId:
        return self.request.client_order_id
