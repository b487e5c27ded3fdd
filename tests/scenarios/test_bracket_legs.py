"""Entries that go with their stop in one request, and what the broker does with the legs (EX-12, EX-13, OP-06)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import facts
from core.execution.order import Order
from core.messages.commands import Kill, MoveStop, ProposeClose, ProposeOrder, Rearm, RequestCancel
from core.messages.effects import CancelOrder, Effect, FetchBooks, FetchClock, FetchFigures, LookUpOrder, SubmitOrder
from core.messages.inputs import BooksFetched, BrokerUpdated, ClockRead, Input, LookUpAnswered, SubmissionAnswered
from core.model.bar import Bar
from core.model.broker import Accepted, BrokerBooks, OrderReport, OrderUpdate, UpdateEvent
from core.model.order import Effect as OrderEffect
from core.model.order import LegRole, OrderClass, OrderStatus, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Fraction, Price, Quantity
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from core.workflows.orders.exit_legs import HIDDEN
from tests.scenarios.changes import ABOVE, FRACTIONS, ROOMY, WORKING, confirms_now, moves, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.exchange_requests import BUY, CANCEL, LIMIT, MARKET, SELL, STOP, replacement, sent, submit
from tests.scenarios.house import FALL, STEADY, House, a_day, a_typed_buy, minutes
from tests.scenarios.late_fills import fills_late
from tests.unit.core.brokers.trading_floor import SPY, a_bar, at

FILLED, CANCELLED = OrderStatus.FILLED, OrderStatus.CANCELLED
RISE = "99.70 101.20 99.65 101"
"""Goes through a target at 101."""


def a_house(*then: tuple[str, str, str], thin: int | None = None) -> House:
    """It is 10:06: VWAP proposes 20 shares at 99.60 with a stop at 99.30; `thin` is the volume of the next minute."""
    bars: list[Bar] = a_day(*(then or (("10:06", "10:30", STEADY),)))
    if thin is not None:
        bars = [a_bar("10:06", "99.60", volume=thin) if bar.start == at("10:06") else bar for bar in bars]
    return House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:06")


def in_a_position(*then: tuple[str, str, str]) -> House:
    house = a_house(*then)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    assert house.held() == "20"
    return house


def with_a_bracket(*then: tuple[str, str, str], target: str = "101") -> House:
    """Fifteen shares, their stop at 99.30 and their target at the broker."""
    house = a_house(("10:06", "10:08", ABOVE), *then)
    house.until("10:08")
    typed = replace(a_typed_buy("15"), limit_price=Price(Decimal("99.70")), target_price=Price(Decimal(target)))
    house.presses(typed)
    confirms_now(house)
    house.until("10:08:30")
    assert house.held() == "15"
    return house


def leg(house: House, role: LegRole) -> Order:
    return next(o for o in house.desk.ledger.state.orders.values() if o.role is role)


def uncovered(house: House) -> list[tuple[str, Decimal]]:
    """What the status line names as held by nobody."""
    rows = ViewBuilder(house.engine).draw(house.line.at).kill.uncovered
    return [(row.symbol, abs(row.quantity) - row.covered) for row in rows]


def test_whole_shares_and_their_stop_are_one_request() -> None:
    """OP-06, EX-12"""
    house = in_a_position()

    stop = leg(house, LegRole.STOP)

    assert sent(house) == [submit(BUY, LIMIT, "20")]
    assert house.notebook.records[0]["order_class"] == "oto"
    assert (stop.status, stop.request.quantity, stop.request.stop_price) == (WORKING, 20, Decimal("99.30"))
    assert (stop.parent, stop.strategy) == (house.entry.id, "vwap")
    assert house.desk.ledger.exits.covered(SPY, "vwap") == 20
    assert uncovered(house) == []
    assert not house.desk.ledger.legs.lack_some(house.entry)
    assert [told for told in house.line.heard if isinstance(told, LookUpAnswered)] == []


def test_the_gateway_blocks_an_altered_leg() -> None:
    """OP-02: the digest that was signed covers every leg"""
    house = a_house()

    def lower(effect: Effect) -> Effect:
        if not isinstance(effect, SubmitOrder):
            return effect
        (stop,) = effect.order.legs
        return replace(effect, order=replace(effect.order, legs=(replace(stop, stop_price=Price(Decimal("90"))),)))

    house.line.tamper = lower
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert house.facts(facts.SubmissionBlocked)
    assert sent(house) == []


def test_a_leg_of_another_kind_is_ignored() -> None:
    """EX-04, OP-02"""
    house = a_house()

    def misplaced(order: OrderReport) -> OrderReport:
        return replace(order, legs=tuple(replace(leg, type=OrderType.MARKET, stop_price=None) for leg in order.legs))

    _with_answers(house, misplaced)
    house.confirms_at("10:06:02")
    house.until("10:06:04")

    assert [f.reason for f in house.facts(facts.UpdateIgnored) if "did not list" in f.reason] != []
    assert not any(f.role for f in house.facts(facts.OrderCreated))


CHANGED = {"quantity": Quantity(Decimal(30)), "stop_price": Price(Decimal("98.50"))}


@pytest.mark.parametrize("term", CHANGED)
def test_a_leg_that_changed_before_it_was_heard_is_adopted(term: str) -> None:
    """EX-13, EX-04, OP-06: the answer was lost, and the broker changed the leg; it is ours as it is, and what is over
    the position is cut
    """
    house = a_house()
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.confirms_at("10:06:02")
    passes(house, 0.25)
    (made,) = [o for o in house.exchange._book.all_working() if o.request.type is OrderType.STOP]
    is_changed_there(house, made.request.client_order_id, **{term: CHANGED[term]})
    house.until("10:10")

    guarding = [o for o in house.exchange._book.all_working() if o.request.type is OrderType.STOP]
    (stop,) = [order for order in house.stops if order.is_working]
    assert (house.held(), house.held_by_the_broker()) == ("20", "20")
    assert sum(order.remaining for order in guarding) == house.desk.ledger.exits.covered(SPY, "vwap") == 20
    assert stop.request.stop_price == guarding[0].request.stop_price
    assert [*house.facts(facts.OrderRestated), *house.facts(facts.LegResized)] != []


def test_a_missing_leg_is_replaced_by_a_stop_order() -> None:
    """OP-06, EX-13: legs that were silently ignored leave no share without a stop"""
    house = a_house()
    ask = house.line.ask

    def ignoring(effect: Effect) -> Input:
        if isinstance(effect, SubmitOrder):
            effect = replace(effect, order=replace(effect.order, order_class=OrderClass.SIMPLE, legs=()))
        return ask(effect)

    house.line.ask = ignoring  # type: ignore[method-assign]
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert len(house.facts(facts.ContingentOrdersMissing)) == 1
    assert sent(house) == [submit(BUY, LIMIT, "20"), submit(SELL, STOP, "20")]
    assert uncovered(house) == []


def test_missing_legs_are_looked_up_before_a_stop() -> None:
    """EX-06, EX-13: the answer is lost, the entry fills, and the books name it without its legs first"""
    house = a_house()
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=False, times=2)
    house.line.is_deaf = True
    of_books = _with_answers(house, _hidden, to_look_ups=False)

    house.confirms_at("10:06:02")
    house.until("10:07:30")

    assert of_books() > 0
    assert house.facts(facts.ContingentOrdersMissing) == []
    assert sent(house) == [submit(BUY, LIMIT, "20")]
    assert leg(house, LegRole.STOP).status is WORKING
    assert uncovered(house) == []


def test_legs_that_an_answer_leaves_out_are_asked_for_at_once() -> None:
    """EX-13: before the entry fills, and before the next comparison."""
    house = a_house(("10:06", "10:30", ABOVE))
    _with_answers(house, _hidden, to_look_ups=False)

    house.confirms_at("10:06:02")
    house.until("10:06:04")

    assert (house.entry.status, house.held()) == (WORKING, "0")
    assert [(stop.status, stop.request.quantity) for stop in house.stops] == [(WORKING, 20)]


def test_a_bracket_that_fills_after_its_refusal_has_a_stop() -> None:
    """EX-13, EX-22: rejected is the first word of it, so its legs are unknown when it fills all the same"""
    house = a_house(("10:06", "10:30", ABOVE))
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=False)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    passes(house, 1)
    house.exchange.cancel(house.line.at, house.entry.id)
    told = house.exchange.order(house.line.at, house.entry.id)
    assert isinstance(told, OrderReport)
    rejected = replace(told, status=OrderStatus.REJECTED, raw_status="rejected", legs=())
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.REJECTED, house.line.at, rejected)))
    house.line.is_deaf = False
    assert (house.entry.status, house.stops) == (OrderStatus.REJECTED, [])

    fills_late(house.exchange, house.line.at, house.entry.id, "20")
    house.line._pass_updates_on()
    house.until("10:06:05")

    assert [stop.request.quantity for stop in house.stops if stop.is_working] == [Decimal(20)]
    assert uncovered(house) == []


def test_hidden_legs_get_no_second_stop() -> None:
    """EX-13, OP-06: it cannot be decided, so nothing is sent beside a stop that may rest there"""
    house = a_house()
    hidden = _with_answers(house, _hidden)

    house.confirms_at("10:06:02")
    house.until("10:10")

    assert sent(house) == [submit(BUY, LIMIT, "20")]
    assert [f.reason for f in house.facts(facts.UpdateIgnored) if "does not name" in f.reason] == [HIDDEN]
    assert uncovered(house) == [("SPY", Decimal(20))]
    assert 5 < hidden() < 20


def test_a_position_with_a_hidden_stop_can_be_closed() -> None:
    """EX-21, OP-07: the close is sent, the broker decides; as soon as it names the stop, the next one takes it away"""
    house = a_house()
    _with_answers(house, _hidden)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:07")
    refused = sent(house)[1:]

    del house.line.ask  # type: ignore[attr-defined]
    house.until("10:08")
    assert uncovered(house) == []
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:09")

    assert refused == [submit(SELL, MARKET, "20")]
    assert sent(house)[2:] == [CANCEL, submit(SELL, MARKET, "20")]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_partial_fill_is_unprotected_until_it_ends() -> None:
    """EX-13: the leg is held until the entry is filled whole, and the status line says what nobody guards"""
    house = a_house(thin=50)

    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert (house.held(), leg(house, LegRole.STOP).status) == ("5", WORKING)
    assert uncovered(house) == [("SPY", Decimal(5))]
    assert not house.desk.ledger.exits.has_bracket_order(SPY, "vwap")


def test_an_unfilled_entrys_leg_hinders_no_stop() -> None:
    """EX-13: the leg of an entry that filled nothing guards nothing of what is held, and hinders nothing."""
    house = a_house(("10:06", "10:08", ABOVE), ("10:09", "10:30", STEADY))
    house.until("10:08")
    for limit, stop in (("99.70", "99.30"), ("95", "94.50")):
        typed = replace(a_typed_buy("5"), limit_price=Price(Decimal(limit)), stop_price=Price(Decimal(stop)))
        house.presses(typed)
        confirms_now(house)
        passes(house, 5)
    assert house.held() == "5"
    (stop,) = [o for o in house.desk.ledger.working() if o.is_protective and not house.desk.ledger.legs.is_held(o)]
    house.presses(RequestCancel(stop.id))
    passes(house, 2)
    assert uncovered(house) == [("SPY", Decimal(5))]

    house.presses(MoveStop(SPY, "manual", Price(Decimal("99.20"))))
    confirms_now(house)
    passes(house, 2)

    assert uncovered(house) == []
    assert sent(house)[-1] == submit(SELL, STOP, "5")


def test_a_partly_filled_entry_leaves_a_stop() -> None:
    """EX-07, EX-13, OP-06: its legs go with it, and the signed stop follows for five shares"""
    house = a_house(("10:06", "10:06", STEADY), ("10:07", "10:20", ABOVE), thin=50)

    house.confirms_at("10:06:02")
    house.until("10:08")

    held, stop = house.stops
    assert (house.entry.status, house.held()) == (CANCELLED, "5")
    assert (held.status, held.role) == (CANCELLED, LegRole.STOP)
    assert (stop.status, stop.role, stop.request.quantity) == (WORKING, None, 5)
    assert uncovered(house) == []


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_close_cancels_the_partly_filled_entry() -> None:
    """EX-21: its legs would sell again what the close has sold"""
    house = a_house(("10:06", "10:06", STEADY), ("10:07", "10:20", ABOVE), thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:09")

    assert sent(house) == [submit(BUY, LIMIT, "20"), CANCEL, submit(SELL, MARKET, "5")]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert not any(order.is_working for order in house.desk.ledger.state.orders.values())


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_refused_close_leaves_a_partial_fill_guarded() -> None:
    """EX-21, EX-13"""
    house = a_house(("10:06", "10:06", STEADY), ("10:07", "10:20", ABOVE), thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")

    house.line.refuses_the_next_order("not now")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:07")

    assert house.held() == "5"
    assert uncovered(house) == []


def half_bought_beside_a_stop() -> House:
    """1.5 shares with a stop of their own at 99, and 2 of 8 bought by a bracket whose stop at 98 waits for the rest."""
    bars = [
        *minutes("09:55", "10:06"),
        a_bar("10:07", "100", volume=20),
        *[a_bar(f"10:{minute:02}", "100", volume=0) for minute in range(8, 20)],
    ]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    house.presses(a_typed_buy("1.5", limit="100.10", stop="99"))
    confirms_now(house)
    house.until("10:07")
    house.presses(a_typed_buy("8", limit="100.10", stop="98"))
    confirms_now(house)
    house.until("10:07:45")
    assert house.held() == "3.5"
    return house


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_refused_close_keeps_both_stops_of_a_position() -> None:
    """EX-21, EX-13, OP-06: the stop came back at once, the part of the entry at the next look at the books"""
    house = half_bought_beside_a_stop()
    house.line.refuses_the_next_order("not now")

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 3)

    assert house.held() == "3.5"
    assert uncovered(house) == []
    stops = {stop.request.stop_price: stop.request.quantity for stop in house.stops if stop.is_working}
    assert stops == {Decimal(99): Decimal("1.5"), Decimal(98): Decimal(2)}


@dataclass(frozen=True, slots=True)
class LosesCancelsOf(Link):
    """No cancel of this order arrives; everything else does."""

    order_id: str = ""

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        return () if isinstance(effect, CancelOrder) and effect.client_order_id == self.order_id else (self.latency,)


@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize("is_in_doubt", [False, True])
def test_a_dropped_close_guards_the_partial_fill(is_in_doubt: bool) -> None:
    """EX-21, EX-13, OP-06, EX-23: a stop that cannot be taken back ends the close; the entry that made way has ended.

    A doubt about the clock delays that for no share that is bare.
    """
    house = half_bought_beside_a_stop()
    if is_in_doubt:
        house.line.breaks_at(FetchClock, arrives=False, times=100)
        house.line.take(house.line.at, ClockRead(Decimal("3600.0"), Decimal("0.0")))
    house.line.link = LosesCancelsOf(order_id=next(stop.id for stop in house.stops if stop.role is None))

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    while not any("not gone in time" in fact.reason for fact in house.facts(facts.AuthorizationEnded)):
        passes(house, 1)
    passes(house, 1)

    stops = {stop.request.stop_price: stop.request.quantity for stop in house.stops if stop.is_working}
    assert stops == {Decimal(99): Decimal("1.5"), Decimal(98): Decimal(2)}
    assert uncovered(house) == []


@dataclass(frozen=True, slots=True)
class SlowFigures(Link):
    """The figures of a turned key come later than it waits for them, and nothing of the books comes at all."""

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        if isinstance(effect, FetchBooks):
            return ()
        return (timedelta(seconds=7) if isinstance(effect, FetchFigures) else self.latency,)


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_close_refused_at_review_leaves_shares_guarded() -> None:
    """EX-13, EX-21, OP-06: what the turned key was to sell is bare as soon as it sells nothing"""
    house = a_house(thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.line.link = SlowFigures()
    house.confirms()
    passes(house, 1)
    house.presses(Kill("key"))
    house.presses(Rearm("REARM"))

    while not house.facts(facts.ConfirmationRefused):
        passes(house, 1)
    passes(house, 1)

    assert house.held() == "5"
    assert uncovered(house) == []


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_kill_cancels_the_entry_and_guards_its_fill() -> None:
    """OP-07, OP-06: a stop goes out killed or not"""
    house = a_house(thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")

    house.presses(Kill("key"))
    house.until("10:06:30")

    assert (house.entry.status, house.held()) == (CANCELLED, "5")
    assert [(o.status, o.request.quantity) for o in house.stops] == [(CANCELLED, 20), (WORKING, 5)]


def test_a_held_leg_is_not_cancelled_alone() -> None:
    """EX-13"""
    house = a_house(thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:10")

    house.presses(RequestCancel(leg(house, LegRole.STOP).id))

    assert sent(house) == [submit(BUY, LIMIT, "20")]


def test_a_filled_stop_leg_closes_the_trade() -> None:
    """EX-13, EX-18"""
    house = in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:20", FALL))

    house.until("10:09")

    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.STOP_LOSS
    assert (house.held(), leg(house, LegRole.STOP).status) == ("0", FILLED)
    assert sent(house) == [submit(BUY, LIMIT, "20")]


def test_a_filled_target_ends_its_stop() -> None:
    """EX-12, EX-18"""
    house = with_a_bracket(("10:09", "10:10", ABOVE), ("10:11", "10:20", RISE))

    house.until("10:12")

    trade = house.last(facts.TradeClosed).trade
    assert (trade.exit_reason, trade.exit_price) == (ExitReason.TAKE_PROFIT, Decimal(101))
    assert (leg(house, LegRole.TARGET).status, leg(house, LegRole.STOP).status) == (FILLED, CANCELLED)
    assert sent(house) == [submit(BUY, LIMIT, "15")]


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_partly_filled_target_keeps_shares_covered() -> None:
    """EX-13: the broker takes what the target sold off the stop, and it is asked whether it did"""
    house = with_a_bracket(("10:09", "10:10", ABOVE))
    house.exchange.begin_bar(a_bar("10:11", "99.70 101.20 99.65 100.50", volume=60))
    house.line._feed = iter(())  # type: ignore[assignment]
    house.until("10:11:50")

    stop = leg(house, LegRole.STOP)
    assert (house.held(), leg(house, LegRole.TARGET).filled_quantity) == ("9", 6)
    assert (house.last(facts.LegResized).quantity, stop.remaining, stop.status) == (9, 9, WORKING)
    assert house.desk.ledger.exits.covered(SPY, "manual") == 9


def test_an_externally_cancelled_leg_is_reported() -> None:
    """EX-13: no stop is sent again behind the back of whoever took it away"""
    house = in_a_position()
    before = house.desk.ledger.exits.has_bracket_order(SPY, "vwap")

    house.exchange.cancel(house.line.at, leg(house, LegRole.STOP).id)
    house.line._pass_updates_on()
    passes(house, 5)

    assert (before, house.desk.ledger.exits.has_bracket_order(SPY, "vwap")) == (True, False)
    assert uncovered(house) == [("SPY", Decimal(20))]
    assert sent(house)[1:] == [CANCEL]


def test_cancelling_a_target_cancels_its_stop() -> None:
    """EX-12, EX-13: whoever cancels it is asked as for a stop"""
    house = with_a_bracket(("10:09", "10:20", ABOVE))
    rows = {row.id: row.is_paired for row in ViewBuilder(house.engine).draw(house.line.at).orders}
    target, stop = leg(house, LegRole.TARGET), leg(house, LegRole.STOP)

    house.presses(RequestCancel(target.id))
    passes(house, 5)

    assert (rows[target.id], rows[stop.id], rows[house.entry.id]) == (True, False, False)
    assert (target.status, stop.status) == (CANCELLED, CANCELLED)
    assert uncovered(house) == [("SPY", Decimal(15))]


def test_a_strategy_exit_cancels_the_leg_first() -> None:
    """EX-13, EX-21"""
    house = in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:20", "99.60 100.20 99.60 100.20"))
    house.until("10:09")

    house.confirms_at("10:09:02")
    house.until("10:10")

    assert sent(house) == [submit(BUY, LIMIT, "20"), CANCEL, submit(SELL, MARKET, "20")]
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_refused_sale_restores_the_leg_as_a_stop() -> None:
    """EX-21"""
    house = in_a_position()

    house.line.refuses_the_next_order("not now")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)

    assert [(o.status, o.request.quantity, o.request.stop_price) for o in house.stops] == [
        (CANCELLED, 20, Decimal("99.30")),
        (WORKING, 20, Decimal("99.30")),
    ]
    assert uncovered(house) == []


def test_a_refused_close_restores_only_the_bracket_stop() -> None:
    """EX-21, EX-13: for what the sale of a third leaves"""
    house = with_a_bracket(("10:09", "10:20", ABOVE))

    house.presses(ProposeClose(SPY, Fraction(Decimal(1) / 3)))
    confirms_now(house)
    passes(house, 5)

    assert house.held() == house.held_by_the_broker() == "10"
    assert (leg(house, LegRole.TARGET).status, leg(house, LegRole.STOP).status) == (CANCELLED, CANCELLED)
    assert house.desk.ledger.exits.covered(SPY, "manual") == 10


def test_a_moved_leg_is_the_leg_from_then_on() -> None:
    """EX-12, EX-13: and the target still ends with it"""
    house = with_a_bracket(("10:09", "10:11", ABOVE), ("10:12", "10:20", "99.60 99.60 99.45 99.45"))
    house.presses(MoveStop(SPY, "manual", Price(Decimal("99.50"))))
    confirms_now(house)
    passes(house, 3)
    moved = house.stops[-1]

    house.until("10:13")

    assert (moved.role, moved.status, moved.request.replaces) == (LegRole.STOP, FILLED, house.stops[0].id)
    assert leg(house, LegRole.TARGET).status is CANCELLED
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.STOP_LOSS


def test_a_strategy_can_move_a_stop_leg() -> None:
    """EX-12"""
    house = in_a_position()

    moves(house, "99.40")
    confirms_now(house)
    passes(house, 3)

    assert sent(house) == [submit(BUY, LIMIT, "20"), replacement(SELL, STOP, "20")]
    assert house.desk.ledger.exits.covered(SPY, "vwap") == 20


def test_a_lost_answer_loses_no_leg() -> None:
    """EX-06, EX-13: the parent's look-up names them"""
    house = a_house()
    house.line.breaks_at(SubmitOrder, arrives=True)

    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert (house.held(), leg(house, LegRole.STOP).status) == ("20", WORKING)
    assert sent(house) == [submit(BUY, LIMIT, "20")]


