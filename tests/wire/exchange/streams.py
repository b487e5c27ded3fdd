"""The WebSocket side: trade updates as JSON in binary frames, market data as arrays in msgpack.

A stream keeps a queue and sends from it alone, so that whoever tells something never waits. A second connection to an
endpoint is refused with 406: by the handshake for trade updates, by a message for market data, as Alpaca does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgpack
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.model.bar import Bar, Quote
from core.model.values import Symbol
from tests.wire.exchange.door import MYSTERY, Keys
from tests.wire.exchange.faults import Faults, Moment
from tests.wire.exchange.floor import Update
from tests.wire.exchange.words import Json, bar_json, quote_json

CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")
LIMIT, TOO_MANY = 406, 405
POLICY = 1008
"""The code of a close by which a server says that it cannot go on with this client."""


class Wire:
    """One connection of a stream: what is to be sent waits in its queue.

    Attributes
    ----------
    peer
        The client's address, by which its transport is found.
    """

    def __init__(self, socket: WebSocket, is_mute: Callable[[], bool]) -> None:
        self.peer = (socket.client.host, socket.client.port) if socket.client else ("", 0)
        self._socket, self._is_mute = socket, is_mute
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()

    def say(self, frame: bytes) -> None:
        if not self._is_mute():
            self._queue.put_nowait(frame)

    async def send(self) -> None:
        while True:
            frame = await self._queue.get()
            await self._socket.send_bytes(frame)

    async def hear(self) -> bytes:
        """The next message, text or binary. Raises `WebSocketDisconnect`."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        said: bytes = message.get("bytes") or (message.get("text") or "").encode()
        return said

    async def close(self, code: int = 1000) -> None:
        """After what waits has been sent."""
        while not self._queue.empty():
            await self._socket.send_bytes(self._queue.get_nowait())
        await self._socket.close(code)


class Stream:
    """What the two kinds of streams have in common: who is connected, and who may be.

    Parameters
    ----------
    of
        Its name in the faults: `trades` or `data`.
    say
        Hears a line for each connection that comes and goes.
    """

    def __init__(self, of: str, faults: Faults, keys: Keys, say: Callable[[str], None]) -> None:
        self.wires: list[Wire] = []
        self.of, self.faults, self.keys, self.say = of, faults, keys, say
        self.connections = 0
        """How many were taken since the beginning."""

    @property
    def is_full(self) -> bool:
        return bool(self.wires) or self.faults.lasting("connection-limit", self.of) is not None

    @property
    def is_listened_to(self) -> bool:
        """Whether somebody is connected and has said what it wants to hear."""
        raise NotImplementedError

    async def serve(self, socket: WebSocket) -> None:
        wire = Wire(socket, lambda: self.faults.lasting("mute", self.of) is not None)
        await socket.accept()
        sending = asyncio.create_task(wire.send())
        try:
            await self.talk(wire)
        except (WebSocketDisconnect, RuntimeError):
            pass
        except (ValueError, KeyError, AttributeError, TypeError):  # it does not speak as clients do
            with suppress(RuntimeError):
                await wire.close(POLICY)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect):
                await sending
            if wire in self.wires:
                self.wires.remove(wire)
                self.say(f"the stream of {self.of} has lost its client")

    async def talk(self, wire: Wire) -> None:
        raise NotImplementedError

    def take(self, wire: Wire) -> None:
        self.wires.append(wire)
        self.connections += 1
        self.say(f"the stream of {self.of} has a client")

    def knows(self, key: object, secret: object) -> bool:
        return (key, secret) == (self.keys.id, self.keys.secret) and not self.faults.lasting("wrong-keys")


class TradeStream(Stream):
    """`/stream`."""

    def __init__(self, faults: Faults, keys: Keys, say: Callable[[str], None]) -> None:
        super().__init__("trades", faults, keys, say)
        self._listening: set[Wire] = set()
        self._late: list[Update] = []

    async def serve(self, socket: WebSocket) -> None:
        if self.is_full:
            await socket.send_denial_response(Response("connection limit exceeded", LIMIT))
            return
        await super().serve(socket)

    async def talk(self, wire: Wire) -> None:
        said = json.loads(await wire.hear())
        data = said.get("data", said)
        if not self.knows(data.get("key_id", data.get("key")), data.get("secret_key", data.get("secret"))):
            wire.say(framed("authorization", {"status": "unauthorized", "action": "authenticate"}))
            await wire.close()
            return
        self.take(wire)
        wire.say(framed("authorization", {"status": "authorized", "action": "authenticate"}))
        while True:
            said = json.loads(await wire.hear())
            if said.get("action") == "listen":
                streams = [name for name in said["data"]["streams"] if name == "trade_updates"]
                self._listening = {one for one in self._listening if one is not wire}
                if streams:
                    self._listening.add(wire)
                wire.say(framed("listening", {"streams": streams}))

    @property
    def is_listened_to(self) -> bool:
        return any(wire in self._listening for wire in self.wires)

    def tell(self, updates: list[Update]) -> None:
        """Updates in order, as far as no fault says otherwise."""
        for update in updates:
            fault = self.faults.take(Moment.TOLD, update.event)
            match fault.name if fault else "":
                case "drop-update":
                    continue
                case "reorder-updates":
                    self._late.append(update)
                    continue
                case "unknown-status-update":
                    self._say(with_status(update.message, MYSTERY))
                case "malformed-update":
                    self._say({"stream": "trade_updates", "data": {"event": update.event, "order": {"id": 7}}})
                case "replay-update":
                    self._say(update.message)
                    self._say(update.message)
                case _:
                    self._say(update.message)
            late, self._late = self._late, []
            for one in late:
                self._say(one.message)

    def _say(self, message: Json) -> None:
        for wire in self.wires:
            if wire in self._listening:
                wire.say(json.dumps(message).encode())


