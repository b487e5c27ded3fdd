"""The last look before the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.gateway import TAKEN_BACK, Gateway, Withheld
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.order import Effect, OrderRequest, OrderType, Side, TimeInForce
from core.model.staging import Approval
from core.model.values import ClientOrderId, Price, Quantity, Symbol, TicketId
from tests.kit.rows import table
from tests.unit.core.execution.books import TEN, a_request

LAPSES = TEN + timedelta(seconds=5)


class Latch:
    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason

    def shut(self) -> str | None:
        return self.reason


def a_submission(order: OrderRequest | None = None, account: str = "paper") -> SubmitOrder:
    order = order or a_request(limit="100")
    return SubmitOrder(order, Approval("a-1", TicketId("t-1"), None, order.digest(account), LAPSES))


def test_an_approved_order_leaves_once(snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    gateway = Gateway("paper", Latch())

    assert gateway.refusal(a_submission(), TEN) is None
    assert gateway.refusal(a_submission(), TEN) == Withheld(snapshot)


@pytest.mark.parametrize(
    "change",
    [
        {"client_order_id": ClientOrderId("another")}, {"symbol": Symbol("IBM")}, {"side": Side.SELL},
        {"effect": Effect.ADD}, {"quantity": Quantity(Decimal("10.001"))}, {"type": OrderType.MARKET},
        {"time_in_force": TimeInForce.GTC}, {"limit_price": Price(Decimal("100.01"))},
        {"stop_price": Price(Decimal("99"))}, {"replaces": ClientOrderId("another")},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_any_changed_field_is_another_order(change: dict[str, object], snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    submission = a_submission()
    altered = replace(submission, order=replace(submission.order, **change))  # type: ignore[arg-type]

    refusal = Gateway("paper", Latch()).refusal(altered, TEN)

    assert refusal == Withheld(snapshot)


def test_a_shut_latch_stops_opening_replacements_only(snapshot: SnapshotAssertion) -> None:
    """OP-08"""
    entry = replace(a_submission().order, replaces=ClientOrderId("old"))
    stop = replace(entry, side=Side.SELL, effect=Effect.CLOSE)
    shut = Gateway("paper", Latch("killed by key"))

    def refusal_of(order: OrderRequest) -> Withheld | None:
        return shut.refusal(ReplaceOrder(order, a_submission(order).approval, None), TEN)

    assert refusal_of(entry) == Withheld(snapshot)
    assert refusal_of(stop) is None


def test_another_accounts_approval_permits_nothing() -> None:
    """OP-02, OP-10"""
    assert "not the one" in str(Gateway("live", Latch()).refusal(a_submission(account="paper"), TEN))


def test_equal_numbers_are_the_same_order() -> None:
    """OP-02"""
    submission = a_submission(a_request(quantity="10", limit="100"))
    written = replace(submission.order, quantity=Quantity(Decimal("10.000")), limit_price=Price(Decimal("1E+2")))

    assert Gateway("paper", Latch()).refusal(replace(submission, order=written), TEN) is None


@table("late leaves", (0, True), (0.001, False))
def test_an_approval_lapses_after_its_last_instant(late: float, leaves: bool) -> None:
    """OP-02"""
    refusal = Gateway("paper", Latch()).refusal(a_submission(), LAPSES + timedelta(seconds=late))

    assert (refusal is None) is leaves


@table(
    "effect leaves",
    (Effect.OPEN, False),
    (Effect.ADD, False),
    (Effect.SHORT, False),
    (Effect.REDUCE, True),
    (Effect.CLOSE, True),
    (Effect.COVER, True),
)
def test_a_shut_latch_lets_reducing_orders_out(effect: Effect, leaves: bool) -> None:
    """OP-07, OP-08"""
    refusal = Gateway("paper", Latch("killed by file")).refusal(a_submission(a_request(effect=effect)), TEN)

    assert (refusal is None) is leaves


def test_a_stopped_order_keeps_its_approval() -> None:
    """OP-08"""
    latch = Latch("halted by key")
    gateway = Gateway("paper", latch)
    gateway.refusal(a_submission(), TEN)
    latch.reason = None

    assert gateway.refusal(a_submission(), TEN) is None


def test_only_entry_approvals_lapse_in_the_queue() -> None:
    """EX-22, OP-02"""
    late = LAPSES + timedelta(seconds=8)
    exit_ = a_submission(replace(a_request(limit="100"), side=Side.SELL, effect=Effect.CLOSE))

    assert Gateway("paper", Latch()).refusal(exit_, late, TEN) is None
    assert "lapsed at" in str(Gateway("paper", Latch()).refusal(exit_, late, late))
    assert "lapsed at" in str(Gateway("paper", Latch()).refusal(a_submission(), late, TEN))


def test_a_withdrawn_order_never_leaves() -> None:
    """EX-22"""
    waiting, sent = Gateway("paper", Latch()), Gateway("paper", Latch())
    order_id = a_submission().order.client_order_id

    assert waiting.take_back(order_id)
    assert waiting.refusal(a_submission(), TEN) == TAKEN_BACK
    assert sent.refusal(a_submission(), TEN) is None
    assert not sent.take_back(order_id)


def test_an_order_ended_in_the_queue_is_not_sent() -> None:
    """EX-22, EX-06"""
    gateway, submission = Gateway("paper", Latch()), a_submission()
    order_id, ended = submission.order.client_order_id, "it is CANCELLED by now"

    gateway.queue(order_id, None)
    gateway.tell(order_id, ended)
    assert gateway.refusal(submission, TEN) == Withheld(ended)
    gateway.queue(order_id, ended)
    assert gateway.refusal(submission, TEN) == Withheld(ended)
    gateway.queue(order_id, ended)
    gateway.tell(order_id, None)
    assert gateway.refusal(submission, TEN) is None


def test_unqueued_orders_are_not_remembered() -> None:
    """EX-22: a desk that runs for months does not grow"""
    gateway, submission = Gateway("paper", Latch()), a_submission()

    gateway.tell(submission.order.client_order_id, "it is FILLED by now")

    assert gateway.refusal(submission, TEN) is None


def a_submission_of(number: int, lapses_at: datetime) -> SubmitOrder:
    order = replace(a_request(limit="100"), client_order_id=ClientOrderId(f"o-{number}"))
    return SubmitOrder(order, Approval(f"a-{number}", TicketId("t"), None, order.digest("paper"), lapses_at))


def test_departures_are_remembered_for_a_week() -> None:
    """OP-02, EX-22: a desk that runs for months does not grow; nothing lapses before it is forgotten."""
    gateway, sizes = Gateway("paper", Latch()), []
    for day in range(60):
        now = TEN + timedelta(days=day)
        for number in range(day * 10, day * 10 + 5):
            assert gateway.refusal(a_submission_of(number, now + timedelta(seconds=5)), now) is None
            assert gateway.take_back(ClientOrderId(f"waits-{number}"))
        sizes.append((len(gateway.used), len(gateway._let_out), len(gateway._taken_back)))

    assert max(max(each) for each in sizes) <= 9 * 5
    assert not gateway.take_back(ClientOrderId("o-590"))
    assert "was used already" in str(gateway.refusal(a_submission_of(530, now), now))


def test_a_late_approval_is_kept_until_it_lapses() -> None:
    """OP-02"""
    gateway, late = Gateway("paper", Latch()), TEN + timedelta(days=30)
    assert gateway.refusal(a_submission_of(1, late), TEN) is None
    for day in range(1, 31):
        assert "was used already" in str(gateway.refusal(a_submission_of(1, late), TEN + timedelta(days=day)))
