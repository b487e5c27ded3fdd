"""Renames, mergers and removals that were announced: what moves, and what is paid out (EX-25, EX-18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.analytics.equity import equity_days
from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import (
    ActivitiesCompared,
    CorporateActionApplied,
    NotificationDue,
    PositionCorrected,
    ReconciliationFailed,
    TradeClosed,
)
from core.messages.desk_commands import CompareActivities
from core.messages.effects import FetchBooks
from core.messages.inputs import CorporateActionsArrived
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.reference_data import ActionKind, CorporateAction
from core.model.signal import ExitReason
from core.model.values import Money, Price, Quantity, Symbol
from tests.kit.splits import Fate, becomes
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.test_lagging_positions import lagging
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_reconciliation import compares, holding
from tests.scenarios.test_renames import NEW, RENAMED, a_house, stops
from tests.scenarios.test_shared_symbol import a_house_of_two
from tests.scenarios.test_splits import FRIDAY, MONDAY, SHOWN_AT, Split, is_signed_for_days, terms
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

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


@pytest.mark.parametrize(("action", "new", "old"), [(RENAME, 1, 1), (MERGER, 3, 4)])
def test_shares_that_are_gone_before_their_new_symbol_is_listed_are_waited_for(
    action: CorporateAction, new: int, old: int
) -> None:
    """EX-25, EX-09: between the two no position is corrected away, and its stop's terms are kept"""
    house = announced(a_house_that_was_off(Fate.CANCELLED, new, old), action)
    came = house.exchange._ledger._holdings.pop(NEW)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert is_left_to_a_person(house)
    assert house.held() == "10"

    house.exchange._ledger._holdings[NEW] = came
    house.until_moment(SHOWN_AT + timedelta(minutes=6))

    (held,) = house.desk.ledger.positions()
    assert (held.symbol, held.strategy, held.quantity) == (NEW, "manual", came.quantity)
    assert waiting(house) == ["10 at 90" if new == old else "7 at 120"]
    assert house.desk.control.state.is_reconciled


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
    assert [words for words in told if "no order explains it" in words] == []
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


def test_new_shares_that_are_listed_later_keep_owner_and_stop() -> None:
    """EX-25: the old ones are gone for five minutes, and no order of before rests at the broker"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    announced(house.restarted(), RENAME).until_moment(SHOWN_AT)
    vanishes(house)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))
    assert is_left_to_a_person(house)
    assert [owed.symbol for owed in house.desk.owed_stops.all()] == [SPY]
    house.exchange._ledger._receive(house.line.at, NEW, Decimal(10), Decimal(100))
    house.until_moment(SHOWN_AT + timedelta(minutes=7))

    assert [(held.symbol, held.strategy) for held in house.desk.ledger.positions()] == [(NEW, "manual")]
    assert (house.desk.control.state.is_reconciled, waiting(house)) == (True, ["10 at 90"])
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(
    "actions",
    [(CASH, MERGER), (REMOVAL, RENAME), (CASH, replace(CASH, cash=Decimal(98)))],
    ids=["cash or shares", "removed or renamed", "two prices"],
)
def test_shares_that_left_for_one_of_two_announced_actions_are_left_to_a_person(
    actions: tuple[CorporateAction, ...],
) -> None:
    """EX-25: nobody knows which"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    vanishes(house)
    announced(house.restarted(), *actions).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert is_left_to_a_person(house)
    assert house.held() == "10"


def test_other_shares_that_came_instead_of_the_cash_are_left_to_a_person() -> None:
    """EX-25: cash is announced, and three of another symbol came for ten, at another cost"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.CANCELLED, 3, 10)
    house.exchange._ledger._holdings[NEW].cost = Decimal(700)
    announced(house.restarted(), CASH).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert is_left_to_a_person(house)
    assert (house.held(), house.facts(TradeClosed)) == ("10", [])


def test_a_reverse_split_that_changes_the_symbol_too_is_followed() -> None:
    """EX-25: both are announced; one new share for ten at ten times the price"""
    house = a_house(Split(1, 10))
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.SURVIVE, 1, 10)
    reverse = CorporateAction(SPY, ActionKind.REVERSE_SPLIT, FRIDAY, None, Decimal(10), Decimal(1))
    announced(house.restarted(), RENAME, reverse).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert [(held.symbol, held.quantity, held.cost) for held in house.desk.ledger.positions()] == [(NEW, 1, 1000)]
    assert (stops(house, SPY), waiting(house)) == ([], ["1 at 900"])
    assert_can_be_rebuilt(house)


def test_the_same_action_announced_twice_is_one() -> None:
    """EX-25"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    vanishes(house)
    announced(house.restarted(), CASH, CASH).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert [fact.trade.profit for fact in house.facts(TradeClosed)] == [45]


def test_a_list_from_before_a_purchase_pays_nothing_out() -> None:
    """EX-25, EX-09: bought on the announced day, and the list of positions lacks it for forty seconds"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "100", day=FRIDAY)]
    house = House(bars, terms(), cash=Decimal(5000)).opens().until("16:02")
    house.is_off_until(at("09:29", FRIDAY))
    announced(house.restarted(), CASH).until("09:32:50", FRIDAY)
    with lagging(house):
        house.presses(a_typed_buy("10", limit=None, stop="90"))
        confirms_now(house)
        house.until("09:33:30", FRIDAY)
    house.until("09:40", FRIDAY)

    assert house.facts(CorporateActionApplied) == []
    assert (house.held(), stops(house, SPY)) == ("10", ["10 at 90"])
    assert house.desk.control.state.is_reconciled


@pytest.mark.parametrize("lag", [15, 45])
def test_a_list_that_lacks_shares_for_less_than_a_minute_pays_nothing_out(lag: int) -> None:
    """EX-25: held since yesterday, and their stop rests at the broker all the time"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    announced(house.restarted(), CASH).until_moment(SHOWN_AT)
    with lagging(house, ()):
        house.until_moment(SHOWN_AT + timedelta(seconds=lag))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert house.facts(CorporateActionApplied) == []
    assert (house.held(), stops(house, SPY)) == ("10", ["10 at 90"])
    assert house.desk.control.state.is_reconciled


