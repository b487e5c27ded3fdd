"""Splits whose evidence is late, odd or false: keys and exits wait, and nothing of before is sent (EX-25)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.facts import (
    ActionEvidence,
    CorporateActionApplied,
    OrderRestated,
    ReconciliationFailed,
    StopOwed,
    TicketClosed,
    TradeClosed,
)
from core.messages.commands import OpenTicket, ProposeClose
from core.messages.effects import FetchBooks
from core.model.bar import Bar
from core.model.broker import BrokerBooks
from core.model.codes import ReadOnlyCode
from core.model.order import Side
from core.model.values import Price, Quantity, plain
from tests.kit.splits import Fate, splits
from tests.scenarios import test_unattended_exits as unattended
from tests.scenarios.changes import passes
from tests.scenarios.elsewhere import others_order
from tests.scenarios.house import House, minutes
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_splits import (
    DOUBLED,
    FRIDAY,
    MONDAY,
    REVERSED,
    SHOWN_AT,
    Split,
    a_house,
    a_split_house,
    announced,
    assert_figures,
    is_signed_for_days,
    sleeps_until_it_is_shown,
    stops,
    terms,
    urgent,
)
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at


def shows(house: House, books: Callable[[BrokerBooks], BrokerBooks], until: timedelta) -> None:
    """The broker's books are these until then, from the true ones."""
    true, ends = house.exchange.books, house.line.at + until
    house.exchange.books = lambda now: books(true(now)) if now < ends else true(now)  # type: ignore[method-assign]


def with_positions_of(before: BrokerBooks) -> Callable[[BrokerBooks], BrokerBooks]:
    return lambda books: replace(books, positions=before.positions)


