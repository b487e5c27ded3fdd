"""One order of ours as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.broker import OrderReport
from core.model.codes import CUT, CancelCode, EndCode, IdleCode
from core.model.counted_changes import CountsChanges
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, AnyRole, LegRole, OrderClass, OrderStatus, Side, StopHolder
from core.model.order_terms import StatedTerms
from core.model.position import PastOrder
from core.model.rescaling import ONE, Rescaling
from core.model.signal import ExitReason
from core.model.staging import Approval, StopPlan, at_stake
from core.model.values import (
    CENT,
    NO_MONEY,
    NO_SHARES,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
)

LATE = timedelta(minutes=5)
"""Time in which a dropped cancel of which the broker says nothing may still take effect."""
ROUNDED = Decimal("0.0001")
"""USD a share by which a broker may round an average: beyond it another price is meant."""


@dataclass(slots=True)
class Order(CountsChanges):
    """Written only by the ledger's fold.

    Attributes
    ----------
    end_code
        How it ended, if its status does not tell.
    cancel_code
        Why its cancel was requested; None if it was not.
    expires_at
        When we cancel it ourselves (EX-07); None if only its time in force ends it.
    in_doubt_since, late_fill, replaced_by
        Marks, not states (EX-01).
    replacement
        The order that was sent to replace it and has no answer yet.
    last_filled_on, last_filled_at
        The last trading day with a fill of it; and when this desk received its last fill.
    reported_quantity
        The largest cumulative filled quantity that the broker has reported.
    target_price
        Of an entry, the price of its profit target, USD, at the broker or the desk; None if its signal named none.
    counted_at
        The price per share at which limits measured an entry at its confirmation, USD; None in older records.
    role, is_bare
        The role of a leg, or of a close elsewhere; for an order with legs, whether the broker has none of them.
    warnings, warned_at
        The broker's warnings; and since when they wait for the operator, None once confirmed (OP-11).
    permit
        Its approval until the broker has it, and also after the broker lost a stop, or refused the order in a way that
        may mean a blocked account. None for an order that this desk did not send, such as a leg.
    kept
        Its approval while it is known that it never left this desk: the run that recorded it ended before (EX-22).
    again_at
        When it is sent again after a rate limit, or after the broker was proven not to have it; None if at the next
        comparison of the books.
    terms_before
        The terms before the broker first changed them; None if it never did (EX-13).
    restated_from, restated_at
        The terms before the broker's last change, and its time; None without one, and once a split explained it.
    was_absent
        Whether it was sent before, and the broker is proven not to have it (EX-22).
    let_go_at
        When its cancel was dropped, because the reason for it was given up, or when the broker last said that it works
        in spite of that; None again once that cancel took effect after all, or somebody else's is under way.
    idle, idle_word
        Why an exit at the broker cannot be expected to trade now, and the broker's status for it; None if it can
        (EX-22).
    owed
        For a stop that was reduced or cancelled as too large: how many shares are still owed to it; None until that was
        checked.
    is_asked_for
        For an ended stop: whether another one was requested on a ticket since, for all unprotected shares.
    taken_back
        Shares of its fills that the broker took back since (EX-05).
    split
        How many shares there are now for one share of its terms: other than one after a split that the broker did not
        make in the order (EX-25).
    paid
        USD that was paid for one share of its terms since, beside those shares.
    listed_as
        The symbol under which the broker has it, where its shares became shares of another symbol since; else None.
    again_of
        The exit that this one is sent again for, because the broker had another order with that one's id (EX-24).
    not_found, first_not_found_at
        Number of look-ups answered "not found", and the time of the first one.
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
    last_filled_at: datetime | None = None
    role: AnyRole | None = None
    target_price: Price | None = None
    counted_at: Price | None = None
    is_bare: bool = False
    warnings: tuple[str, ...] = ()
    warned_at: datetime | None = None
    permit: Approval | None = None
    kept: Approval | None = None
    again_at: datetime | None = None
    terms_before: StatedTerms | None = None
    restated_from: StatedTerms | None = None
    restated_at: datetime | None = None
    was_absent: bool = False
    idle: IdleCode | None = None
    idle_word: str = ""
    owed: Quantity | None = None
    is_asked_for: bool = False
    taken_back: Quantity = NO_SHARES
    again_of: ClientOrderId | None = None
    split: Decimal = ONE
    paid: Decimal = ZERO
    listed_as: Symbol | None = None

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
        """Whether it is a stop that protects a position."""
        return self.only_reduces and self.request.type.is_stop

    @property
    def is_target(self) -> bool:
        """Whether it takes the profit of shares that a stop of the same pair protects."""
        return self.role is LegRole.TARGET or self.request.order_class is OrderClass.OCO

    @property
    def is_before_split(self) -> bool:
        """Whether its prices or its symbol are of shares from before a corporate action: then it protects nothing."""
        return self.split != ONE or self.listed_as is not None

    @property
    def rescaling(self) -> Rescaling:
        """What one share of its terms is today."""
        return Rescaling(self.split, self.paid)

    def rescale(self, by: Rescaling) -> None:
        now = self.rescaling.then(by)
        self.split, self.paid = now.ratio, now.cash

    @property
    def waits_at_limit(self) -> bool:
        """Whether it is an exit resting at its limit: it reserves the shares without protecting them (EX-13)."""
        is_plain = self.only_reduces and self.request.type.rests and not self.is_target
        return is_plain and self.is_working and self.status is not OrderStatus.PENDING

    @property
    def stands_by(self) -> bool:
        """Whether it rests at the broker for its price; an exit of the same shares cancels it first (EX-21)."""
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
        """Return the USD that limits count for the unfilled part of a working entry."""
        return self.request.instrument.cost(self.remaining, self.counted_price)

    @property
    def loss_to_come(self) -> Money:
        """Return the USD that limits count as the loss at the stop, for the unfilled part of a working entry."""
        farthest = self.request.limit_price or self.intended_price or ZERO
        return self.request.instrument.risk(self.remaining, at_stake(self.counted_price, farthest, self.stop))

    @property
    def is_untouched(self) -> bool:
        """Whether it never filled, replaces no order, and is not being replaced."""
        is_in_a_chain = (self.request.replaces or self.replacement or self.replaced_by) is not None
        return self.last_filled_on is None and not is_in_a_chain

    @property
    def counted_price(self) -> Decimal:
        """Return the price at which limits count a working entry.

        It was measured at the confirmation, which for a short sale may be more than its limit; in older records it is
        the limit, or the intended price.
        """
        return self.counted_at or self.request.limit_price or self.intended_price or ZERO

    @property
    def wants_broker_stop(self) -> bool:
        return self.stop is not None and self.stop.holder is StopHolder.BROKER

    @property
    def made_way(self) -> bool:
        """Whether the broker reported that it was replaced."""
        return self.status is OrderStatus.CANCELLED and self.end_code is EndCode.REPLACED

    @property
    def is_taken_elsewhere(self) -> bool:
        """Whether it was cancelled at the broker, and nobody requested that here (EX-13)."""
        is_there = self.broker_order_id is not None and self.end_code is EndCode.AS_ITS_STATE_SAYS
        return self.status is OrderStatus.CANCELLED and self.cancel_requested_at is None and is_there

    @property
    def is_given_up(self) -> bool:
        """Whether the broker never had it, by enough look-ups, and nothing has mentioned it since."""
        never_came = self.status is OrderStatus.CANCELLED and self.end_code is EndCode.NEVER_ARRIVED
        return never_came and not self.filled_quantity

    @property
    def is_lost(self) -> bool:
        """Whether it ended here because the broker did not have it: a report of it may still come."""
        return self.status is OrderStatus.CANCELLED and self.end_code in (EndCode.NEVER_ARRIVED, EndCode.LOST_THERE)

    @property
    def has_failed(self) -> bool:
        """Whether it is an exit, no stop and no leg, that ended before it sold all, unasked (EX-21)."""
        is_close = self.only_reduces and not self.is_protective and self.role is None
        if not is_close or not self.remaining or self.cancel_code is not None or self.made_way:
            return False
        if self.status is OrderStatus.CANCELLED:
            return self.end_code is not EndCode.AS_ITS_STATE_SAYS or self.broker_order_id is not None
        if self.status is OrderStatus.REJECTED:
            return not self.is_sent_again
        return self.status is OrderStatus.EXPIRED and not self.request.type.rests

    @property
    def is_sent_again(self) -> bool:
        """Whether another order with a new id stands for it (EX-24)."""
        return self.end_code is EndCode.SENT_AGAIN

    @property
    def is_cut(self) -> bool:
        """Whether it is a stop that ended as too large, or was reduced, and may be owed shares."""
        if not self.is_protective or self.status is not OrderStatus.CANCELLED:
            return False
        is_unseen = self.owed is None and self.cancel_code in CUT and not self.made_way
        return is_unseen or bool(self.owed)

    @property
    def is_being_replaced(self) -> bool:
        """Whether a replacement was sent and the broker has not reported the end of this one yet."""
        return self.is_working and (self.replacement or self.replaced_by) is not None

    @property
    def is_cancelling(self) -> bool:
        return self.is_working and self.cancel_requested_at is not None

    @property
    def is_leaving(self) -> bool:
        """Whether the broker has a cancel or a replacement of it, and has not said yet what became of it (EX-13)."""
        return self.is_working and self.idle is IdleCode.LEAVING

    def may_end_by_a_dropped_cancel(self, at: datetime) -> bool:
        """Whether our dropped cancel of it may still take effect: while the broker says so, and else for a while."""
        return self.let_go_at is not None and (self.is_leaving or at < self.let_go_at + LATE)

    @property
    def warning_waits(self) -> bool:
        """Whether a warning waits for a working or filled order; a cancelled one has none left to confirm (OP-11)."""
        is_ours = not self.is_cancelling if self.is_working else self.filled_quantity > 0
        return self.warned_at is not None and is_ours

    def taken_back_at(self, timeout: timedelta) -> datetime | None:
        """Return when its warning times out; None if nothing waits, or the order keeps working anyway."""
        if self.warned_at is None or not self.warning_waits or not self.is_working or self.only_reduces:
            return None
        return self.warned_at + timeout


