"""A small server with Alpaca's data protocols over real sockets, and every trouble at command."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgpack
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from core.market.alpaca.data import AlpacaData
from core.market.port import Heard
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.account import ConnectionState, ConnectionStatus
from core.model.bar import ONE_MINUTE
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from tests.unit.core.market.alpaca.morning import CALENDAR, SPY, at, clock_of

KEY, SECRET = "PKTEST", "a secret of the tests"  # pragma: allowlist secret
Body = str | dict[str, Any]
Result = TypeVar("Result")


def a_row(start: datetime, close: float = 100.5, **change: Any) -> dict[str, Any]:
    stamp = start.isoformat().replace("+00:00", "Z")
    return {"t": stamp, "o": 100.1, "h": 101.0, "l": 99.2, "c": close, "v": 500, "n": 3, "vw": 100.3} | change


@dataclass
class Asked:
    """One request, as it came."""

    path: str
    question: dict[str, str]


@dataclass
class Answer:
    """What a request is answered with instead of the truth; a delay of seconds is a server that hangs."""

    status: int = 200
    body: Body = ""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0.0


class Server:
    """Alpaca's history and its stream. What a test does not command works as at Alpaca."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any] | None] | None] = {}
        self.quotes: dict[str, Any] = {}
        self.page = 10_000
        self.asked: list[Asked] = []
        self.answers: deque[Answer] = deque()
        self.always: Answer | None = None
        self.greeting: list[dict[str, Any]] | None = [{"T": "success", "msg": "connected"}]
        self.admission: list[dict[str, Any]] | None = [{"T": "success", "msg": "authenticated"}]
        self.confirms = True
        self.connections: list[ServerConnection] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.accepted = 0
        self.at_once = 0
        self._open = 0
        self.http_url = self.stream_url = ""
        self._lock = threading.Lock()

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    async def stream(self, connection: ServerConnection) -> None:
        self.accepted += 1
        try:
            if self.greeting is None:
                await connection.wait_closed()
                return
            await connection.send(msgpack.packb(self.greeting))
            told = msgpack.unpackb(await connection.recv())
            if self.admission is None:
                await connection.wait_closed()
                return
            right = told == {"action": "auth", "key": KEY, "secret": SECRET}
            refusal = [{"T": "error", "code": 402, "msg": "auth failed"}]
            await connection.send(msgpack.packb(self.admission if right else refusal))
            self.subscriptions.append(msgpack.unpackb(await connection.recv()))
            if self.confirms:
                await connection.send(msgpack.packb([{"T": "subscription", "bars": ["SPY"]}]))
            self.connections.append(connection)
            await connection.wait_closed()
        except ConnectionClosed:
            pass
        finally:
            if connection in self.connections:
                self.connections.remove(connection)

    async def says(self, *messages: Any) -> None:
        await self.connections[-1].send(msgpack.packb(list(messages), datetime=True))

    async def says_bar(self, clock: str, close: float = 100.5, symbol: str = "SPY", kind: str = "b") -> None:
        await self.says({"T": kind, "S": symbol} | a_row(at(clock), close) | {"t": at(clock)})

    async def quotes_now(self, when: datetime, bid: float = 100.0, ask: float = 100.01) -> None:
        await self.says({"T": "q", "S": "SPY", "bp": bid, "bs": 1, "ap": ask, "as": 2, "t": when})

    def breaks_off_in_mid_frame(self) -> None:
        """The head of a frame of 200 bytes, ten of them, and no more."""
        transport = self.connections[-1].transport
        transport.write(struct.pack("!BBH", 0x82, 126, 200) + b"0123456789")
        asyncio.get_running_loop().call_later(0.02, transport.abort)

    def goes_deaf(self) -> None:
        """The socket stays open; nothing is read any more, pings included."""
        self.connections[-1].transport.pause_reading()

    def hears_again(self) -> None:
        self.connections[-1].transport.resume_reading()

    # ── history ──────────────────────────────────────────────────────────────────────────────────────────────────

    def has_minutes(self, first: str, last: str, symbol: str = "SPY") -> None:
        count = (at(last) - at(first)) // ONE_MINUTE
        rows = self.rows.setdefault(symbol, [])
        assert rows is not None
        rows.extend(a_row(at(first) + ONE_MINUTE * n) for n in range(count + 1))

    def answer(self, url: str) -> Answer:
        parts = urlsplit(url)
        question = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self.asked.append(Asked(parts.path, question))
            if self.answers:
                return self.answers.popleft()
        if self.always is not None:
            return self.always
        if parts.path == "/v2/stocks/bars":
            return Answer(body=self._bars(question))
        if parts.path == "/v2/stocks/quotes/latest":
            wanted = question["symbols"].split(",")
            return Answer(body={"quotes": {s: q for s, q in self.quotes.items() if s in wanted}})
        return Answer(404, {"message": "endpoint not found"})

    def _bars(self, question: dict[str, str]) -> dict[str, Any]:
        """As Alpaca: `end` included, pages across symbols in their order, a token where more follows."""
        rows: list[tuple[str, dict[str, Any] | None]] = []
        for symbol in sorted(question["symbols"].split(",")):
            for row in self.rows.get(symbol) or []:
                if row is None or question["start"] <= row["t"] <= question["end"]:
                    rows.append((symbol, row))
        first = int(question.get("page_token", "0"))
        bars: dict[str, Any] = {s: None for s in question["symbols"].split(",") if s in self.rows and not self.rows[s]}
        for symbol, row in rows[first : first + self.page]:
            bars.setdefault(symbol, []).append(row)
        more = first + self.page < len(rows)
        return {"bars": bars, "next_page_token": str(first + self.page) if more else None}

    def bars_asked(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == "/v2/stocks/bars"]

    def entered(self) -> None:
        with self._lock:
            self._open += 1
            self.at_once = max(self.at_once, self._open)

    def left(self) -> None:
        with self._lock:
            self._open -= 1


