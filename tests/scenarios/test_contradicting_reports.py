"""What a broker says of our orders may contradict itself: figures count, unknown words are kept, exits have a way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core import facts
from core.execution.order import Order
from core.messages.commands import Kill, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.messages.effects import CancelOrder, LookUpOrder, ReplaceOrder, SubmitOrder
from core.messages.inputs import (
    BooksFetched,
    BrokerUpdated,
    CancelAnswered,
    ClockFetched,
    ClockRead,
    LookUpAnswered,
    QuoteArrived,
    SubmissionAnswered,
)
from core.model.broker import (
    BrokerBooks,
    CancelTaken,
    Execution,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
    UpdateEvent,
)
from core.model.codes import BlockCode, CancelCode, EndCode, GuardCode, OwedReason, RefusalKind
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, ExecutionId, Price, Quantity, Symbol, plain
from core.runtime.virtual_time import ExchangeAnswers
from core.views import RowMark
from core.views.builders.rows import order_row
from tests.scenarios.changes import ROOMY, confirms_now, moves, passes
from tests.scenarios.elsewhere import is_changed_there, trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, assert_can_be_rebuilt
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested, sell
from tests.scenarios.test_lost_answers import AWAY
from tests.scenarios.test_owed_notices import row_of
from tests.scenarios.test_stops_after_a_close import Way, enters, holding_six, quiet_but, working
from tests.unit.core.brokers.trading_floor import SPY, a_quote

Change = Callable[[OrderReport], OrderReport | None]


class BrokersWord:
    """What the broker says of an order by REST, in place of what is true; None where it knows it no more."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.changes: dict[ClientOrderId, Change] = {}
        answer = ExchangeAnswers.answer
        patch.setattr(ExchangeAnswers, "answer", lambda *asked: self._of(answer(*asked)))

    def _of(self, told: object) -> object:
        if isinstance(told, LookUpAnswered) and isinstance(told.answer, OrderReport):
            return replace(told, answer=self._changed(told.answer) or NotFound())
        if isinstance(told, BooksFetched) and isinstance(told.answer, BrokerBooks):
            orders = tuple(said for order in told.answer.orders if (said := self._changed(order)) is not None)
            return replace(told, answer=replace(told.answer, orders=orders))
        return told

    def _changed(self, report: OrderReport) -> OrderReport | None:
        change = self.changes.get(report.client_order_id)
        return report if change is None else change(report)

    def states(self, house: House, order_id: ClientOrderId, change: Change, event: UpdateEvent) -> None:
        """By REST from now on, and over the stream once."""
        self.changes[order_id] = change
        told = house.exchange.order(house.line.at, order_id)
        assert isinstance(told, OrderReport)
        said = change(told)
        assert said is not None
        house.line.take(house.line.at, BrokerUpdated(OrderUpdate(event, house.line.at, said)))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def with_terms(**terms: object) -> Change:
    return lambda report: replace(report, **terms)  # type: ignore[arg-type]


def ended(status: OrderStatus, filled: str, price: str = "99.60") -> Change:
    return with_terms(
        status=status,
        raw_status=status.value.lower(),
        filled_quantity=Quantity(Decimal(filled)),
        average_price=Price(Decimal(price)),
    )


def a_working_entry() -> House:
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    return house.until("10:06:05")


def stops(house: House) -> list[tuple[Decimal, OrderStatus]]:
    orders = house.desk.ledger.state.orders.values()
    return [(o.request.quantity, o.status) for o in orders if o.is_protective]


@pytest.mark.parametrize(
    ("status", "after", "code"),
    [
        (OrderStatus.FILLED, OrderStatus.CANCELLED, EndCode.FILLED_SHORT),
        (OrderStatus.REJECTED, OrderStatus.CANCELLED, EndCode.REJECTED_LATER),
        (OrderStatus.EXPIRED, OrderStatus.EXPIRED, EndCode.AS_ITS_STATE_SAYS),
    ],
)
def test_an_end_with_fewer_shares_ends_the_order(
    broker: BrokersWord, status: OrderStatus, after: OrderStatus, code: EndCode
) -> None:
    """EX-05: `filled` with 0.4 of 0.502, or an end after a partial fill; what was filled has its stop"""
    house = a_working_entry()
    broker.states(house, house.entry.id, ended(status, "0.4"), UpdateEvent.FILL)
    house.until("10:06:20")

    assert (house.entry.status, house.entry.end_code, house.entry.filled_quantity) == (after, code, Decimal("0.4"))
    assert [quantity for quantity, _ in stops(house)] == [Decimal("0.4")]