@pytest.mark.parametrize("gone", [None, Quantity(Decimal(-10))], ids=["cash alone", "shares and cash"])
def test_the_activity_of_a_payout_is_its_cash(gone: Quantity | None) -> None:
    """EX-25, AN-06: it counts once, no execution is missing at the broker, and the day adds up to the cent"""
    house = a_house(RENAMED)
    house.presses(CompareActivities())
    passes(house, 30)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    announced(house.restarted(), CASH).until_moment(SHOWN_AT)
    vanishes(house)
    ledger, cash = house.exchange._ledger, Money(Decimal(1045))
    ledger.cash += cash
    told = Activity(ActivityId(""), FRIDAY, ActivityKind.OTHER, cash, SPY, gone, words="merger")
    ledger._activities._tell(told)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    house.presses(CompareActivities())
    passes(house, 30)
    house.until("16:30", FRIDAY)
    *_, friday = equity_days(((record.at, record.fact) for record in house.journal.records()), house.calendar)

    assert [fact.trade.profit for fact in house.facts(TradeClosed)] == [45]
    assert [fact.differences for fact in house.facts(ActivitiesCompared) if fact.differences] == []
    assert friday.change.rest == 0
    assert [part.name for part in friday.change.parts if "SPY" in part.name and not part.amount] == [
        "paid out SPY 10 to 0"
    ]
    assert_can_be_rebuilt(house)


def test_nothing_buys_what_was_paid_out() -> None:
    """EX-25: an entry that works and a ticket that is open end with the shares, as the notice says"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "100", day=FRIDAY)]
    house = House(bars, terms(), cash=Decimal(5000)).opens().until("16:02")
    house.is_off_until(at("09:29", FRIDAY))
    house.restarted().until("09:31", FRIDAY)
    house.presses(a_typed_buy("10", limit=None, stop="90"))
    confirms_now(house)
    passes(house, 2)
    house.presses(a_typed_buy("0.5", limit="80", stop="70"))
    confirms_now(house)
    passes(house, 2)
    house.presses(a_typed_buy("1", limit="85", stop="70"))
    house.opens_ticket()
    house.until("09:34", FRIDAY)
    buying = [order for order in house.desk.ledger.working() if not order.only_reduces]
    announced(house, CASH)
    vanishes(house)
    house.until("09:37", FRIDAY)

    assert [order.status for order in buying] == [OrderStatus.CANCELLED]
    assert house.exchange._book.working.get(SPY, []) == []
    assert house.desk.stage.proposals() == ()
    assert house.desk.stage.state.tickets == {}
    assert_can_be_rebuilt(house)


def test_shares_that_nobody_here_bought_hide_no_result_of_the_others() -> None:
    """EX-25, EX-18: all of a symbol is paid out; two owners have a trade, and what has no owner leaves with them"""
    house = a_house_of_two()
    compares(house, holding(SPY, "0.930"))
    owners = {held.strategy for held in house.desk.ledger.positions()}
    house.until("10:10")
    announced(house, replace(CASH, ex_date=THURSDAY))
    vanishes(house)
    for _ in range(2):
        house.line.take(house.line.at, house.line.ask(FetchBooks()))
        passes(house, 62)

    assert owners == {"vwap", "manual", UNKNOWN_OWNER}
    assert [(fact.trade.strategy, fact.trade.exit_price) for fact in house.facts(TradeClosed)] == [
        ("vwap", Decimal("104.50")),
        ("manual", Decimal("104.50")),
    ]
    assert (house.held(), house.desk.control.state.is_reconciled) == ("0", True)
    assert_can_be_rebuilt(house)


def test_shares_that_somebody_sold_are_not_paid_out() -> None:
    """EX-18, EX-25: the broker lists the sale, and its price counts"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    trades_elsewhere(house.exchange, SHOWN_AT, Side.SELL, "10")
    announced(house.restarted(), CASH).until_moment(SHOWN_AT + timedelta(minutes=3))

    assert house.facts(CorporateActionApplied) == []
    assert house.held() == "0"


def test_a_sale_that_was_counted_hides_no_payout() -> None:
    """EX-18, EX-25: four of ten were sold elsewhere minutes before, and six are paid out"""
    house = a_house(RENAMED)
    house.is_off_until(at("09:31", FRIDAY))
    house.restarted().until("09:33", FRIDAY)
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "4")
    house.until("09:33:30", FRIDAY)
    house.accepts(house.exchange.books(house.line.at))
    house.until("09:35:30", FRIDAY)
    left = house.held()
    announced(house, CASH)
    vanishes(house)
    house.until("09:40", FRIDAY)

    assert (left, house.held(), house.desk.control.state.is_reconciled) == ("6", "0", True)
    assert [(fact.trade.exit_price, fact.trade.profit) for fact in house.facts(TradeClosed)] == [
        (Decimal("102.70"), Decimal(27))
    ]
    assert_can_be_rebuilt(house)


def test_an_announced_removal_moves_nothing_that_is_there() -> None:
    """EX-25: the broker lists the shares as before"""
    house = announced(a_house(RENAMED), REMOVAL)
    house.until("09:40", FRIDAY)

    assert (house.held(), house.facts(CorporateActionApplied)) == ("10", [])
