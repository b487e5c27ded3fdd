"""Bracket, OCO and OTO at the simulated exchange, by Alpaca's rules (EX-12)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.brokers.simulated.log import decoded, encoded, rebuild
from core.model.broker import Accepted, OrderReport, Refused
from core.model.codes import RefusalKind
from core.model.order import Leg, OrderClass, OrderStatus, Side, TimeInForce
from core.model.values import ClientOrderId
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_stop_leg, a_target_leg, an_order, at

STOP, TARGET = "leg-sim-000002", "leg-sim-000003"
"""The names that the exchange gives the legs of the first order: a bracket's stop, and its target."""
BOTH = (a_stop_leg("99.00"), a_target_leg("103.00"))


def a_floor() -> Floor:
    floor = Floor()
    floor.bars(a_bar("10:00", "100"), a_bar("10:01", "100"))
    return floor


def with_a_bracket(limit: str | None = None, quantity: str = "10") -> Floor:
    floor = a_floor()
    floor.buys("10:01:01", quantity, limit=limit, order_class=OrderClass.BRACKET, legs=BOTH)
    return floor


def statuses(floor: Floor, clock: str) -> list[str]:
    return [floor.report(clock, name).raw_status for name in ("buy", STOP, TARGET)]


def test_legs_work_once_their_parent_is_filled() -> None:
    """EX-12: the limit is met at 10:02:20; until then the stop is no order that could sell."""
    floor = with_a_bracket(limit="99.50")

    floor.bars(a_bar("10:02", "100 100.50 99.40 100"))

    assert statuses(floor, "10:01:30") == ["new", "held", "held"]
    assert statuses(floor, "10:02:20") == ["filled", "new", "new"]
    assert floor.updates() == [
        "buy new 10:01:01",
        "buy fill 10:02:20",
        f"{STOP} new 10:02:20",
        f"{TARGET} new 10:02:20",
    ]


def test_answers_name_legs_and_the_stream_does_not() -> None:
    """EX-12: as at Alpaca, whose stream tells each leg alone."""
    floor = a_floor()

    answer = floor.buys("10:01:01", "10", order_class=OrderClass.BRACKET, legs=BOTH)

    assert isinstance(answer, Accepted)
    assert [leg.client_order_id for leg in answer.report.legs] == [STOP, TARGET]
    assert [leg.raw_status for leg in answer.report.legs] == ["held", "held"]
    assert [leg.client_order_id for leg in floor.report("10:01:02", "buy").legs] == [STOP, TARGET]
    assert all(update.report.legs == () for update in floor.exchange.take_updates())


def test_the_fill_of_one_leg_cancels_the_other() -> None:
    """EX-12"""
    floor = with_a_bracket()

    floor.bars(a_bar("10:02", "100 103.50 100 103"))

    assert statuses(floor, "10:02:40") == ["filled", "canceled", "filled"]
    assert floor.fills("10:02:40", TARGET) == [("10", "103")]
    assert floor.exchange.books(at("10:03")).positions == ()


def test_a_stop_leg_fills_before_its_target() -> None:
    """EX-12"""
    floor = with_a_bracket()

    floor.bars(a_bar("10:02", "100 104 98.50 104"))

    assert statuses(floor, "10:03") == ["filled", "filled", "canceled"]


def test_a_partial_target_leaves_its_stop_the_rest() -> None:
    """EX-12, EX-13: a tenth of the bar's 40 shares is all that the minute gives."""
    floor = with_a_bracket()

    floor.bars(a_bar("10:02", "100 103.50 100 102", volume=40))

    target, stop = floor.report("10:03", TARGET), floor.report("10:03", STOP)
    assert (target.filled_quantity, target.status) == (4, OrderStatus.PARTIALLY_FILLED)
    assert (stop.quantity, stop.raw_status) == (6, "new")


@table("name", STOP, TARGET)
def test_the_cancel_of_one_leg_cancels_the_other(name: str) -> None:
    """EX-12"""
    floor = with_a_bracket()

    floor.exchange.cancel(at("10:01:30"), ClientOrderId(name))

    assert statuses(floor, "10:01:31") == ["filled", "canceled", "canceled"]
    assert floor.sells("10:01:32", "10", "free") is not None
    assert floor.report("10:01:33", "free").status is OrderStatus.FILLED


