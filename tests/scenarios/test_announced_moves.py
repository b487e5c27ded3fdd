"""Renames, mergers and removals that were announced: what moves, and what is paid out (EX-25, EX-18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.facts import CorporateActionApplied, NotificationDue, PositionCorrected, ReconciliationFailed, TradeClosed
from core.messages.inputs import CorporateActionsArrived
from core.model.codes import ReadOnlyCode
from core.model.order import Side
from core.model.reference_data import ActionKind, CorporateAction
from core.model.signal import ExitReason
from core.model.values import Price, Symbol
from tests.kit.splits import Fate, becomes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_renames import NEW, RENAMED, a_house, stops
from tests.scenarios.test_splits import FRIDAY, MONDAY, SHOWN_AT, is_signed_for_days
from tests.unit.core.brokers.trading_floor import SPY

RENAME = CorporateAction(SPY, ActionKind.RENAME, FRIDAY, to=NEW)
MERGER = CorporateAction(SPY, ActionKind.MERGER, FRIDAY, None, Decimal(4), Decimal(3), to=NEW)
CASH_TOO = CorporateAction(SPY, ActionKind.MERGER, FRIDAY, Decimal(10), Decimal(2), Decimal(1), to=NEW)
CASH = CorporateAction(SPY, ActionKind.MERGER, FRIDAY, Decimal("104.50"))
REMOVAL = CorporateAction(SPY, ActionKind.REMOVAL, FRIDAY)


def a_house_that_was_off(fate: Fate, new: int, old: int, days: int = 0) -> House:
    """Ten were bought at 100 on Thursday with a stop at 90; it is Friday, or so many days later."""
    house, shown_at = a_house(RENAMED), SHOWN_AT + timedelta(days=days)
    is_signed_for_days(house)
    house.is_off_until(shown_at)
    becomes(house.exchange, shown_at, SPY, NEW, fate, new, old)
    return house.restarted()


def announced(house: House, *actions: CorporateAction) -> House:
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), actions))
    return house


def vanishes(house: House) -> None:
    """The broker lists the shares no more; the stop rests on."""
    house.exchange._ledger._holdings.pop(SPY)


def is_left_to_a_person(house: House) -> bool:
    is_unproven = house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    return is_unproven and not house.facts(CorporateActionApplied) and not house.facts(PositionCorrected)


@pytest.mark.parametrize("fate", [Fate.SURVIVE, Fate.CANCELLED])
@pytest.mark.parametrize("is_announced", [True, False])
def test_an_announced_merger_of_any_ratio_is_followed(fate: Fate, is_announced: bool) -> None:
    """EX-25: three new shares for four; seven and a half are seven, and a half in cash"""
    house = a_house_that_was_off(fate, 3, 4)
    if is_announced:
        announced(house, MERGER)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert is_left_to_a_person(house) is not is_announced
    if is_announced:
        (held,) = house.desk.ledger.positions()
        assert (held.symbol, held.quantity, round(held.average_price, 2)) == (NEW, 7, Decimal("133.33"))
        assert (stops(house, SPY), waiting(house)) == ([], ["7 at 120"])
        assert_can_be_rebuilt(house)


def test_an_announced_rename_needs_no_list() -> None:
    """EX-25: the desk was off for longer than the broker lists orders"""
    house = announced(a_house_that_was_off(Fate.CANCELLED, 1, 1, days=7), RENAME)
    house.until_moment(SHOWN_AT + timedelta(days=7, minutes=3))

    assert [(held.symbol, held.quantity) for held in house.desk.ledger.positions()] == [(NEW, 10)]


@pytest.mark.parametrize("action", [MERGER, CASH_TOO, CASH, replace(RENAME, to=Symbol("OTHER"))])
def test_another_announced_action_is_left_to_a_person(action: CorporateAction) -> None:
    """EX-25: the books show a rename of ten shares to NEW at the same cost, and something else is announced"""
    house = announced(a_house_that_was_off(Fate.SURVIVE, 1, 1), action)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert is_left_to_a_person(house)
    assert stops(house, SPY) == ["10 at 90"]


@pytest.mark.parametrize(("action", "price", "result"), [(CASH, "104.5", "45"), (REMOVAL, "0", "-1000")])
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_shares_that_were_paid_out_are_a_trade(action: CorporateAction, price: str, result: str, is_up: bool) -> None:
    """EX-25, EX-18: at what is paid a share; the stop that rests at the broker is cancelled"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    if is_up:
        house.is_off_until(SHOWN_AT - timedelta(minutes=2))
        house.restarted().until_moment(SHOWN_AT)
        vanishes(house)
    else:
        house.is_off_until(SHOWN_AT)
        vanishes(house)
        house.restarted()
    announced(house, action)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    (trade,) = [fact.trade for fact in house.facts(TradeClosed)]
    assert (trade.exit_price, trade.profit) == (Price(Decimal(price)), Decimal(result))
    assert trade.exit_reason is ExitReason.MANUAL
    assert (house.held(), stops(house, SPY), house.desk.owed_stops.all()) == ("0", [], ())
    assert house.desk.control.state.is_reconciled
    (applied,) = house.facts(CorporateActionApplied)
    assert (applied.cash, applied.quantity_before, applied.quantity_after) == (Decimal(price), 10, 0)
    told = [fact.notice.words for fact in house.facts(NotificationDue)]
    assert [words for words in told if "10 SPY left" in words]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("day", [MONDAY, FRIDAY - timedelta(days=11)])
def test_only_an_announced_day_that_has_come_pays_out(day: date) -> None:
    """EX-25: until then the shares are missing, and no price is known"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    vanishes(house)
    announced(house.restarted(), CorporateAction(SPY, ActionKind.MERGER, day, Decimal(104)))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert house.facts(CorporateActionApplied) == []
    assert house.facts(TradeClosed) == []


def test_shares_that_somebody_sold_are_not_paid_out() -> None:
    """EX-18, EX-25: the broker lists the sale, and its price counts"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    trades_elsewhere(house.exchange, SHOWN_AT, Side.SELL, "10")
    announced(house.restarted(), CASH).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert house.facts(CorporateActionApplied) == []
    assert house.held() == "0"


def test_an_announced_removal_moves_nothing_that_is_there() -> None:
    """EX-25: the broker lists the shares as before"""
    house = announced(a_house(RENAMED), REMOVAL)
    house.until("09:40", FRIDAY)

    assert (house.held(), house.facts(CorporateActionApplied)) == ("10", [])
