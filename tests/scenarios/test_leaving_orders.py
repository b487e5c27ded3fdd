"""Orders whose cancel the broker has and has not carried out: they cover nothing, and their stop comes back (EX-13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.execution.stop_coverage import unprotected_in_words
from core.facts import NotificationDue, OrderIdled, StopOwed
from core.messages.commands import Kill, ProposeClose, RequestCancel
from core.messages.effects import CancelOrder
from core.model.broker import Capabilities, UpdateEvent
from core.model.codes import IdleCode, OwedReason, UnprotectedKind
from core.model.notice import Notice, NoticeKind, Severity
from core.model.order import OrderStatus, StopHolder, TimeInForce
from core.model.values import plain
from core.views.rows import RowMark
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import RARELY, House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested, sell
from tests.scenarios.test_contradicting_reports import BrokersWord, with_terms
from tests.scenarios.test_owed_notices import row_of
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

FRIDAY = THURSDAY + timedelta(days=1)
FIVE = timedelta(seconds=5)
TERMS = ROOMY.model_copy(update={**RARELY, "notify": settings().notify})


def holding(receivers: Receivers | None = None, later: str = "99.60", **rules: object) -> House:
    """Six are held with a stop until cancelled at 99.30; cancels stay pending by `rules`."""
    bars = [*minutes("09:30", "10:19", "99.60"), *minutes("10:20", "10:40", later)]
    bars += minutes("09:30", "09:45", "99.60", day=FRIDAY)
    house = House(bars, TERMS, cash=Decimal(10_000), **rules)
    with_receivers(house, receivers or Receivers()).opens().until("10:05")
    house.presses(replace(a_typed_buy("6"), time_in_force=TimeInForce.GTC))
    confirms_now(house)
    house.until("10:08")
    assert (house.held(), [stop.request.time_in_force for stop in house.stops]) == ("6", [TimeInForce.GTC])
    return house


def over_a_night(receivers: Receivers | None = None) -> House:
    """A close is confirmed at 16:30; the broker carries its cancel out two seconds after the next open."""
    house = holding(receivers, cancels_wait=True, cancel_seconds=Decimal(2)).until("16:30")
    closes(house)
    return house


def closes(house: House) -> None:
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 1)


def working(house: House) -> list[str]:
    orders = house.exchange.orders(house.line.at)
    return [f"{o.side_word} {plain(o.quantity)} {o.raw_status}" for o in orders if o.status and o.status.is_working]


def cancels(house: House) -> int:
    return requested(house).count(CANCEL)


def stop_notice(house: House) -> Notice:
    notices = [fact.notice for fact in house.facts(NotificationDue)]
    (notice,) = [each for each in notices if each.kind is NoticeKind.STOP]
    assert notice.severity is Severity.URGENT
    return notice


def bare_since_the_cancel(house: House) -> timedelta:
    """How long no stop worked at the broker after its cancel took effect."""
    ended, back = house.stops[0].ended_at, house.stops[-1].submitted_at
    assert ended is not None
    assert back is not None
    return back - ended


def test_a_cancel_that_the_broker_has_is_not_repeated_all_night() -> None:
    """EX-13, EX-15: its answer was lost, and the look-up finds it pending"""
    house = holding(cancels_wait=True, cancel_seconds=Decimal(2)).until("16:30")
    house.line.breaks_at(CancelOrder, arrives=True)
    house.presses(RequestCancel(house.stops[0].id))
    house.until("09:29:59", day=FRIDAY)
    asked = cancels(house)
    house.until("09:30:10", day=FRIDAY)

    assert asked == 1
    assert house.stops[0].status is OrderStatus.CANCELLED


def test_the_ticket_of_a_close_names_the_open_that_its_cancel_waits_for() -> None:
    """EX-13, OP-03: only while the market is closed, at a broker that cancels then"""
    named = []
    for clock, waits in (("10:20", True), ("16:30", False), ("16:40", True)):
        house = holding().until(clock)
        house.desk.sightings.capabilities = Capabilities(cancels_wait=waits)
        house.presses(ProposeClose(SPY))
        house.opens_ticket()
        passes(house, 1)
        named.append(house.line.view().tickets[0].cancels_wait_until)

    assert named == [None, None, at("09:30", FRIDAY)]


def test_a_stop_whose_cancel_waits_for_the_open_is_no_cover() -> None:
    """EX-13, EX-22: shown as leaving all night, one request, and nobody is called before it could act"""
    house = over_a_night()
    passes(house, 5)
    stop, row = house.stops[0], row_of(house)
    early = stop.is_leaving, row.covered, row.idle
    house.until("09:29:59", day=FRIDAY)
    row = row_of(house)
    (order,) = [each for each in house.line.view().orders if each.id == stop.id]

    assert early == (True, 0, "stop leaving")
    assert (row.covered, row.unprotected, row.idle, row.holder) == (0, 6, "stop leaving", StopHolder.YOU)
    assert [kind for kind, _ in unprotected_in_words(house.desk.ledger)] == [UnprotectedKind.IDLE]
    assert [owing.why for owing in house.desk.owed_stops.all()] == [OwedReason.LEAVING]
    assert RowMark.LEAVING in order.marks
    assert [(fact.code, fact.word) for fact in house.facts(OrderIdled)] == [(IdleCode.LEAVING, "pending_cancel")]
    assert (house.facts(StopOwed), cancels(house), working(house)) == ([], 1, ["sell 6 pending_cancel"])
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("restart", [None, ("16:30:20", THURSDAY), ("16:40", THURSDAY), ("09:29", FRIDAY)])
def test_a_stop_that_goes_at_the_open_is_put_back_at_once(restart: tuple[str, datetime] | None) -> None:
    """EX-13, EX-21, EX-20: our own cancel took effect long after its close was given up"""
    receivers = Receivers()
    house = over_a_night(receivers)
    if restart is not None:
        house.until(restart[0], day=restart[1])
        house = with_receivers(house.restarted(), receivers)
    house.until("09:30:10", day=FRIDAY)

    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]
    assert house.facts(StopOwed) == []
    assert (working(house), house.held_by_the_broker(), row_of(house).covered) == (["sell 6 new"], "6", 6)
    assert bare_since_the_cancel(house) < FIVE
    assert not house.stops[0].is_taken_elsewhere


def test_a_desk_that_is_off_over_the_open_puts_the_stop_back() -> None:
    """EX-13, EX-20: the cancel took effect while it did not run"""
    house = over_a_night()
    house.until("16:40")
    house = house.is_off_until(at("09:40", FRIDAY)).restarted()
    passes(house, 5)

    assert (working(house), row_of(house).covered) == (["sell 6 new"], 6)
    assert house.facts(StopOwed) == []


@pytest.mark.parametrize("restarts", [False, True])
def test_a_cancel_of_minutes_puts_the_stop_back(restarts: bool) -> None:
    """EX-13, EX-21: it takes effect after seven minutes in the session; told within five seconds of its beginning"""
    receivers = Receivers()
    house = holding(receivers, cancel_seconds=Decimal(420))
    closes(house)
    began = house.line.at
    passes(house, 200)
    told = house.facts(StopOwed)
    if restarts:
        house = with_receivers(house.restarted(), receivers)
    passes(house, 230)

    assert [fact.why for fact in told] == [OwedReason.LEAVING]
    assert stop_notice(house).at - began <= FIVE
    assert (working(house), house.held_by_the_broker(), row_of(house).covered) == (["sell 6 new"], "6", 6)
    assert bare_since_the_cancel(house) < FIVE
    assert house.stops[0].cancel_requested_at is not None
    assert cancels(house) == 1
    assert_can_be_rebuilt(house)


def test_a_stop_whose_replacement_is_pending_is_no_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-13, EX-22: until the broker says that it works; what a stream says is looked up"""
    broker, house = BrokersWord(monkeypatch), holding()
    (stop,) = house.stops
    pending, works = (with_terms(status=OrderStatus.SUBMITTED, raw_status=word) for word in ("pending_replace", "new"))
    broker.states(house, stop.id, pending, UpdateEvent.PENDING_REPLACE)
    passes(house, 10)
    row, owed = row_of(house), [fact.why for fact in house.facts(StopOwed)]
    broker.states(house, stop.id, works, UpdateEvent.NEW)
    passes(house, 5)

    assert (row.covered, row.idle, owed) == (0, "stop leaving", [OwedReason.LEAVING])
    assert (row_of(house).covered, house.desk.owed_stops.all()) == (6, ())
    assert working(house) == ["sell 6 new"]


