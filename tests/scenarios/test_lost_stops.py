"""Stops that are lost, made less or restored beside a sale, a purchase, a new start or a late answer (EX-22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import orjson
import pytest

import tests.scenarios.test_stops_after_a_close as stops_after_a_close
from core.execution.order import Order
from core.facts import StopOwed
from core.messages.commands import MoveStop, ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, SubmitOrder
from core.messages.effects import Effect as Asked
from core.messages.inputs import BrokerUpdated, Input, SubmissionAnswered
from core.model.broker import Accepted
from core.model.codes import EndCode, OwedReason
from core.model.order import OrderType
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from state.codec import decode
from tests.scenarios.changes import FRACTIONS, ROOMY, a_house_in_a_thin_market, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.house import Disk, House, assert_can_be_rebuilt
from tests.scenarios.test_contradicting_reports import BrokersWord
from tests.scenarios.test_orders_in_doubt import taken_or
from tests.scenarios.test_refused_stops import NOT_FREE
from tests.scenarios.test_restored_stops import LONG, owed, sells, watched
from tests.scenarios.test_stops_after_a_close import enters, exits, holding_six, working
from tests.unit.core.brokers.trading_floor import SPY

TAKEN = OwedReason.TAKEN_ELSEWHERE
DIP = ("10:12", "100 100 99.4 100", 100_000)
RISE = ("10:20", "100 101.6 100 100", 100_000)
End = Callable[[House, Order], None]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def by_key(house: House, stop: Order) -> None:
    house.presses(RequestCancel(stop.id))


def elsewhere(house: House, stop: Order) -> None:
    house.exchange.cancel(house.line.at, stop.id)


def stop_at(house: House, price: str) -> Order:
    (found,) = (o for o in house.desk.ledger.working() if o.is_protective and o.request.stop_price == Decimal(price))
    return found


def wide(known: Settings) -> Settings:
    """With room for more than one order."""
    tables = known.model_dump(mode="json")
    limits = {"max_notional": {"usd": "6000"}, "per_trade": {"usd": "60"}, "entries_a_day": 50}
    return Settings.model_validate({**tables, "risk": {**tables["risk"], **limits}})


def without_held(house: House) -> None:
    """A restart on a journal of an older release: its records do not say what was held at the key of a close."""
    older = Disk()
    for line in house.journal.lines:
        record = orjson.loads(line)
        for signed in record["data"].get("authorizations", ()) if record["fact"] == "ConfirmationReceived" else ():
            signed.pop("held", None)
        known = decode(orjson.dumps(record))
        older.append(known.at, known.fact)
    house.journal = older
    house.restarted()


def four_lost_of_ten() -> House:
    """Six had a stop at 99 and four at 98.50, which somebody cancelled at the broker."""
    house = holding_six(LONG)
    enters(house, LONG, "4", "100.10", "98.50")
    elsewhere(house, stop_at(house, "98.50"))
    passes(house, 70)
    assert owed(house) == [("4", TAKEN)]
    return house


@pytest.mark.parametrize("is_entry_first", [True, False])
def test_an_entry_that_fills_beside_a_sale_keeps_its_stop_named(is_entry_first: bool) -> None:
    """EX-22, SY-03: five are bought by an order that rested at the sale's key; later somebody takes their stop"""
    house = holding_six(LONG, DIP, RISE)
    if is_entry_first:
        enters(house, LONG, "5", "99.50", "98.50")
    exits(house, LONG, "101")
    if not is_entry_first:
        enters(house, LONG, "5", "99.50", "98.50")
    house.until("10:22")
    assert (house.held(), working(house)) == ("5", ["sell stop 5 98.5"])

    elsewhere(house, stop_at(house, "98.50"))
    passes(house, 70)
    assert owed(house) == [("5", TAKEN)]
    assert house.facts(StopOwed)
    assert_can_be_rebuilt(house)