def test_a_crash_finds_legs_by_the_parents_look_up() -> None:
    """EX-20"""
    house = a_house()
    house.confirms_at("10:06:02")
    passes(house, 0.25)
    house.restarted()
    house.until("10:06:30")

    assert leg(house, LegRole.STOP).status is WORKING
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal(house.held()) == 20
    assert sent(house) == [submit(BUY, LIMIT, "20")]


def test_a_restart_finds_an_unheard_leg_fill() -> None:
    """EX-05, EX-09, EX-20"""
    house = in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:20", FALL))
    house.line.is_deaf = True
    house.until("10:09")
    before = house.held()

    house.restarted()
    house.until("10:09:30")

    assert (before, house.held(), house.held_by_the_broker()) == ("20", "0", "0")
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.STOP_LOSS


def test_unheard_fills_are_recorded_in_order() -> None:
    """EX-05, EX-13: the sale never comes before the purchase"""
    house = a_house(("10:06", "10:06", STEADY), ("10:07", "10:20", FALL))
    house.line.is_deaf = True
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=False, times=6)

    house.confirms_at("10:06:02")
    house.until("10:20")

    trade = house.last(facts.TradeClosed).trade
    assert (trade.quantity, trade.exit_reason) == (20, ExitReason.STOP_LOSS)
    assert trade.entry_order == house.entry.id
    assert house.held() == house.held_by_the_broker() == "0"


