"""Extended hours over real sockets: the desk's adapter at the loopback exchange, before the open (RK-20)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.model.bar import Bar, Feed, Quote
from core.model.broker import Accepted, OrderReport, Refused, UpdateEvent
from core.model.codes import RefusalKind
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from tests.wire.desk_side import a_desk_broker, an_ear, an_order
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import LoopbackExchange

EIGHT, OPEN = datetime(2026, 11, 19, 13, 0, tzinfo=UTC), datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
SHARES = Quantity(Decimal(500))


def a_quote(at: datetime, bid: str, ask: str) -> Quote:
    return Quote(Symbol("SPY"), at, Price(Decimal(bid)), SHARES, Price(Decimal(ask)), SHARES, Feed.RECORDED)


@pytest.fixture
def exchange() -> Iterator[LoopbackExchange]:
    """Eight in the morning in New York; quotes alone, which fall before the open, and a bar at the open."""
    quotes = [a_quote(EIGHT, "99.99", "100.01"), a_quote(EIGHT + timedelta(minutes=30), "99.49", "99.51")]
    price = Price(Decimal("99.50"))
    first = Bar(Symbol("SPY"), OPEN, price, price, price, price, SHARES)
    with LoopbackExchange(clock=StillClock(EIGHT - timedelta(minutes=1)), bars=[first], quotes=quotes) as house:
        yield house


def the_stop() -> OrderRequest:
    terms = {"type": OrderType.STOP, "side": Side.SELL, "effect": Effect.CLOSE, "stop_price": Price(Decimal("99.80"))}
    return an_order("stop", **terms)


def test_an_extended_limit_fills_before_the_open(exchange: LoopbackExchange) -> None:
    """RK-20, OP-06"""
    broker = a_desk_broker(exchange)
    exchange.moves_to(EIGHT + timedelta(seconds=5))

    marked = broker.submit(an_order("entry", "100.10", extended_hours=True))
    plain_one = broker.submit(an_order("regular", "100.10"))
    stop = broker.submit(the_stop())

    assert [isinstance(answer, Accepted) for answer in (marked, plain_one, stop)] == [True, True, True]
    entry = broker.look_up(ClientOrderId("entry"))
    assert isinstance(entry, OrderReport)
    assert (entry.status, entry.extended_hours, entry.average_price) == (
        OrderStatus.FILLED, True, Decimal("100.01"),
    )  # fmt: skip
    exchange.moves_to(OPEN - timedelta(seconds=1))
    resting = broker.look_up(ClientOrderId("stop"))
    assert isinstance(resting, OrderReport)
    assert (resting.status, resting.extended_hours) == (OrderStatus.SUBMITTED, False)
    regular = broker.look_up(ClientOrderId("regular"))
    assert isinstance(regular, OrderReport)
    assert (regular.status, regular.extended_hours) == (OrderStatus.SUBMITTED, False)

    exchange.moves_to(OPEN + timedelta(seconds=30))
    states = {report.client_order_id: report.status for report in exchange.orders()}
    assert states == dict.fromkeys(("entry", "regular", "stop"), OrderStatus.FILLED)


async def test_an_order_before_the_open_is_submitted(exchange: LoopbackExchange) -> None:
    """MD-07, EX-01: the update event of 2026-07-30."""
    exchange.moves_to(EIGHT + timedelta(seconds=5))
    async with an_ear(exchange) as ear:
        answer = await asyncio.to_thread(a_desk_broker(exchange).submit, an_order("regular", "100.10"))
        await ear.has("accepted")
        exchange.moves_to(OPEN + timedelta(seconds=30))
        await ear.has("accepted", "fill")

    assert isinstance(answer, Accepted)
    first, last = ear.updates
    assert (first.event, first.report.raw_status, first.report.status) == (
        UpdateEvent.ACCEPTED, "accepted", OrderStatus.SUBMITTED,
    )  # fmt: skip
    assert last.report.status is OrderStatus.FILLED


def test_orders_invalid_before_the_open_are_refused(exchange: LoopbackExchange) -> None:
    """RK-20, EX-11"""
    exchange.moves_to(EIGHT + timedelta(seconds=5))

    answer = a_desk_broker(exchange).submit(an_order("entry", extended_hours=True))

    assert isinstance(answer, Refused)
    assert (answer.kind, answer.code) == (RefusalKind.UNPROCESSABLE, "42210000")
    assert exchange.orders() == []
