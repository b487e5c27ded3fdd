"""The loopback exchange: Alpaca's protocols over the simulated exchange, on a port of this machine.

It has a thread of its own and outlives whoever trades on it: a desk that crashes and comes back finds its orders, its
fills and its account as a broker would have them. Tests speak to it from their own thread; everything they ask is done
in the server's loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from core.brokers.simulated.config import EDITION, ExchangeConfig
from core.brokers.simulated.log import Record
from core.model.bar import Bar, Quote
from core.model.broker import BrokerPosition, OrderReport
from core.model.instrument import BrokerInstrument
from core.model.session import Calendar
from core.model.values import ZERO, Quantity
from tests.kit.pause import pause
from tests.wire.exchange.clocks import Clock, RunningClock, StillClock
from tests.wire.exchange.data_api import data_routes
from tests.wire.exchange.deeds import Deeds
from tests.wire.exchange.door import Door, Keys, Received
from tests.wire.exchange.fault_api import FaultApi
from tests.wire.exchange.faults import ANY, Faults, fault_of
from tests.wire.exchange.floor import QUOTE_EVERY, Floor
from tests.wire.exchange.hours import Hours
from tests.wire.exchange.streams import DataStream, Stream, TradeStream
from tests.wire.exchange.tape import SeededTape, Tape, WrittenTape
from tests.wire.exchange.trading_api import trading_routes
from tests.wire.exchange.transports import LOOPBACK, Connection, Transports, bound

KEYS = Keys("PKLOOPBACKEXCHANGE00", "not-a-secret-of-anybody")  # pragma: allowlist secret
MORNING = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
"""A Thursday, ten in New York: when the exchange of a test begins, unless the test says otherwise."""
LOOKS_EVERY = 0.1
"""Seconds after which the market is looked at again: an order may have come that waits for its next point."""
Answer = TypeVar("Answer")


class Notes:
    """The exchange's log, in memory: this process is the broker's machine."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, record: Record) -> None:
        self.records.append(record)