def test_a_cancel_that_the_broker_gives_up_covers_again() -> None:
    """EX-13, EX-21: it works again by the broker's word, and five minutes later a cancel of it is somebody else's"""
    house = holding(cancel_seconds=Decimal(3000))
    closes(house)
    passes(house, 130)
    booked = house.exchange._book.find(house.stops[0].id)
    assert booked is not None
    booked.leaves_at, booked.last_event = None, UpdateEvent.NEW
    house.exchange._book._has_changed(booked)
    house.desk.sightings.books_are_wanted = True
    passes(house, 70)
    row = row_of(house)
    passes(house, 310)
    house.exchange._book.end(booked, UpdateEvent.CANCELED, house.line.at)
    passes(house, 90)

    assert (row.covered, row.idle) == (6, "")
    assert house.stops[0].is_taken_elsewhere
    assert (working(house), [fact.why for fact in house.facts(StopOwed)][-1]) == ([], OwedReason.TAKEN_ELSEWHERE)


def test_a_cancel_in_time_lets_the_close_sell() -> None:
    """EX-21: it stays pending for twenty seconds; one request, and no stop goes back"""
    house = holding(cancel_seconds=Decimal(20))
    closes(house)
    passes(house, 30)

    assert (house.held_by_the_broker(), working(house)) == ("0", [])
    assert requested(house)[-2:] == [CANCEL, sell("market", "6")]