def test_shares_bought_and_sold_beside_a_sale_are_not_owed_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, OP-02: five at 99 stay, and five that the desk watches; another five came and went by their own stop"""
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(ROOMY))
    house = holding_six(LONG, ("10:12", "100 100 99.45 100", 100_000), RISE)
    watched(house, LONG)
    assert sells(house, LONG, "6", "101") == ("5 at 99.00",)
    passes(house, 5)
    enters(house, LONG, "5", "100.10", "99.50")
    house.until("10:14")
    assert house.held() == "11"
    watched(house, LONG)
    house.until("10:25")

    assert (house.held(), working(house), owed(house)) == ("10", ["sell stop 5 99"], [])
    assert house.desk.stage.proposals() == ()


def test_a_lost_stop_is_not_sent_at_another_price() -> None:
    """EX-13, OP-02: the ticket of a sale says "6 at 99", and that is what goes"""
    house = four_lost_of_ten()
    assert sells(house, LONG, "2") == ("6 at 99.00",)
    passes(house, 100)

    assert (house.held(), working(house)) == ("8", ["sell stop 6 99"])
    assert owed(house) == [("2", TAKEN)]


@pytest.mark.parametrize(
    ("own_stop", "ends", "left"),
    [
        (None, by_key, ("2", OwedReason.AT_LIMIT)),
        (None, elsewhere, ("6", TAKEN)),
        ("99.50", by_key, None),
        ("99.50", elsewhere, ("4", TAKEN)),
    ],
)
def test_a_restored_stop_that_was_cancelled_stays_away(
    own_stop: str | None, ends: End, left: tuple[str, OwedReason] | None
) -> None:
    """EX-13, OP-02: beside the sale that rests at its limit or as a pair, by the operator or at the broker"""
    house = holding_six(LONG)
    assert sells(house, LONG, "2", "101", own_stop) == ("4 at 99.00",)
    passes(house, 60)
    ends(house, stop_at(house, "99"))
    passes(house, 600)

    assert [each for each in working(house) if each.endswith(" 99")] == []
    assert owed(house) == ([] if left is None else [left])


@pytest.mark.parametrize("limit", [None, "101"], ids=["market", "limit"])
def test_a_sale_of_an_older_release_restores_its_stop(limit: str | None) -> None:
    """EX-21, EX-22, SP-07: its record does not say what was held at the key; its stop is being cancelled"""
    house = holding_six(LONG, RISE)
    watched(house, LONG)
    assert sells(house, LONG, "7", limit) == ("4 at 99.00",)
    passes(house, 0.12)
    without_held(house)
    house.until("10:25")

    assert (house.held(), working(house)) == ("4", ["sell stop 4 99"])


def test_an_older_sale_restores_no_stop_for_watched_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-21, OP-02: all six rest at 101, and the ticket says that nothing goes back; five are bought later"""
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(ROOMY))
    house = holding_six(LONG, RISE)
    assert sells(house, LONG, "6", "101") == ()
    passes(house, 5)
    watched(house, LONG)
    without_held(house)
    house.until("10:25")

    assert (house.held(), working(house)) == ("5", [])


