"""Fills and updates that come twice, late, out of order, or after the order was reported as ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import RequestCancel
from core.messages.inputs import BooksFetched, BrokerUpdated, LookUpAnswered
from core.model.order import OrderStatus, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import (
    RARELY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.late_fills import fills_late
from tests.scenarios.test_lost_answers import (
    TheStreamIsFaster,
    a_house_with_a_working_entry,
    a_report,
    an_execution,
    hears,
)
from tests.unit.core.brokers.trading_floor import SPY, a_bar


def test_a_fill_reported_twice_counts_once() -> None:
    """EX-05"""
    house = a_house_in_a_position()

    for update in house.updates():
        house.line.take(house.line.at, BrokerUpdated(update))
    house.line.take(house.line.at, BooksFetched(house.exchange.books(house.line.at)))
    house.line.take(house.line.at, LookUpAnswered(house.entry.id, a_report(house)))

    assert len(house.facts(facts.OrderFilled)) == 1
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert house.desk.ledger.state.updates_ignored > 0


def test_a_missed_fill_is_found_by_reconciliation() -> None:
    """EX-05, EX-09, OP-06"""
    house = a_house_with_a_proposal()
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:06:06")
    before = house.held()

    house.restarted().until("10:06:40")

    assert before == "0"
    assert house.last(facts.OrderFilled).source is facts.Source.RECONCILIATION
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")


def test_a_fill_beyond_the_brokers_total_is_not_counted() -> None:
    """EX-05: the order has room for it, the broker's own figure has not."""
    house = a_house_with_a_working_entry()
    report = a_report(house, filled_quantity=Decimal("0.2"))
    hears(house, report, an_execution("x-1", "0.2"))

    hears(house, report, an_execution("x-2", "0.1"))

    assert [told.client_order_id for told in house.facts(facts.FillNotBelieved)] == [house.entry.id]
    assert house.held() == "0.2"


def test_a_fill_without_execution_is_derived() -> None:
    """EX-05"""
    house = a_house_with_a_working_entry()
    hears(house, a_report(house, filled_quantity=Decimal("0.2"), executions=()), an_execution("x-1", "0.2", "99.58"))

    report = a_report(
        house,
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Quantity(Decimal("0.5")),
        average_price=Price(Decimal("99.592")),
        executions=(),
    )
    house.line.take(house.line.at, LookUpAnswered(house.entry.id, report))
    house.line.take(house.line.at, LookUpAnswered(house.entry.id, report))

    derived = house.last(facts.OrderFilled).fill
    assert (derived.quantity, derived.price) == (Decimal("0.3"), Decimal("99.60"))
    assert derived.execution_id == f"{report.broker_order_id}:derived:0.5"
    assert len(house.facts(facts.OrderFilled)) == 2
    assert house.held() == "0.5"


PARTIAL = OrderStatus.PARTIALLY_FILLED


def looked_up(house: House, filled: str, average: str) -> None:
    """The answer of a look-up that lists no executions."""
    whole = house.entry.request.quantity
    report = a_report(
        house,
        status=OrderStatus.FILLED if Decimal(filled) == whole else PARTIAL,
        filled_quantity=Quantity(Decimal(filled)),
        average_price=Price(Decimal(average)),
        executions=(),
    )
    house.line.take(house.line.at, LookUpAnswered(house.entry.id, report))


def test_an_overtaken_look_up_makes_no_price() -> None:
    """EX-05, EX-08: 0.4 at 90 and 0.1 at 99 were missed, and the answer is older than 0.4 at 100, which came first"""
    house = a_house_with_a_working_entry()
    third = an_execution("x-3", "0.4", "100")
    hears(house, a_report(house, status=PARTIAL, filled_quantity=Quantity(Decimal("0.9")), executions=()), third)
    looked_up(house, "0.5", "91.8")
    overtaken = house.held()
    looked_up(house, "0.9", "95.44444444444444444444444444")
    first = an_execution("x-1", "0.4", "90")
    hears(house, a_report(house, status=PARTIAL, filled_quantity=Quantity(Decimal("0.9")), executions=()), first)

    assert overtaken == "0.4"
    assert house.held() == "0.9"
    assert house.entry.filled_cost.quantize(Decimal("1e-9")) == Decimal("85.9")
    assert [round(fact.fill.price, 6) for fact in house.facts(facts.OrderFilled)] == [100, Decimal("91.8")]