def signed_to_leave(bars: list[Bar]) -> House:
    """A tenth of a share is held at 10:01:20, and its exits at a stop of the desk are signed."""
    often = {"reconciliation": terms().reconciliation}
    house = House(bars, unattended.with_rules().model_copy(update=often), cash=Decimal(5000)).opens().until("10:00:30")
    house.presses(unattended.held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    house.presses(OpenTicket(house.proposal.id, unattended=True))
    passes(house, 1)
    house.confirms()
    return house.until("10:01:20")


@pytest.mark.parametrize("after", [-1, 1, 5, 12])
@pytest.mark.parametrize("fate", [Fate.ADJUSTED, Fate.SURVIVE])
def test_a_close_from_before_sells_no_half(after: int, fate: Fate) -> None:
    """its ticket was opened before; the key is turned as the books first show it, between two readings, and after"""
    house = a_house(Split(1, 1))
    is_signed_for_days(house)
    house.is_off_until(at("09:31", FRIDAY))
    house.restarted().until("09:33:50", FRIDAY)
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    (close,) = house.desk.stage.proposals()
    house.presses(OpenTicket(close.id))
    house.until("09:33:58", FRIDAY)
    splits(house.exchange, house.line.at, SPY, 2, 1, fate)
    house.until_moment(at("09:34", FRIDAY) + timedelta(seconds=after))
    if house.desk.stage.state.tickets:
        house.confirms()
    house.until("09:40", FRIDAY)

    if after > 0:
        assert house.facts(TicketClosed)
        assert_figures(house, DOUBLED)
        assert (stops(house), waiting(house)) == (["20 at 45"], []) if fate is Fate.ADJUSTED else ([], ["20 at 45"])
    else:  # it left before anybody could know: what is left is told
        assert house.held_by_the_broker() == "10"


def test_a_signed_exit_waits_for_a_key_while_a_split_is_not_proven() -> None:
    """the books show 2 for 1 and 10 for 1 is announced; the next bar closes below its stop"""
    bars = [*minutes("09:55", "10:02", unattended.FLAT), *minutes("10:03", "10:20", "49.80")]
    house = signed_to_leave(bars)
    announced(house, 10, 1, THURSDAY)
    house.until("10:02:30")
    splits(house.exchange, house.line.at, SPY, 2, 1, Fate.SURVIVE)
    house.until("10:08")

    assert house.facts(TradeClosed) == []
    assert house.held() == "0.1"
    assert [proposal.is_exit for proposal in house.desk.stage.proposals()] == [True]


def test_a_signed_exit_beside_an_announced_split_needs_no_key() -> None:
    """the shares were bought on its day, at the price of today"""
    house = signed_to_leave([*minutes("09:55", "10:01", unattended.FLAT), *minutes("10:02", "10:20", "96.00")])
    announced(house, 2, 1, THURSDAY)
    house.until("10:08")

    assert house.held() == house.held_by_the_broker() == "0"


@pytest.mark.parametrize(("target", "seconds"), [(None, 50), ("120", 50), (None, 150)])
def test_orders_that_follow_before_the_positions(target: str | None, seconds: int) -> None:
    """EX-13: the broker made them 20 at 45; not cut for a minute; what a cut left bare waits at 45"""
    house = a_house(DOUBLED, target=target)
    if target is None:
        is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    shows(house, with_positions_of(house.exchange.books(SHOWN_AT)), timedelta(seconds=seconds))
    splits(house.exchange, SHOWN_AT, SPY, 2, 1, Fate.ADJUSTED)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_figures(house, DOUBLED)
    assert (stops(house), waiting(house)) == ((["20 at 45"], []) if seconds < 60 else (["10 at 45"], ["10 at 45"]))
    assert len(house.exchange._book.working[SPY]) == (1 if target is None else 2)


def test_a_stop_that_was_moved_before_is_known_as_adjusted() -> None:
    """90 was made 92 at the broker on the day before, and 46 by the split"""
    house = a_house(DOUBLED)
    is_signed_for_days(house)
    (booked,) = house.exchange._book.working[SPY]
    booked.request = replace(booked.request, stop_price=Price(Decimal(92)))
    house.exchange._book._has_changed(booked)
    passes(house, 75)
    restated = len(house.facts(OrderRestated))
    sleeps_until_it_is_shown(house, DOUBLED, Fate.ADJUSTED)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert restated == 1
    assert (stops(house), waiting(house)) == (["20 at 46"], [])
    assert_figures(house, DOUBLED)


def test_a_second_split_does_not_find_the_first_ones_adjustment() -> None:
    """90 was made 45 on Friday; on Monday the broker lets 45 stand, and 25 is the price"""
    house, _ = a_split_house(DOUBLED, Fate.ADJUSTED)
    house.until("09:44", FRIDAY)
    house.is_off_until(at("09:18", MONDAY))
    house.restarted().until("09:20", MONDAY)
    splits(house.exchange, house.line.at, SPY, 2, 1, Fate.SURVIVE)
    house.until("09:25", MONDAY)

    assert [fact.ratio for fact in house.facts(CorporateActionApplied)] == [2, 2]
    assert (house.held(), stops(house), waiting(house)) == ("40", [], ["40 at 22.5"])


def test_an_older_list_does_not_undo_a_split() -> None:
    """for two minutes the positions are those of before it: read-only, and the good stop stays"""
    house, _ = a_split_house(DOUBLED, Fate.ADJUSTED)
    (theirs,) = house.exchange.books(SHOWN_AT).positions
    old = replace(theirs, quantity=Quantity(Decimal(10)), average_price=Price(Decimal(100)))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    shows(house, lambda books: replace(books, positions=(old,)), timedelta(minutes=2))
    passes(house, 110)
    during = (house.held(), stops(house), house.desk.control.state.is_reconciled)
    passes(house, 90)

    assert during == ("20", ["20 at 45"], False)
    assert len(house.facts(CorporateActionApplied)) == 1
    assert_figures(house, DOUBLED)


def test_trades_elsewhere_are_no_split() -> None:
    """ten sold at 200 and five bought at 200 by listed orders look like 1 for 2 to who counts shares and averages"""
    house = a_house(Split(1, 2))
    is_signed_for_days(house)
    house.is_off_until(at("09:38", FRIDAY))
    house.restarted().until("09:40:30", FRIDAY)
    orders = []
    for side, shares in ((Side.SELL, "10"), (Side.BUY, "5")):
        house.exchange._ledger.execute(SPY, side, Quantity(Decimal(shares)), Price(Decimal(200)), house.line.at)
        order = others_order(side, shares, SPY, f"elsewhere-{side.value}")
        orders.append(replace(order, average_price=Price(Decimal(200))))
    shows(house, lambda books: replace(books, orders=(*books.orders, *orders)), timedelta(hours=1))
    house.until("09:44", FRIDAY)

    assert house.facts(CorporateActionApplied) == []
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.APART


@pytest.mark.parametrize("split", [Split(7, 5), Split(5, 2)], ids=lambda each: f"{each.new} for {each.old}")
@pytest.mark.parametrize("is_announced", [True, False])
def test_unusual_ratios_are_splits_too(split: Split, is_announced: bool) -> None:
    house, _ = a_split_house(split)
    if is_announced:
        announced(house, split.new, split.old)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert_figures(house, split)
    assert waiting(house) == [f"{plain(split.shares)} at {plain(split.stop)}"]


def test_an_announced_ratio_is_believed_beside_another_average() -> None:
    """the broker's average is 103 for a wash sale, ours 100; two for one is announced"""
    house = a_house(DOUBLED)
    is_signed_for_days(house)
    announced(house, 2, 1)
    sleeps_until_it_is_shown(house, DOUBLED, Fate.SURVIVE)
    announced(house, 2, 1)
    house.exchange._ledger._holdings[SPY].cost = Decimal(1030)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert (house.held(), stops(house), waiting(house)) == ("20", [], ["20 at 45"])


def test_two_announced_splits_within_days_contradict_nothing() -> None:
    """two for one on Friday, three for one on Monday"""
    house, _ = a_split_house(DOUBLED, Fate.CANCELLED)
    announced(house, 2, 1)
    house.until("09:44", FRIDAY)
    house.is_off_until(at("09:18", MONDAY))
    house.restarted().until("09:20", MONDAY)
    announced(house, 3, 1, MONDAY)
    splits(house.exchange, house.line.at, SPY, 3, 1, Fate.SURVIVE)
    house.until("09:25", MONDAY)

    assert [fact.ratio for fact in house.facts(CorporateActionApplied)] == [2, 3]
    assert (house.held(), waiting(house)) == ("60", ["60 at 15"])


def test_a_lost_stop_is_told_though_the_books_stay_away() -> None:
    """EX-22: the broker cancelled it, and answers no more after the first reading"""
    house, _ = a_split_house(DOUBLED, Fate.CANCELLED)
    passes(house, 65)
    house.line.breaks_at(FetchBooks, arrives=False)
    passes(house, 120)

    assert house.facts(StopOwed)
    assert urgent(house)


def test_an_owner_whose_shares_were_all_paid_in_cash_holds_none() -> None:
    """seven and three at 1 for 10: the broker has one"""
    house = a_house(REVERSED)
    is_signed_for_days(house)
    (held,) = house.desk.ledger.positions()
    seven, three = (Quantity(Decimal(n)) for n in (7, 3))
    whose = house.desk.ledger.state.positions
    whose["SPY/manual"] = replace(held, quantity=seven, cost=held.cost * 7 / 10, entered=seven)
    whose["SPY/vwap"] = replace(held, strategy="vwap", quantity=three, cost=held.cost * 3 / 10, entered=three)
    house.until_moment(at("16:04"))
    splits(house.exchange, house.line.at, SPY, 1, 10, Fate.CANCELLED)
    passes(house, 120)
    (applied,) = house.facts(CorporateActionApplied)

    assert applied.evidence is ActionEvidence.BOOKS
    assert {p.strategy: p.quantity for p in house.desk.ledger.positions()} == {"manual": 1}
    assert house.desk.control.state.is_reconciled


@pytest.mark.parametrize("day", [THURSDAY, FRIDAY, MONDAY])
def test_shares_bought_elsewhere_beside_an_announced_split_are_none(day: date) -> None:
    """two for one is announced for that day; ten more at 100 were bought by an order that nobody lists"""
    house = a_house(Split(1, 1))
    is_signed_for_days(house)
    announced(house, 2, 1, day)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    announced(house, 2, 1, day)
    house.exchange._ledger.execute(SPY, Side.BUY, Quantity(Decimal(10)), Price(Decimal(100)), house.line.at)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert house.facts(CorporateActionApplied) == []
    assert (house.held(), stops(house)) == ("10", ["10 at 90"])
