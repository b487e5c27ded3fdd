"""Who typed NAKED wants no stop: what was owed one gets none by itself, whatever was half done then (OP-07)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import Killed, StopOwed
from core.messages.commands import Kill, MoveStop, ProposeClose, Rearm
from core.messages.effects import CancelOrder
from core.model.order import OrderStatus, Side
from core.model.values import Price, Quantity
from core.workflows.operator.kill_switch import REARM
from tests.scenarios.changes import FRACTIONS, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.test_bracket_legs import a_house as half_bought
from tests.scenarios.test_excess_exits import LONG, a_bracket
from tests.scenarios.test_lost_stops import stop_at
from tests.scenarios.test_owed_stops import DOWN, a_start_with_a_stop_owed, elsewhere, waiting, working_stops
from tests.scenarios.test_restored_stops import LONG as UP
from tests.scenarios.test_stops_after_a_close import enters, quiet_but
from tests.unit.core.brokers.trading_floor import SPY, a_bar


def naked(house: House) -> None:
    house.presses(Kill("key", naked=True))


def rearms(house: House) -> None:
    house.presses(Rearm(REARM))
    assert house.desk.control.killed_by is None


def stops_sent(house: House) -> int:
    return sum(1 for request in house.requests() if " stop " in request)


@pytest.mark.parametrize("killed_before", [False, True], ids=["at once", "killed before"])
def test_a_reduced_stop_stays_away_after_naked(killed_before: bool) -> None:
    """OP-07, EX-13: its cancel is on the wire when NAKED is typed"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal("0.302")), Price(Decimal(100)), house.line.at)
    house.accepts(house.exchange.books(house.line.at))
    assert house.stops[0].is_cancelling
    if killed_before:
        house.presses(Kill("key"))

    naked(house)
    house.until("10:15")

    assert (house.held(), stops_sent(house), working_stops(house)) == ("0.2", 1, [])
    rearms(house)
    house.until("10:25")
    assert (stops_sent(house), waiting(house)) == (1, [])


@pytest.mark.parametrize("restarts", [False, True])
def test_shares_cut_off_a_stop_are_not_owed(restarts: bool) -> None:
    """OP-07, EX-13, EX-20: the broker's books said two of six, NAKED, and then six again"""
    house = a_bracket(LONG)
    elsewhere(house, Side.SELL, "4")
    house.until("10:08:30")
    assert [o.owed for o in house.stops if o.owed] == [4]

    naked(house)
    passes(house, 5)
    sent = stops_sent(house)
    elsewhere(house, Side.BUY, "4")
    if restarts:
        house.restarted()
    house.until("10:20")

    assert (stops_sent(house), working_stops(house)) == (sent, [])
    rearms(house)
    house.until("10:30")
    assert (stops_sent(house), [o.owed for o in house.stops if o.owed]) == (sent, [])