@asynccontextmanager
async def a_server() -> AsyncIterator[Server]:
    server = Server()
    http = _http(server)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.http_url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        async with serve(server.stream, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as streams:
            port = next(iter(streams.sockets)).getsockname()[1]
            server.stream_url = f"ws://127.0.0.1:{port}/v2/iex"
            yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _http(server: Server) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            server.entered()
            try:
                self._answer(server.answer(self.path))
            except OSError:  # nobody waits for it any more
                self.close_connection = True
            finally:
                server.left()

        def _answer(self, answer: Answer) -> None:
            if answer.hangs:
                threading.Event().wait(answer.hangs)
            body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Tests are quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    return http


class Desk:
    """Runs the adapter against the server on a clock that a test sets, and keeps what it is told."""

    def __init__(self, server: Server, start: str, **change: Any) -> None:
        self.now = at(start)
        self.heard: list[Heard] = []
        self.connections: list[ConnectionStatus] = []
        self.symbols: tuple[Symbol, ...] = change.pop("symbols", (SPY,))
        self.data = AlpacaData(
            some_settings(server, **change), SecretStr(KEY), SecretStr(change.pop("secret", SECRET)), self.symbols,
            CALENDAR, now=lambda: self.now, chance=lambda: 0.0,
        )  # fmt: skip
        self.task: asyncio.Task[None] | None = None

    def starts(self) -> None:
        self.task = asyncio.ensure_future(self.data.run(self.heard.append, self.connections.append))

    async def stops(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        self.data.close()

    def clock(self, clock: str) -> None:
        """It is that time now."""
        self.now = at(clock)
        self.data._naps.wake()

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.data._naps.wake()

    def bars(self, symbol: Symbol = SPY) -> list[str]:
        return [clock_of(m.bar) for m in self.heard if isinstance(m, BarArrived) and m.bar.symbol == symbol]

    def bids(self) -> list[Decimal]:
        return [m.quote.bid for m in self.heard if isinstance(m, QuoteArrived)]

    def oddities(self) -> list[str]:
        return [m.reason for m in self.heard if isinstance(m, MarketDataBroken)]

    def state(self) -> ConnectionState | None:
        return self.connections[-1].state if self.connections else None

    async def is_up(self) -> None:
        await eventually(lambda: self.state() is ConnectionState.UP)


def some_settings(server: Server, **change: Any) -> AlpacaSettings:
    seconds = {name: Decimal(str(change.get(name, default))) for name, default in SECONDS.items()}
    return AlpacaSettings(data_url=server.http_url, data_stream_url=server.stream_url, **seconds)


SECONDS = {"connect_seconds": 5, "read_seconds": 5, "silence_seconds": 20}


@asynccontextmanager
async def a_desk(server: Server, start: str, **change: Any) -> AsyncIterator[Desk]:
    desk = Desk(server, start, **change)
    try:
        yield desk
    finally:
        await desk.stops()


async def eventually(claim: Callable[[], object], seconds: float = 20.0) -> None:
    """Until it holds, looked at every 5 ms."""
    for _ in range(int(seconds / 0.005)):
        if claim():
            return
        await pauses(0.005)
    raise AssertionError("it never came to hold")


async def pauses(seconds: float) -> None:
    """Of the loop's own time, which is virtual."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.call_later(seconds, ended.set_result, None)
    await ended


async def in_thread(act: Callable[[], Result]) -> Result:
    """As the desk does: what blocks is asked in a thread."""
    return await asyncio.to_thread(act)
