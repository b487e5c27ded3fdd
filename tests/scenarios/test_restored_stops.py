"""The stops that go back for what a sale leaves: also when something went wrong in between (EX-21, EX-22)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import OrderCreated, StopOwed, UnknownOrdersFound
from core.messages.commands import MoveStop, ProposeClose, ProposeOrder, RequestCancel
from core.messages.effects import Effect as Asked
from core.messages.effects import SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Refused
from core.model.codes import OwedReason, RefusalKind
from core.model.order import OrderType, StopHolder
from core.model.values import ZERO, Quantity, plain, priced
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.test_stops_after_a_close import (
    BOTH,
    Way,
    enters,
    exits,
    holding_six,
    takes_back_the_exit,
    working,
)
from tests.unit.core.brokers.trading_floor import SPY

LONG = Way(is_long=True)
AT_THE_MARKET: tuple[str | None, str | None] = None, None
EACH_SALE = pytest.mark.parametrize(
    ("limit", "stop"), [AT_THE_MARKET, ("101", None), ("101", "99.50")], ids=["market", "limit", "pair"]
)


def sells(house: House, way: Way, shares: str, limit: str | None = None, stop: str | None = None) -> tuple[str, ...]:
    """What the ticket says goes back; its key is turned."""
    amount = Quantity(Decimal(shares))
    if limit is None:
        house.presses(ProposeClose(SPY, quantity=amount))
    else:
        at, its_stop = way.at(limit), None if stop is None else way.at(stop)
        house.presses(ProposeOrder(SPY, way.closes, amount, OrderType.LIMIT, at, its_stop, StopHolder.BROKER))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.confirms()
    return ticket.put_back_in_words


def watched(house: House, way: Way, shares: str = "5") -> None:
    """Bought with a stop that the desk watches."""
    enters(house, way, shares, "100.10", "97", stop_holder=StopHolder.DESK)


def dies_behind_the_sales_record(house: House) -> None:
    known = len(house.facts(OrderCreated))
    while len(house.facts(OrderCreated)) == known:
        house.until_moment(house.line.at + timedelta(milliseconds=50))
    created = [record for record in house.journal.records() if isinstance(record.fact, OrderCreated)]
    house.loses_the_journal_after(created[known].sequence)
    house.restarted()
    passes(house, 300)


def owed(house: House) -> list[tuple[str, OwedReason]]:
    return [(plain(each.quantity), each.why) for each in house.desk.owed_stops.all()]


@EACH_SALE
def test_a_close_beside_unknown_orders_restores_its_stop(limit: str | None, stop: str | None) -> None:
    """EX-24: confirmed after they were found, the sale goes, and so does the stop of what it leaves"""
    house = holding_six(LONG)
    passes(house, 65)
    before = list(house.journal.records())[-1].sequence
    enters(house, LONG, "2", "99.00", "97", stop_holder=StopHolder.DESK)
    house.loses_the_journal_after(before)
    house.restarted()
    passes(house, 60)
    assert house.facts(UnknownOrdersFound)
    sells(house, LONG, "2", limit, stop)
    passes(house, 60)

    assert "sell stop 4 99" in working(house)


@BOTH
@pytest.mark.parametrize(("shares", "stop"), [("2", None), ("2", "99.50"), ("7", "99.50")])
def test_a_crash_beside_a_resting_sale_restores_the_rest(way: Way, shares: str, stop: str | None) -> None:
    """EX-20, EX-22: behind the record of the sale, before that of the stop"""
    house = holding_six(way)
    if shares == "7":
        watched(house, way)
    sells(house, way, shares, "101", stop)
    dies_behind_the_sales_record(house)

    assert f"{way.out} stop 4 {plain(way.at('99'))}" in working(house)
    assert_can_be_rebuilt(house)


@EACH_SALE
def test_a_refused_restored_stop_is_told(limit: str | None, stop: str | None) -> None:
    """EX-22, SY-03: it waits for a key, whatever rests at a limit beside it"""
    house = holding_six(LONG)
    ask, sent = house.line.ask, []

    def refuses_the_second(effect: Asked) -> Input | None:
        if isinstance(effect, SubmitOrder):
            sent.append(effect.order.client_order_id)
            if len(sent) == 2:
                return SubmissionAnswered(sent[-1], Refused(RefusalKind.FORBIDDEN, "no", "40310000"))
        return ask(effect)

    house.line.ask = refuses_the_second  # type: ignore[method-assign]
    sells(house, LONG, "2", limit, stop)
    passes(house, 60)

    assert [why for _, why in owed(house)] == [OwedReason.WAITS_FOR_KEY]
    assert OwedReason.WAITS_FOR_KEY in {fact.why for fact in house.facts(StopOwed)}


@BOTH
def test_a_crash_in_a_later_sale_counts_from_its_own_key(way: Way) -> None:
    """EX-20, EX-21: eleven are out at a limit, five more are bought, and eight of the sixteen are sold"""
    house = holding_six(way)
    watched(house, way)
    exits(house, way, "101", "11")
    watched(house, way)
    says = sells(house, way, "8")
    dies_behind_the_sales_record(house)

    assert says == (f"6 at {priced(way.at('99'))}",)
    assert working(house) == [f"{way.out} stop 6 {plain(way.at('99'))}"]


@BOTH
@pytest.mark.parametrize(
    ("then", "says", "back"),
    [("2", ["2 99.50"], ["2 99.50"]), ("7", ["3 99.50", "4 99"], ["3 99.50", "4 99"])],
)
def test_a_ticket_names_the_nearest_of_two_stops(way: Way, then: str, says: list[str], back: list[str]) -> None:
    """OP-02, OP-03: nine waited at a limit, whose stops were at two prices"""
    house = holding_six(way)
    enters(house, way, "3", "100.10", "99.50")
    exits(house, way, "101", "9")
    stays = str(9 - int(then))
    named = sells(house, way, stays)
    passes(house, 60)

    pairs = [each.split() for each in says]
    assert list(named) == [f"{shares} at {priced(way.at(price))}" for shares, price in pairs]
    assert working(house) == sorted(f"{way.out} stop {n} {plain(way.at(price))}" for n, price in map(str.split, back))


@BOTH
@pytest.mark.parametrize("moves", [True, False])
def test_a_restored_stop_is_filled_up_at_its_last_price(way: Way, moves: bool) -> None:
    """EX-13, OP-02: the broker makes it smaller; what is missing has the price of the ticket that named it last"""
    house = holding_six(way)
    house.line.refuses_the_next_order("no")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)
    if moves:
        house.presses(MoveStop(SPY, "manual", way.at("99.30")))
        confirms_now(house)
        passes(house, 5)
    price = plain(way.at("99.30" if moves else "99"))
    before = working(house)
    is_changed_there(house, next(o for o in house.stops if o.is_working).id, quantity=Quantity(Decimal(5)))
    passes(house, 70)

    added = [(plain(p.order.quantity), plain(p.order.stop_price or ZERO)) for p in house.desk.stage.proposals()]
    assert before == [f"{way.out} stop 6 {price}"]
    assert added == ([("1", price)] if moves else [])
    assert working(house) == sorted([f"{way.out} stop 5 {price}", *([] if moves else [f"{way.out} stop 1 {price}"])])


def test_a_pair_taken_back_owes_no_stop_to_watched_shares() -> None:
    """EX-22: the operator's own key ended the stop of a pair that sold watched shares too"""
    house = holding_six(LONG)
    watched(house, LONG)
    sells(house, LONG, "8", "101", "99.50")
    passes(house, 5)
    takes_back_the_exit(house, LONG, "101")

    assert working(house) == ["sell stop 3 99", "sell stop 3 99"]
    assert owed(house) == []