def test_an_answer_that_rejects_and_fills_counts_the_fill(broker: BrokersWord) -> None:
    """EX-05: nothing was heard before of an order that ended rejected with 0.4 filled"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    broker.changes[house.proposal.order.client_order_id] = ended(OrderStatus.REJECTED, "0.4")
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert (house.entry.end_code, house.entry.filled_quantity) == (EndCode.REJECTED_LATER, Decimal("0.4"))
    assert [quantity for quantity, _ in stops(house)] == [Decimal("0.4")]


def test_a_late_fill_after_a_short_end_is_counted(broker: BrokersWord) -> None:
    """EX-05"""
    house = a_working_entry()
    broker.states(house, house.entry.id, ended(OrderStatus.FILLED, "0.4"), UpdateEvent.FILL)
    house.until("10:06:20")
    broker.states(house, house.entry.id, ended(OrderStatus.FILLED, "0.502"), UpdateEvent.FILL)
    house.until("10:06:40")

    assert house.entry.filled_quantity == Decimal("0.502")
    assert sum(f.fill.quantity for f in house.facts(facts.OrderFilled)) == Decimal("0.502")
    assert sum(quantity for quantity, _ in stops(house)) == Decimal("0.502")


def test_terms_the_broker_changed_are_the_orders(broker: BrokersWord) -> None:
    """EX-13: by REST alone; both are recorded, and its fill closes the trade"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    old, new = stop.request.stop_price, Price(Decimal("98.00"))
    broker.changes[stop.id] = with_terms(stop_price=new)
    house.desk.sightings.books_are_wanted = True
    house.until("10:08")
    (restated,) = house.facts(facts.OrderRestated)
    row = order_row(house.desk, stop, {})
    broker.changes[stop.id] = lambda report: ended(OrderStatus.FILLED, str(stop.request.quantity), "98.00")(
        replace(report, stop_price=new)
    )
    house.until("10:12")

    assert (restated.before.stop_price, restated.after.stop_price) == (old, new)
    assert stop.request.stop_price == new
    assert row.restated == f"stop price {plain(old or 0)} → 98"
    assert RowMark.RESTATED in row.marks
    assert stop.status is OrderStatus.FILLED
    assert house.last(facts.TradeClosed).trade.exit_order == stop.id


def test_a_fill_with_unknown_words_is_counted(broker: BrokersWord) -> None:
    """EX-05: side, type and time in force are words of another release"""
    house = a_working_entry()
    words = ("side sideways", "type combo", "time_in_force gtd")
    said = with_terms(side=None, time_in_force=None, type=None, unknown_words=words)
    broker.states(
        house,
        house.entry.id,
        lambda report: ended(OrderStatus.FILLED, "0.502")(said(report) or report),
        UpdateEvent.FILL,
    )
    house.until("10:06:20")

    assert (house.entry.status, house.entry.filled_quantity) == (OrderStatus.FILLED, Decimal("0.502"))
    assert [quantity for quantity, _ in stops(house)] == [Decimal("0.502")]


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_lost_stop_is_sent_again_as_signed(broker: BrokersWord, is_gone: bool) -> None:
    """EX-06, EX-22: acknowledged, then in no list and not found five times over a minute; a broker that has it after
    all refuses the second one, and a key is asked for
    """
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    if is_gone:
        house.exchange.cancel(house.line.at, stop.id)
        house.exchange.take_updates()
    broker.changes[stop.id] = lambda _report: None
    house.until("10:12")

    assert (stop.status, stop.end_code) == (OrderStatus.CANCELLED, EndCode.LOST_THERE)
    after = [OrderStatus.SUBMITTED] if is_gone else [OrderStatus.REJECTED]
    assert [order.status for order in house.stops[1:]] == after
    assert [p.guard for p in house.desk.stage.proposals()] == ([] if is_gone else [GuardCode.REFUSED])