@pytest.mark.parametrize("restarts", [False, True])
def test_a_fill_after_naked_has_no_stop_until_rearm(restarts: bool) -> None:
    """OP-06, OP-07: the entry's cancel does not arrive; once re-armed what its ticket signed holds again"""
    bars = [*minutes("09:55", "10:09", "101"), a_bar("10:10", DOWN), *minutes("10:11", "10:40", "100.5")]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("1.5", limit="100", stop="99"))
    confirms_now(house)
    passes(house, 2)
    house.line.breaks_at(CancelOrder, arrives=False, times=9999)

    naked(house)
    if restarts:
        passes(house, 5)
        house.restarted()
        house.line.breaks_at(CancelOrder, arrives=False, times=9999)
    house.until("10:15")

    assert (house.held(), stops_sent(house)) == ("1.5", 0)
    rearms(house)
    passes(house, 5)
    assert working_stops(house) == ["1.5 at 99"], "at once, not when the minute's comparison comes"


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_partial_fill_gets_its_stop_at_rearm() -> None:
    """OP-06, OP-07, EX-13: its legs went with it"""
    house = half_bought(thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    naked(house)
    passes(house, 5)
    assert (house.held(), working_stops(house)) == ("5", [])

    rearms(house)
    passes(house, 5)

    assert working_stops(house) == ["5 at 99.3"]


def test_naked_leaves_no_stop_after_a_failed_sale() -> None:
    """EX-21, OP-07: NAKED comes when the stop is gone and the sale is on its way"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.presses(ProposeClose(SPY))
    house.line.refuses_the_next_order("not today")
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    while house.stops[0].status is not OrderStatus.CANCELLED:
        passes(house, 0.01)
    assert house.sale.status is OrderStatus.PENDING

    naked(house)
    house.until("10:15")

    assert (house.sale.status, house.held()) == (OrderStatus.REJECTED, "0.502")
    assert (stops_sent(house), working_stops(house)) == (1, [])


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "never written"])
def test_naked_before_the_books_sends_no_stop(is_kept: bool) -> None:
    """EX-22, OP-07"""
    house = a_start_with_a_stop_owed(is_kept=is_kept)

    house.restarted()
    naked(house)
    house.until("10:15")

    assert (stops_sent(house), working_stops(house), waiting(house)) == (0, [], [])


def test_a_confirmed_stop_is_sent_after_naked() -> None:
    """OP-07, EX-13: what was signed after the word is what the operator wants now"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    naked(house)
    passes(house, 5)
    house.presses(MoveStop(SPY, house.entry.strategy, Price(Decimal("99"))))
    confirms_now(house)
    passes(house, 5)
    assert working_stops(house) == ["0.502 at 99"]

    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal("0.302")), Price(Decimal(100)), house.line.at)
    house.accepts(house.exchange.books(house.line.at))
    house.until_moment(house.line.at + timedelta(minutes=2))

    assert working_stops(house) == ["0.2 at 99"]


def test_a_stop_given_after_naked_is_owed_again() -> None:
    """OP-07, EX-22: the operator gave a stop after NAKED and replaced it; the broker made that one less, and says so"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    naked(house)
    house.until("10:10")
    rearms(house)
    for price in ("99.10", "99.20"):
        house.presses(MoveStop(SPY, "vwap", Price(Decimal(price))))
        confirms_now(house)
        passes(house, 3)
    (stop,) = [order for order in house.stops if order.is_working]
    assert house.facts(StopOwed) == []
    is_changed_there(house, stop.id, quantity=Quantity(Decimal("0.302")))
    house.until("10:14")

    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.302")
    (owed,) = house.facts(StopOwed)
    assert owed.quantity == Decimal("0.2")
    assert waiting(house) == ["0.2 at 99.2"]


def test_naked_is_recorded_and_ends_with_the_kill() -> None:
    """OP-07: also behind a kill without it"""
    house = a_house_in_a_position()
    house.presses(Kill("key"))
    naked(house)

    assert house.facts(Killed) == [Killed("key"), Killed("key", naked=True)]
    assert house.restarted().desk.control.naked_at is not None
    house.until("10:08")
    rearms(house)
    assert house.desk.control.naked_at is None


def test_a_later_stop_that_sold_less_has_a_successor() -> None:
    """OP-07, EX-22: NAKED and REARM came before the entry; the broker made its stop four of six; another sells two"""
    house = House(quiet_but(UP, ("10:12", "100 100 98.9 99.5", 100_000)), ROOMY, cash=Decimal(20_000)).opens()
    house.until("10:04:30")
    naked(house)
    passes(house, 2)
    rearms(house)
    enters(house, UP, "6", "100.10", "99")
    house.until("10:12:10")
    is_changed_there(house, stop_at(house, "99").id, quantity=Quantity(Decimal(4)))
    house.until("10:16")

    assert house.held() == house.held_by_the_broker() == "0"
    assert (stops_sent(house), waiting(house)) == (1, [])