def test_an_older_total_that_stays_is_believed() -> None:
    """EX-05: the broker says twice that less has filled than its stream said"""
    house = a_house_with_a_working_entry()
    third = an_execution("x-3", "0.4", "100")
    hears(house, a_report(house, status=PARTIAL, filled_quantity=Quantity(Decimal("0.9")), executions=()), third)
    looked_up(house, "0.5", "98")
    looked_up(house, "0.5", "98")

    assert (house.held(), house.entry.filled_cost) == ("0.5", Decimal("49"))


def test_a_repeated_execution_counts_once() -> None:
    """EX-05: the cumulative quantity leaves room for it, its id does not."""
    house = a_house_with_a_working_entry()
    first = an_execution("x-1", "0.1")
    hears(house, a_report(house, filled_quantity=Quantity(Decimal("0.1"))), first)

    hears(house, a_report(house, filled_quantity=Quantity(Decimal("0.2"))), first)

    assert house.held() == "0.1"
    assert len(house.facts(facts.OrderFilled)) == 1


def test_a_fill_before_the_answer_records_submitted() -> None:
    """EX-01"""
    house = a_house_with_a_proposal()
    house.line.link = TheStreamIsFaster(answer_delay=timedelta(seconds=2))

    house.confirms_at("10:06:02")
    house.until("10:06:06")

    steps = [(c.before, c.after, c.source) for c in house.facts(facts.OrderStateChanged)[:2]]
    assert steps == [
        (OrderStatus.PENDING, OrderStatus.SUBMITTED, facts.Source.STREAM),
        (OrderStatus.SUBMITTED, OrderStatus.FILLED, facts.Source.STREAM),
    ]


def test_an_old_update_never_moves_an_order_back() -> None:
    """EX-05, EX-02"""
    house = a_house_in_a_position()

    hears(house, a_report(house, status=OrderStatus.SUBMITTED, raw_status="new", filled_quantity=Quantity(Decimal(0))))
    hears(house, a_report(house, status=OrderStatus.CANCELLED, raw_status="canceled"))

    assert house.entry.status is OrderStatus.FILLED
    assert house.held() == "0.502"


def test_a_fill_after_a_cancel_is_late_and_compared() -> None:
    """EX-02"""
    house = a_house_with_a_working_entry()
    house.presses(RequestCancel(house.entry.id))
    house.until("10:06:06")
    assert house.entry.status is OrderStatus.CANCELLED
    pictures = len([m for m in house.line.heard if isinstance(m, BooksFetched)])

    report = a_report(house, filled_quantity=Quantity(Decimal("0.1")), average_price=Price(Decimal("99.60")))
    hears(house, report, an_execution("late-1", "0.1"))
    hears(house, report, an_execution("late-1", "0.1"))
    held_at_once = house.held()
    house.until("10:06:10")

    assert held_at_once == "0.1"
    assert house.entry.status is OrderStatus.CANCELLED
    assert house.entry.late_fill
    assert [f.is_late for f in house.facts(facts.OrderFilled)] == [True]
    assert len([m for m in house.line.heard if isinstance(m, BooksFetched)]) == pictures + 1


def test_a_fill_that_races_a_cancel_is_taken() -> None:
    """EX-05, OP-06"""
    house = a_house_with_a_proposal(("10:06", "10:06", "99.70"), ("10:07", "10:30", "99.60"))
    house.confirms_at("10:06:02")
    house.until("10:06:59.950")

    house.presses(RequestCancel(house.entry.id))
    house.until("10:07:10")

    assert house.entry.status is OrderStatus.FILLED
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert house.stops[0].status is OrderStatus.SUBMITTED


def test_an_unknown_status_is_looked_up() -> None:
    """EX-01"""
    house = a_house_with_a_working_entry()
    look_ups = len([m for m in house.line.heard if isinstance(m, LookUpAnswered)])

    hears(house, a_report(house, status=None, raw_status="halted_by_goblins"))
    house.until("10:06:06")

    assert "halted_by_goblins" in house.last(facts.UpdateIgnored).reason
    assert house.entry.status is OrderStatus.SUBMITTED
    assert len([m for m in house.line.heard if isinstance(m, LookUpAnswered)]) == look_ups + 1


