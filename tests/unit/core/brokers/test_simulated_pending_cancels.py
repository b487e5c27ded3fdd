"""A cancel that the simulated exchange keeps pending: the order works on until then, also through a rebuild."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.brokers.simulated.exchange import rebuild
from core.model.broker import Accepted, UpdateEvent
from core.model.order import OrderStatus, TimeInForce
from core.model.values import ClientOrderId
from tests.unit.core.brokers.trading_floor import THURSDAY, Floor, a_bar, at

FRIDAY = THURSDAY + timedelta(days=1)
STOP = ClientOrderId("stop")


def a_floor_with_a_stop(**rules: object) -> Floor:
    floor = Floor(**rules)
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:10", "10")
    floor.sells("10:00:20", "10", "stop", stop="99.00", time_in_force=TimeInForce.GTC)
    floor.updates()
    return floor


def test_a_pending_cancel_takes_effect_at_its_time() -> None:
    """EX-13: a second request changes nothing"""
    floor = a_floor_with_a_stop(cancel_seconds=Decimal(420))
    answers = [floor.exchange.cancel(at(clock), STOP) for clock in ("10:00:30", "10:01:30")]
    between = floor.report("10:07:29", "stop")
    after = floor.report("10:07:30", "stop")

    assert [isinstance(answer, Accepted) for answer in answers] == [True, True]
    assert (between.status, between.raw_status) == (OrderStatus.SUBMITTED, "pending_cancel")
    assert after.status is OrderStatus.CANCELLED
    assert floor.updates() == [
        f"stop {UpdateEvent.PENDING_CANCEL.value} 10:00:30",
        f"stop {UpdateEvent.CANCELED.value} 10:07:30",
    ]


def test_an_order_fills_while_its_cancel_is_pending() -> None:
    """EX-13"""
    floor = a_floor_with_a_stop(cancel_seconds=Decimal(420))
    floor.exchange.cancel(at("10:00:30"), STOP)
    floor.bars(a_bar("10:01", "98.90"))

    assert floor.report("10:10", "stop").status is OrderStatus.FILLED


def test_a_cancel_of_the_night_takes_effect_at_the_open() -> None:
    """EX-13, EX-20: the same after a rebuild from the log"""
    floor = a_floor_with_a_stop(cancels_wait=True)
    floor.exchange.cancel(at("16:30"), STOP)
    again = a_floor_with_a_stop(cancels_wait=True)
    rebuild(again.exchange, [], (), floor.notebook.records[2:], at("16:31"))

    for each in (floor, again):
        assert each.report("09:29:59", "stop", FRIDAY).raw_status == "pending_cancel"
        assert each.report("09:30", "stop", FRIDAY).status is OrderStatus.CANCELLED