def test_no_correction_before_an_unknown_leg_is_known() -> None:
    """EX-09, EX-13: else the leg's fill would come on top of the correction, and sell what is not held"""
    house = a_house(("10:06", "10:06", STEADY), ("10:07", "10:20", FALL))
    _with_answers(house, _hidden)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    house.line.is_deaf = True
    house.until("10:07:30")
    before = house.held(), house.held_by_the_broker()

    house.restarted()
    _with_answers(house, _hidden, to_look_ups=False)
    house.until("10:08")

    assert before == ("20", "0")
    assert house.facts(facts.PositionCorrected) == []
    assert [f.quantity for f in house.facts(facts.PositionChanged)] == [20, 0]
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.STOP_LOSS


def test_a_leg_counts_only_after_its_entrys_fills() -> None:
    """EX-05, EX-13"""
    house = a_house(("10:06", "10:06", ABOVE), ("10:07", "10:20", "99.25 99.25 99.20 99.25"))
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    stop = leg(house, LegRole.STOP)
    house.line.is_deaf = True
    house.line.breaks_at(FetchBooks, arrives=False, times=2)
    house.until("10:07:10")
    assert stop.filled_quantity == 0

    house.line.take(house.line.at, house.line.ask(LookUpOrder(stop.id)))
    house.until("10:07:12")

    assert [f.quantity for f in house.facts(facts.PositionChanged)] == [20, 0]
    assert house.last(facts.TradeClosed).trade.entry_order == house.entry.id