class DataStream(Stream):
    """`/v2/iex` or `/v2/sip`.

    Attributes
    ----------
    room
        Symbols that the plan allows; None is without end. A request for more leaves the subscription as it was.
    confirms
        Of the symbols that are asked for, those whose halts are told; None is all.
    """

    def __init__(self, faults: Faults, keys: Keys, say: Callable[[str], None]) -> None:
        super().__init__("data", faults, keys, say)
        self._wanted: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self._late: dict[Symbol, Json] = {}
        self.room: int | None = None
        self.confirms: frozenset[str] | None = None

    async def talk(self, wire: Wire) -> None:
        wire.say(packed([{"T": "success", "msg": "connected"}]))
        said = msgpack.unpackb(await wire.hear())
        if not self.knows(said.get("key"), said.get("secret")):
            wire.say(packed([{"T": "error", "code": 402, "msg": "auth failed"}]))
            await wire.close()
            return
        if self.is_full:
            wire.say(packed([{"T": "error", "code": LIMIT, "msg": "connection limit exceeded"}]))
            await wire.close()
            return
        self.take(wire)
        self._wanted = {channel: set() for channel in CHANNELS}
        wire.say(packed([{"T": "success", "msg": "authenticated"}]))
        while True:
            said = msgpack.unpackb(await wire.hear())
            if self.room is not None and len(self._wanted["bars"] | set(self._asked_for(said))) > self.room:
                wire.say(packed([{"T": "error", "code": TOO_MANY, "msg": "symbol limit exceeded"}]))
                continue
            self._subscribe(said)
            wire.say(packed([{"T": "subscription", **{name: sorted(all_) for name, all_ in self._wanted.items()}}]))

    @property
    def is_listened_to(self) -> bool:
        return bool(self.wires) and any(self._wanted.values())

    @staticmethod
    def _asked_for(said: dict[str, Any]) -> Sequence[str]:
        return said.get("bars") or () if said.get("action") == "subscribe" else ()

    def _subscribe(self, said: dict[str, Any]) -> None:
        for channel in CHANNELS:
            symbols = set(said.get(channel) or ())
            if channel == "statuses" and self.confirms is not None:
                symbols &= self.confirms
            if said.get("action") == "subscribe":
                self._wanted[channel] |= symbols
            elif said.get("action") == "unsubscribe":
                self._wanted[channel] -= symbols

    def tell_bar(self, bar: Bar) -> None:
        """A bar at its minute's end, as far as no fault says otherwise."""
        said = {"T": "b", "S": bar.symbol, **bar_json(bar), "t": msgpack.Timestamp.from_datetime(bar.start)}
        fault = self.faults.take(Moment.SHOWN, "data") if self.wires else None
        match fault.name if fault else "":
            case "drop-bar":
                return
            case "late-bar":
                self._late[bar.symbol] = said
                return
        self._say("bars", said)
        if fault and fault.name == "repeated-bar":
            self._say("bars", said)
        if fault and fault.name == "revised-bar":
            self._say("updatedBars", {**said, "T": "u", "c": said["h"], "v": said["v"] + 100})
        late = self._late.pop(bar.symbol, None)
        if late is not None:
            self._say("bars", late)

    def tell_quote(self, quote: Quote) -> None:
        said = {"T": "q", "S": quote.symbol, **quote_json(quote), "t": msgpack.Timestamp.from_datetime(quote.at)}
        self._say("quotes", said)

    def tell_status(self, symbol: Symbol, code: str, words: str, at: Any) -> None:
        """A trading halt (`H`) or its end (`T`)."""
        said = {"T": "s", "S": symbol, "sc": code, "sm": words, "rc": "", "rm": "", "z": "B"}
        self._say("statuses", {**said, "t": msgpack.Timestamp.from_datetime(at)})

    def _say(self, channel: str, message: Json) -> None:
        wanted = self._wanted[channel]
        if message["S"] in wanted or "*" in wanted:
            for wire in self.wires:
                wire.say(packed([message]))


def framed(stream: str, data: Json) -> bytes:
    return json.dumps({"stream": stream, "data": data}).encode()


def packed(messages: list[Json]) -> bytes:
    frame: bytes = msgpack.packb(messages)
    return frame


def with_status(message: Json, status: str) -> Json:
    data = message["data"]
    return {**message, "data": {**data, "order": {**data["order"], "status": status}}}
