"""What the desk hears of its orders from an exchange that tells each thing wrong, and what its lamp shows meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from core.model.account import ConnectionState
from core.model.broker import Accepted, OrderReport
from core.model.values import ClientOrderId
from tests.wire.clients import until
from tests.wire.desk_side import a_desk_broker, an_ear, an_order
from tests.wire.exchange.server import LoopbackExchange

ENTRY = ClientOrderId("0123456789abcdef")
CONNECTING, UP, DOWN = ConnectionState.CONNECTING, ConnectionState.UP, ConnectionState.DOWN


async def buys(exchange: LoopbackExchange, name: str = ENTRY, limit: str | None = None) -> object:
    return await asyncio.to_thread(a_desk_broker(exchange).submit, an_order(name, limit))


async def test_a_streamed_fill_has_the_look_ups_id(exchange: LoopbackExchange) -> None:
    """EX-05: the same execution has one id, wherever it is told."""
    async with an_ear(exchange) as ear:
        await buys(exchange)
        await ear.has("new", "fill")
    report = a_desk_broker(exchange).look_up(ENTRY)

    assert isinstance(report, OrderReport)
    heard = ear.updates[1].execution
    assert heard is not None
    assert report.executions == (heard,)


async def test_a_fill_can_precede_its_answer(exchange: LoopbackExchange) -> None:
    """EX-01"""
    async with an_ear(exchange) as ear:
        exchange.make("fill-before-answer", of="submit", seconds=0.2)
        answer = asyncio.create_task(buys(exchange))
        await ear.has("new", "fill")
        assert not answer.done()

        assert isinstance(await answer, Accepted)


async def test_a_replayed_fill_keeps_its_id(exchange: LoopbackExchange) -> None:
    """EX-05: counting it once is the ledger's part."""
    async with an_ear(exchange) as ear:
        exchange.make("replay-update", of="trades", times=2)
        await buys(exchange)
        await ear.has("new", "new", "fill", "fill")

    first, second = ear.updates[2].execution, ear.updates[3].execution
    assert first is not None
    assert first == second


async def test_updates_are_heard_in_order_of_arrival(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with an_ear(exchange) as ear:
        exchange.make("reorder-updates", of="trades")
        await buys(exchange)
        await ear.has("fill", "new")

    assert ear.updates[1].report.filled_quantity <= ear.updates[0].report.filled_quantity


async def test_a_missed_fill_is_in_the_look_up(exchange: LoopbackExchange) -> None:
    """EX-05"""
    async with an_ear(exchange) as ear:
        exchange.make("drop-update", of="trades", times=2)
        await buys(exchange)
        await buys(exchange, "1" * 16, "400")
        await ear.has("new")
    report = a_desk_broker(exchange).look_up(ENTRY)

    assert isinstance(report, OrderReport)
    assert len(report.executions) == report.filled_quantity == 1


async def test_an_external_cancel_is_heard(exchange: LoopbackExchange) -> None:
    """EX-13"""
    async with an_ear(exchange) as ear:
        await buys(exchange, limit="400")
        exchange.make("cancelled-elsewhere", order=ENTRY)
        await ear.has("new", "canceled")


# ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", ["disconnect", "cut-mid-frame"])
async def test_a_lost_line_is_connected_again(exchange: LoopbackExchange, fault: str) -> None:
    """EX-09: up again after down is when the books are compared."""
    async with an_ear(exchange) as ear:
        exchange.make(fault, of="trades")
        await ear.shows(CONNECTING, UP, DOWN, CONNECTING, UP)
        await buys(exchange)
        await ear.has("new", "fill")


async def test_a_stream_survives_an_outage(exchange: LoopbackExchange) -> None:
    """EX-15: ever later, and never in a storm."""
    async with an_ear(exchange) as ear:
        exchange.make("gone", seconds=0.6)
        await until(lambda: DOWN in ear.states())
        await until(lambda: ear.states()[-1] is UP)
        assert sum(connection.state is CONNECTING for connection in ear.connections) <= 5
        await buys(exchange)
        await ear.has("new", "fill")