def test_a_dropped_entrys_leg_counts_only_after_its_fills() -> None:
    """EX-05, EX-06: its request arrives after all, and the first that is heard is that its stop has sold."""
    house = a_house(("10:06", "10:09", "99.70"), ("10:10", "10:20", "99.25 99.25 99.20 99.25"))
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.confirms_at("10:06:02")
    house.until("10:08:30")
    assert house.entry.reason == "never arrived"
    house.line.is_deaf = True
    house.exchange.submit(house.line.at, house.entry.request)
    accepted = the_report(house, house.entry.id)
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.until("10:10:40")
    (sold,) = the_report(house, house.entry.id).legs
    assert sold.filled_quantity == 20

    house.line.take(house.line.at, SubmissionAnswered(house.entry.id, Accepted(accepted)))
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.FILL, house.line.at, sold)))
    house.until("10:10:42")

    assert [f.quantity for f in house.facts(facts.PositionChanged)] == [20, 0]
    assert house.held() == house.held_by_the_broker() == "0"


def test_an_entrys_look_up_reports_the_fill_of_its_leg() -> None:
    """EX-05: the entry is unchanged, and the sale of its stop was not reported"""
    house = in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:20", FALL))
    house.line.is_deaf = True
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.until("10:08:40")
    assert house.held() == "20"

    house.line.take(house.line.at, house.line.ask(LookUpOrder(house.entry.id, with_legs=True)))

    assert house.held() == house.held_by_the_broker() == "0"


