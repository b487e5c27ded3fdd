"""Alpaca's books in one picture: every order once, however many pages, or no picture at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.broker import BrokerBooks, NoAnswer
from core.model.order import OrderType, Side
from tests.kit.rows import cases, table
from tests.unit.core.brokers.alpaca_door import (
    HTML,
    NOON,
    OURS,
    Asked,
    Behaviour,
    Door,
    Says,
    a_broker,
    a_door,
    a_position_json,
    an_account_json,
    an_order_json,
)

pytestmark = pytest.mark.usefixtures("timeline")

A_POSITION = a_position_json()
PAGE = 500


def an_old_order(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    return an_order_json(
        id=f"order-{number}", client_order_id=f"{number:016x}",
        submitted_at=at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z", status="canceled", **fields,
    )  # fmt: skip


def listing(orders: list[dict[str, Any]]) -> Callable[[Asked], Behaviour]:
    """As Alpaca lists orders: by status, submitted strictly between `after` and `until`, by that time, 500 at most."""

    def answer(asked: Asked) -> Behaviour:
        wants_open = asked.query["status"] == "open"
        after, until = (
            asked.query.get(name, usual).removesuffix("Z") for name, usual in (("after", ""), ("until", "9"))
        )
        rows = [
            order
            for order in orders
            if (order["status"] == "new") == wants_open and after < order["submitted_at"] < until
        ]
        rows.sort(key=lambda row: str(row["submitted_at"]))
        return Says(200, (rows if asked.query["direction"] == "asc" else rows[::-1])[: int(asked.query["limit"])])

    return answer


def with_books(door: Door, orders: list[dict[str, Any]], positions: Behaviour | None = None) -> Door:
    door.routes = {
        "GET /v2/account": Says(200, an_account_json()),
        "GET /v2/positions": positions or Says(200, [A_POSITION]),
        "GET /v2/orders": listing(orders),
    }
    return door


def test_a_picture_has_account_positions_and_orders() -> None:
    """EX-09"""
    short = a_position_json(symbol="IBM", qty="-3", side="short", avg_entry_price="120.333333333333333333")
    with a_door() as door:
        with_books(door, [an_order_json()], Says(200, [A_POSITION, short]))
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert [(p.symbol, p.quantity) for p in picture.positions] == [("SPY", 10), ("IBM", -3)]
    assert picture.positions[1].average_price == Decimal("120.333333333333333333")
    assert [order.client_order_id for order in picture.orders] == [OURS]
    assert picture.account.at == NOON


def test_old_open_orders_are_listed_and_closed_not() -> None:
    """EX-09: what works matters however old it is."""
    a_month_ago = NOON - timedelta(days=30)
    still_open = an_old_order(1, a_month_ago) | {"status": "new"}
    with a_door() as door:
        with_books(door, [still_open, an_old_order(2, a_month_ago), an_old_order(3, NOON - timedelta(days=1))])
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert [order.broker_order_id for order in picture.orders] == ["order-3", "order-1"]


@table("count", PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 1300)
def test_no_order_is_lost_or_doubled_over_pages(count: int) -> None:
    """EX-09: several orders share each instant, at the edges of pages too."""
    orders = [an_old_order(n, NOON - timedelta(hours=20) + timedelta(seconds=n // 7)) for n in range(count)]
    with a_door() as door:
        with_books(door, orders)
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert [order.broker_order_id for order in picture.orders] == [order["id"] for order in orders]


@table("count", PAGE + 1, 2 * PAGE - 1)
def test_more_than_a_page_of_one_instant_is_read(count: int) -> None:
    """EX-09, EX-26: from its other end; what was submitted later is read too"""
    at = NOON - timedelta(hours=1)
    orders = [*(an_old_order(n, at) for n in range(count)), an_old_order(count, at + timedelta(seconds=1))]
    with a_door() as door:
        picture = a_broker(with_books(door, orders)).books()

    assert isinstance(picture, BrokerBooks)
    assert {order.broker_order_id for order in picture.orders} == {order["id"] for order in orders}
    assert picture.unreadable == ()


def test_more_than_two_pages_of_one_instant_are_named() -> None:
    """EX-26: the ones beyond both ends are not listed, and nothing else is lost"""
    at = NOON - timedelta(hours=1)
    orders = [*(an_old_order(n, at) for n in range(2 * PAGE + 1)), an_old_order(2 * PAGE + 1, NOON)]
    orders = [order | {"status": "new"} for order in orders]
    with a_door() as door:
        broker = a_broker(with_books(door, orders))
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert len(picture.orders) == 2 * PAGE + 1
    assert picture.orders[-1].broker_order_id == orders[-1]["id"]
    (rest,) = picture.unreadable
    assert (rest.symbol, rest.client_order_id) == (None, None)
    assert broker.unread.count > 0


def test_an_unordered_list_is_sorted_and_noted() -> None:
    """EX-26: two rows a millisecond apart change places; every order is read"""
    rows = [an_old_order(2, NOON), an_old_order(1, NOON - timedelta(milliseconds=1))]
    with a_door() as door:
        broker = a_broker(with_books(door, []))
        door.routes["GET /v2/orders"] = lambda asked: Says(200, rows if asked.query["status"] == "closed" else [])
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [order.broker_order_id for order in picture.orders] == ["order-1", "order-2"]
    assert broker.unread.count == 1


@table("edge", 0, 1, 2)
def test_rows_that_change_places_at_a_page_edge_are_read(edge: int) -> None:
    """EX-26: the next page begins before the rows that changed places"""
    times = [NOON - timedelta(hours=20) + timedelta(milliseconds=n) for n in range(PAGE + 100)]
    orders = [an_old_order(n, at) for n, at in enumerate(times)]
    place = PAGE - 2 + edge
    orders[place], orders[place + 1] = orders[place + 1], orders[place]
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/orders"] = as_listed(orders)
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert {order.broker_order_id for order in picture.orders} == {order["id"] for order in orders}


def test_one_odd_time_moves_no_page() -> None:
    """EX-26: a full page with an order of the year 2099 in it is followed by the next one"""
    times = [NOON - timedelta(hours=20) + timedelta(seconds=n) for n in range(PAGE + 100)]
    orders = [an_old_order(n, at) for n, at in enumerate(times)]
    for odd in (0, PAGE // 2, PAGE - 1):
        listed = [*orders]
        listed[odd] = an_old_order(odd, datetime(2099, 1, 1, tzinfo=UTC))
        with a_door() as door:
            with_books(door, [])
            door.routes["GET /v2/orders"] = as_listed(listed, times)
            picture = a_broker(door).books()

        assert isinstance(picture, BrokerBooks)
        assert len(picture.orders) == len(orders), odd


def as_listed(orders: list[dict[str, Any]], times: list[datetime] | None = None) -> Callable[[Asked], Behaviour]:
    """Closed orders in exactly this order, filtered by their own times or by those that the broker sorts by."""
    keys = (
        [order["submitted_at"] for order in orders] if times is None else [f"{at:%Y-%m-%dT%H:%M:%S.%f}" for at in times]
    )

    def answer(asked: Asked) -> Behaviour:
        after = asked.query.get("after", "").removesuffix("Z")
        until = asked.query.get("until", "9").removesuffix("Z")
        rows = [order for order, key in zip(orders, keys, strict=True) if after < key < until]
        rows = rows if asked.query["direction"] == "asc" else rows[::-1]
        return Says(200, rows[: int(asked.query["limit"])] if asked.query["status"] == "closed" else [])

    return answer


def test_a_list_of_the_other_direction_ends_and_is_named() -> None:
    """EX-26: newest first although the oldest were asked for: the older ones may be missing, and that is named"""
    orders = [an_old_order(n, NOON - timedelta(minutes=n)) | {"status": "new"} for n in range(PAGE + 100)]
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/orders"] = lambda asked: Says(
            200, orders[:PAGE] if asked.query["status"] == "open" else []
        )
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert len(picture.orders) == PAGE
    assert [(row.symbol, row.is_over) for row in picture.unreadable] == [(None, False)]


def test_a_fill_between_answers_rereads_the_books() -> None:
    """EX-09: positions and orders of one picture belong together."""
    before, after = Says(200, []), Says(200, [A_POSITION])
    answers = iter([before, after, after, after])
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/positions"] = lambda _: next(answers)
        picture = a_broker(door).books()

        assert door.lines.count("GET /v2/positions") == 4
    assert isinstance(picture, BrokerBooks)
    assert len(picture.positions) == 1


def test_books_that_keep_changing_are_no_picture(snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    quantities = iter(range(1, 100))
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/positions"] = lambda _: Says(200, [A_POSITION | {"qty": str(next(quantities))}])
        picture = a_broker(door).books()

    assert picture == NoAnswer(snapshot)


@table("path", "GET /v2/account", "GET /v2/positions", "GET /v2/orders")
@table("fault", Says(500, HTML), Says(200, HTML), Says(200, {"message": "?"}))
def test_one_missing_answer_is_no_picture(path: str, fault: Says) -> None:
    """EX-09: all or nothing."""
    with a_door() as door:
        with_books(door, [an_order_json()])
        door.routes[path] = fault
        assert isinstance(a_broker(door).books(), NoAnswer)


def test_an_ended_unreadable_foreign_order_is_noted(snapshot: SnapshotAssertion) -> None:
    """EX-09: an order of the dashboard must not shut the desk."""
    at = NOON - timedelta(hours=2)
    strange = an_old_order(1, at, qty=None) | {"client_order_id": "by-hand"}
    with a_door() as door:
        with_books(door, [strange, an_old_order(2, at)])
        broker = a_broker(door)
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [order.broker_order_id for order in picture.orders] == ["order-2"]
    assert broker.unread.count == 1
    assert broker.unread.last[0].reason == snapshot
    assert "by-hand" in broker.unread.last[0].raw


@cases(
    "fields reason symbol",
    ({"qty": None}, "qty is missing", "SPY"),
    ({"symbol": None}, "symbol is missing", None),
    ({"symbol": ["SPY"], "submitted_at": "yesterday"}, "symbol list is no plain text", None),
    ({"type": "iceberg", "submitted_at": None, "created_at": None}, "type 'iceberg' is unknown here", "SPY"),
)
def test_a_working_unreadable_foreign_order_is_named(
    fields: dict[str, Any], reason: str, symbol: str | None, snapshot: SnapshotAssertion
) -> None:
    """EX-09: an order of the dashboard must not shut the desk."""
    at = NOON - timedelta(hours=2)
    strange = an_old_order(1, at) | {"status": "new", "client_order_id": "by-hand"} | fields
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/orders"] = lambda asked: Says(
            200, [strange, an_order_json()] if asked.query["status"] == "open" else []
        )
        broker = a_broker(door)
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [order.client_order_id for order in picture.orders] == [OURS]
    (found,) = picture.unreadable
    assert found.reason == f"order order-1: {reason}"
    assert (found.broker_order_id, found.client_order_id, found.symbol) == ("order-1", "by-hand", symbol)
    assert broker.unread.last[-1].reason == snapshot


A_CALL, A_PUT = "SPY261218C00700000", "SPY261218P00600000"
AN_OPTION = {"symbol": A_CALL, "asset_class": "us_option"}
TWO_LEGS = {
    "symbol": "", "asset_class": "", "side": "", "order_class": "mleg", "limit_price": "-1.25",
    "legs": [
        an_order_json(id="leg-1", client_order_id="a", position_intent="buy_to_open", **AN_OPTION),
        an_order_json(
            id="leg-2", client_order_id="b", side="sell", position_intent="sell_to_open",
            **AN_OPTION | {"symbol": A_PUT},
        ),
    ],
}  # fmt: skip
BY_AMOUNT = {"qty": None, "notional": "25", "type": "market", "limit_price": None}


@table(
    "fields symbol words may_open",
    (BY_AMOUNT, "SPY", "BUY 25 USD SPY market day (by amount)", True),
    (BY_AMOUNT | {"side": "sell"}, "SPY", "SELL 25 USD SPY market day (by amount)", False),
    (TWO_LEGS, None, f"BUY 10 {A_CALL} + SELL 10 {A_PUT} limit -1.25 day (2 legs)", True),
    (
        AN_OPTION | {"position_intent": "sell_to_close", "side": "sell"},
        A_CALL,
        f"SELL 10 {A_CALL} limit 100.5 day (us_option)",
        False,
    ),
    (
        {"symbol": "BTC/USD", "asset_class": "crypto", "qty": "0.000000001", "time_in_force": "gtc"},
        "BTC/USD",
        "BUY 0.000000001 BTC/USD limit 100.5 gtc (crypto)",
        True,
    ),
    ({"time_in_force": "opg"}, "SPY", "BUY 10 SPY limit 100.5 opg (in force opg)", True),
    ({"asset_class": "ipo"}, "SPY", "BUY 10 SPY limit 100.5 day (ipo)", True),
    ({"order_class": "basket"}, "SPY", "BUY 10 SPY limit 100.5 day (class basket)", True),
)
def test_an_unknown_order_kind_stops_nothing(
    fields: dict[str, Any], symbol: str | None, words: str, may_open: bool
) -> None:
    """MD-07"""
    strange = an_old_order(1, NOON - timedelta(hours=2)) | {"status": "new", "client_order_id": "by-hand"} | fields
    with a_door() as door:
        with_books(door, [])
        door.routes["GET /v2/orders"] = lambda asked: Says(
            200, [strange, an_order_json()] if asked.query["status"] == "open" else []
        )
        broker = a_broker(door)
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [order.client_order_id for order in picture.orders] == [OURS]
    (found,) = picture.foreign_orders
    assert (found.broker_order_id, found.client_order_id, found.symbol) == ("order-1", "by-hand", symbol)
    assert (found.words, found.may_open, picture.unreadable) == (words, may_open, ())
    assert broker.unread.count == 0


@table(
    "fields side kind left closes",
    (
        {"side": "sell", "type": "stop", "qty": "4", "filled_qty": "1", "stop_price": "many"}, Side.SELL,
        OrderType.STOP, 3, False,
    ),
    ({"side": "sideways", "qty": None}, None, OrderType.LIMIT, None, False),
    ({"side": "sell", "type": "wish", "position_intent": "sell_to_close"}, Side.SELL, None, 10, True),
)  # fmt: skip
def test_an_unreadable_order_tells_what_it_can(
    fields: dict[str, Any], side: Side | None, kind: OrderType | None, left: int | None, closes: bool
) -> None:
    """MD-07, OP-07: whether it opens or guards something is read from it."""
    strange = an_old_order(1, NOON - timedelta(hours=2)) | {"status": "new", "client_order_id": "by-hand"} | fields
    with a_door() as door:
        with_books(door, [strange])
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    (found,) = picture.unreadable
    assert (found.side, found.type, found.left, found.closes) == (side, kind, left, closes)


@table("order_class", "", "simple")
def test_a_simple_order_is_one_by_either_name(order_class: str) -> None:
    """MD-07"""
    with a_door() as door:
        with_books(door, [an_order_json(order_class=order_class)])
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert (len(picture.orders), picture.foreign_orders) == (1, ())


def test_other_asset_classes_are_no_shares() -> None:
    """MD-07: contracts and coins are not counted as shares."""
    option = a_position_json(qty="2", avg_entry_price="3.15", **AN_OPTION)
    with a_door() as door:
        with_books(door, [], Says(200, [A_POSITION, option]))
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert [held.symbol for held in picture.positions] == ["SPY"]
    (held,) = picture.foreign_positions
    assert (held.symbol, held.asset_class, held.quantity) == (A_CALL, "us_option", 2)


@table(
    "fields symbol",
    ({"side": "sideways"}, "SPY"),
    ({"qty": "many"}, "SPY"),
    ({"side": "sideways", "symbol": None}, None),
)
def test_one_unreadable_position_is_named(fields: dict[str, Any], symbol: str | None) -> None:
    """EX-09: neither nothing nor known; the others are read"""
    other = a_position_json(symbol="IBM", qty="3", avg_entry_price="120")
    with a_door() as door:
        with_books(door, [an_order_json()], Says(200, [A_POSITION | fields, other]))
        broker = a_broker(door)
        picture = broker.books()

    assert isinstance(picture, BrokerBooks)
    assert [held.symbol for held in picture.positions] == ["IBM"]
    assert [held.symbol for held in picture.unreadable_positions] == [symbol]
    assert len(picture.orders) == 1
    assert broker.unread.count > 0


def test_an_own_unreadable_order_is_one_row() -> None:
    """EX-09: the others are read, and whoever compares knows what it is"""
    strange = an_old_order(1, NOON - timedelta(hours=2), filled_qty="many")
    with a_door() as door:
        with_books(door, [strange, an_old_order(2, NOON - timedelta(hours=2))])
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert [order.broker_order_id for order in picture.orders] == ["order-2"]
    assert [(row.broker_order_id, row.is_over) for row in picture.unreadable] == [("order-1", True)]


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        ({"side": "sideways"}, True),
        ({"qty": None, "notional": "25"}, False),
        ({"time_in_force": "opg"}, True),
        ({"time_in_force": "gtd", "order_class": "combo", "type": "iceberg"}, True),
    ],
)
def test_an_order_named_as_ours_fails_no_picture(fields: dict[str, Any], is_read: bool) -> None:
    """EX-05, EX-09: it is read as far as it can be, or named; whoever compares knows whether it is ours"""
    strange = an_old_order(1, NOON - timedelta(hours=2)) | {"status": "new"} | fields
    with a_door() as door:
        with_books(door, [strange])
        picture = a_broker(door).books()

    assert isinstance(picture, BrokerBooks)
    assert len(picture.orders) == is_read
    assert len(picture.unreadable) + len(picture.foreign_orders) == 1 - is_read


def test_closed_orders_of_seven_days_are_asked_for() -> None:
    """EX-09"""
    with a_door() as door:
        with_books(door, [])
        a_broker(door).books()

        after = [asked.query.get("after") for asked in door.asked if asked.path == "/v2/orders"]
    assert after == [None, None, datetime(2026, 11, 13, 17, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")]


def test_unchanged_items_are_the_same_objects() -> None:
    """EX-09: a comparison looks at what moved alone"""
    old = [an_old_order(number, NOON - timedelta(hours=number)) for number in (1, 2)]
    with a_door() as door:
        broker = a_broker(with_books(door, [*old, an_order_json()]))
        first = broker.books()
        door.routes["GET /v2/orders"] = listing([*old, an_order_json(limit_price="99")])
        second = broker.books()

    assert isinstance(first, BrokerBooks)
    assert isinstance(second, BrokerBooks)
    assert [order.client_order_id for order in first.orders][-1] == OURS, "what works comes last"
    assert [a is b for a, b in zip(first.orders, second.orders, strict=True)] == [True, True, False]