def test_watched_shares_get_no_stop_of_a_half_bought_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, OP-02: three of an entry that still works are sold with six others; five watched ones are bought then"""
    monkeypatch.setattr(stops_after_a_close, "ROOMY", wide(FRACTIONS))
    house = holding_six(LONG, ("10:06", "100 100 99.5 100", 40), ("10:08", "100 101.6 100 100", 100_000))
    enters(house, LONG, "10.5", "99.60", "98.50")
    house.until("10:07:05")
    assert house.held() == "9"
    assert sells(house, LONG, "9", "101") == ()
    passes(house, 3)
    watched(house, LONG)
    house.until("10:12")

    assert house.held() == "5"
    assert [each for each in working(house) if "stop" in each] == []
    assert not house.facts(StopOwed)
    assert house.desk.stage.proposals() == ()


@pytest.mark.parametrize("own_stop", [None, "99.50"], ids=["limit", "pair"])
def test_a_cancelled_restored_stop_stays_away_behind_the_fill(own_stop: str | None) -> None:
    """EX-13, EX-22: two rest, and four have their stop back, which the operator cancels; then the two are sold"""
    house = holding_six(LONG, RISE)
    assert sells(house, LONG, "2", "101", own_stop) == ("4 at 99.00",)
    passes(house, 60)
    by_key(house, stop_at(house, "99"))
    house.until("10:25")

    assert (house.held(), working(house), house.facts(StopOwed)) == ("4", [], [])
    assert house.desk.stage.proposals() == ()


@pytest.mark.parametrize("happens", [House.restarted, lambda house: elsewhere(house, stop_at(house, "99"))])
def test_a_key_that_comes_to_nothing_leaves_the_reason(happens: Callable[[House], None]) -> None:
    """EX-22, SY-03: a restart loses the key; or the other stop goes too, while figures are fetched for it"""
    house = four_lost_of_ten()
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2))))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    happens(house)
    passes(house, 600)

    assert {why for _, why in owed(house)} == {TAKEN}


def test_a_ticket_names_no_stop_for_what_is_being_sold() -> None:
    """OP-03: two of six are being sold, and four more are to be"""
    house = holding_six(LONG)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2))))
    house.opens_ticket()
    passes(house, 1)
    house.slows_down(3)
    house.confirms()
    passes(house, 3.2)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(5))))
    house.opens_ticket()
    passes(house, 4)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.confirms()
    house.slows_down(0.1)
    passes(house, 100)

    assert (house.held(), ticket.put_back_in_words) == ("0", ())


def test_a_late_answer_does_not_undo_newer_terms() -> None:
    """EX-13, EX-22: the broker made a moved stop less; the answer to its sending comes after that was heard"""
    house, answers = holding_six(LONG), list[SubmissionAnswered]()
    ask = house.line.ask

    def keeping(asked: Asked) -> Input:
        answer = ask(asked)
        answers.extend([answer] if isinstance(answer, SubmissionAnswered) else [])
        return answer

    house.line.ask = keeping  # type: ignore[method-assign]
    house.presses(MoveStop(SPY, "manual", LONG.at("99.20")))
    confirms_now(house)
    passes(house, 10)
    moved = stop_at(house, "99.20")
    is_changed_there(house, moved.id, quantity=Quantity(Decimal(4)))
    passes(house, 70)
    known = owed(house)
    (late,) = (answer for answer in answers if answer.client_order_id == moved.id)
    house.line.take(house.line.at, late)

    assert stop_at(house, "99.20").remaining == 4
    assert owed(house) == known == [("2", OwedReason.WAITS_FOR_KEY)]


def test_terms_of_a_leg_that_the_answer_names_first_count() -> None:
    """EX-13: the broker changed them at once, and the stream tells of no leg"""
    house = holding_six(LONG)
    ask, take = house.line.ask, house.line.take
    there = Price(Decimal("98.40"))

    def altered(asked: Asked) -> Input:
        answer = ask(asked)
        if not isinstance(answer, SubmissionAnswered) or not isinstance(answer.answer, Accepted):
            return answer
        report = answer.answer.report
        for leg in report.legs:
            is_changed_there(house, leg.client_order_id, stop_price=there)
        legs = tuple(replace(leg, stop_price=there) for leg in report.legs)
        return replace(answer, answer=replace(answer.answer, report=replace(report, legs=legs)))

    def heard(at: datetime, message: Input) -> None:
        if not isinstance(message, BrokerUpdated) or message.update.report.type is not OrderType.STOP:
            take(at, message)

    house.line.ask, house.line.take = altered, heard  # type: ignore[method-assign]
    enters(house, LONG, "4", "100.10", "98.50")

    assert stop_at(house, "98.40").remaining == 4


def a_slow_cut(house: House, quantity: str) -> Order:
    """The broker makes a stop more than is held; it takes the cancel for that, and does not cancel it yet."""
    stop, ask = stop_at(house, "99"), house.line.ask
    house.line.ask = lambda asked: taken_or(ask, asked)  # type: ignore[method-assign]
    is_changed_there(house, stop.id, quantity=Quantity(Decimal(quantity)))
    passes(house, 80)
    house.line.ask = ask  # type: ignore[method-assign]
    assert stop.is_cancelling
    return stop


def test_a_cut_stop_comes_back_behind_a_rejected_close() -> None:
    """EX-22: it was too large, and went while a close waited for it; the broker refuses that close"""
    house = holding_six(LONG)
    ask = house.line.ask
    stop = a_slow_cut(house, "6.5")

    def refusing(asked: Asked) -> Input:
        if isinstance(asked, SubmitOrder) and asked.order.type is OrderType.MARKET:
            return SubmissionAnswered(asked.order.client_order_id, NOT_FREE)
        return ask(asked) if not isinstance(asked, CancelOrder) else taken_or(ask, asked)

    house.line.ask = refusing  # type: ignore[method-assign]
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 2)
    elsewhere(house, stop)
    for told in house.exchange.take_updates():
        house.line.take(house.line.at, BrokerUpdated(told))
    passes(house, 1)

    assert (working(house), owed(house)) == (["sell stop 6 99"], [])


def test_legs_of_a_lost_entry_are_looked_up_at_once(broker: BrokersWord) -> None:
    """EX-22: its leg waits for an order that the broker does not know; what was bought has a stop in a second"""
    house = a_house_in_a_thin_market()
    house.until("10:11:30")
    entry = house.entry
    broker.changes[entry.id] = lambda _report: None
    house.line.breaks_at(CancelOrder, arrives=False, times=9)
    house.presses(RequestCancel(entry.id))
    while entry.is_working:
        passes(house, 0.1)
    house.line.mends()
    passes(house, 1)

    assert entry.end_code is EndCode.LOST_THERE
    assert (house.held(), working(house), owed(house)) == ("7", ["sell stop 7 99.3"], [])