def the_report(house: House, order_id: ClientOrderId) -> OrderReport:
    reply = house.line.ask(LookUpOrder(order_id, with_legs=True))
    assert isinstance(reply, LookUpAnswered)
    assert isinstance(reply.answer, OrderReport)
    return reply.answer


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_restart_takes_the_step_lost_after_a_fill() -> None:
    """EX-20"""
    house = a_house(thin=50)
    house.confirms_at("10:06:02")
    house.until("10:06:50")
    assert house.entry.status is OrderStatus.PARTIALLY_FILLED
    filled = max(r.sequence for r in house.journal.records() if isinstance(r.fact, facts.OrderFilled))

    house.loses_the_journal_after(filled)
    house.restarted()
    before = house.entry.status
    house.until("10:06:52")

    assert before is WORKING
    assert house.entry.status is OrderStatus.PARTIALLY_FILLED


def an_exit(kind: OrderType, **terms: object) -> ProposeOrder:
    prices = {"limit_price": None, "stop_price": None, **terms}
    return ProposeOrder(
        SPY,
        OrderEffect.CLOSE,
        Quantity(Decimal(20)),
        kind,
        stop_holder=StopHolder.BROKER,
        **prices,  # type: ignore[arg-type]
    )


def test_a_typed_limit_and_stop_form_a_pair() -> None:
    """EX-12: OCO; the old stop makes way for it, and the new one covers every share"""
    house = in_a_position()

    house.presses(an_exit(OrderType.LIMIT, limit_price=Price(Decimal("100.50")), stop_price=Price(Decimal("99.40"))))
    confirms_now(house)
    passes(house, 5)

    assert sent(house) == [submit(BUY, LIMIT, "20"), CANCEL, submit(SELL, LIMIT, "20")]
    assert house.notebook.records[-1]["order_class"] == "oco"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == 20
    assert house.desk.ledger.exits.has_bracket_order(SPY, "vwap")


