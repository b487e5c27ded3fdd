"""Shares that were paid out and that the broker lists again: their owner, cost, trade and stop (EX-25, EX-18).

The expected figures are computed here from ten shares at 100 USD with a stop at 90.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.analytics.equity import equity_days
from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import FillReversed, PositionCorrected, ReconciliationFailed, StopOwed, TradeClosed
from core.messages.desk_commands import CompareActivities
from core.messages.effects import FetchBooks
from core.model.codes import ReadOnlyCode
from core.model.order import Side
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.reference_data import CorporateAction
from core.model.values import Money, Quantity
from tests.kit.splits import Fate
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.test_announced_moves import CASH, REMOVAL, announced
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_renames import RENAMED, a_house, stops
from tests.scenarios.test_shared_symbol import a_house_of_two
from tests.scenarios.test_splits import FRIDAY, MONDAY, SHOWN_AT, is_signed_for_days, urgent
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at


def is_listed(house: House, shares: str) -> None:
    """The broker lists so many again, at 100 each."""
    house.exchange._ledger._receive(house.line.at, SPY, Decimal(shares), Decimal(100))


def a_house_that_was_paid(action: CorporateAction = CASH, fate: Fate = Fate.SURVIVE) -> House:
    """Ten left on Friday before the open, and the desk has booked it."""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    announced(house.restarted(), action).until_moment(SHOWN_AT)
    house.exchange._ledger._holdings.pop(SPY)
    if fate is Fate.CANCELLED:
        (stop,) = house.exchange._book.working[SPY]
        house.exchange.cancel(SHOWN_AT, stop.request.client_order_id)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    assert (house.held(), len(house.facts(TradeClosed)), stops(house, SPY)) == ("0", 1, [])
    return house


def assert_theirs_again(house: House) -> None:
    (held,) = house.desk.ledger.positions()
    assert (held.symbol, held.strategy, held.quantity, held.cost) == (SPY, "manual", 10, 1000)
    (back,) = house.facts(FillReversed)
    assert (back.quantity, back.undone) == (10, house.last(TradeClosed).trade)
    days = house.desk.results.state.days.values()
    assert [(of.trades, of.realised) for day in days for of in day.closed.values()] == [(0, 0)]
    assert house.facts(PositionCorrected)[1:] == []
    assert house.desk.control.state.is_reconciled


@pytest.mark.parametrize("fate", [Fate.SURVIVE, Fate.CANCELLED])
@pytest.mark.parametrize("action", [CASH, REMOVAL], ids=["cash", "removed"])
@pytest.mark.parametrize("day", [FRIDAY, MONDAY], ids=["that day", "days later"])
def test_shares_that_come_back_are_their_owner_s(action: CorporateAction, fate: Fate, day: date) -> None:
    """EX-25, EX-22: at their cost; the trade is open again, a person is told within 5 s, and their stop waits"""
    house = a_house_that_was_paid(action, fate)
    if day > FRIDAY:
        house.until("16:30", FRIDAY).is_off_until(at("09:29", day))
        announced(house.restarted(), action)
    is_listed(house, "10")
    house.until("09:32", day)

    assert_theirs_again(house)
    assert waiting(house) == ["10 at 90"]
    owed = [record.at for record in house.journal.records() if isinstance(record.fact, StopOwed)]
    back = [record.at for record in house.journal.records() if isinstance(record.fact, FillReversed)]
    assert timedelta(0) <= owed[-1] - back[0] <= timedelta(seconds=5)
    assert [words for words in urgent(house) if "10 SPY stop 90.00" in words]
    assert_can_be_rebuilt(house)

    confirms_now(house)
    passes(house, 5)
    assert (stops(house, SPY), house.desk.owed_stops.all()) == (["10 at 90"], ())


def test_shares_that_were_bought_weeks_ago_come_back_at_their_cost() -> None:
    """EX-25, EX-18: their entry has left the desk's memory"""
    house, shown_at = a_house(RENAMED), SHOWN_AT + timedelta(days=10)
    is_signed_for_days(house)
    house.is_off_until(shown_at - timedelta(minutes=2))
    announced(house.restarted(), replace(CASH, ex_date=shown_at.date())).until_moment(shown_at)
    house.exchange._ledger._holdings.pop(SPY)
    house.until_moment(shown_at + timedelta(minutes=3))
    assert (house.held(), house.desk.ledger.order(house.last(TradeClosed).trade.entry_order)) == ("0", None)
    is_listed(house, "10")
    house.until_moment(shown_at + timedelta(minutes=12))

    assert_theirs_again(house)
    assert waiting(house) == ["10 at 90"]
    assert_can_be_rebuilt(house)