@pytest.mark.parametrize(("sale", "back"), [("9", "1"), ("11", "2")])
def test_shares_that_a_stop_sold_meanwhile_stay_no_more(sale: str, back: str) -> None:
    """EX-13, EX-21: six of eleven had it; it sells one while it is cancelled for a limit, which sells eight"""
    house = holding_six(LONG, ("10:08", "100 100 99.85 100", 20), ("10:12", "100 101.6 100 100", 80), stop="99.90")
    watched(house, LONG)
    house.until("10:08")
    passes(house, 12)
    sells(house, LONG, sale, "101.5")
    house.slows_down(8)
    passes(house, 30)
    house.slows_down(0.1)
    passes(house, 3)
    assert house.stops[0].filled_quantity == 1
    house.until("10:15")
    watched(house, LONG)
    takes_back_the_exit(house, LONG, "101.5")

    assert sum(int(each.split()[2]) for each in working(house)) == int(back)


@BOTH
def test_a_refused_close_restores_the_rest_behind_a_restored_stop(way: Way) -> None:
    """EX-21: of six, four wait at a limit; the stop of the other two sells those, the limit one, and the close fails"""
    house = holding_six(way, ("10:08", "100 100 99.85 100", 100_000), ("10:12", "100 101.6 100 100", 10), stop="99.90")
    exits(house, way, "101.5", "4")
    house.until("10:13")
    assert abs(Decimal(house.held_by_the_broker())) == 3
    assert working(house) == [f"{way.out} limit 3 {plain(way.at('101.5'))}"]

    house.presses(ProposeClose(SPY))
    house.line.refuses_the_next_order("no")
    confirms_now(house)
    passes(house, 30)
    assert working(house) == [f"{way.out} stop 3 {plain(way.at('99.90'))}"]
    assert_can_be_rebuilt(house)


@BOTH
def test_a_close_sells_none_of_what_was_bought_after_its_key(way: Way) -> None:
    """EX-22: eleven wait at a limit, of which six had a stop; four of a bracket for ten are bought, whose legs wait"""
    house = holding_six(way, ("10:12", "100 100 99.4 100", 60), ("10:20", "100 100.7 100 100", 100_000), stop="99.30")
    watched(house, way)
    exits(house, way, "100.5", "11")
    enters(house, way, "10", "99.50", "98.50", target_price=way.at("102"))
    house.until("10:22")

    assert abs(Decimal(house.held_by_the_broker())) == 4
    assert owed(house) == [("4", OwedReason.LEGS_WAIT)]
    assert_can_be_rebuilt(house)


