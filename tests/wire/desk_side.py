"""The desk's own adapter to Alpaca, pointed at the loopback exchange: the broker, and an ear for order updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.retries import Timeouts
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.model.account import ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import Keys
from core.model.broker import OrderUpdate, UnreadUpdate
from core.model.order import Effect, OrderRequest, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.settings.orders import AlpacaSettings
from tests.wire.clients import until
from tests.wire.exchange.server import LoopbackExchange


def settings_for(exchange: LoopbackExchange, **seconds: str) -> AlpacaSettings:
    waits = {"connect_seconds": "1", "read_seconds": "0.4", "silence_seconds": "0.3"} | seconds
    return AlpacaSettings(
        trading_url=exchange.trading_url,
        trade_stream_url=exchange.trade_stream_url,
        **{name: Decimal(value) for name, value in waits.items()},  # type: ignore[arg-type]
    )


def keys_of(exchange: LoopbackExchange) -> Keys:
    return Keys(SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret))


class Waits:
    """Pauses that are noted and not taken."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def take(self, seconds: float) -> bool:
        self.taken.append(seconds)
        return False


def a_desk_broker(exchange: LoopbackExchange, waits: Waits | None = None, **seconds: str) -> AlpacaBroker:
    timeout = Timeouts() if waits is None else Timeouts(waits.take)
    return AlpacaBroker(
        keys_of(exchange), Mode.PAPER, settings_for(exchange, **seconds), now=exchange.clock.now, timeout=timeout
    )


def an_order(name: str, limit: str | None = None, **terms: Any) -> OrderRequest:
    """A buy of one SPY, at the market unless it has a limit."""
    fields: dict[str, Any] = {
        "client_order_id": ClientOrderId(name), "symbol": Symbol("SPY"), "side": Side.BUY, "effect": Effect.OPEN,
        "quantity": Quantity(Decimal(1)), "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "limit_price": None if limit is None else Price(Decimal(limit)),
    }  # fmt: skip
    return OrderRequest(**(fields | terms))


class Ear:
    """What the desk's stream has told, and what its lamp has shown."""

    def __init__(self, stream: AlpacaOrderStream) -> None:
        self.stream = stream
        self.updates: list[OrderUpdate] = []
        self.unread: list[UnreadUpdate] = []
        self.connections: list[ConnectionStatus] = []

    def hear(self, update: OrderUpdate | UnreadUpdate) -> None:
        (self.updates if isinstance(update, OrderUpdate) else self.unread).append(update)  # type: ignore[attr-defined]

    def events(self) -> list[str]:
        return [update.event.value for update in self.updates]

    def states(self) -> list[ConnectionState]:
        """Each once while it lasts."""
        states = [connection.state for connection in self.connections]
        return [state for number, state in enumerate(states) if number == 0 or state is not states[number - 1]]

    async def has(self, *events: str) -> None:
        await until(lambda: self.events() == list(events))

    async def shows(self, *states: ConnectionState) -> None:
        await until(lambda: self.states()[: len(states)] == list(states))


@asynccontextmanager
async def an_ear(exchange: LoopbackExchange, *, is_up: bool = True, **seconds: str) -> AsyncIterator[Ear]:
    """The desk's stream of order updates, listening."""
    stream = AlpacaOrderStream(
        keys_of(exchange), Mode.PAPER, settings_for(exchange, **seconds), chance=lambda: 0.0, after_a_refusal=0.2
    )
    ear = Ear(stream)
    task = asyncio.create_task(stream.run(ear.hear, ear.connections.append))
    try:
        if is_up:
            await ear.shows(ConnectionState.CONNECTING, ConnectionState.UP)
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
