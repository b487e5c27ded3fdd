"""A warning that comes with the broker's answer: shown, and never accepted by itself (OP-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from core.facts import BrokerWarned, WarningConfirmed
from core.messages.commands import ConfirmWarning
from core.messages.effects import Effect, SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Accepted
from core.model.order import OrderStatus
from core.views import WARNED
from core.workflows.orders.cancellation import NOT_CONFIRMED
from tests.scenarios.house import House, a_house_with_a_proposal
from tests.scenarios.requests import CANCEL, buy, requested

WORDS = ("it may be reviewed before the market opens",)
AWAY = ("10:06", "10:30", "100 100 99.90 100")
"""The price leaves the limit, so that the entry works and does not fill."""


def warns_of(house: House, which: Callable[[SubmitOrder], bool]) -> None:
    """The broker takes such an order, and says something with it."""
    answer = house.line.ask

    def with_a_warning(effect: Effect) -> Input:
        reply = answer(effect)
        if isinstance(effect, SubmitOrder) and which(effect) and isinstance(reply, SubmissionAnswered):
            assert isinstance(reply.answer, Accepted)
            return replace(reply, answer=replace(reply.answer, warnings=WORDS))
        return reply

    house.line.ask = with_a_warning  # type: ignore[method-assign]


def a_house_whose_entry_was_warned_of() -> House:
    house = a_house_with_a_proposal(AWAY)
    warns_of(house, lambda effect: not effect.order.effect.only_reduces)
    house.confirms_at("10:06:02")
    return house.until("10:06:03")


def marks(house: House) -> tuple[str, ...]:
    return house.line.view().orders[0].marks


def test_a_warning_is_recorded_in_the_brokers_words() -> None:
    """OP-11"""
    house = a_house_whose_entry_was_warned_of()

    row = house.line.view().orders[0]
    assert (row.marks, row.warnings) == ((WARNED,), WORDS)
    assert house.last(BrokerWarned).warnings == WORDS
    assert any(WORDS[0] in line.text for line in house.line.view().log)


def test_an_entry_with_an_unread_warning_is_cancelled() -> None:
    """OP-11: never accepted automatically."""
    house = a_house_whose_entry_was_warned_of()

    house.until("10:06:32")
    before = house.entry.status
    house.until("10:06:35")

    assert (before, house.entry.status) == (OrderStatus.SUBMITTED, OrderStatus.CANCELLED)
    assert house.entry.reason == NOT_CONFIRMED
    assert requested(house) == [buy("limit", "0.502"), CANCEL]


def test_an_entry_with_a_confirmed_warning_stands() -> None:
    """OP-11: its own confirmation."""
    house = a_house_whose_entry_was_warned_of()

    house.presses(ConfirmWarning(house.entry.id, WORDS))
    house.until("10:06:50")

    assert house.entry.status is OrderStatus.SUBMITTED
    assert marks(house) == ()
    assert len(house.facts(WarningConfirmed)) == 1


def test_an_unshown_warning_is_not_confirmed() -> None:
    """OP-11, OP-04"""
    house = a_house_whose_entry_was_warned_of()

    house.presses(ConfirmWarning(house.entry.id, ("something milder",)))
    house.until("10:06:50")

    assert house.facts(WarningConfirmed) == []
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_cancelled_entry_has_no_warning_to_confirm() -> None:
    """OP-11: the key came after the cancel."""
    house = a_house_whose_entry_was_warned_of()
    house.until("10:06:35")

    house.presses(ConfirmWarning(house.entry.id, WORDS))

    assert house.facts(WarningConfirmed) == []
    assert marks(house) == ()


def test_a_warning_of_a_filled_order_still_waits() -> None:
    """OP-11: there is nothing to take back, and it was not read yet."""
    house = a_house_with_a_proposal()
    warns_of(house, lambda effect: not effect.order.effect.only_reduces)
    house.confirms_at("10:06:02")
    house.until("10:06:40")
    (entry,) = (row for row in house.line.view().orders if not row.is_protective)
    before = (entry.status, entry.marks, entry.taken_back_at)

    house.presses(ConfirmWarning(house.entry.id, WORDS))

    assert before == (OrderStatus.FILLED, (WARNED,), None)
    assert len(house.facts(WarningConfirmed)) == 1


def test_a_stop_with_a_warning_stands() -> None:
    """OP-11, OP-06: taken back it would leave the shares bare."""
    house = a_house_with_a_proposal()
    warns_of(house, lambda effect: effect.order.effect.only_reduces)
    house.confirms_at("10:06:02")

    house.until("10:09:00")

    (stop,) = house.stops
    assert stop.status is OrderStatus.SUBMITTED
    assert marks(house) == (WARNED,)


def test_a_warning_survives_a_restart() -> None:
    """OP-11, SP-05"""
    house = a_house_whose_entry_was_warned_of()
    warned_at = house.entry.warned_at
    assert warned_at is not None

    house.restarted().until_moment(warned_at + timedelta(seconds=32))

    assert house.entry.status is OrderStatus.CANCELLED