def test_a_lost_stop_is_in_doubt_at_once(broker: BrokersWord) -> None:
    """EX-09, EX-22, SY-03: once neither list nor look-up has it; no second one is sent; it covers once it is back"""
    receivers = Receivers()
    house = with_receivers(a_house_in_a_position(("10:06", "11:00", STEADY), settings=settings()), receivers)
    (stop,) = house.stops
    broker.changes[stop.id] = lambda _report: None
    house.until("10:07:30")

    compared = [r.at for r in house.journal.records() if isinstance(r.fact, facts.ReconciliationPassed)][-1]
    (owed,) = house.facts(facts.StopOwed)
    (_urgent,) = [sent for sent in receivers.heard if sent.is_urgent]
    assert (owed.why, owed.quantity) == (OwedReason.IN_DOUBT, stop.remaining)
    assert house.desk.notifications.state.matters["stop vwap SPY"].notice.at - compared <= timedelta(seconds=5)
    row = row_of(house)
    assert (row.covered, row.in_doubt, row.calls_a_person) == (0, stop.remaining, True)
    assert (house.stops, stop.status) == ([stop], OrderStatus.SUBMITTED)
    assert_can_be_rebuilt(house)

    broker.changes.clear()
    house.until("10:08")
    assert (row_of(house).covered, house.stops, house.desk.owed_stops.all()) == (stop.remaining, [stop], ())
    assert_can_be_rebuilt(house)


def test_a_late_word_of_the_stream_ends_no_doubt(broker: BrokersWord) -> None:
    """EX-22: it may be older than the answer that the broker does not know the stop"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    (stop,) = house.stops
    told = house.exchange.order(house.line.at, stop.id)
    assert isinstance(told, OrderReport)
    broker.changes[stop.id] = lambda _report: None
    house.until("10:07:30")
    before = stop.in_doubt_since

    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.NEW, house.line.at, told)))

    assert before is not None
    assert stop.in_doubt_since == before


def test_a_stop_that_was_taken_back_and_lost_is_not_asked_for(broker: BrokersWord) -> None:
    """EX-22, EX-13: the operator cancelled it, so it is not owed"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    house.exchange.cancel(house.line.at, stop.id)
    house.exchange.take_updates()
    broker.changes[stop.id] = lambda _report: None
    house.presses(RequestCancel(stop.id))
    house.until("10:12")

    assert stop.end_code is EndCode.LOST_THERE
    assert (house.desk.stage.proposals(), house.facts(facts.StopOwed)) == ((), [])


def test_a_stop_that_waits_follows_what_is_held(broker: BrokersWord) -> None:
    """EX-13: a part is sold while its stop waits for a key"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    lost = house.stops[0].id
    house.exchange.cancel(house.line.at, lost)
    house.exchange.take_updates()
    broker.states(house, lost, ended(OrderStatus.EXPIRED, "0"), UpdateEvent.EXPIRED)
    house.until("10:12")
    waiting = [p.order.quantity for p in house.desk.stage.proposals()]
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal("0.2"))))
    sale = next(p for p in house.desk.stage.proposals() if p.is_exit)
    house.presses(OpenTicket(sale.id))
    passes(house, 1)
    house.confirms()
    passes(house, 5)

    assert house.held() == "0.302"
    assert waiting == [Decimal("0.502")]
    assert [p.order.quantity for p in house.desk.stage.proposals()] == [Decimal("0.302")]


def test_a_stop_that_filled_short_is_asked_for(broker: BrokersWord) -> None:
    """EX-05, EX-22: `filled` with 0.2 of 0.502, and the rest has no stop"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    broker.states(house, stop.id, ended(OrderStatus.FILLED, "0.2"), UpdateEvent.FILL)
    house.until("10:06:45")

    (guard,) = house.desk.stage.proposals()
    assert (stop.end_code, guard.guard) == (EndCode.FILLED_SHORT, GuardCode.REFUSED)
    assert guard.order.quantity == Decimal("0.302")


