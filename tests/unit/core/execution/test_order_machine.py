"""Which status may follow which, and who may say so."""

from __future__ import annotations

from itertools import product

import pytest

from core.execution.order_status import (
    BROKER_STATUSES,
    ONLY_THE_BROKER,
    TRANSITIONS,
    BrokerConfirmationRequiredError,
    InvalidTransitionError,
    OrderError,
    TerminalStateError,
    check,
)
from core.facts import Source
from core.model.order import OrderStatus
from core.model.values import BrokerOrderId, ClientOrderId
from tests.kit.rows import table

OURS = ClientOrderId("0123456789abcdef")
THEIRS = BrokerOrderId("sim-000001")

VALID = {
    ("PENDING", "SUBMITTED"), ("PENDING", "REJECTED"), ("PENDING", "CANCELLED"), ("SUBMITTED", "PARTIALLY_FILLED"),
    ("SUBMITTED", "FILLED"), ("SUBMITTED", "CANCELLED"), ("SUBMITTED", "REJECTED"), ("SUBMITTED", "EXPIRED"),
    ("PARTIALLY_FILLED", "PARTIALLY_FILLED"), ("PARTIALLY_FILLED", "FILLED"), ("PARTIALLY_FILLED", "CANCELLED"),
    ("PARTIALLY_FILLED", "EXPIRED"),
}  # fmt: skip
"""The requirement's own words, written down a second time on purpose."""
TERMINAL = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}
PAIRS = list(product(OrderStatus, OrderStatus))


@table("before after", *PAIRS)
def test_the_broker_causes_only_valid_transitions(before: OrderStatus, after: OrderStatus) -> None:
    """EX-01, EX-02"""
    if (before.value, after.value) in VALID:
        check(OURS, before, after, THEIRS, Source.STREAM)
        return
    expected = TerminalStateError if before.value in TERMINAL else InvalidTransitionError

    with pytest.raises(expected, match=f"order {OURS}: {before.value} → {after.value}"):
        check(OURS, before, after, THEIRS, Source.STREAM)


@table("before after", *PAIRS)
def test_our_own_act_may_only_cancel_or_reject(before: OrderStatus, after: OrderStatus) -> None:
    """EX-02"""
    if (before.value, after.value) in VALID and after.value in {"CANCELLED", "REJECTED"}:
        check(OURS, before, after, None, Source.DESK)
        return

    with pytest.raises(OrderError):
        check(OURS, before, after, THEIRS, Source.DESK)


@table("after", *sorted(ONLY_THE_BROKER, key=lambda s: s.value))
def test_without_a_broker_id_nothing_is_confirmed(after: OrderStatus) -> None:
    """EX-02"""
    before = OrderStatus.PENDING if after is OrderStatus.SUBMITTED else OrderStatus.SUBMITTED

    with pytest.raises(BrokerConfirmationRequiredError, match="needs the broker's word and order id"):
        check(OURS, before, after, None, Source.ANSWER)


def test_each_status_is_registered_and_ends_are_final() -> None:
    """EX-01"""
    assert set(TRANSITIONS) == set(OrderStatus)
    assert {s.value for s, following in TRANSITIONS.items() if not following} == TERMINAL
    assert {s.value for s in OrderStatus if s.is_terminal} == TERMINAL
    assert all(s.is_working is not s.is_terminal for s in OrderStatus)


@table(
    "word status",
    ("new", "SUBMITTED"),
    ("accepted", "SUBMITTED"),
    ("held", "SUBMITTED"),
    ("pending_cancel", "SUBMITTED"),
    ("partially_filled", "PARTIALLY_FILLED"),
    ("filled", "FILLED"),
    ("canceled", "CANCELLED"),
    ("replaced", "CANCELLED"),
    ("rejected", "REJECTED"),
    ("expired", "EXPIRED"),
)
def test_a_brokers_word_means_one_status(word: str, status: str) -> None:
    """EX-01"""
    assert BROKER_STATUSES[word].value == status


def test_an_unknown_broker_word_means_nothing() -> None:
    """EX-01"""
    assert OrderStatus.PENDING not in BROKER_STATUSES.values()
    assert BROKER_STATUSES.get("halted_by_goblins") is None