class LoopbackExchange:
    """A broker on this machine.

    Parameters
    ----------
    bars, quotes
        The market as a test gives it; none of both is the seeded market of `seed`.
    instruments
        Those that are not as usual; every other symbol of the market can be traded in fractions and sold short.
    clock
        Runs from a Thursday's ten o'clock in New York unless another is given; `moves_to` wants a `StillClock`.
    calendar
        New York's hours on weekdays, unless another is given.
    limit
        Requests that it takes in a minute; None is without end.
    edition
        Of the rules by which its orders meet prices.
    quote_every
        How often each symbol is quoted while the market is open.
    since
        The first day of the seeded market's history.
    say
        Hears a line for all that happens, in the server's thread.
    """

    def __init__(
        self,
        *,
        bars: Iterable[Bar] = (),
        quotes: Iterable[Quote] = (),
        symbols: Sequence[str] = ("SPY",),
        instruments: Iterable[BrokerInstrument] = (),
        seed: int = 1,
        clock: Clock | None = None,
        calendar: Calendar | None = None,
        cash: Decimal = Decimal(100_000),
        multiplier: Decimal = Decimal(2),
        keys: Keys = KEYS,
        port: int = 0,
        limit: int | None = None,
        edition: int = EDITION,
        events: str = "",
        fees: tuple[Decimal, Decimal] = (ZERO, ZERO),
        quote_every: timedelta = QUOTE_EVERY,
        since: date = date.min,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.keys = keys
        self.clock = clock or RunningClock(MORNING)
        self.faults = Faults()
        self._quote_every = quote_every
        self._transports = Transports()
        hours = calendar or Hours()
        bars, quotes = list(bars), list(quotes)
        self.tape: Tape = (
            WrittenTape(bars, quotes, symbols) if bars or quotes else SeededTape(seed, symbols, hours, since)
        )
        config = ExchangeConfig(
            account="LOOPBACK", cash=cash, multiplier=multiplier, seed=str(seed), edition=edition, events=events,
            sec_fee=fees[0], taf_fee=fees[1],
        )  # fmt: skip
        self.floor = Floor(config, hours, self.clock, self.tape, Notes(), instruments)
        self.trades = TradeStream(self.faults, keys, say)
        self.data = {feed: DataStream(self.faults, keys, say) for feed in ("iex", "sip")}
        self.floor.bars_told, self.floor.quotes_told = self._show_bar, self._show_quote
        self.door = Door(self.floor, self.faults, keys, self.publish, self._transports.drop, say, limit)
        self._deeds = Deeds(self)
        self._port, self.say = port, say
        self._begun = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="loopback exchange", daemon=True)

    # ── its life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> LoopbackExchange:
        self._listener = bound(self._port)
        self._port = self._listener.getsockname()[1]
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._state = ServerState()
        self._config = Config(self._app(), http=H11Protocol, ws="websockets-sansio", log_config=None, lifespan="off")
        self._config.load()
        await self._listen()
        tasks = [asyncio.create_task(self._keep_time()), asyncio.create_task(self._keep_quoting())]
        for task in tasks:
            task.add_done_callback(self._ended)
        self._begun.set()
        await self._over.wait()
        self.leave()
        for task in (*tasks, *self._state.tasks):
            task.cancel()
        await asyncio.gather(*tasks, *self._state.tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error of our own ends the exchange, and whoever made it hears of it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._over.set()

    async def _listen(self) -> None:
        def connection() -> Connection:
            return Connection(self._config, self._state, self._transports)

        self._server = await self._loop.create_server(connection, sock=self._listener)

    def leave(self) -> None:
        """Nobody listens any more, and every connection is dropped."""
        self._server.close()
        self._transports.drop_all()

    async def be_gone(self, seconds: float) -> None:
        self.leave()
        await pause(seconds, may_be_real=True)
        self._listener = bound(self._port)
        await self._listen()

    async def _keep_time(self) -> None:
        """The market moves on by itself, as long as the clock does."""
        while self.clock.runs:
            wait = (self.floor.next_at - self.clock.now()).total_seconds()
            await pause(min(max(wait, 0.001), LOOKS_EVERY), may_be_real=True)
            self.floor.catch_up()
            self.publish()

    async def _keep_quoting(self) -> None:
        while self.clock.runs:
            await pause(self._quote_every.total_seconds(), may_be_real=True)
            self.floor.quote_everything()
            self.publish()

    # ── where it is reached ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def trading_url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def data_url(self) -> str:
        return self.trading_url

    @property
    def trade_stream_url(self) -> str:
        return f"ws://{LOOPBACK}:{self._port}/stream"

    @property
    def data_stream_url(self) -> str:
        return f"ws://{LOOPBACK}:{self._port}/v2/iex"

    # ── what tests say and ask, from their own thread ────────────────────────────────────────────────────────────────

    def make(
        self, name: str, of: str = ANY, times: int = 1, seconds: float = 0, symbol: str = "", order: str = ""
    ) -> None:
        """Something goes wrong; `faults.FAULTS` says what there is."""
        fault = fault_of(name, of, times, seconds, symbol, order)
        self.call(lambda: self._deeds.begin(fault))

    def end(self, name: str | None = None) -> None:
        """The faults of this name, or all, are over."""
        self.call(lambda: self._deeds.end(name))

    def moves_to(self, at: datetime) -> None:
        """The clock stands at another time, and the market has gone on to it."""
        assert isinstance(self.clock, StillClock)
        clock = self.clock

        def move() -> None:
            clock.at = at
            self.floor.catch_up()
            self.floor.quote_everything()
            self.publish()

        self.call(move)

    def moves_on(self, seconds: float) -> None:
        self.moves_to(self.clock.now() + timedelta(seconds=seconds))

    def shows(self, happening: Bar | Quote) -> None:
        """One more bar or quote of a written market."""
        self.call(lambda: self.floor.show(happening))

    def fills(self, *orders: OrderReport, shares: int) -> None:
        """So many shares of each at its own price, at one instant, wherever the market is."""

        def fill() -> None:
            for order in orders:
                self.floor.fill(order.client_order_id, Quantity(Decimal(shares)))
            self.publish()

        self.call(fill)

    def received(self, method: str = "", path: str = "") -> list[Received]:
        """Every request so far with this method and this beginning of a path."""
        return self.call(
            lambda: [r for r in self.door.received if method in ("", r.method) and r.path.startswith(path)]
        )

    def orders(self, symbol: str = "") -> list[OrderReport]:
        """Its own book."""
        return self.call(lambda: [report for report in self.floor.orders() if symbol in ("", report.symbol)])

    def positions(self) -> tuple[BrokerPosition, ...]:
        return self.call(self.floor.positions)

    def call(self, ask: Callable[[], Answer]) -> Answer:
        """Does something in the server's loop, and waits for it."""

        async def in_the_loop() -> Answer:
            return ask()

        return asyncio.run_coroutine_threadsafe(in_the_loop(), self._loop).result(10)

    # ── streams and transports ───────────────────────────────────────────────────────────────────────────────────────

    def streams(self, of: str) -> list[Stream]:
        return [stream for stream in (self.trades, *self.data.values()) if of in (ANY, stream.of)]

    def transports_of(self, of: str) -> list[asyncio.Transport]:
        wires = [wire for stream in self.streams(of) for wire in stream.wires]
        return [transport for wire in wires if (transport := self._transports.of(wire.peer)) is not None]

    def after(self, doing: Any) -> None:
        """A coroutine that goes on by itself."""
        task = self._loop.create_task(doing)
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def publish(self) -> None:
        updates = self.floor.take_outbox()
        for update in updates:
            self.say(update.words)
        self.trades.tell(updates)

    def _show_bar(self, bar: Bar) -> None:
        for stream in self.data.values():
            stream.tell_bar(bar)

    def _show_quote(self, quote: Quote) -> None:
        for stream in self.data.values():
            stream.tell_quote(quote)

    # ── what it serves ───────────────────────────────────────────────────────────────────────────────────────────────

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                *trading_routes(self.door),
                *data_routes(self.door),
                *FaultApi(self.faults, self.door.received, self._deeds.begin, self._deeds.end).routes(),
                WebSocketRoute("/stream", self._serve(self.trades)),
                *(WebSocketRoute(f"/v2/{feed}", self._serve(stream)) for feed, stream in self.data.items()),
            ],
            exception_handlers={404: nothing_here, 405: nothing_here},
        )

    def _serve(self, stream: Stream) -> Callable[[WebSocket], Any]:
        async def endpoint(websocket: WebSocket) -> None:
            await stream.serve(websocket)

        return endpoint


async def nothing_here(request: Request, _: Exception) -> Response:
    return JSONResponse({"code": 40410000, "message": f"endpoint not found: {request.method} {request.url.path}"}, 404)
