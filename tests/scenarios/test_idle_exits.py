"""Exits that the broker has and does not trade cover nothing: by its word, or because a sale at the market rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.execution.stop_coverage import unprotected_in_words
from core.facts import OrderFilled, OrderIdled, OrderTradesAgain, StopInForce, StopOwed
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.inputs import BrokerUpdated, LookUpAnswered, QuoteArrived, SubmissionAnswered
from core.model.broker import Accepted, OrderReport, OrderUpdate, UpdateEvent
from core.model.codes import IdleCode, OwedReason, UnprotectedKind
from core.model.order import OrderStatus, StopHolder, TimeInForce
from core.model.values import Price, Quantity
from tests.scenarios.changes import ABOVE, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.house import (
    RARELY,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested, sell
from tests.scenarios.test_contradicting_reports import BrokersWord, Change, with_terms
from tests.scenarios.test_owed_notices import row_of
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, a_quote, at

FRIDAY = THURSDAY + timedelta(days=1)
LONG = ("10:06", "10:40", STEADY)
FIVE = timedelta(seconds=5)
ALL = Decimal("0.502")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def called(word: str, status: OrderStatus | None = OrderStatus.SUBMITTED) -> Change:
    return with_terms(status=status, raw_status=word)


def held_with_a_stop(receivers: Receivers | None = None) -> House:
    return with_receivers(a_house_in_a_position(LONG, settings=settings()), receivers or Receivers())


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("suspended", OrderStatus.SUBMITTED, IdleCode.BROKER_WORD),
        ("calculated", OrderStatus.SUBMITTED, IdleCode.BROKER_WORD),
        ("done_for_day", OrderStatus.SUBMITTED, IdleCode.BROKER_WORD),
        ("frozen", None, IdleCode.UNKNOWN_WORD),
    ],
)
def test_a_stop_that_does_not_trade_covers_nothing(
    broker: BrokersWord, word: str, status: OrderStatus | None, code: IdleCode
) -> None:
    """EX-22, EX-13, SY-03: it stays ours, no second one is sent, a person is called, and it covers again by `new`"""
    receivers = Receivers()
    house = held_with_a_stop(receivers)
    (stop,) = house.stops
    since = house.line.at
    broker.states(house, stop.id, called(word, status), UpdateEvent.OTHER)
    passes(house, 30)

    row = row_of(house)
    (owed,) = house.facts(StopOwed)
    (_urgent,) = [sent for sent in receivers.heard if sent.is_urgent]
    assert [(fact.code, fact.word) for fact in house.facts(OrderIdled)] == [(code, word)]
    assert (owed.why, owed.quantity, owed.since) == (OwedReason.NOT_TRADING, ALL, since)
    assert house.desk.notifications.state.matters["stop vwap SPY"].notice.at - since <= FIVE
    assert (row.covered, row.unprotected, row.in_doubt, row.holder) == (0, ALL, 0, StopHolder.YOU)
    assert row.calls_a_person
    assert [kind for kind, _ in unprotected_in_words(house.desk.ledger)] == [UnprotectedKind.IDLE]
    assert (stop.status, house.stops, CANCEL in requested(house)) == (OrderStatus.SUBMITTED, [stop], False)
    assert_can_be_rebuilt(house)

    broker.states(house, stop.id, called("new"), UpdateEvent.NEW)
    passes(house, 1)
    assert (row_of(house).covered, row_of(house).calls_a_person) == (ALL, False)
    assert (len(house.facts(OrderTradesAgain)), len(house.facts(StopInForce))) == (1, 1)
    assert "stop vwap SPY" not in house.desk.notifications.state.matters or house.desk.owed_stops.all() == ()


def as_an_answer(house: House, late: OrderReport) -> SubmissionAnswered:
    return SubmissionAnswered(late.client_order_id, Accepted(late), house.line.at)


def as_a_message(house: House, late: OrderReport) -> BrokerUpdated:
    return BrokerUpdated(OrderUpdate(UpdateEvent.NEW, house.line.at, late))


@pytest.mark.parametrize("comes", [as_an_answer, as_a_message])
def test_an_older_word_ends_no_suspension(
    broker: BrokersWord, comes: Callable[[House, OrderReport], SubmissionAnswered | BrokerUpdated]
) -> None:
    """EX-22, EX-09: `new` on the stream, or as a late answer, may be older than `suspended`; a look-up decides"""
    house = held_with_a_stop()
    (stop,) = house.stops
    broker.states(house, stop.id, called("suspended"), UpdateEvent.OTHER)
    passes(house, 2)
    known = house.exchange.order(house.line.at, stop.id)
    assert isinstance(known, OrderReport)
    house.line.take(house.line.at, comes(house, replace(known, raw_status="new", status=OrderStatus.SUBMITTED)))
    passes(house, 30)

    assert house.facts(OrderTradesAgain) == []
    assert len(house.facts(OrderIdled)) == 1
    assert row_of(house).calls_a_person
    looked_up = [one for one in house.line.heard if isinstance(one, LookUpAnswered)]
    assert [one.client_order_id for one in looked_up] == [stop.id]


def test_a_close_goes_on_past_a_suspended_stop(broker: BrokersWord) -> None:
    """EX-21, EX-22: the stop makes way, and all is sold"""
    house = held_with_a_stop()
    (stop,) = house.stops
    broker.changes[stop.id] = lambda r: called("suspended")(r) if r.status is OrderStatus.SUBMITTED else r
    house.desk.sightings.books_are_wanted = True
    house.until("10:08")
    assert stop.idle is IdleCode.BROKER_WORD
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)

    assert house.held() == house.held_by_the_broker() == "0"
    assert requested(house)[-2:] == [CANCEL, sell("market", "0.502")]


def held_over_a_night() -> House:
    """Six are bought with a stop until cancelled; it is told on Friday too."""
    bars = [*minutes("09:30", "10:10", "99.60"), *minutes("09:30", "09:45", "99.60", day=FRIDAY)]
    house = House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    house.presses(replace(a_typed_buy("6"), time_in_force=TimeInForce.GTC))
    confirms_now(house)
    house.until("10:08")
    assert (house.held(), [stop.request.time_in_force for stop in house.stops]) == ("6", [TimeInForce.GTC])
    return house


@pytest.mark.parametrize("word", ["done_for_day", "calculated"])
def test_done_for_day_after_the_close_alarms_nobody(broker: BrokersWord, word: str) -> None:
    """EX-22: it is usual for what works on tomorrow; where it still is so at the open, a person is called"""
    house = held_over_a_night().until("16:00:01")
    (stop,) = house.stops
    broker.states(house, stop.id, called(word), UpdateEvent.OTHER)
    house.until("09:29:59", day=FRIDAY)
    night = house.facts(OrderIdled), house.facts(StopOwed), row_of(house).covered
    house.until("09:30:05", day=FRIDAY)

    assert night == ([], [], 6)
    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.NOT_TRADING]
    broker.states(house, stop.id, called("new"), UpdateEvent.NEW)
    passes(house, 1)
    assert row_of(house).covered == 6


def test_a_suspension_at_night_calls_at_the_open(broker: BrokersWord) -> None:
    """EX-22: it is shown at once; no stop trades before the open"""
    house = held_over_a_night().until("16:30")
    broker.states(house, house.stops[0].id, called("suspended"), UpdateEvent.SUSPENDED)
    house.until("09:29:59", day=FRIDAY)
    night = house.facts(StopOwed), row_of(house).covered, row_of(house).idle
    house.until("09:30:05", day=FRIDAY)

    assert night == ([], 0, "stop suspended")
    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.NOT_TRADING]


def a_sale_that_rests(receivers: Receivers | None = None) -> House:
    """15 are held, less of a minute trades with us by then, and a close at the market is confirmed."""
    falls = a_bar("10:10", "99.65 99.65 99.60 99.65", volume=100_000)
    thin = [a_bar(f"10:{minute}", "99.65", volume=100) for minute in range(11, 40)]
    terms = ROOMY.model_copy(update={"notify": settings().notify})
    house = House([*a_day(("10:06", "10:09", ABOVE)), falls, *thin], settings=terms, cash=Decimal(10_000))
    with_receivers(house.opens().until("10:08:00"), receivers or Receivers())
    house.presses(a_typed_buy("15"))
    confirms_now(house)
    house.until("10:12:10")
    assert house.held() == "15"
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 1)
    assert house.sale.status in (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED)
    return house


def test_a_sale_at_the_market_that_rests_is_no_cover() -> None:
    """EX-22, SY-03: after ten seconds it is owed and told; when it fills, that is over"""
    receivers = Receivers()
    house = a_sale_that_rests(receivers)
    sent = house.sale.submitted_at
    assert sent is not None
    house.until_moment(sent + timedelta(seconds=9))
    before = row_of(house).covered
    house.until_moment(sent + timedelta(seconds=15))

    (owed,) = house.facts(StopOwed)
    (_urgent,) = [each for each in receivers.heard if each.is_urgent]
    row = row_of(house)
    left = Decimal(house.held())
    assert (before, row.covered, row.unprotected) == (left, 0, left)
    assert (owed.why, owed.quantity) == (OwedReason.UNFILLED, left)
    assert owed.since - sent == timedelta(seconds=10)
    assert row.calls_a_person
    assert requested(house).count(sell("market", "15")) == 1
    house.until("10:15")
    assert (house.held(), house.desk.owed_stops.all()) == ("0", ())
    assert_can_be_rebuilt(house)


def a_stop_that_rests(*then: str) -> House:
    """15 are held with a stop at 99.30; 10:10 goes through it and next to nothing trades with us from then on."""
    falls = a_bar("10:10", "99.65 99.65 99.20 99.20", volume=100)
    thin = [a_bar(f"10:{10 + minute}", prices, volume=1) for minute, prices in enumerate(then, 1)]
    terms = ROOMY.model_copy(update={"notify": settings().notify})
    house = House([*a_day(("10:06", "10:09", ABOVE)), falls, *thin], settings=terms, cash=Decimal(10_000))
    with_receivers(house.opens().until("10:08:00"), Receivers())
    house.presses(a_typed_buy("15", limit=None))
    confirms_now(house)
    house.until("10:10:59")
    return house


def test_a_triggered_stop_that_rests_is_no_cover() -> None:
    """EX-22, SY-03: the broker made it a limit at a collar; it is reported ten seconds after the market passed it"""
    house = a_stop_that_rests("99.20", "99.20", "99.20")
    (stop,) = house.stops
    assert (row_of(house).covered, house.facts(StopOwed)) == (Decimal(house.held()), [])
    house.until("10:11:15")

    left = Decimal(house.held())
    assert 0 < left < 15
    assert [fact.code for fact in house.facts(OrderIdled)] == [IdleCode.UNFILLED]
    assert [(fact.why, fact.quantity) for fact in house.facts(StopOwed)] == [(OwedReason.UNFILLED, left)]
    assert (row_of(house).covered, row_of(house).calls_a_person, stop.is_working) == (0, True, True)
    assert house.desk.notifications.state.matters["stop manual SPY"].notice.at <= at("10:11:15")
    assert (house.stops, CANCEL in requested(house)) == ([stop], False)
    assert_can_be_rebuilt(house)


def test_a_stop_whose_price_comes_back_covers_again() -> None:
    """EX-22: what would sell at any price was not triggered"""
    house = a_stop_that_rests("99.20", "99.65").until("10:13:05")

    assert [len(house.facts(kind)) for kind in (OrderIdled, OrderTradesAgain)] == [1, 1]
    assert house.desk.owed_stops.all() == ()


@pytest.mark.parametrize("back_at", ["10:08:17", "10:08:25"])
def test_a_quote_beyond_a_stop_starts_its_clock(back_at: str) -> None:
    """EX-22: within the minute, without a bar; one that comes back before ten seconds are over calls nobody"""
    house = held_with_a_stop().until("10:08:10")
    (stop,) = house.stops
    house.line.take(house.line.at, QuoteArrived(a_quote("10:08:10", "99.01", "99.03")))
    house.until(back_at)
    marked = [record.at for record in house.journal.records() if isinstance(record.fact, OrderIdled)]
    house.line.take(house.line.at, QuoteArrived(a_quote(back_at, "99.64", "99.66")))
    house.until("10:08:40")

    is_long = back_at == "10:08:25"
    assert marked == [at("10:08:20")] * is_long
    assert len(house.facts(OrderTradesAgain)) == len(house.facts(OrderIdled)) == is_long
    looked_up = [one.client_order_id for one in house.line.heard if isinstance(one, LookUpAnswered)]
    assert looked_up == [stop.id] * (1 + is_long)
    assert_can_be_rebuilt(house)


def test_a_stop_passed_twice_is_looked_up_twice() -> None:
    """EX-22, EX-05: its price is lowered after the first look-up; the second finds its fill, and nobody is called"""
    falls = ("10:12", "10:12", "99.55 99.55 98.00 98.10"), ("10:13", "10:30", "98.10 98.10 98.10 98.10")
    house = a_house_in_a_position(("10:06", "10:11", STEADY), *falls, settings=settings())
    with_receivers(house, Receivers()).until("10:08:10")
    (stop,) = house.stops
    house.line.take(house.line.at, QuoteArrived(a_quote("10:08:10", "99.01", "99.03")))
    house.until("10:08:17")
    is_changed_there(house, stop.id, stop_price=Price(Decimal("98.50")))
    changed = OrderUpdate(UpdateEvent.OTHER, house.line.at, house.exchange.order(house.line.at, stop.id))
    house.line.take(house.line.at, BrokerUpdated(changed))
    house.line.take(house.line.at, QuoteArrived(a_quote("10:08:17", "99.01", "99.03")))
    house.until("10:11:55")
    house.line.is_deaf = True
    house.until("10:12:40")
    house.line.take(house.line.at, QuoteArrived(a_quote("10:12:40", "98.01", "98.03")))
    house.until("10:12:51")

    looked_up = [one.client_order_id for one in house.line.heard if isinstance(one, LookUpAnswered)]
    assert (looked_up, house.held()) == ([stop.id, stop.id], "0")
    assert (house.facts(OrderIdled), house.facts(StopOwed)) == ([], [])


def test_a_fill_that_was_missed_is_looked_up_first() -> None:
    """EX-22, EX-05: nobody is called for a sale whose fill nobody heard of"""
    house = held_with_a_stop()
    house.presses(ProposeClose(SPY))
    confirms_now(house, arrives_after=0.1)
    house.line.is_deaf = True
    passes(house, 8)

    assert (house.held(), house.last(OrderFilled).fill.quantity) == ("0", Quantity(ALL))
    passes(house, 20)
    assert (house.facts(OrderIdled), house.facts(StopOwed)) == ([], [])


def test_a_rested_sale_that_is_cancelled_gets_its_stop_back() -> None:
    """EX-21, EX-22: what a person is told to do works"""
    house = a_sale_that_rests()
    passes(house, 15)
    house.presses(RequestCancel(house.sale.id))
    passes(house, 5)

    left = Decimal(house.held())
    assert sum(order.remaining for order in house.stops if order.is_working) == left > 0
    assert (row_of(house).covered, house.desk.owed_stops.all()) == (left, ())