def test_one_list_that_has_them_again_is_read_twice() -> None:
    """EX-25, EX-09: an older list would open a trade again that is over"""
    house = a_house_that_was_paid()
    is_listed(house, "10")
    house.until("09:30:05", FRIDAY)
    code = house.last(ReconciliationFailed).code
    house.exchange._ledger._holdings.pop(SPY)
    house.until("09:32", FRIDAY)

    assert code is ReadOnlyCode.UNPROVEN
    assert (house.facts(FillReversed), house.held()) == ([], "0")
    assert house.desk.control.state.is_reconciled


def test_a_part_that_comes_back_is_its_owner_s() -> None:
    """EX-25: four of ten; six were paid out"""
    house = a_house_that_was_paid()
    is_listed(house, "4")
    house.until("09:32", FRIDAY)

    (held,) = house.desk.ledger.positions()
    assert (held.strategy, held.quantity, held.cost) == ("manual", 4, 400)
    assert (house.desk.ledger.state.closed_profit, waiting(house)) == (27, ["4 at 90"])
    assert_can_be_rebuilt(house)


def test_as_many_that_were_bought_elsewhere_are_nobody_s() -> None:
    """EX-25: the broker lists the purchase"""
    house = a_house_that_was_paid()
    house.until("09:31", FRIDAY)
    trades_elsewhere(house.exchange, house.line.at, Side.BUY, "10")
    house.until("09:34", FRIDAY)

    assert house.facts(FillReversed) == []
    assert [held.strategy for held in house.desk.ledger.positions()] == [UNKNOWN_OWNER]


@pytest.mark.parametrize("is_whole", [True, False])
def test_shares_of_two_owners_that_come_back(*, is_whole: bool) -> None:
    """EX-25: all are theirs again; of a part nobody knows whose it is, and that is told with a way to a stop"""
    house = a_house_of_two()
    house.until("10:10")
    before = {held.strategy: held.quantity for held in house.desk.ledger.positions()}
    announced(house, CorporateAction(SPY, CASH.kind, THURSDAY, CASH.cash))
    holding = house.exchange._ledger._holdings.pop(SPY)
    for _ in range(2):
        house.line.take(house.line.at, house.line.ask(FetchBooks()))
        passes(house, 62)
    left = house.held()
    whole = holding.quantity
    house.exchange._ledger._receive(
        house.line.at, SPY, whole if is_whole else Quantity(whole / 2), holding.cost / whole
    )
    for _ in range(2):
        house.line.take(house.line.at, house.line.ask(FetchBooks()))
        passes(house, 62)

    assert left == "0"
    held = {held.strategy: held.quantity for held in house.desk.ledger.positions()}
    assert held == (before if is_whole else {UNKNOWN_OWNER: whole / 2})
    assert house.desk.control.state.is_reconciled
    if not is_whole:
        assert house.last(PositionCorrected).came_from == SPY
    assert_can_be_rebuilt(house)


def test_the_cash_of_a_payout_that_was_taken_back_adds_up() -> None:
    """AN-06: 1045 USD came and went; the day explains each cent"""
    house = a_house(RENAMED)
    house.presses(CompareActivities())
    passes(house, 30)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    announced(house.restarted(), CASH).until_moment(SHOWN_AT)
    ledger = house.exchange._ledger
    ledger._holdings.pop(SPY)
    _moves_cash(house, "1045")
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    house.presses(CompareActivities())
    passes(house, 30)
    _moves_cash(house, "-1045")
    is_listed(house, "10")
    house.until("09:33", FRIDAY)
    house.presses(CompareActivities())
    passes(house, 30)
    house.until("16:30", FRIDAY)
    *_, friday = equity_days(((record.at, record.fact) for record in house.journal.records()), house.calendar)

    assert [fact.quantity for fact in house.facts(FillReversed)] == [10]
    assert (friday.change.rest, friday.differences) == (0, ())
    assert_can_be_rebuilt(house)


def _moves_cash(house: House, amount: str) -> None:
    ledger, cash = house.exchange._ledger, Money(Decimal(amount))
    ledger.cash += cash
    told = Activity(ActivityId(""), FRIDAY, ActivityKind.OTHER, cash, SPY, words="merger")
    ledger._activities._tell(told)
