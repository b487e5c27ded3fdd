"""The desk's own adapter for market data at the loopback exchange: each fault by name, and what the operator saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca.data import AlpacaData
from core.market.alpaca.failure import Seen
from core.market.alpaca.minutes import is_sound
from core.market.normaliser import COMPLETE, Normaliser, Quarantined
from core.market.port import Heard
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.account import ConnectionState, ConnectionStatus
from core.model.bar import ONE_MINUTE, NoQuote, Quote
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from tests.kit.rows import cases
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT
from tests.wire.clients import pass_time
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.hours import Hours
from tests.wire.exchange.server import MORNING, LoopbackExchange

SPY = Symbol("SPY")
OTHER_KEYS = "wrong"
SETTLED = 4
"""Seconds after a minute's end when its bar has been asked for."""


class Desk:
    """What the engine would hear and the operator see; its clock is the exchange's."""

    def __init__(
        self,
        exchange: LoopbackExchange,
        secret: str | None = None,
        symbols: tuple[Symbol, ...] = (SPY,),
        **seconds: float,
    ) -> None:
        self.exchange = exchange
        self.heard: list[Heard] = []
        self.connections: list[ConnectionStatus] = []
        settings = AlpacaSettings(
            data_url=exchange.data_url,
            data_stream_url=exchange.data_stream_url,
            **{name: Decimal(str(value)) for name, value in seconds.items()},
        )
        self.data = AlpacaData(
            settings, SecretStr(exchange.keys.id), SecretStr(secret or exchange.keys.secret), list(symbols), Hours(),
            now=exchange.clock.now, chance=lambda: 0.0,
        )  # fmt: skip

    async def moves_on(self, seconds: float) -> None:
        await asyncio.to_thread(self.exchange.moves_on, seconds)
        self.data._naps.wake()

    async def a_minute(self) -> None:
        """Its end, when the stream tells its bar, and the moment when it can be asked for."""
        await self.moves_on(60 - SETTLED)
        await pass_time(0.05)
        await self.moves_on(SETTLED)

    def bars(self) -> list[datetime]:
        return [message.bar.start for message in self.heard if isinstance(message, BarArrived)]

    def oddities(self) -> list[str]:
        return [message.reason for message in self.heard if isinstance(message, MarketDataBroken)]

    def quotes(self) -> list[Quote]:
        return [message.quote for message in self.heard if isinstance(message, QuoteArrived)]

    def words(self) -> str:
        return self.connections[-1].words if self.connections else ""

    def is_in(self, state: ConnectionState) -> bool:
        return bool(self.connections) and self.connections[-1].state is state

    def was_in(self, state: ConnectionState) -> bool:
        return any(connection.state is state for connection in self.connections)


@asynccontextmanager
async def a_desk(exchange: LoopbackExchange, **change: Any) -> AsyncIterator[Desk]:
    """At four seconds past ten, with the session's first half hour, listening."""
    await asyncio.to_thread(exchange.moves_on, SETTLED)
    desk = Desk(exchange, **change)
    task = asyncio.create_task(desk.data.run(desk.heard.append, desk.connections.append))
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        desk.data.close()


async def eventually(claim: Callable[[], object]) -> None:
    until = timeline().monotonic() + TIMEOUT
    while not claim():
        assert timeline().monotonic() < until, "it never came to hold"
        await pass_time(0.005)


async def has_heard_all(desk: Desk) -> None:
    """What was told is not on its way any more: heard after the clock moved on, it would count as told then."""
    quiet, before = 0, (-1, -1)
    while quiet < 5:
        await pass_time(0.05)
        now = len(desk.heard), len(desk.exchange.door.received)
        quiet, before = (quiet + 1 if now == before else 0), now


async def is_settled(desk: Desk) -> None:
    await eventually(lambda: desk.is_in(ConnectionState.UP) and len(desk.bars()) == 30)
    await eventually(lambda: desk.exchange.data["iex"].is_listened_to)