def test_a_stop_that_ended_with_a_short_target_is_asked_for(broker: BrokersWord) -> None:
    """EX-13, EX-22: the broker calls the target filled with three of six, and ends the stop with it"""
    way = Way(is_long=True)
    bars = quiet_but(way, ("10:12", "100 101.5 100 100", 30))
    house = House(bars, ROOMY, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    enters(house, way, "6", "100.10", "99", target_price=way.at("101"))
    house.until("10:13")
    (target,) = (order for order in house.desk.ledger.working() if order.is_target)
    (stop,) = house.stops
    assert target.filled_quantity == 3
    broker.states(house, stop.id, ended(OrderStatus.CANCELLED, "0"), UpdateEvent.CANCELED)
    broker.states(house, target.id, ended(OrderStatus.FILLED, "3", "101"), UpdateEvent.FILL)
    passes(house, 5)

    assert target.end_code is EndCode.FILLED_SHORT
    assert [(p.order.quantity, p.order.stop_price) for p in house.desk.stage.proposals()] == [(3, way.at("99"))]


def test_a_close_sells_where_the_broker_lost_the_stop(broker: BrokersWord) -> None:
    """EX-21, EX-06: no order that does not end blocks a close"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    exchange_stop = house.stops[0].id
    house.exchange.cancel(house.line.at, exchange_stop)
    house.exchange.take_updates()
    broker.changes[exchange_stop] = lambda _report: None
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.confirms()
    house.until("10:20")

    assert house.held() == house.held_by_the_broker() == "0"


def test_a_stop_the_broker_ended_and_works_again_stands(broker: BrokersWord) -> None:
    """EX-13: `expired` at night and `new` in the morning; nothing is cancelled that no record asked for"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    broker.states(house, stop.id, ended(OrderStatus.EXPIRED, "0"), UpdateEvent.EXPIRED)
    house.until("10:08")
    assert stop.status is OrderStatus.EXPIRED
    del broker.changes[stop.id]
    house.until("10:12")

    assert stop.status is OrderStatus.SUBMITTED
    assert [fact.client_order_id for fact in house.facts(facts.OrderRevived)] == [stop.id]
    assert CANCEL not in requested(house)
    assert house.desk.ledger.exits.covered(SPY, house.entry.strategy) == Decimal(house.held())


def a_stop_that_ended_there(broker: BrokersWord) -> tuple[House, Order]:
    """Six are held; the broker says that their stop is cancelled, and works it."""
    house = holding_six(Way(is_long=True))
    (stop,) = house.stops
    broker.states(house, stop.id, ended(OrderStatus.CANCELLED, "0"), UpdateEvent.CANCELED)
    passes(house, 2)
    return house, stop


def sells_slowly(house: House, limit: str | None = None) -> None:
    """The order for six is on its way, and takes three seconds."""
    price = None if limit is None else Price(Decimal(limit))
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    house.presses(ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal(6)), kind, price, None, StopHolder.BROKER))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.slows_down(3)
    passes(house, 0.5)
    assert [o.status for o in house.desk.ledger.working_exits()] == [OrderStatus.PENDING]


def works_again(house: House, broker: BrokersWord, stop: Order) -> None:
    """The stream says so, and a look-up."""
    del broker.changes[stop.id]
    report = house.exchange.order(house.line.at, stop.id)
    assert isinstance(report, OrderReport)
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.NEW, house.line.at, report)))
    house.line.take(house.line.at, LookUpAnswered(stop.id, report))


def is_gone_after_all(house: House, stop: Order) -> None:
    """The broker has ended it; so it takes the exit."""
    house.exchange.cancel(house.line.at, stop.id)
    house.exchange.take_updates()


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_stop_that_works_beside_an_unanswered_exit_stands(broker: BrokersWord, is_taken: bool) -> None:
    """EX-13, EX-22: the broker had ended it, and refuses the exit; if it takes the exit, the stop is cancelled"""
    house, stop = a_stop_that_ended_there(broker)
    sells_slowly(house)
    works_again(house, broker, stop)
    assert stop.status is OrderStatus.SUBMITTED
    if is_taken:
        is_gone_after_all(house, stop)
    house.slows_down(0.1)
    passes(house, 60)

    assert (house.held(), working(house)) == (("0", []) if is_taken else ("6", ["sell stop 6 99"]))
    assert [fact.code for fact in house.facts(facts.CancelRequested)] == ([CancelCode.TOO_MUCH] if is_taken else [])


def test_a_kill_leaves_the_stop_that_works_again(broker: BrokersWord) -> None:
    """OP-07, EX-22: the broker refuses the exit beside it; nobody typed NAKED"""
    house, stop = a_stop_that_ended_there(broker)
    house.line.refuses_the_next_order("insufficient qty available for order")
    sells_slowly(house)
    works_again(house, broker, stop)
    house.presses(Kill("the operator"))
    house.slows_down(0.1)
    passes(house, 120)

    assert (house.held(), working(house)) == ("6", ["sell stop 6 99"])