@BOTH
def test_a_limit_is_nobodys_call_and_legs_that_wait_are(way: Way) -> None:
    """EX-22: four wait at a limit that a ticket named, two of a bracket for the rest of it"""
    house = holding_six(way, ("10:12", "100 100 99.4 100", 30))
    sells(house, way, "4", "101")
    passes(house, 5)
    enters(house, way, "8", "99.50", "98", target_price=way.at("103"))
    house.until("10:14")

    assert owed(house) == [("2", OwedReason.LEGS_WAIT)]
    assert [(fact.quantity, fact.why) for fact in house.facts(StopOwed)] == [(2, OwedReason.LEGS_WAIT)]


def test_a_second_loss_beside_a_limit_is_told() -> None:
    """EX-22, SY-03: the restored stop was kept by a limit of requests, told, and worked; then somebody cancels it"""
    house = holding_six(LONG)
    ask, stops = house.line.ask, []

    def limits_the_first(effect: Asked) -> Input | None:
        if isinstance(effect, SubmitOrder) and effect.order.type.is_stop:
            stops.append(effect.order.client_order_id)
            if len(stops) < 4:
                return SubmissionAnswered(stops[-1], Refused(RefusalKind.RATE_LIMITED, "too many", "42910000"))
        return ask(effect)

    house.line.ask = limits_the_first  # type: ignore[method-assign]
    sells(house, LONG, "2", "101")
    passes(house, 120)
    assert "sell stop 4 99" in working(house)
    told = len(house.facts(StopOwed))
    (stop,) = (order for order in house.desk.ledger.working() if order.is_protective)
    house.exchange.cancel(house.line.at, stop.id)
    passes(house, 70)

    assert house.facts(StopOwed)[told:][0].why is OwedReason.TAKEN_ELSEWHERE


def takes_back_the_stop(house: House) -> None:
    (stop,) = (order for order in house.desk.ledger.working() if order.is_protective)
    house.presses(RequestCancel(stop.id))
    passes(house, 30)


def when_the_restored_stop_has_sold(limit: str | None) -> tuple[House, tuple[str, ...]]:
    """Two of six went back to their stop and were sold by it; one of the four is sold now."""
    house = holding_six(LONG, ("10:12", "100 100 98.9 100", 100_000))
    sells(house, LONG, "4", "101")
    house.until("10:14")
    return house, sells(house, LONG, "1", limit)


def when_watched_shares_wait_too() -> tuple[House, tuple[str, ...]]:
    house = holding_six(LONG, ("10:12", "100 100 98.9 100", 100_000))
    watched(house, LONG)
    sells(house, LONG, "8", "101")
    house.until("10:14")
    return house, sells(house, LONG, "5", "100.9")


def when_the_restored_stop_was_taken_back() -> tuple[House, tuple[str, ...]]:
    house = holding_six(LONG)
    watched(house, LONG)
    sells(house, LONG, "8", "101")
    passes(house, 10)
    takes_back_the_stop(house)
    return house, sells(house, LONG, "7", "100.9")


def when_four_have_none_by_choice() -> tuple[House, tuple[str, ...]]:
    house = holding_six(LONG)
    sells(house, LONG, "2", "101")
    passes(house, 10)
    takes_back_the_stop(house)
    return house, sells(house, LONG, "1")


@pytest.mark.parametrize(
    ("made", "says", "works"),
    [
        (lambda: when_the_restored_stop_has_sold("100.9"), "3", ["sell limit 1 100.9", "sell stop 3 99"]),
        (lambda: when_the_restored_stop_has_sold(None), "3", ["sell stop 3 99"]),
        (when_watched_shares_wait_too, "3", ["sell limit 5 100.9", "sell stop 3 99"]),
        (when_the_restored_stop_was_taken_back, "3", ["sell limit 7 100.9", "sell stop 3 99"]),
        (when_four_have_none_by_choice, "2", ["sell stop 2 99"]),
    ],
    ids=["sold, limit", "sold, market", "watched", "taken back", "none by choice"],
)
def test_a_later_sale_restores_what_its_ticket_names(
    made: Callable[[], tuple[House, tuple[str, ...]]], says: str, works: list[str]
) -> None:
    """EX-21, OP-02: whatever became of the stop that the sale before it restored; and no more within ten minutes"""
    house, named = made()
    passes(house, 600)

    assert named == (f"{says} at 99.00",)
    assert working(house) == works
    assert house.facts(StopOwed) == []
    assert_can_be_rebuilt(house)


def test_shares_bought_beside_a_restored_stop_get_none() -> None:
    """EX-22: four of six have theirs again, two sell at a limit; five that the desk watches were bought meanwhile"""
    house = holding_six(LONG, ("10:20", "100 101.5 100 100", 100_000))
    sells(house, LONG, "2", "101")
    passes(house, 5)
    watched(house, LONG)
    house.until("10:25")

    assert working(house) == ["sell stop 4 99"]
    assert (owed(house), house.facts(StopOwed)) == ([], [])