@pytest.mark.parametrize(
    ("prices", "reason"),
    [("99.60 99.60 99.20 99.20", ExitReason.STOP_LOSS), ("99.60 100.60 99.60 100.60", ExitReason.TAKE_PROFIT)],
)
def test_either_order_of_a_pair_ends_the_other(prices: str, reason: ExitReason) -> None:
    """EX-12, EX-18"""
    house = in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:20", prices))
    house.presses(an_exit(OrderType.LIMIT, limit_price=Price(Decimal("100.50")), stop_price=Price(Decimal("99.40"))))
    confirms_now(house)

    house.until("10:10")

    assert house.last(facts.TradeClosed).trade.exit_reason is reason
    assert house.held() == house.held_by_the_broker() == "0"
    assert not any(order.is_working for order in house.desk.ledger.state.orders.values())


def test_a_trailing_stop_replaces_the_stop() -> None:
    """EX-12, EX-18"""
    house = in_a_position(
        ("10:06", "10:08", STEADY), ("10:09", "10:09", "99.60 101 99.60 101"), ("10:10", "10:20", "101 101 100 100")
    )
    house.presses(an_exit(OrderType.TRAILING_STOP, trail_fraction=Fraction(Decimal("0.005"))))
    confirms_now(house)
    house.until("10:08:30")
    covered = house.desk.ledger.exits.covered(SPY, "vwap")

    house.until("10:12")

    trade = house.last(facts.TradeClosed).trade
    assert covered == 20
    assert (trade.exit_reason, trade.exit_price > 100) == (ExitReason.TRAILING_STOP, True)


