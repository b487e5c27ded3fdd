"""An entry and its stop were reported cancelled, and the fill comes after: the stop that was signed is sent (EX-22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from core.messages.commands import RequestCancel
from core.model.order import OrderStatus, TimeInForce
from core.model.values import Price
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import RARELY, House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.late_fills import fills_late
from tests.unit.core.brokers.trading_floor import a_bar

TEN = "10"
DOWN = "100.05 100.05 99.95 100"
"""Touches a limit at 100."""


def a_bracket(*, filled: bool = False, until: str = "10:10") -> House:
    """Ten are typed at 100 with stop and target; five of them fill at 10:07, or none."""
    at_7 = [a_bar("10:07", DOWN, volume=50)] if filled else minutes("10:07", "10:07", "101")
    bars = [*minutes("09:30", "10:06", "101"), *at_7, *minutes("10:08", "11:00", "101")]
    house = House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    typed = replace(a_typed_buy(TEN, limit="100", stop="99"), target_price=Price(Decimal(103)))
    house.presses(replace(typed, time_in_force=TimeInForce.DAY))
    confirms_now(house)
    house.until("10:09")
    house.presses(RequestCancel(house.entry.id))
    house.until(until)
    assert house.entry.status is OrderStatus.CANCELLED
    return house


def in_the_stream(house: House, shares: str) -> None:
    fills_late(house.exchange, house.line.at, house.entry.id, shares)


def while_the_desk_is_down(house: House, shares: str) -> None:
    """The machine dies, the fill is told to nobody, and the next run finds it."""
    fills_late(house.exchange, house.line.at, house.entry.id, shares)
    house.exchange.take_updates()
    house.restarted()


WAYS = pytest.mark.parametrize("comes", [in_the_stream, while_the_desk_is_down])


def stops(house: House) -> list[str]:
    """What works at the exchange: `10 at 99`."""
    working = [o for o in house.stops if o.status is OrderStatus.SUBMITTED and o.role is None]
    return [f"{o.remaining} at {o.request.stop_price}" for o in working]


@WAYS
def test_a_fill_after_the_bracket_ended_has_its_stop(comes: Callable[[House, str], None]) -> None:
    """EX-22, EX-13, EX-20"""
    house = a_bracket()

    comes(house, TEN)
    passes(house, 30)

    assert (house.held(), house.held_by_the_broker()) == (TEN, TEN)
    assert stops(house) == ["10 at 99"]
    assert house.desk.stage.proposals() == ()
    assert_can_be_rebuilt(house)


@WAYS
def test_the_late_half_of_a_bracket_has_its_stop(comes: Callable[[House, str], None]) -> None:
    """EX-22, EX-13, EX-20: five filled and covered, then the other five"""
    house = a_bracket(filled=True)
    before = stops(house)

    comes(house, "5")
    passes(house, 30)

    assert (before, house.held()) == (["5 at 99"], TEN)
    assert stops(house) == ["5 at 99", "5 at 99"]
    assert house.desk.stage.proposals() == ()


def test_a_crash_behind_a_late_fill_sends_one_stop() -> None:
    """EX-20, EX-22: wherever the journal ends"""
    house = a_bracket()
    begins = house.journal.sequence
    in_the_stream(house, TEN)
    passes(house, 2)
    ends = house.journal.sequence

    for last in range(begins + 1, ends):
        house = a_bracket()
        in_the_stream(house, TEN)
        while house.journal.sequence <= last:
            passes(house, 0.05)
        house.loses_the_journal_after(list(house.journal.records())[last - 1].sequence)
        house.restarted()
        passes(house, 150)

        assert (house.held(), stops(house)) == (TEN, ["10 at 99"]), last
