"""One order of ours as the ledger keeps it: the request, where it came from, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.broker import OrderReport
from core.model.codes import CUT, CancelCode, EndCode, IdleCode
from core.model.order import AnyOrder, LegRole, OrderClass, OrderStatus, Side, StopHolder
from core.model.past_order import PastOrder
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan
from core.model.stated_terms import StatedTerms
from core.model.values import (
    NO_MONEY,
    NO_SHARES,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    Money,
    Price,
    ProposalId,
    Quantity,
)


@dataclass(slots=True)
class Order:
    """Written by the ledger's fold alone.

    Attributes
    ----------
    end_code
        How it ended, where its state does not say it.
    cancel_code
        Why it is to be taken back, or was; None where nobody asked for that.
    expires_at
        When we cancel it ourselves (EX-07); None where only its time in force ends it.
    in_doubt_since, late_fill, replaced_by
        Marks, not states (EX-01).
    replacement
        The order that was sent to take its place and has no answer yet.
    last_filled_on
        The last trading day with a fill of it.
    reported_quantity
        The largest cumulative filled quantity that the broker has named.
    target_price
        Of an entry, where it means to take its profit, USD, whoever does it; None where its signal named none.
    counted_at
        What a share of an entry was measured at when its key was turned, USD; None in what was kept before there was
        such a price.
    role, is_bare
        What a leg is there for; and of an order with legs, that the broker has none of them.
    warnings, warned_at
        What the broker warned of; and since when that waits for the operator, None once it was confirmed (OP-11).
    permit
        What permitted it, until the broker has it; of a stop that the broker lost, also then. None of what is no
        order of this desk's own, as a leg.
    kept
        What permits it, while it is known that it never left this desk: the one that wrote it ended before (EX-22).
    again_at
        When it is sent again, where the broker took no requests or is proven not to have it; None where that is at the
        next look into its books.
    terms_before
        Those before the broker first changed them; None where it never did (EX-13).
    was_absent
        Whether it was sent before, and the broker is proven not to have it (EX-22).
    let_go_at
        When its end was not asked for any more: what it was to make way for was given up.
    idle, idle_word
        Why an exit that the broker has cannot be expected to trade now, and the broker's word for it; None where it
        can (EX-22).
    owed
        Of a stop that was made less or taken back because it was for too much: how many shares it is owed yet; None
        until that was looked at.
    is_asked_for
        Of a stop that has ended: another one was asked for on a ticket since, for all that was unprotected then.
    doubt_steps
        Look-ups answered "not found" so far, the first of them at `first_not_found_at`.
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
    cancel_failures: int = 0
    cancel_reason: str = ""
    cancel_code: CancelCode | None = None
    let_go_at: datetime | None = None
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

    @property
    def is_working(self) -> bool:
        return self.status.is_working

    @property
    def only_reduces(self) -> bool:
        return self.request.effect.only_reduces

    @property
    def is_protective(self) -> bool:
        """A stop that guards a position."""
        return self.only_reduces and self.request.type.is_stop

    @property
    def is_target(self) -> bool:
        """It takes the profit of shares that a stop of the same pair guards."""
        return self.role is LegRole.TARGET or self.request.order_class is OrderClass.OCO

    @property
    def waits_at_limit(self) -> bool:
        """An exit that the broker works at its limit: it holds the shares, and guards them against nothing (EX-13)."""
        is_plain = self.only_reduces and self.request.type.rests and not self.is_target
        return is_plain and self.is_working and self.status is not OrderStatus.PENDING

    @property
    def stands_by(self) -> bool:
        """It waits at the broker for its price; an exit of the same shares takes it out of the way first (EX-21)."""
        return self.is_protective or self.is_target or self.waits_at_limit

    @property
    def remaining(self) -> Quantity:
        return Quantity(self.request.quantity - self.filled_quantity)

    @property
    def average_price(self) -> Price | None:
        if not self.filled_quantity:
            return None
        return self.request.instrument.price_of(self.filled_quantity, self.filled_cost)

    @property
    def cost_to_come(self) -> Money:
        """USD that limits count for what an entry has not filled, while it works."""
        return self.request.instrument.cost(self.remaining, self.counted_price)

    @property
    def counted_price(self) -> Decimal:
        """The price that limits count an entry at while it works: as it was measured at the key, which for a short
        sale may be more than its limit; before there was such a price its limit, or what was intended.
        """
        return self.counted_at or self.request.limit_price or self.intended_price or ZERO

    @property
    def wants_broker_stop(self) -> bool:
        return self.stop is not None and self.stop.holder is StopHolder.BROKER

    @property
    def made_way(self) -> bool:
        """It ended because another took its place, by the broker's own word."""
        return self.status is OrderStatus.CANCELLED and self.end_code is EndCode.REPLACED

    @property
    def is_given_up(self) -> bool:
        """The broker, asked for long enough, never had it; nothing has told of it since."""
        never_came = self.status is OrderStatus.CANCELLED and self.end_code is EndCode.NEVER_ARRIVED
        return never_came and not self.filled_quantity

    @property
    def is_lost(self) -> bool:
        """Ended here because the broker did not have it: a word of it may still come."""
        return self.status is OrderStatus.CANCELLED and self.end_code in (EndCode.NEVER_ARRIVED, EndCode.LOST_THERE)

    @property
    def is_cut(self) -> bool:
        """A stop that ended because it was for too much, or became less, and that may be owed shares."""
        if not self.is_protective or self.status is not OrderStatus.CANCELLED:
            return False
        is_unseen = self.owed is None and self.cancel_code in CUT and not self.made_way
        return is_unseen or bool(self.owed)

    @property
    def is_being_replaced(self) -> bool:
        """Another order of ours was sent to take its place, and the broker has not said yet that this one is gone."""
        return self.is_working and (self.replacement or self.replaced_by) is not None

    @property
    def is_cancelling(self) -> bool:
        return self.is_working and self.cancel_requested_at is not None

    @property
    def warning_waits(self) -> bool:
        """Of what works and of what was filled; an order that is taken back has none left to confirm (OP-11)."""
        is_ours = not self.is_cancelling if self.is_working else self.filled_quantity > 0
        return self.warned_at is not None and is_ours

    def taken_back_at(self, patience: timedelta) -> datetime | None:
        """When its warning has waited long enough; None where nothing waits, or it stands all the same."""
        if self.warned_at is None or not self.warning_waits or not self.is_working or self.only_reduces:
            return None
        return self.warned_at + patience


def has_news(report: OrderReport, order: Order | PastOrder) -> bool:
    """Whether the broker tells of an order that had ended what is not known of it: that it works, or filled more."""
    works_there = report.status is not None and report.status.is_working
    return works_there or report.filled_quantity > order.filled_quantity


def nearest_first(stops: Iterable[Order]) -> list[Order]:
    """The stop that acts first leads: for a sale the highest, for a purchase the lowest; trailing ones come last."""
    return sorted(
        stops,
        key=lambda o: (
            o.request.stop_price is None,
            -(o.request.stop_price or 0) if o.request.side is Side.SELL else (o.request.stop_price or 0),
        ),
    )


def is_order_stale(order: Order, at: datetime) -> bool:
    """Whether a working order has outlived its time to live (EX-07)."""
    return order.is_working and order.expires_at is not None and at >= order.expires_at
