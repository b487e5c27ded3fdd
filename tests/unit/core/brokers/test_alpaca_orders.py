"""One order is one request at Alpaca, and only Alpaca's own words refuse it."""

from __future__ import annotations

import socket
from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.brokers.alpaca.broker import MAY_BE_THE_SECOND, AlpacaBroker
from core.model.account import Mode
from core.model.broker import Accepted, NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity
from core.settings.orders import AlpacaSettings
from tests.kit.rows import table
from tests.unit.core.brokers.alpaca_door import (
    HTML,
    KEY_ID,
    KEYS,
    OURS,
    Behaviour,
    Drops,
    Hangs,
    Pauses,
    Says,
    Trickles,
    a_broker,
    a_buy,
    a_door,
    an_order_json,
    refused,
)

pytestmark = pytest.mark.usefixtures("timeline")

OLD = BrokerOrderId("904837e3-3b76-47ec-b432-046db621571b")

DOUBTS: dict[str, Behaviour] = {
    "504": Says(504, {"code": 50410000, "message": "timeout"}), "500": Says(500, HTML),
    "html with 200": Says(200, HTML), "html with 403": Says(403, HTML), "html with 404": Says(404, HTML),
    "no body with 422": Says(422), "a list with 422": Says(422, [40010001, "no"]),
    "a code in words": Says(422, {"code": "40010001", "message": "no"}),
    "a code and no message": Says(422, {"code": 40010001}),
    "429 with another number": refused(429, 42900000, "rate limit exceeded"),
    "429 that says when": Says(429, b"", {"Retry-After": "1"}), "408": refused(408, 40810000),
    "a redirect": Says(307, b"", {"Location": "https://127.0.0.1:1/"}),
    "half an order": Says(200, {"id": "61e69015"}),
    "another order": Says(200, an_order_json(client_order_id="fedcba9876543210")),
    "a deep hole": Says(200, b"[" * 100_000), "not a number": Says(200, an_order_json(filled_qty=float("nan"))),
    "the connection dropped": Drops(), "an answer that never comes": Hangs(), "an answer that never ends": Trickles(),
}  # fmt: skip

REFUSALS = [
    (403, 40310000, "insufficient buying power", RefusalKind.FORBIDDEN),
    (403, 40310100, "trade denied due to pattern day trading protection", RefusalKind.PATTERN_DAY_TRADER),
    (422, 42210000, "fractional orders must be simple orders", RefusalKind.UNPROCESSABLE),
    (400, 40010000, "request body format is invalid", RefusalKind.UNPROCESSABLE),
    (401, 40110000, "request is not authorized", RefusalKind.UNAUTHORISED),
    (429, 42910000, "rate limit exceeded", RefusalKind.RATE_LIMITED),
    (403, 40399999, "a number that is new", RefusalKind.FORBIDDEN),
    (418, 41800000, "a status that is new", RefusalKind.OTHER),
]


def test_a_limit_order_has_exact_numbers_and_our_id() -> None:
    """EX-04, EX-12"""
    with a_door(Says(200, an_order_json())) as door:
        a_broker(door).submit(a_buy("10", "100.50"))

        assert door.lines == ["POST /v2/orders"]
        assert door.asked[0].body == {
            "symbol": "SPY",
            "qty": "10",
            "side": "buy",
            "type": "limit",
            "time_in_force": "day",
            "client_order_id": OURS,
            "extended_hours": False,
            "position_intent": "buy_to_open",
            "limit_price": "100.5",
        }
        assert door.asked[0].headers["APCA-API-KEY-ID"] == KEY_ID


def test_extended_hours_are_sent_and_read_back() -> None:
    """RK-20, EX-04: what the broker made of it is compared with what was sent."""
    with a_door(Says(200, an_order_json(extended_hours=True))) as door:
        answer = a_broker(door).submit(a_buy("10", "100.50", extended_hours=True))

        assert door.asked[0].body["extended_hours"] is True
        assert isinstance(answer, Accepted)
        assert answer.report.extended_hours is True