def has_news(report: OrderReport, order: Order | PastOrder) -> bool:
    """Whether it adds something to an ended order: it works there, or has filled otherwise."""
    works_there = report.status is not None and report.status.is_working
    return works_there or report.filled_quantity != order.filled_quantity or is_repriced(report, order)


def is_repriced(report: OrderReport, order: Order | PastOrder) -> bool:
    """Whether the broker's average of the same shares is another than was counted, beyond what it rounds away."""
    if report.average_price is None or report.filled_quantity != order.filled_quantity:
        return False
    return abs(cost_beyond(report.average_price, order)) >= max(CENT, ROUNDED * order.filled_quantity)


def cost_beyond(average: Price, order: Order | PastOrder) -> Money:
    """Return what was counted beyond the broker's average of the same shares, USD."""
    return Money(order.filled_cost - order.request.instrument.cost(order.filled_quantity, average))


def nearest_first(stops: Iterable[Order]) -> list[Order]:
    """Sort stops by which acts first: for a sale the highest, for a purchase the lowest; trailing ones come last."""
    return sorted(
        stops,
        key=lambda o: (
            o.request.stop_price is None,
            -(o.request.stop_price or 0) if o.request.side is Side.SELL else (o.request.stop_price or 0),
        ),
    )


def is_order_stale(order: Order, at: datetime) -> bool:
    """Whether a working order has exceeded its time to live (EX-07)."""
    return order.is_working and order.expires_at is not None and at >= order.expires_at