def test_a_stop_that_works_again_ends_no_signed_sale(broker: BrokersWord) -> None:
    """EX-13: the sale at a limit is on its way, and the broker takes it"""
    house, stop = a_stop_that_ended_there(broker)
    sells_slowly(house, "101")
    works_again(house, broker, stop)
    is_gone_after_all(house, stop)
    house.slows_down(0.1)
    passes(house, 120)

    assert "sell limit 6 101" in working(house)


def test_an_entry_that_works_after_its_end_is_cancelled_on_record(broker: BrokersWord) -> None:
    """EX-20: the record comes before the cancel"""
    house = a_working_entry()
    entry = house.entry
    broker.states(house, entry.id, ended(OrderStatus.EXPIRED, "0"), UpdateEvent.EXPIRED)
    house.until("10:06:20")
    assert entry.status is OrderStatus.EXPIRED
    del broker.changes[entry.id]
    house.until("10:12")

    assert requested(house).count(CANCEL) == 1
    assert [fact.client_order_id for fact in house.facts(facts.CancelRequested)] == [entry.id]


def test_no_state_follows_an_end(broker: BrokersWord) -> None:
    """EX-01: `new` over the stream alone, behind an end, changes nothing"""
    house = a_working_entry()
    broker.states(house, house.entry.id, ended(OrderStatus.CANCELLED, "0"), UpdateEvent.CANCELED)
    changes = len(house.facts(facts.OrderStateChanged))
    late = house.exchange.order(house.line.at, house.entry.id)
    assert isinstance(late, OrderReport)
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.NEW, house.line.at, late)))
    house.until("10:08")

    assert len(house.facts(facts.OrderStateChanged)) == changes


def test_a_repeated_execution_of_a_restated_order_counts_once(broker: BrokersWord) -> None:
    """EX-05, EX-13"""
    house = a_working_entry()
    change = with_terms(limit_price=Price(Decimal("99.65")))
    broker.states(house, house.entry.id, change, UpdateEvent.RESTATED)
    done = ended(OrderStatus.FILLED, "0.502")(change(house.exchange.order(house.line.at, house.entry.id)))  # type: ignore[arg-type]
    assert done is not None
    execution = Execution(ExecutionId("one"), house.line.at, Quantity(Decimal("0.502")), Price(Decimal("99.60")))
    for _ in range(2):
        told = OrderUpdate(UpdateEvent.FILL, house.line.at, done, execution)
        house.line.take(house.line.at, BrokerUpdated(told))

    assert house.entry.request.limit_price == Decimal("99.65")
    assert len(house.facts(facts.OrderFilled)) == 1


def test_an_older_order_with_the_same_id_is_not_adopted(broker: BrokersWord) -> None:
    """EX-24: a folder that was restored gives a name again; the broker took that one an hour ago"""
    house = a_house_with_a_proposal(AWAY)
    entry = house.proposal.order.client_order_id
    older = with_terms(accepted_at=house.line.at - timedelta(hours=1))
    broker.changes[entry] = lambda report: older(ended(OrderStatus.FILLED, "0.502")(report) or report)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert house.held() == "0"
    assert house.entry.status is OrderStatus.REJECTED
    assert house.facts(facts.UpdateIgnored)


def test_terms_changed_before_an_answer_are_taken() -> None:
    """EX-13, EX-20, EX-24: the program dies before the answer, and the broker changes the order meanwhile"""
    house = a_house_with_a_proposal(AWAY)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=False)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:03")
    is_changed_there(house, house.entry.id, limit_price=Price(Decimal("99.90")))
    house = house.restarted().until("10:07:30")

    (restated,) = house.facts(facts.OrderRestated)
    assert (restated.before.limit_price, restated.after.limit_price) == (Decimal("99.60"), Decimal("99.90"))
    assert (house.held(), house.entry.status) == ("0.502", OrderStatus.FILLED)
    assert [stop.request.quantity for stop in house.stops] == [Decimal("0.502")]