def test_the_shown_stop_is_the_one_in_force() -> None:
    """EX-12: the broker moves a trailing stop that took the old one's place; positions and chart show where it is."""
    house = in_a_position(
        ("10:06", "10:08", STEADY), ("10:09", "10:09", "99.60 101 99.60 101"), ("10:10", "10:20", "101 101 100.60 101")
    )
    house.presses(an_exit(OrderType.TRAILING_STOP, trail_fraction=Fraction(Decimal("0.005"))))
    confirms_now(house)
    shown, there = [], []
    for clock in ("10:08:30", "10:11:30"):
        house.until(clock)
        (row,) = house.line.view().positions
        chart = ViewBuilder(house.engine).chart(SPY, house.line.at, (row,))
        assert chart is not None
        assert chart.stops == (row.standing_stop,)
        shown.append(row.standing_stop)
        there += [o.stop_price for o in house.exchange.orders(house.line.at) if o.trail_fraction and not o.is_held]

    assert shown == there == [Decimal("99.11"), Decimal("100.50")]


def test_a_stop_limit_is_sent_with_both_prices() -> None:
    """EX-12"""
    house = in_a_position()

    house.presses(
        an_exit(OrderType.STOP_LIMIT, stop_price=Price(Decimal("99.40")), limit_price=Price(Decimal("99.30")))
    )
    confirms_now(house)
    passes(house, 5)

    record = house.notebook.records[-1]
    assert (record["type"], record["stop_price"], record["limit_price"]) == ("stop_limit", "99.40", "99.30")
    assert house.desk.ledger.exits.covered(SPY, "vwap") == 20


def _hidden(order: OrderReport) -> OrderReport:
    """As it is said where legs are left out."""
    return replace(order, legs=(), hides_legs=True) if order.legs else order


def _with_answers(
    house: House, alter: Callable[[OrderReport], OrderReport], *, to_look_ups: bool = True
) -> Callable[[], int]:
    """Every answer to a submission, the books and every look-up pass through `alter`; how often they did."""
    ask, altered_ones = house.line.ask, Counter[str]()

    def alter_one(report: OrderReport) -> OrderReport:
        altered_ones["all"] += alter(report) != report
        return alter(report)

    def altered(effect: Effect) -> Input:
        message = ask(effect)
        if isinstance(message, SubmissionAnswered) and isinstance(message.answer, Accepted):
            return replace(message, answer=Accepted(alter_one(message.answer.report)))
        if to_look_ups and isinstance(message, LookUpAnswered) and isinstance(message.answer, OrderReport):
            return replace(message, answer=alter_one(message.answer))
        if isinstance(message, BooksFetched) and isinstance(message.answer, BrokerBooks):
            return BooksFetched(replace(message.answer, orders=tuple(map(alter_one, message.answer.orders))))
        return message

    house.line.ask = altered  # type: ignore[method-assign]
    return lambda: altered_ones["all"]


