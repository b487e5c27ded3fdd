"""A server of order updates on this machine that talks as a test tells it to, and a desk that listens to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from core.brokers.alpaca.stream import AlpacaOrderStream
from core.model.account import ConnectionState, ConnectionStatus, Mode
from core.model.broker import OrderUpdate, UnreadUpdate
from core.settings.orders import AlpacaSettings
from tests.unit.core.brokers.alpaca_door import KEYS, an_update_json

CONNECTING, UP, DOWN = ConnectionState.CONNECTING, ConnectionState.UP, ConnectionState.DOWN
SILENT, REFUSED = ConnectionState.SILENT, ConnectionState.REFUSED
AUTHORISED = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
UNAUTHORISED = {
    "stream": "authorization",
    "data": {"status": "unauthorized", "action": "authenticate", "message": "access key verification failed"},
}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}

Talk = Callable[[ServerConnection], Awaitable[None]]


def frame(message: object) -> bytes:
    """As Alpaca sends it: JSON in a binary frame."""
    return json.dumps(message).encode()


def an_update(event: str = "fill", **fields: Any) -> bytes:
    return frame({"stream": "trade_updates", "data": an_update_json(event, **fields)})


@dataclass
class Ear:
    """What a desk hears and sees."""

    url: str
    updates: list[OrderUpdate] = field(default_factory=list)
    unread: list[UnreadUpdate] = field(default_factory=list)
    connections: list[ConnectionStatus] = field(default_factory=list)
    stream: AlpacaOrderStream | None = None
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, update: OrderUpdate | UnreadUpdate) -> None:
        if isinstance(update, OrderUpdate):
            self.updates.append(update)
        else:
            self.unread.append(update)
        self.happened.set()

    def show(self, connection: ConnectionStatus) -> None:
        self.connections.append(connection)
        self.happened.set()

    @property
    def states(self) -> list[ConnectionState]:
        """Without those that only say that something was heard."""
        states = [connection.state for connection in self.connections]
        return [state for number, state in enumerate(states) if number == 0 or state is not states[number - 1]]

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self.happened.clear()
            await self.happened.wait()


@asynccontextmanager
async def an_ear(
    *talks: Talk, refuses: HTTPStatus | None = None, **settings: str
) -> AsyncIterator[tuple[Ear, list[list[str]]]]:
    """A desk that listens to a server which leads these talks, one a connection; the last one again and again."""
    said: list[list[str]] = []

    async def lead(socket: ServerConnection) -> None:
        said.append([])
        ear.happened.set()
        talk = talks[min(len(said), len(talks)) - 1]
        heard = said[-1]
        recv = socket.recv

        async def noted(*args: Any, **kwargs: Any) -> Any:
            message = await recv(*args, **kwargs)
            heard.append(str(message))
            ear.happened.set()
            return message

        socket.recv = noted  # type: ignore[method-assign]
        await talk(socket)

    def door(socket: ServerConnection, _request: Request) -> Response | None:
        return None if refuses is None else socket.respond(refuses, "no\n")

    seconds = {"connect_seconds": "2", "read_seconds": "3", "silence_seconds": "0.2"} | settings
    async with serve(lead, "127.0.0.1", 0, process_request=door, ping_interval=None, close_timeout=0.1) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
        ear = Ear(url)
        waits = {name: Decimal(value) for name, value in seconds.items()}
        ear.stream = AlpacaOrderStream(
            KEYS,
            Mode.PAPER,
            AlpacaSettings(trade_stream_url=url, **waits),  # type: ignore[arg-type]
            chance=lambda: 0.0,
        )
        task = asyncio.create_task(ear.stream.run(ear.hear, ear.show))
        try:
            yield ear, said
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def pauses(seconds: float) -> None:
    """Of the loop's own time, which is virtual."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.call_later(seconds, ended.set_result, None)
    await ended


async def agree(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.send(frame(AUTHORISED))
    await socket.recv()
    await socket.send(frame(LISTENING))


def saying(*messages: bytes | str) -> Talk:
    """Agrees, says these, and stays."""

    async def talk(socket: ServerConnection) -> None:
        await agree(socket)
        for message in messages:
            await socket.send(message)
        await socket.wait_closed()

    return talk


def leaving(*messages: bytes | str) -> Talk:
    """Agrees, says these, and cuts the line without a goodbye."""

    async def talk(socket: ServerConnection) -> None:
        await agree(socket)
        for message in messages:
            await socket.send(message)
        socket.transport.abort()

    return talk