def test_a_larger_entry_has_the_stop_that_was_signed() -> None:
    """EX-13, EX-22, OP-02: the broker makes an entry larger; its ticket's stop guards its part, the rest is owed"""
    house = a_house_with_a_proposal(("10:06", "10:06", "99.70 99.70 99.65 99.70"), ("10:07", "10:30", STEADY))
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    is_changed_there(house, house.entry.id, quantity=Quantity(Decimal("0.902")))
    house.until("10:07:30")

    assert house.held() == "0.902"
    assert stops(house) == [(Decimal("0.502"), OrderStatus.SUBMITTED)]
    assert [p.order.quantity for p in house.desk.stage.proposals() if p.is_guard] == [Decimal("0.4")]
    (owed,) = house.facts(facts.StopOwed)
    assert (owed.quantity, owed.why) == (Decimal("0.4"), OwedReason.WAITS_FOR_KEY)


def test_a_stop_that_waits_is_for_what_has_none() -> None:
    """EX-22, EX-13: a part was sold, and the signed stop is back for most of the rest: a key sends the other one"""
    house = a_house_with_a_proposal(
        ("10:06", "10:06", "99.70 99.70 99.65 99.70"), ("10:07", "10:30", "99.60"), cash=Decimal(10_000)
    )
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    is_changed_there(house, house.entry.id, quantity=Quantity(Decimal("4.502")))
    house.until("10:09")
    waiting = [p.order.quantity for p in house.desk.stage.proposals()]
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2))))
    confirms_now(house)
    passes(house, 5)
    (asked,) = house.desk.stage.proposals()
    confirms_now(house)
    passes(house, 5)

    assert (waiting, asked.order.quantity) == ([Decimal(4)], Decimal(2))
    assert sum(stop.remaining for stop in house.stops if stop.is_working) == Decimal("2.502")


def test_a_larger_entry_past_its_stop_leaves_at_once() -> None:
    """EX-22, OP-06: the market passed the stop of the part that was not signed: its exit is urgent, before a bar"""
    falls = ("10:07", "10:30", "99.05 99.05 99.00 99.00")
    house = a_house_with_a_proposal(("10:06", "10:06", "99.70 99.70 99.65 99.70"), falls)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    is_changed_there(house, house.entry.id, quantity=Quantity(Decimal("0.902")))
    house.until("10:07")
    house.line.take(house.line.at, QuoteArrived(a_quote("10:07", "99.05", "99.06")))
    house.until("10:07:20")

    (leaving,) = [p for p in house.desk.stage.proposals() if p.is_exit]
    (held,) = house.desk.ledger.positions()
    assert (leaving.order.quantity, leaving.exit_reason) == (held.quantity, ExitReason.STOP_LOSS)


def test_what_the_broker_took_off_a_stop_is_asked_for() -> None:
    """EX-13, EX-22: it makes a stop less, and nobody asked: the rest waits for a key"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    (stop,) = house.stops
    is_changed_there(house, stop.id, quantity=Quantity(Decimal("0.302")))
    house.until("10:08:30")

    assert stop.status is OrderStatus.SUBMITTED
    assert [(p.order.quantity, p.is_owed) for p in house.desk.stage.proposals()] == [(Decimal("0.2"), True)]
    assert house.facts(facts.StopOwed)[-1].why is OwedReason.WAITS_FOR_KEY


def test_other_terms_of_a_moment_before_are_anothers(broker: BrokersWord) -> None:
    """EX-24: the folder was restored seconds ago, and the broker took the order of that name before this one"""
    house = a_house_with_a_proposal(AWAY)
    entry = house.proposal.order.client_order_id
    other = with_terms(accepted_at=house.line.at - timedelta(seconds=10), limit_price=Price(Decimal("99.70")))
    broker.changes[entry] = lambda report: other(ended(OrderStatus.FILLED, "0.502")(report) or report)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert (house.held(), house.entry.status) == ("0", OrderStatus.REJECTED)


@pytest.mark.parametrize(("seconds", "held"), [(29, "0"), (3, "0"), (1, "0.502")])
def test_the_same_terms_of_a_moment_before_are_anothers(broker: BrokersWord, seconds: int, held: str) -> None:
    """EX-24: the clocks may differ by two seconds unnoticed; one of before is from before the key"""
    house = a_house_with_a_proposal(AWAY)
    entry = house.proposal.order.client_order_id

    def twin(report: OrderReport) -> OrderReport | None:
        at = house.entry.created_at - timedelta(seconds=seconds)
        return with_terms(accepted_at=at)(ended(OrderStatus.FILLED, "0.502")(report) or report)

    broker.changes[entry] = twin
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert house.held() == held


@pytest.mark.parametrize(("apart", "held"), [(0, "0"), (1, "0.502")])
def test_other_terms_are_adopted_within_the_measured_difference(broker: BrokersWord, apart: int, held: str) -> None:
    """EX-24, EX-13: the broker's clock is a second behind, and it changed the order before it answered"""
    house = a_house_with_a_proposal(AWAY)
    entry = house.proposal.order.client_order_id
    house.line.take(house.line.at, ClockFetched(house.line.at - timedelta(seconds=apart)))

    def changed(report: OrderReport) -> OrderReport | None:
        at = house.entry.created_at - timedelta(seconds=0.9)
        terms = with_terms(accepted_at=at, limit_price=Price(Decimal("99.70")))
        return terms(ended(OrderStatus.FILLED, "0.502")(report) or report)

    broker.changes[entry] = changed
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert house.held() == held