@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize(("sold", "left"), [("1", 0), ("0.5", 1)], ids=["all", "half"])
def test_sold_shares_get_no_stop_from_a_later_entry(sold: str, left: int) -> None:
    """OP-06, EX-13: an entry filled in part was closed; the next one's shares got its stop, at another trade's price"""
    bars = [
        *minutes("09:55", "10:05"),
        a_bar("10:06", "100", volume=20),
        *minutes("10:07", "10:09"),
        a_bar("10:10", "100", volume=30),
        *[a_bar(f"10:{minute}", "100", volume=0) for minute in range(11, 20)],
    ]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    house.presses(a_typed_buy("8", limit="100.10", stop="99"))
    confirms_now(house)
    house.until("10:06:45")
    part = house.held()
    house.presses(ProposeClose(SPY, Fraction(Decimal(sold))))
    confirms_now(house)
    house.until("10:08:30")
    assert (part, Decimal(house.held()), len(list(house.desk.ledger.working()))) == ("2", left, left)

    house.until("10:10")
    house.presses(a_typed_buy("6", limit="100.10", stop="98"))
    confirms_now(house)
    house.until("10:13:30")

    assert Decimal(house.held()) == left + 3
    stops = Counter(stop.request.stop_price for stop in house.stops if stop.is_working)
    assert stops == Counter({Decimal(98): 1, **({Decimal(99): 1} if left else {})})


@pytest.mark.parametrize("fails", [False, True], ids=["sold", "refused"])
def test_a_restored_stop_skips_shares_with_legs(fails: bool) -> None:
    """EX-13, EX-21: the broker had not named those legs yet, and a stop for the same shares was beyond what is held"""
    house = House([*minutes("09:55", "10:30")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("2.5", limit=None, stop="99"))
    confirms_now(house)
    passes(house, 5)
    is_named: list[bool] = []
    _with_answers(house, lambda order: order if is_named else _hidden(order))
    house.presses(replace(a_typed_buy("3", limit=None, stop="98"), effect=OrderEffect.ADD))
    confirms_now(house, arrives_after=2)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal("2.5"))))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    passes(house, 0.15)
    house.slows_down(2)
    passes(house, 1.3)  # the entry is there, the sale on its way
    if fails:
        house.line.refuses_the_next_order("not tradable")
    passes(house, 8)
    is_named.append(True)
    passes(house, 60)

    left = Decimal("5.5") if fails else 3
    stops = Counter({o.request.stop_price: o.remaining for o in house.stops if o.is_working})
    assert sent(house).count(submit(SELL, STOP, "2.5")) == (2 if fails else 1)
    assert (Decimal(house.held()), stops) == (
        left,
        {Decimal(98): 3, **({Decimal(99): Decimal("2.5")} if fails else {})},
    )


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_lost_stop_goes_again_for_its_own_shares() -> None:
    """EX-13, EX-22: it was for those too, and the broker refused the legs when the entry was filled, target and all"""
    bars = [
        *minutes("09:55", "10:07"),
        a_bar("10:08", "99.90", volume=20),
        a_bar("10:09", "100", volume=20),
        a_bar("10:10", "99.90", volume=1000),
        *minutes("10:11", "10:20"),
    ]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:07:30")
    house.presses(a_typed_buy("2.5", limit="100.10", stop="99"))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 0.25)
    house.line.breaks_at(SubmitOrder, arrives=False)
    passes(house, 3)
    assert (house.held(), [stop.status for stop in house.stops]) == ("2.5", [OrderStatus.PENDING])
    house.presses(replace(a_typed_buy("6", limit="99.90", stop="98"), target_price=Price(Decimal("103"))))
    confirms_now(house)
    house.until("10:09:30")
    assert house.held() == "4.5"

    assert house.desk.stage.proposals() == ()
    assert [stop.request.quantity for stop in house.stops if stop.role is None] == [Decimal("2.5")]
    house.until("10:12")

    assert house.held() == "8.5"
    assert {leg(house, role).status for role in LegRole} == {WORKING}
    assert uncovered(house) == []


@pytest.mark.parametrize("hides", [False, True], ids=["named in the books", "left out of the books"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_crash_between_two_legs_finds_the_second(place: int, hides: bool) -> None:
    """EX-13: its entry was filled and its first leg known; the second was taken for another's order, and what it sold
    was missing from the books
    """
    house = a_house(("10:06", "10:10", ABOVE), ("10:11", "10:20", RISE))
    as_it_was = house.line.ask
    _with_answers(house, _hidden, to_look_ups=False)
    house.until("10:08")
    house.presses(replace(a_typed_buy("15"), limit_price=Price(Decimal("99.70")), target_price=Price(Decimal(101))))
    confirms_now(house)
    house.until("10:08:30")
    if not hides:
        house.line.ask = as_it_was  # type: ignore[method-assign]
    records = list(house.journal.records())
    filled = next(n for n, one in enumerate(records) if isinstance(one.fact, facts.OrderFilled))
    first = next(n for n, one in enumerate(records) if isinstance(one.fact, facts.OrderCreated) and one.fact.role)
    assert filled < first
    house.loses_the_journal_after(records[first + place].sequence)

    house.restarted()
    passes(house, 10)

    assert {leg(house, role).status for role in LegRole} == {WORKING}
    house.until("10:12")
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert leg(house, LegRole.TARGET).status is FILLED
    assert house.facts(facts.PositionCorrected) == []