def test_an_update_of_a_foreign_order_changes_nothing(snapshot: SnapshotAssertion) -> None:
    """EX-02, EX-04"""
    house = a_house_with_a_working_entry()

    hears(house, a_report(house, client_order_id=ClientOrderId("f" * 16), broker_order_id=BrokerOrderId("x")))
    hears(house, a_report(house, quantity=Quantity(Decimal(9)), broker_order_id=BrokerOrderId("x")))

    assert [u.reason for u in house.facts(facts.UpdateIgnored)] == snapshot
    assert house.entry.filled_quantity == 0


TEN = "10"
DOWN = "100.05 100.05 99.95 100"
"""Touches a limit at 100."""


def a_bracket(*, filled: bool = False, until: str = "10:10") -> House:
    """Ten are typed at 100 with stop and target; five of them fill at 10:07, or none."""
    at_7 = [a_bar("10:07", DOWN, volume=50)] if filled else minutes("10:07", "10:07", "101")
    bars = [*minutes("09:30", "10:06", "101"), *at_7, *minutes("10:08", "11:00", "101")]
    house = House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    typed = replace(a_typed_buy(TEN, limit="100", stop="99"), target_price=Price(Decimal(103)))
    house.presses(replace(typed, time_in_force=TimeInForce.DAY))
    confirms_now(house)
    house.until("10:09")
    house.presses(RequestCancel(house.entry.id))
    house.until(until)
    assert house.entry.status is OrderStatus.CANCELLED
    return house


def in_the_stream(house: House, shares: str) -> None:
    fills_late(house.exchange, house.line.at, house.entry.id, shares)


def while_the_desk_is_down(house: House, shares: str) -> None:
    """The machine dies, the fill is told to nobody, and the next run finds it."""
    fills_late(house.exchange, house.line.at, house.entry.id, shares)
    house.exchange.take_updates()
    house.restarted()


WAYS = pytest.mark.parametrize("comes", [in_the_stream, while_the_desk_is_down])


def stops(house: House) -> list[str]:
    """What works at the exchange: `10 at 99`."""
    working = [o for o in house.stops if o.status is OrderStatus.SUBMITTED and o.role is None]
    return [f"{o.remaining} at {o.request.stop_price}" for o in working]


@WAYS
def test_a_fill_after_the_bracket_ended_has_its_stop(comes: Callable[[House, str], None]) -> None:
    """EX-22, EX-13, EX-20"""
    house = a_bracket()

    comes(house, TEN)
    passes(house, 30)

    assert (house.held(), house.held_by_the_broker()) == (TEN, TEN)
    assert stops(house) == ["10 at 99"]
    assert house.desk.stage.proposals() == ()
    assert_can_be_rebuilt(house)


@WAYS
def test_the_late_half_of_a_bracket_has_its_stop(comes: Callable[[House, str], None]) -> None:
    """EX-22, EX-13, EX-20: five filled and covered, then the other five"""
    house = a_bracket(filled=True)
    before = stops(house)

    comes(house, "5")
    passes(house, 30)

    assert (before, house.held()) == (["5 at 99"], TEN)
    assert stops(house) == ["5 at 99", "5 at 99"]
    assert house.desk.stage.proposals() == ()


def test_a_crash_behind_a_late_fill_sends_one_stop() -> None:
    """EX-20, EX-22: wherever the journal ends"""
    house = a_bracket()
    begins = house.journal.sequence
    in_the_stream(house, TEN)
    passes(house, 2)
    ends = house.journal.sequence

    for last in range(begins + 1, ends):
        house = a_bracket()
        in_the_stream(house, TEN)
        while house.journal.sequence <= last:
            passes(house, 0.05)
        house.loses_the_journal_after(list(house.journal.records())[last - 1].sequence)
        house.restarted()
        passes(house, 150)

        assert (house.held(), stops(house)) == (TEN, ["10 at 99"]), last