@pytest.mark.parametrize(
    "odd",
    [
        {"symbol": Symbol("SPX")},
        {"side": Side.SELL},
        {"client_order_id": ClientOrderId("BY HAND")},
        {"quantity": Quantity(Decimal("0.502")), "unread_terms": ("quantity", "limit_price"), "limit_price": None},
    ],
)
def test_a_fill_of_our_order_counts_whatever_else_it_says(broker: BrokersWord, odd: dict[str, object]) -> None:
    """EX-05: the broker's own id of the order is enough; what contradicts it is noted, and no term changes"""
    house = a_working_entry()
    before, all_of_it = house.entry.request, ended(OrderStatus.FILLED, "0.502")
    broker.changes[house.entry.id] = lambda report: with_terms(**odd)(all_of_it(report) or report)
    said = broker.changes[house.entry.id](house.exchange.order(house.line.at, house.entry.id))  # type: ignore[arg-type]
    assert said is not None
    execution = Execution(ExecutionId("one"), house.line.at, before.quantity, Price(Decimal("99.60")))
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.FILL, house.line.at, said, execution)))
    house.until("10:06:20")

    assert house.held() == "0.502"
    assert [quantity for quantity, _ in stops(house)] == [Decimal("0.502")]
    assert house.entry.request == before
    assert house.facts(facts.OrderRestated) == []


def test_an_older_order_is_not_adopted_in_doubt(broker: BrokersWord) -> None:
    """EX-23, EX-24: what was no order of ours is none when this machine's clock jumps later"""
    house = a_house_with_a_proposal(AWAY)
    entry = house.proposal.order.client_order_id
    older = with_terms(accepted_at=house.line.at - timedelta(hours=1))
    broker.changes[entry] = lambda report: older(ended(OrderStatus.FILLED, "0.502")(report) or report)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    house.line.take(house.line.at, ClockRead(Decimal(0), Decimal(3595)))
    house = house.restarted().until("10:06:33")

    assert (house.held(), house.entry.status) == ("0", OrderStatus.REJECTED)


def test_an_exit_sent_in_doubt_is_adopted(broker: BrokersWord) -> None:
    """EX-23, EX-24: the desk's time is an hour ahead, so the broker took its sale an hour before it was written"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    sale = house.ticket.order.client_order_id
    broker.changes[sale] = with_terms(accepted_at=house.line.at - timedelta(hours=1))
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms()
    for second in range(41, 60):
        house.line.take(house.line.at, ClockRead(Decimal(0), Decimal(3595)))
        house.until(f"10:06:{second}")

    assert house.held() == house.held_by_the_broker() == "0"


class Limited:
    """The broker takes no orders of a kind, so many times, and says so."""

    def __init__(self, patch: pytest.MonkeyPatch, times: int, wait_seconds: float | None) -> None:
        self.left = times
        answer = ExchangeAnswers.answer
        limited = Refused(RefusalKind.RATE_LIMITED, "too many requests", "42910000", wait_seconds)

        def told(self_: ExchangeAnswers, effect: object, at: datetime) -> object:
            is_exit = isinstance(effect, SubmitOrder | ReplaceOrder) and effect.order.effect.only_reduces
            if not is_exit or not self.left:
                return answer(self_, effect, at)  # type: ignore[arg-type]
            self.left -= 1
            return SubmissionAnswered(effect.order.client_order_id, limited)  # type: ignore[union-attr]

        patch.setattr(ExchangeAnswers, "answer", told)


@pytest.mark.parametrize(("times", "wait", "seconds"), [(1, 20.0, 21), (3, None, 5), (2, 0.0, 4)])
def test_a_limited_stop_is_sent_again_as_it_is(
    monkeypatch: pytest.MonkeyPatch, times: int, wait: float | None, seconds: int
) -> None:
    """EX-06, EX-22: after as long as the broker asks to wait, and a second at least; no new key is needed"""
    Limited(monkeypatch, times, wait)
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    kept = house.facts(facts.OrderKept)
    house.until_moment(kept[0].again_at + timedelta(seconds=seconds))  # type: ignore[operator]

    assert stop.status is OrderStatus.SUBMITTED
    assert [fact.client_order_id for fact in house.facts(facts.OrderKept)] == [stop.id] * times
    assert requested(house).count(sell("stop", "0.502")) == 1
    assert not house.desk.stage.proposals()


def test_a_limited_stop_outlives_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-20, EX-22"""
    Limited(monkeypatch, 1, 20.0)
    house = a_house_with_a_proposal(("10:06", "11:00", STEADY))
    house.confirms_at("10:06:02")
    house.until("10:06:15")
    assert len(house.facts(facts.OrderKept)) == 1
    house = house.restarted().until("10:07")

    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]
    assert requested(house).count(sell("stop", "0.502")) == 1