def minutes_to(last: datetime) -> list[datetime]:
    first = MORNING - timedelta(minutes=30)
    return [first + ONE_MINUTE * n for n in range((last - first) // ONE_MINUTE + 1)]


async def test_history_comes_before_streamed_bars(exchange: LoopbackExchange) -> None:
    """MD-02"""
    async with a_desk(exchange) as desk:
        await is_settled(desk)

        for minute in range(3):
            await desk.a_minute()
            await eventually(lambda minute=minute: desk.bars()[-1] == MORNING + ONE_MINUTE * minute)

        await eventually(desk.quotes)
        assert desk.bars() == minutes_to(MORNING + 2 * ONE_MINUTE)
        assert desk.oddities() == []
        assert desk.data.counts.requests()["GET /v2/stocks/bars"] == 1
        normaliser = Normaliser(Hours())
        assert {normaliser.judge(m.bar, exchange.clock.now()) for m in desk.heard if isinstance(m, BarArrived)} == {
            COMPLETE
        }


async def test_unknown_symbol(snapshot: SnapshotAssertion) -> None:
    """MD-02, MD-03: it is named once and left out; bars and quotes of all others come as if it were not there."""
    symbols = tuple(map(Symbol, ("SPY", "NOSUCH", "IBM", "QQQ", "IWM")))
    others = {symbol for symbol in symbols if symbol != "NOSUCH"}
    listed = sorted(others)
    with LoopbackExchange(symbols=listed, clock=StillClock(MORNING)) as exchange:
        exchange.make("unknown-symbol", symbol="NOSUCH")
        exchange.make("connection-limit", of="data")  # bars and quotes are asked for
        async with a_desk(exchange, symbols=symbols) as desk:
            await eventually(lambda: len(desk.bars()) == 30 * len(others))
            await eventually(lambda: {quote.symbol for quote in desk.quotes()} == others)
            asked_until_then = len(exchange.received("GET", "/v2/stocks/bars"))
            await desk.a_minute()
            await eventually(lambda: desk.bars().count(MORNING) == len(others))

            asked = exchange.received("GET", "/v2/stocks/bars")[asked_until_then:]
            assert desk.oddities() == snapshot
            assert len(asked) == 1
            assert "NOSUCH" not in asked[0].query


async def test_a_blocked_symbol_is_asked_for_again() -> None:
    """MD-02: a listing may have come."""
    late = Symbol("NEW")
    with LoopbackExchange(symbols=["SPY", "NEW"], clock=StillClock(MORNING)) as exchange:
        exchange.make("unknown-symbol", symbol="NEW")
        exchange.make("connection-limit", of="data")
        async with a_desk(exchange, symbols=(SPY, late)) as desk:
            await eventually(lambda: len(desk.bars()) == 30 and desk.oddities() and desk.quotes())
            exchange.end("unknown-symbol")
            await desk.moves_on(3600)
            await desk.a_minute()
            await eventually(lambda: late in {m.bar.symbol for m in desk.heard if isinstance(m, BarArrived)})


async def test_a_general_refusal_blocks_no_symbol() -> None:
    """MD-02: it was not the symbols; it is said, and asked again."""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        exchange.make("unknown-symbol", symbol="SPY")
        exchange.make("unknown-symbol", symbol="IBM")
        exchange.make("connection-limit", of="data")
        async with a_desk(exchange, symbols=(SPY, Symbol("IBM"))) as desk:
            await eventually(lambda: any("check `symbols`" in connection.words for connection in desk.connections))
            await has_heard_all(desk)  # one question of the two refused, the other answered, would tell of a symbol
            assert desk.oddities() == []
            exchange.end()
            for _ in range(20):
                await desk.moves_on(30)
                await has_heard_all(desk)
                if len(desk.bars()) >= 60:
                    break
            assert len(desk.bars()) >= 60


async def test_mute(exchange: LoopbackExchange) -> None:
    """MD-02: SILENT, POLLING, and back UP by itself at the stream's first word; every minute once."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)
        await desk.a_minute()
        await eventually(lambda: desk.bars()[-1] == MORNING)

        exchange.make("mute", of="data")
        await has_heard_all(desk)
        await desk.moves_on(25)
        await eventually(lambda: desk.was_in(ConnectionState.SILENT) or desk.was_in(ConnectionState.POLLING))
        await desk.moves_on(35)
        await eventually(lambda: desk.bars()[-1] == MORNING + ONE_MINUTE)
        await eventually(lambda: desk.is_in(ConnectionState.POLLING))
        assert desk.words()
        exchange.end("mute")
        await eventually(lambda: not desk.data._socket)
        await desk.moves_on(5)
        await eventually(lambda: exchange.data["iex"].connections == 2 and exchange.data["iex"].is_listened_to)
        await desk.moves_on(5)
        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await desk.moves_on(46)
        await desk.moves_on(4)
        await eventually(lambda: desk.bars()[-1] == MORNING + 2 * ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + 2 * ONE_MINUTE)
        assert desk.oddities() == []


@pytest.mark.parametrize("name", ["disconnect", "cut-mid-frame"])
async def test_a_lost_connection(exchange: LoopbackExchange, name: str, snapshot: SnapshotAssertion) -> None:
    """MD-02: DOWN for a moment; the minute that ended meanwhile is asked for."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)

        exchange.make(name, of="data")
        await eventually(lambda: desk.is_in(ConnectionState.DOWN))
        assert desk.words() == snapshot
        await desk.moves_on(60)
        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await eventually(lambda: desk.bars()[-1] == MORNING)
        await desk.moves_on(60)

        await eventually(lambda: desk.bars()[-1] == MORNING + ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + ONE_MINUTE)
        assert desk.oddities() == []
        assert desk.data.counts.seen(Seen.LOST) == 1


async def test_connection_limit(exchange: LoopbackExchange) -> None:
    """MD-02: POLLING, and what to do; the stream is taken when it is free."""
    exchange.make("connection-limit", of="data")
    async with a_desk(exchange) as desk:
        await eventually(lambda: any("its only place is taken" in connection.words for connection in desk.connections))
        await desk.moves_on(30)
        await desk.moves_on(26)
        await desk.moves_on(4)
        await eventually(lambda: desk.bars()[-1:] == [MORNING])
        await has_heard_all(desk)  # the try of this minute too: refused later, it would be made later

        exchange.end("connection-limit")
        await desk.moves_on(56)
        await desk.moves_on(4)
        await eventually(lambda: desk.is_in(ConnectionState.UP))

        await eventually(lambda: desk.bars()[-1] == MORNING + ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + ONE_MINUTE)


async def test_wrong_keys(exchange: LoopbackExchange, snapshot: SnapshotAssertion) -> None:
    """MD-02: REFUSED, with what to check, and one try a minute."""
    async with a_desk(exchange, secret=OTHER_KEYS) as desk:
        await eventually(lambda: desk.is_in(ConnectionState.REFUSED) and desk.data._switch._is_refused)  # type: ignore[union-attr]
        asked = desk.data.counts.requests()["GET /v2/stocks/bars"]
        await desk.moves_on(50)
        await pass_time(0.2)
        assert desk.data.counts.requests()["GET /v2/stocks/bars"] == asked

        await desk.moves_on(600)
        await eventually(lambda: desk.data.counts.requests()["GET /v2/stocks/bars"] == asked + 1)
        await pass_time(0.2)

        assert desk.is_in(ConnectionState.REFUSED)
        assert desk.words() == snapshot
        assert OTHER_KEYS not in repr(desk.connections) + repr(desk.data) + str(vars(desk.data.counts))
        assert desk.data.counts.requests()["GET /v2/stocks/bars"] == asked + 1
        assert isinstance(await asyncio.to_thread(desk.data.quote, SPY), NoQuote)


async def test_keys_refused_while_the_stream_is_broken(exchange: LoopbackExchange) -> None:
    """MD-02: the stream and the bars come back by themselves, with every minute between."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)
        exchange.make("wrong-keys")
        exchange.make("disconnect")
        await eventually(lambda: desk.was_in(ConnectionState.DOWN))
        await desk.moves_on(62)
        await eventually(lambda: desk.is_in(ConnectionState.REFUSED) and desk.data._switch._is_refused)  # type: ignore[union-attr]

        exchange.end("disconnect")
        exchange.end("wrong-keys")
        for _ in range(3):
            await desk.moves_on(30)
            await pass_time(0.2)

        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await eventually(lambda: desk.bars()[-1] == MORNING + ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + ONE_MINUTE)
        assert desk.oddities() == []


async def test_gone_for_a_while(exchange: LoopbackExchange) -> None:
    """MD-02: DOWN in words, back by itself, nothing lost."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)

        exchange.make("gone", seconds=0.5)
        await eventually(lambda: desk.is_in(ConnectionState.DOWN))
        await desk.moves_on(60)
        await eventually(lambda: "cannot be reached" in "".join(connection.words for connection in desk.connections))
        await pass_time(0.6)
        for _ in range(3):
            await desk.moves_on(20)
            await pass_time(0.2)

        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await eventually(lambda: desk.bars()[-1] == MORNING + ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + ONE_MINUTE)


@cases(
    "name oddities",
    ("drop-bar", []),
    ("late-bar", []),
    ("revised-bar", []),
    ("repeated-bar", ["repeated: the same bar came before"]),
)
async def test_odd_bars(exchange: LoopbackExchange, name: str, oddities: list[str]) -> None:
    """MD-02, MD-03: every minute once and in order, whatever the stream makes of them."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)
        exchange.make(name, of="data")

        for _ in range(3):
            await desk.a_minute()
            await pass_time(0.1)

        await eventually(lambda: desk.bars()[-1] == MORNING + 2 * ONE_MINUTE)
        assert desk.bars() == minutes_to(MORNING + 2 * ONE_MINUTE)
        assert desk.oddities() == oddities


async def test_null_bars(exchange: LoopbackExchange) -> None:
    """MD-03: `null` in place of the list is asked about again, so that the day still begins with its first minute."""
    exchange.make("null-bars", of="bars")
    async with a_desk(exchange) as desk:
        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await eventually(lambda: desk.data.counts.seen(Seen.EMPTY))
        await desk.a_minute()

        await eventually(lambda: len(desk.bars()) == 31)
        assert desk.bars() == minutes_to(MORNING)


@pytest.mark.parametrize("name", ["rate-limited-retry-after", "html"])
async def test_history_in_trouble_at_the_start(exchange: LoopbackExchange, name: str) -> None:
    """MD-04: asked again, later; the stream's bars wait, and the day begins with its first minute."""
    exchange.make(name, of="bars", seconds=3)
    async with a_desk(exchange) as desk:
        await eventually(lambda: desk.is_in(ConnectionState.UP))
        await eventually(lambda: desk.data.counts.requests().get("GET /v2/stocks/bars"))
        await has_heard_all(desk)  # an answer that fails behind the clock's move would be waited out for ever
        await desk.moves_on(56)
        await desk.moves_on(4)

        await eventually(lambda: len(desk.bars()) == 31)
        assert desk.bars() == minutes_to(MORNING)


@pytest.mark.parametrize("name", ["crossed-quotes", "zero-quotes"])
async def test_quotes_that_are_none(exchange: LoopbackExchange, name: str) -> None:
    """MD-03: the normaliser refuses them by name, once; asked for, they are no quote."""
    async with a_desk(exchange) as desk:
        await is_settled(desk)
        exchange.make(name)
        desk.heard.clear()

        for _ in range(4):
            await desk.moves_on(5)
            await pass_time(0.1)
        asked = await asyncio.to_thread(desk.data.quote, SPY)

        await eventually(desk.quotes)
        (refused,) = (quote for quote in desk.quotes() if not is_sound(quote))
        assert isinstance(Normaliser(Hours()).judge_quote(refused, exchange.clock.now()), Quarantined)
        assert isinstance(asked, NoQuote)
        assert "make no market" in asked.reason
