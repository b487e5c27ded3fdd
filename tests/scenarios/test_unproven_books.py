"""One reading of the broker's books proves no shares gone, and what nothing explains takes back no protection."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import PositionCorrected, ReconciliationFailed, ReconciliationPassed
from core.messages.commands import Kill
from core.messages.effects import FetchBooks
from core.messages.inputs import BooksFetched
from core.model.broker import BrokerBooks, OrderReport
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.values import Quantity
from core.runtime.virtual_time import ExchangeAnswers
from core.settings.orders import ReconciliationSettings
from core.settings.settings import Settings
from tests.scenarios.elsewhere import others_order, trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position
from tests.scenarios.requests import CANCEL, requested


class Books:
    """What the broker's books show in place of what is true, for so many answers."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.shares = Decimal(0)
        self.orders: tuple[OrderReport, ...] | None = None
        answer = ExchangeAnswers.answer
        patch.setattr(ExchangeAnswers, "answer", lambda *asked: self._of(answer(*asked)))

    def _of(self, told: object) -> object:
        if not self.left or not isinstance(told, BooksFetched) or not isinstance(told.answer, BrokerBooks):
            return told
        self.left -= 1
        books = told.answer
        there = tuple(replace(p, quantity=Quantity(self.shares)) for p in books.positions if self.shares)
        return replace(told, answer=replace(books, positions=there, orders=books.orders + (self.orders or ())))


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    return Books(monkeypatch)


def a_guarded_house() -> House:
    return a_house_in_a_position(("10:06", "11:00", STEADY)).until("10:07:30")


def is_whole(house: House) -> bool:
    """The position stands, and its stop."""
    (stop,) = house.stops
    held = house.held() == house.held_by_the_broker() == "0.502"
    return held and stop.status is OrderStatus.SUBMITTED and CANCEL not in requested(house)


@pytest.mark.parametrize("shares", ["0", "0.3", "-0.502"])
def test_books_that_are_short_once_change_nothing(books: Books, shares: str) -> None:
    """EX-09: entries are shut meanwhile, and the next reading opens them"""
    house = a_guarded_house()
    books.left, books.shares = 1, Decimal(shares)
    house.until("10:08:05")
    during = house.desk.control.refusal()
    house.until("10:09")

    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert during is not None
    assert house.desk.control.refusal() is None
    assert house.facts(PositionCorrected) == []
    assert is_whole(house)


def test_what_waits_for_a_person_is_read_less_often_while_no_order_can_fill(books: Books) -> None:
    """RK-24: each ten seconds in the session and at first, each minute of the night"""
    until_night = ("10:06", "10:30", STEADY), ("23:00", "23:00", STEADY)
    usual = Settings(reconciliation=ReconciliationSettings())
    house = a_house_in_a_position(*until_night, settings=usual).until("10:07:30")
    books.left, books.shares = 9_999, Decimal("0.3")
    house.until("10:17:30")
    in_session = 9_999 - books.left
    books.left = 0
    house.until("19:55")
    books.left = 9_999
    house.until("21:00")
    before = books.left
    house.until("22:00")

    assert 55 <= in_session <= 60
    assert 59 <= before - books.left <= 61
    assert house.facts(PositionCorrected) == []


def test_a_resting_stop_contradicts_missing_shares(books: Books) -> None:
    """EX-09: however often the books say so, it waits for a person, and nothing is taken back"""
    house = a_guarded_house()
    books.left = 99
    house.until("10:12")
    assert house.facts(PositionCorrected) == []
    assert CANCEL not in requested(house)
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    picture = house.line.ask(FetchBooks())
    assert isinstance(picture, BooksFetched)
    house.accepts(picture.answer)  # type: ignore[arg-type]
    house.until("10:12:30")

    assert house.last(PositionCorrected).quantity == 0
    assert CANCEL in requested(house)


def test_missing_shares_are_believed_at_the_second_reading(books: Books) -> None:
    """EX-09: ten seconds later, where no order of the broker's own contradicts them"""
    house = a_guarded_house()
    house.exchange.cancel(house.line.at, house.stops[0].id)
    house.until("10:07:35")
    books.left = 99
    house.until("10:08:05")
    first = house.facts(PositionCorrected)
    house.until("10:08:20")

    assert first == []
    assert house.last(PositionCorrected).quantity == 0


def test_readings_that_differ_prove_nothing(books: Books) -> None:
    """EX-09: the second one begins anew"""
    house = a_guarded_house()
    house.exchange.cancel(house.line.at, house.stops[0].id)
    house.until("10:07:35")
    books.left = 1
    house.until("10:08:05")
    books.left, books.shares = 1, Decimal("0.3")
    house.until("10:08:15")

    assert house.facts(PositionCorrected) == []


def test_an_order_of_somebody_else_explains_it_at_once(books: Books) -> None:
    """EX-09, EX-13: what protects too much is taken back then"""
    house = a_guarded_house()
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "0.502")
    house.until("10:08:05")

    assert house.last(PositionCorrected).quantity == 0
    assert requested(house)[-1] == CANCEL


def test_an_order_that_was_counted_explains_nothing_more(books: Books) -> None:
    """EX-09: what somebody sold before the last agreement"""
    house = a_guarded_house()
    sold = others_order(Side.SELL, "5")
    books.left, books.shares, books.orders = 1, Decimal("0.502"), (sold,)
    house.until("10:08:05")
    books.left, books.shares = 1, Decimal(0)
    house.until("10:09:05")

    assert house.facts(PositionCorrected) == []
    assert CANCEL not in requested(house)


def test_a_crash_between_two_readings_takes_nothing_back(books: Books) -> None:
    """EX-09, EX-20"""
    house = a_guarded_house()
    books.left = 3
    house.until("10:08:05")
    house = house.restarted().until("10:08:08").restarted().until("10:09")

    assert house.facts(ReconciliationPassed)
    assert is_whole(house)


def test_a_sale_of_before_the_start_explains_nothing(books: Books) -> None:
    """EX-09: somebody sold within the week, and the first books of a run are empty once"""
    house = a_guarded_house()
    books.left, books.shares, books.orders = 1, Decimal("0.502"), (others_order(Side.SELL, "5"),)
    house.until("10:08:05")
    books.left, books.shares = 1, Decimal(0)
    house = house.restarted().until("10:09")

    assert house.facts(PositionCorrected) == []
    assert is_whole(house)


@pytest.mark.parametrize("naked", [False, True])
def test_a_kill_leaves_the_stop_of_unproven_shares(books: Books, naked: bool) -> None:
    """EX-09, OP-07: nothing shows that the shares are gone, so the stop goes with NAKED alone"""
    house = a_guarded_house()
    books.left = 99
    house.until("10:08:30")
    house.presses(Kill("key", naked))
    house.until("10:09")

    assert (CANCEL in requested(house)) is naked
