"""The broker's list of positions is some seconds old: what it shows is from before our own fill (EX-09)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import PositionCorrected, ReconciliationFailed
from core.messages.commands import ProposeClose
from core.messages.effects import Effect as Request
from core.messages.inputs import BooksFetched, Input
from core.model.broker import BrokerBooks, BrokerPosition
from core.model.codes import ReadOnlyCode
from core.model.order import Side
from core.model.values import Quantity
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position, assert_can_be_rebuilt
from tests.unit.core.brokers.trading_floor import SPY

ALL = Decimal("0.502")


@contextmanager
def lagging(house: House, shown: tuple[BrokerPosition, ...] | None = None) -> Iterator[None]:
    """Meanwhile the list of positions stays as it is now, or as shown; orders and account go on."""
    books = house.line.ask

    def listed() -> tuple[BrokerPosition, ...]:
        return house.exchange.books(house.line.at).positions

    old = listed() if shown is None else shown

    def ask(effect: Request) -> Input:
        told = books(effect)
        is_books = isinstance(told, BooksFetched) and isinstance(told.answer, BrokerBooks)
        return replace(told, answer=replace(told.answer, positions=old)) if is_books else told  # type: ignore[type-var]

    house.line.ask = ask  # type: ignore[method-assign]
    yield
    house.line.ask = books  # type: ignore[method-assign]


def a_house_before_its_sale() -> House:
    """It is 10:07:55: the books are compared at 10:08:01 again."""
    return a_house_in_a_position(("10:06", "11:00", STEADY)).until("10:07:55")


def sells(house: House, shares: Decimal = ALL) -> None:
    house.presses(ProposeClose(SPY, quantity=Quantity(shares)))
    confirms_now(house)
    passes(house, 2)


@pytest.mark.parametrize("shares", [ALL, Decimal("0.3")])
def test_a_list_from_before_our_sale_makes_no_shares(shares: Decimal) -> None:
    """EX-09: it lags by half a minute, and is read four times meanwhile"""
    house = a_house_before_its_sale()
    with lagging(house):
        sells(house, shares)
        house.until("10:08:30")
    failed = house.last(ReconciliationFailed).code
    house.until("10:09:30")

    assert failed is ReadOnlyCode.UNPROVEN
    assert house.facts(PositionCorrected) == []
    assert house.held() == house.held_by_the_broker()
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


def test_the_stop_of_what_is_left_waits_for_no_list() -> None:
    """EX-09, EX-22: shares beyond ours keep nothing back that protects ours"""
    house = a_house_before_its_sale()
    with lagging(house):
        sells(house, Decimal("0.3"))
        house.until("10:08:05")
        covered = [stop.request.quantity for stop in house.stops if stop.is_working]

    assert covered == [Decimal("0.202")]


def test_shares_that_stay_are_believed_a_minute_later() -> None:
    """EX-09: the list says so until the sale is a minute old"""
    house = a_house_before_its_sale()
    with lagging(house):
        sells(house)
        house.until("10:08:50")
        before = house.facts(PositionCorrected)
        house.until("10:09:20")

    assert before == []
    assert house.last(PositionCorrected).quantity == ALL


def test_what_others_bought_after_our_sale_is_believed_at_once() -> None:
    """EX-09: their order explains it"""
    house = a_house_before_its_sale()
    sells(house)
    trades_elsewhere(house.exchange, house.line.at, Side.BUY, "0.1")
    house.until("10:08:10")

    assert house.last(PositionCorrected).quantity == Decimal("0.1")


def test_a_crash_after_the_sale_makes_no_shares() -> None:
    """EX-09, EX-20: the next run reads the old list first"""
    house = a_house_before_its_sale()
    with lagging(house):
        sells(house)
    house = house.restarted()
    house.exchange._ledger.execute(SPY, Side.BUY, Quantity(ALL), house.entry.average_price, house.line.at)  # type: ignore[arg-type]
    house.until("10:08:20")
    failed = house.last(ReconciliationFailed).code

    assert failed is ReadOnlyCode.UNPROVEN
    assert house.facts(PositionCorrected) == []