def test_cancelling_a_parent_cancels_held_legs() -> None:
    """EX-12"""
    floor = with_a_bracket(limit="99.50")

    floor.exchange.cancel(at("10:01:30"), ClientOrderId("buy"))

    assert statuses(floor, "10:01:31") == ["canceled"] * 3


def test_a_partly_filled_parent_has_no_leg() -> None:
    """EX-12, EX-13: held legs are for the whole; 4 of 10 shares are held by nobody."""
    floor = with_a_bracket(limit="99.50")
    floor.bars(a_bar("10:02", "100 100.50 99.40 100", volume=80))
    part = floor.report("10:02:30", "buy").filled_quantity

    floor.exchange.cancel(at("10:02:30"), ClientOrderId("buy"))

    assert part == 4
    assert statuses(floor, "10:02:31") == ["canceled"] * 3
    assert [p.quantity for p in floor.exchange.books(at("10:02:31")).positions] == [4]


def test_a_working_pair_reserves_shares_once() -> None:
    """EX-12, EX-21: stop and target are for the same ten shares."""
    floor = with_a_bracket(quantity="10")
    floor.buys("10:01:03", "5", "more")

    refused = floor.sells("10:01:04", "6", "too many")
    taken = floor.sells("10:01:05", "5", "free")

    assert isinstance(refused, Refused)
    assert refused.kind is RefusalKind.INSUFFICIENT_SHARES
    assert isinstance(taken, Accepted)


def test_a_stop_alone_is_an_oto() -> None:
    """EX-12, OP-06"""
    floor = a_floor()

    floor.buys("10:01:01", "10", order_class=OrderClass.OTO, legs=(a_stop_leg("99.00"),))
    floor.bars(a_bar("10:02", "100 100 98.00 98.50"))

    assert floor.fills("10:03", STOP) == [("10", "98.99")]