@table(
    "side effect intent",
    (Side.BUY, Effect.OPEN, "buy_to_open"),
    (Side.BUY, Effect.ADD, "buy_to_open"),
    (Side.SELL, Effect.SHORT, "sell_to_open"),
    (Side.SELL, Effect.ADD, "sell_to_open"),
    (Side.SELL, Effect.REDUCE, "sell_to_close"),
    (Side.SELL, Effect.CLOSE, "sell_to_close"),
    (Side.BUY, Effect.COVER, "buy_to_close"),
    (Side.BUY, Effect.REDUCE, "buy_to_close"),
)
def test_the_effect_is_alpacas_position_intent(side: Side, effect: Effect, intent: str) -> None:
    """OP-03: what closes can never open the other side."""
    with a_door(Says(200, an_order_json())) as door:
        a_broker(door).submit(a_buy(side=side, effect=effect))

        assert door.asked[0].body["position_intent"] == intent


def test_a_fraction_and_a_stop_keep_every_digit() -> None:
    """EX-12, OP-06"""
    stop = a_buy(
        "0.497", None, side=Side.SELL, effect=Effect.CLOSE, type=OrderType.STOP, stop_price=Price(Decimal("99.1900")),
        time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    with a_door(Says(200, an_order_json())) as door:
        a_broker(door).submit(stop)

        body = door.asked[0].body
        assert (body["qty"], body["type"], body["stop_price"]) == ("0.497", "stop", "99.19")
        assert body["time_in_force"] == "gtc"
        assert "limit_price" not in body


def test_an_accepted_order_is_alpacas_own() -> None:
    """EX-01"""
    answer = an_order_json(status="partially_filled", filled_qty="4", filled_avg_price="100.415")
    with a_door(Says(200, answer)) as door:
        accepted = a_broker(door).submit(a_buy())

    assert isinstance(accepted, Accepted)
    report = accepted.report
    assert (report.status, report.raw_status) == (OrderStatus.PARTIALLY_FILLED, "partially_filled")
    assert (report.quantity, report.filled_quantity, report.average_price) == (10, 4, Decimal("100.415"))
    assert (report.client_order_id, report.limit_price, report.stop_price) == (OURS, Decimal("100.5"), None)


@table("fault", *DOUBTS)
def test_an_unstated_answer_is_doubt_and_sent_once(fault: str) -> None:
    """EX-06, EX-15: a submission is never repeated by itself."""
    pauses = Pauses()
    with a_door(DOUBTS[fault]) as door:
        answer = a_broker(door, pauses, read_seconds="0.3").submit(a_buy())

        assert isinstance(answer, NoAnswer)
        assert answer.reason.startswith("Alpaca")
        assert door.lines == ["POST /v2/orders"]
        assert pauses.taken == []


@table("status code message kind", *REFUSALS)
def test_a_stated_refusal_has_a_kind_and_its_words(status: int, code: int, message: str, kind: RefusalKind) -> None:
    """EX-06, SP-07"""
    with a_door(refused(status, code, message), refused(404, 40410000, "order not found")) as door:
        assert a_broker(door).submit(a_buy()) == Refused(kind, message, str(code))
        assert door.lines.count("POST /v2/orders") == 1
        assert len(door.lines) == (2 if status in MAY_BE_THE_SECOND else 1)


def test_a_taken_id_is_doubt_by_any_code(snapshot: SnapshotAssertion) -> None:
    """EX-06: a repeated request is refused so, and the first was taken"""
    gone = refused(404, 40410000, "order not found")
    for status, code in ((422, 40010001), (422, 42210000), (409, 40910000)):
        with a_door(refused(status, code, "client_order_id must be unique"), gone) as door:
            assert a_broker(door).submit(a_buy()) == NoAnswer(snapshot)


def test_an_unreachable_server_is_a_doubt_of_its_own(snapshot: SnapshotAssertion) -> None:
    """EX-06"""
    with a_door() as door:
        broker = a_broker(door)
    answer = broker.submit(a_buy())

    assert answer == NoAnswer(snapshot)


def test_an_unknown_host_is_a_doubt_of_its_own(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """EX-06"""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    settings = AlpacaSettings(trading_url="https://alpaca.invalid", connect_seconds=Decimal(2))

    answer = AlpacaBroker(KEYS, Mode.PAPER, settings).submit(a_buy())

    assert answer == NoAnswer(snapshot)


# ── replacing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_change(quantity: str = "12", limit: str = "100.40") -> OrderRequest:
    return replace(a_buy(quantity, limit), replaces=ClientOrderId("aaaaaaaaaaaaaaaa"))


def test_a_replacement_is_one_patch() -> None:
    """EX-12"""
    with a_door(Says(200, an_order_json(replaces=OLD, qty="12"))) as door:
        answer = a_broker(door).replace(a_change(), OLD)

        assert isinstance(answer, Accepted)
        assert door.lines == [f"PATCH /v2/orders/{OLD}"]
        assert door.asked[0].body == {
            "client_order_id": OURS,
            "time_in_force": "day",
            "qty": "12",
            "limit_price": "100.4",
        }


def test_a_fractional_stop_moves_without_quantity() -> None:
    """EX-12: Alpaca changes whole quantities alone, and keeps what is not named."""
    with a_door(Says(200, an_order_json(qty="0.497"))) as door:
        a_broker(door).replace(a_change("0.497"), OLD)

        assert "qty" not in door.asked[0].body


@table("fault", *DOUBTS)
def test_an_unanswered_replacement_is_sent_once(fault: str) -> None:
    """EX-06: it may have succeeded although its answer is an error."""
    with a_door(DOUBTS[fault]) as door:
        answer = a_broker(door, read_seconds="0.3").replace(a_change(), OLD)

        assert isinstance(answer, NoAnswer)
        assert door.lines == [f"PATCH /v2/orders/{OLD}"]


def test_a_replacement_looks_up_a_missing_id() -> None:
    """EX-12"""
    found = Says(200, an_order_json(client_order_id="aaaaaaaaaaaaaaaa", id=OLD))
    with a_door(found, Says(200, an_order_json())) as door:
        a_broker(door).replace(a_change(), None)

        assert door.lines == ["GET /v2/orders:by_client_order_id", f"PATCH /v2/orders/{OLD}"]
        assert door.asked[0].query == {"client_order_id": "aaaaaaaaaaaaaaaa", "nested": "true"}


def test_a_replacement_of_an_unknown_order_is_not_sent() -> None:
    """EX-06"""
    with a_door(refused(404, 40410000, "order not found")) as door:
        answer = a_broker(door).replace(a_change(), None)

        assert answer == Refused(RefusalKind.NO_SUCH_ORDER, "order not found", "40410000")
        assert door.lines == ["GET /v2/orders:by_client_order_id"]


def test_a_refused_replacement_is_not_there() -> None:
    """EX-06"""
    no, gone = refused(422, 42210000, "no"), refused(404, 40410000)
    with a_door(no, gone, no, *[Says(500)] * 4, no, Says(200, an_order_json())) as door:
        broker = a_broker(door)

        assert broker.replace(a_change(), OLD) == Refused(RefusalKind.UNPROCESSABLE, "no", "42210000")
        assert isinstance(broker.replace(a_change(), OLD), NoAnswer)
        assert isinstance(broker.replace(a_change(), OLD), Accepted)
        assert door.lines.count(f"PATCH /v2/orders/{OLD}") == 3


def test_a_replacement_with_a_taken_id_is_in_doubt(snapshot: SnapshotAssertion) -> None:
    """EX-06: the same as of an order that replaces nothing."""
    with a_door(refused(422, 40010001, "client_order_id must be unique"), refused(404, 40410000)) as door:
        answer = a_broker(door).replace(a_change(), OLD)

    assert answer == NoAnswer(snapshot)


def test_a_replacement_is_not_an_order_that_had_its_id() -> None:
    """EX-24, EX-06: whose order that is, the desk looks up by itself"""
    with a_door(refused(422, 40010001, "client_order_id must be unique"), Says(200, an_order_json())) as door:
        answer = a_broker(door).replace(a_change(), OLD)

    assert isinstance(answer, NoAnswer)


def test_an_order_quantity_is_never_a_float() -> None:
    """EX-05"""
    with a_door(
        Says(200, b'{"x": 0}'), Says(200, an_order_json(qty=0.1, filled_qty=0.1, filled_avg_price=0.3))
    ) as door:
        broker = a_broker(door)
        assert isinstance(broker.submit(a_buy()), NoAnswer)
        answer = broker.submit(a_buy("0.1"))

    assert isinstance(answer, Accepted)
    assert (answer.report.quantity, answer.report.average_price) == (Quantity(Decimal("0.1")), Decimal("0.3"))