def test_a_limited_close_sells_after_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-21, EX-22: its stop is gone by then"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    Limited(monkeypatch, 1, 12.0)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.confirms()
    house.until("10:07:10")

    assert house.held() == house.held_by_the_broker() == "0"


def test_a_limited_entry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-06: nothing that opens is sent again by itself"""
    house = a_house_with_a_proposal(AWAY)
    limited = Refused(RefusalKind.RATE_LIMITED, "too many requests", "42910000", 1.0)
    answer = ExchangeAnswers.answer
    monkeypatch.setattr(
        ExchangeAnswers,
        "answer",
        lambda self, effect, at: (
            SubmissionAnswered(effect.order.client_order_id, limited)
            if isinstance(effect, SubmitOrder)
            else answer(self, effect, at)
        ),
    )
    house.confirms_at("10:06:02")
    house.until("10:07")

    assert house.entry.status is OrderStatus.REJECTED
    assert requested(house) == []


def test_a_cancel_that_changes_nothing_is_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-07, EX-17: the broker takes it, and works the order all the same"""
    house = a_working_entry()
    answer, asked = ExchangeAnswers.answer, list[object]()

    def told(self: ExchangeAnswers, effect: object, at: datetime) -> object:
        if not isinstance(effect, CancelOrder):
            return answer(self, effect, at)  # type: ignore[arg-type]
        asked.append(effect)
        return CancelAnswered(effect.client_order_id, CancelTaken())

    monkeypatch.setattr(ExchangeAnswers, "answer", told)
    house.presses(RequestCancel(house.entry.id))
    house.until("10:07:05")

    assert 4 <= len(asked) <= 14
    assert house.entry.is_cancelling


def test_a_kept_move_of_a_stop_that_filled_is_not_sent(monkeypatch: pytest.MonkeyPatch, broker: BrokersWord) -> None:
    """EX-22, EX-13: it is for more than is left of the stop, which guards what is held all the same"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    (stop,) = house.stops
    Limited(monkeypatch, 1, 4.0)
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 1)
    assert house.facts(facts.OrderKept)
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "0.2")
    broker.states(house, stop.id, ended(OrderStatus.PARTIALLY_FILLED, "0.2", "99.30"), UpdateEvent.PARTIAL_FILL)
    passes(house, 25)

    assert house.held() == "0.302"
    assert [r for r in requested(house) if r[0] == "replace"] == []
    assert stop.is_working


def test_a_limited_exit_that_lapsed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, RK-24: the broker refused it for now; that is not the same as a desk that left"""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    Limited(monkeypatch, 1, 60.0)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.confirms()
    house.until("10:06:45")
    (kept,) = house.facts(facts.OrderKept)

    house._take_up(kept.approval.lapses_at + timedelta(seconds=1))
    house.opens()
    passes(house, 5)

    blocked = house.last(facts.SubmissionBlocked)
    assert (blocked.client_order_id, blocked.code) == (kept.client_order_id, BlockCode.LIMITED)
    assert house.held_by_the_broker() == "0.502"