def test_a_short_has_its_legs_reversed() -> None:
    """EX-12"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"), a_bar("10:01", "100"))
    legs = (a_stop_leg("101.00"), a_target_leg("97.00"))

    floor.sells("10:01:01", "10", order_class=OrderClass.BRACKET, legs=legs)
    floor.bars(a_bar("10:02", "100 100.50 96.50 97"))

    assert floor.fills("10:03", TARGET) == [("10", "97")]
    assert floor.report("10:03", STOP).raw_status == "canceled"


def test_either_side_of_an_oco_ends_the_other() -> None:
    """EX-12"""
    floor = a_floor()
    floor.buys("10:01:01", "10")
    answer = floor.sells("10:01:02", "10", limit="103.00", order_class=OrderClass.OCO, legs=(a_stop_leg("99.00"),))
    assert isinstance(answer, Accepted)
    stop = answer.report.legs[0].client_order_id

    floor.bars(a_bar("10:02", "100 100 98.50 99"))

    assert floor.fills("10:03", stop) == [("10", "98.99")]
    assert floor.report("10:03", "sell").raw_status == "canceled"


def test_a_moved_leg_takes_the_old_ones_place() -> None:
    """EX-12: the target still ends with it."""
    floor = with_a_bracket()
    moved = replace(an_order("moved", Side.SELL, "10", stop="99.50"), replaces=ClientOrderId(STOP))

    floor.exchange.replace(at("10:01:30"), moved)
    floor.bars(a_bar("10:02", "100 100 99.20 99.30"))

    assert floor.fills("10:03", "moved") == [("10", "99.49")]
    assert statuses(floor, "10:03") == ["filled", "replaced", "canceled"]


def test_a_moved_leg_that_was_held_is_held() -> None:
    """EX-12"""
    floor = with_a_bracket(limit="99.50")
    moved = replace(an_order("moved", Side.SELL, "10", stop="99.20"), replaces=ClientOrderId(STOP))

    floor.exchange.replace(at("10:01:30"), moved)
    floor.bars(a_bar("10:02", "99.60 99.60 99.40 99.50"))

    assert floor.report("10:01:31", "moved").raw_status == "held"
    assert floor.report("10:02:20", "moved").raw_status == "new"


def test_a_replaced_entry_gets_new_legs() -> None:
    """EX-12"""
    floor = with_a_bracket(limit="99.50")
    order = an_order("more", Side.BUY, "12", limit="99.60", order_class=OrderClass.BRACKET, legs=BOTH)

    answer = floor.exchange.replace(at("10:01:30"), replace(order, replaces=ClientOrderId("buy")))

    assert isinstance(answer, Accepted)
    assert [(leg.quantity, leg.raw_status) for leg in answer.report.legs] == [(12, "held"), (12, "held")]
    assert statuses(floor, "10:01:31") == ["replaced", "canceled", "canceled"]


def test_a_day_order_expires_with_its_legs() -> None:
    """EX-12"""
    floor = with_a_bracket()
    waiting = an_order("waits", Side.BUY, "5", limit="90.00", order_class=OrderClass.BRACKET, legs=BOTH)
    floor.exchange.submit(at("10:01:30"), replace(waiting, legs=(a_stop_leg("89.00"), a_target_leg("95.00"))))

    ends = {report.client_order_id: report.raw_status for report in floor.exchange.orders(at("16:00"))}

    assert ends.pop(ClientOrderId("buy")) == "filled"
    assert list(ends.values()) == ["expired"] * 5


@table(
    "quantity order_class legs time_in_force said",
    ("1.5", OrderClass.OTO, (a_stop_leg("99.00"),), TimeInForce.DAY, "fractional orders must be simple orders"),
    ("10", OrderClass.BRACKET, (a_stop_leg("99.00"),), TimeInForce.DAY, "bracket orders require"),
    ("10", OrderClass.OTO, BOTH, TimeInForce.DAY, "oto orders require"),
    ("10", OrderClass.OTO, (), TimeInForce.DAY, "oto orders require"),
    ("10", OrderClass.OTO, (a_stop_leg("99.00"),), TimeInForce.IOC, "must be DAY or GTC"),
    ("10", OrderClass.OTO, (a_stop_leg("101.00"),), TimeInForce.DAY, "stop_loss.stop_price must be <"),
    ("10", OrderClass.OTO, (a_target_leg("99.00"),), TimeInForce.DAY, "take_profit.limit_price must be >"),
    ("10", OrderClass.OTO, (a_stop_leg("98.995"),), TimeInForce.DAY, "sub-penny"),
    ("10", OrderClass.OCO, (a_stop_leg("99.00"),), TimeInForce.DAY, "oco orders must be limit orders"),
)
def test_what_a_class_does_not_take_is_refused(
    quantity: str, order_class: OrderClass, legs: tuple[Leg, ...], time_in_force: TimeInForce, said: str
) -> None:
    """EX-11, EX-12"""
    floor = a_floor()

    answer = floor.buys("10:01:01", quantity, order_class=order_class, legs=legs, time_in_force=time_in_force)

    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.UNPROCESSABLE
    assert said in answer.message


def test_legs_without_an_order_class_are_ignored() -> None:
    """EX-12: as Alpaca does; whoever sends them looks for them in the answer."""
    floor = a_floor()

    answer = floor.buys("10:01:01", "10", legs=BOTH)

    assert isinstance(answer, Accepted)
    assert answer.report.legs == ()


def test_a_rebuilt_exchange_has_the_same_legs() -> None:
    """EX-20"""
    floor = with_a_bracket()
    market = [a_bar("10:00", "100"), a_bar("10:01", "100"), a_bar("10:02", "100 103.50 100 103")]
    floor.bars(market[-1])
    before: tuple[OrderReport, ...] = floor.exchange.orders(at("10:03"))

    again = Floor()
    rebuild(again.exchange, market, (), floor.notebook.records, at("10:03"))

    assert again.exchange.orders(at("10:03")) == before
    assert [encoded(decoded(record)) for record in floor.notebook.records] == floor.notebook.records
