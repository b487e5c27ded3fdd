"""Orders that bring others at Alpaca: one request with all its legs, and legs found again wherever they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.model.broker import Accepted, BrokerBooks, OrderReport
from core.model.order import Effect, Leg, LegRole, OrderClass, OrderRequest, OrderType, Side
from core.model.values import BrokerOrderId, ClientOrderId, Fraction, Price
from tests.kit.rows import table
from tests.unit.core.brokers.alpaca_door import OURS, Asked, Behaviour, Says, a_broker, a_buy, a_door, an_order_json
from tests.unit.core.brokers.test_alpaca_books import with_books

pytestmark = pytest.mark.usefixtures("timeline")

STOP = Leg(LegRole.STOP, stop_price=Price(Decimal("99.50")))
TARGET = Leg(LegRole.TARGET, limit_price=Price(Decimal("103")))


def a_leg_json(name: str, **fields: Any) -> dict[str, Any]:
    terms = {"type": "stop", "side": "sell", "limit_price": None, "stop_price": "99.5", "status": "held"}
    return an_order_json(id=name, client_order_id=f"their-{name}", **(terms | fields))


def sent(order: OrderRequest) -> dict[str, Any]:
    with a_door(Says(200, an_order_json())) as door:
        a_broker(door).submit(order)
        return dict(door.asked[0].body)


@table(
    "order terms",
    (
        a_buy(order_class=OrderClass.OTO, legs=(STOP,)),
        {"order_class": "oto", "stop_loss": {"stop_price": "99.5"}, "limit_price": "100.5"},
    ),
    (
        a_buy(order_class=OrderClass.BRACKET, legs=(STOP, TARGET)),
        {
            "order_class": "bracket",
            "stop_loss": {"stop_price": "99.5"},
            "take_profit": {"limit_price": "103"},
            "limit_price": "100.5",
        },
    ),
    (
        a_buy(side=Side.SELL, effect=Effect.CLOSE, limit="103", order_class=OrderClass.OCO, legs=(STOP,)),
        {"order_class": "oco", "stop_loss": {"stop_price": "99.5"}, "take_profit": {"limit_price": "103"}},
    ),
    (
        a_buy(type=OrderType.STOP_LIMIT, stop_price=Price(Decimal("100.2"))),
        {"type": "stop_limit", "stop_price": "100.2", "limit_price": "100.5"},
    ),
    (
        a_buy(limit=None, type=OrderType.TRAILING_STOP, trail_fraction=Fraction(Decimal("0.015"))),
        {"type": "trailing_stop", "trail_percent": "1.5"},
    ),
    (
        a_buy(limit=None, type=OrderType.TRAILING_STOP, trail_price=Price(Decimal("0.50"))),
        {"type": "trailing_stop", "trail_price": "0.5"},
    ),
)
def test_each_order_class_is_one_request(order: OrderRequest, terms: dict[str, object]) -> None:
    """EX-12"""
    of_every_order = {
        *("symbol", "qty", "side", "time_in_force", "client_order_id", "extended_hours", "position_intent")
    }

    body = sent(order)

    assert {
        name: value for name, value in body.items() if name not in of_every_order | {"type"} - terms.keys()
    } == terms


def test_a_trailing_stop_is_replaced_by_its_trail() -> None:
    """EX-12: Alpaca has one name for both ways to say it."""
    order = a_buy(limit=None, type=OrderType.TRAILING_STOP, trail_fraction=Fraction(Decimal("0.02")))
    with a_door(Says(200, an_order_json())) as door:
        a_broker(door).replace(order, BrokerOrderId("old"))

        assert door.asked[0].body == {"client_order_id": OURS, "time_in_force": "day", "qty": "10", "trail": "2"}


def test_an_answer_names_the_legs_alpaca_made() -> None:
    """EX-13"""
    answer = an_order_json(order_class="oto", legs=[a_leg_json("leg-1")])
    with a_door(Says(200, answer)) as door:
        accepted = a_broker(door).submit(a_buy(order_class=OrderClass.OTO, legs=(STOP,)))

    assert isinstance(accepted, Accepted)
    (leg,) = accepted.report.legs
    assert (leg.broker_order_id, leg.raw_status, leg.stop_price) == ("leg-1", "held", Decimal("99.5"))


def test_a_trailing_stop_is_read_with_its_trail() -> None:
    """EX-12"""
    answer = an_order_json(
        type="trailing_stop", limit_price=None, stop_price="98.75", trail_percent="1.5", hwm="100.25"
    )
    with a_door(Says(200, answer)) as door:
        report = a_broker(door).look_up(OURS)

    assert isinstance(report, OrderReport)
    assert (report.type, report.trail_fraction, report.stop_price) == (
        OrderType.TRAILING_STOP,
        Decimal("0.015"),
        Decimal("98.75"),
    )


def test_a_lookup_without_legs_asks_for_them() -> None:
    """EX-13, EX-20: after a crash the legs are found by their parent."""
    bare = an_order_json(order_class="oto", status="new")
    with a_door(Says(200, bare), Says(200, bare | {"legs": [a_leg_json("leg-1")]})) as door:
        report = a_broker(door).look_up(OURS)

        assert door.lines == ["GET /v2/orders:by_client_order_id", f"GET /v2/orders/{bare['id']}"]
        assert door.asked[1].query == {"nested": "true"}
    assert isinstance(report, OrderReport)
    assert [leg.broker_order_id for leg in report.legs] == ["leg-1"]


def test_held_and_working_legs_are_in_the_picture() -> None:
    """EX-09, EX-13: as Alpaca lists them, no one list has all."""
    held = an_order_json(id="p1", client_order_id="1" * 16, order_class="oto", legs=[a_leg_json("held-leg")])
    working = a_leg_json("live-leg", status="new")
    filled = an_order_json(
        id="p2", client_order_id="2" * 16, order_class="oto", status="filled", filled_qty="10", legs=[working]
    )

    def listed(asked: Asked) -> Behaviour:
        nested = asked.query["nested"] == "true"
        if asked.query["status"] == "closed":
            return Says(200, [filled] if nested else [filled | {"legs": None}])
        return Says(200, [held] if nested else [held | {"legs": None}, working])

    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/orders"] = listed
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    found = {order.broker_order_id: [leg.broker_order_id for leg in order.legs] for order in picture.orders}
    assert found == {"p1": ["held-leg"], "live-leg": [], "p2": ["live-leg"]}
    assert ClientOrderId("their-live-leg") in {order.client_order_id for order in picture.orders}