def test_a_stop_that_fills_while_it_leaves_closes_the_position() -> None:
    """EX-13, EX-21: nothing is sold twice, and nothing goes back"""
    house = holding(later="99.20", cancel_seconds=Decimal(900)).until("10:12")
    closes(house)
    leaving = row_of(house).idle
    house.until("10:30")

    assert leaving == "stop leaving"
    assert (house.held(), house.held_by_the_broker(), working(house)) == ("0", "0", [])
    assert [stop.status for stop in house.stops] == [OrderStatus.FILLED]


def test_a_kill_leaves_a_stop_that_comes_back() -> None:
    """OP-07, EX-13: without NAKED the stop that was to make way protects again, killed or not"""
    house = over_a_night().until("16:45")
    house.presses(Kill("K"))
    house.until("09:30:10", day=FRIDAY)

    assert (working(house), row_of(house).covered) == (["sell 6 new"], 6)


def test_a_naked_kill_puts_no_leaving_stop_back() -> None:
    """OP-07: NAKED was typed while its cancel was pending"""
    house = over_a_night().until("16:45")
    house.presses(Kill("K", naked=True))
    house.until("09:31", day=FRIDAY)

    assert (working(house), house.held_by_the_broker()) == ([], "6")
    assert {fact.why for fact in house.facts(StopOwed)} <= {OwedReason.NAKED}


def test_a_stop_that_a_person_cancels_is_not_owed_while_it_leaves() -> None:
    """EX-22: the person decided it, and nobody is called"""
    house = holding(cancel_seconds=Decimal(120))
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 60)
    early = house.facts(StopOwed), row_of(house).covered
    passes(house, 90)

    assert early == ([], 0)
    assert (house.facts(StopOwed), working(house)) == ([], [])
