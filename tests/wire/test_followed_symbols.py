"""Symbols that the settings do not name and the desk needs all the same: the market's own, and whatever is held."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.market.alpaca.socket import DataSocket, StreamLostError
from core.messages.inputs import BarArrived, TradingHaltHeard
from core.model.account import ConnectionState
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from core.views import DeskView
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange
from tests.wire.open_desk import a_market, environ, opened
from tests.wire.test_market_data import SPY, Desk, a_desk, eventually, is_settled

IBM = Symbol("IBM")


def bars_of(desk: Desk, symbol: Symbol) -> list[datetime]:
    return [m.bar.start for m in desk.heard if isinstance(m, BarArrived) and m.bar.symbol == symbol]


def is_quoted(desk: Desk, symbol: Symbol) -> bool:
    return symbol in {quote.symbol for quote in desk.quotes()}


async def test_a_symbol_followed_later_has_quotes_and_bars() -> None:
    """RK-08, EX-09, MD-06: over the connection that stands; the others lose nothing."""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        async with a_desk(exchange) as desk:
            await is_settled(desk)

            desk.data.follow((SPY, IBM))
            await eventually(lambda: is_quoted(desk, IBM))
            for minute in range(2):
                await desk.a_minute()
                await eventually(lambda minute=minute: len(bars_of(desk, IBM)) > minute)

            await eventually(lambda: len(bars_of(desk, SPY)) == 32)
            assert exchange.data["iex"].connections == 1
            assert desk.is_in(ConnectionState.UP)


async def test_symbols_followed_early_are_subscribed() -> None:
    """RK-08"""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        desk = Desk(exchange)
        desk.data.follow((SPY, IBM))

        assert desk.data._symbols == (SPY, IBM)


@pytest.mark.parametrize("room", [5, 30, 100])
async def test_the_stream_fills_the_plans_places(room: int) -> None:
    """MD-06: with the first symbols, over one connection"""
    with LoopbackExchange(symbols=["SPY"], clock=StillClock(MORNING)) as exchange:
        stream = exchange.data["iex"]
        stream.room = room
        settings = AlpacaSettings(data_stream_url=exchange.data_stream_url)
        for many in (1, 10, 29, 30, 31, 40, 200):
            symbols = [Symbol(f"S{number}") for number in range(many)]
            socket = DataSocket(settings, SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret), symbols)
            await socket.open()
            streamed, is_full, subscribed = socket.streamed, socket.is_full, set(stream._wanted["statuses"])
            await socket.shut()
            await eventually(lambda: not stream.wires)

            assert (streamed, is_full) == (tuple(symbols[:room]), many > room), many
            assert subscribed == set(streamed), many
        assert stream.connections == 7


async def test_a_line_that_ends_behind_an_answer_is_lost() -> None:
    """MD-02: the answer was heard, and what it asks for next can be sent no more"""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        exchange.data["iex"].room = 1
        settings = AlpacaSettings(data_stream_url=exchange.data_stream_url)
        socket = DataSocket(settings, SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret), [SPY, IBM])
        await socket.open()
        await socket.follow((IBM, SPY))
        await eventually(lambda: socket._ws.messages)
        await asyncio.to_thread(exchange.make, "disconnect", of="data")
        await eventually(lambda: socket._ws.closed)

        with pytest.raises(StreamLostError):
            await socket.receive()
        await socket.shut()


async def test_symbols_over_the_plans_limit_are_polled(snapshot: SnapshotAssertion) -> None:
    """RK-08, MD-02, MD-06: the most important one has the place, no bar is lost or told twice, the others are named"""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        exchange.data["iex"].room = 1
        async with a_desk(exchange, symbols=(SPY, IBM)) as desk:
            await eventually(lambda: desk.is_in(ConnectionState.UP) and len(desk.bars()) == 60)
            assert desk.connections[-1].polled == (IBM,)
            minutes = 30
            for first, second in ((SPY, IBM), (IBM, SPY)):
                desk.data.follow((first, second))
                await eventually(lambda second=second: desk.connections[-1].polled == (second,))
                for _ in range(2):
                    minutes += 1
                    await desk.a_minute()
                    await eventually(lambda m=minutes: (len(bars_of(desk, IBM)), len(bars_of(desk, SPY))) == (m, m))
            await asyncio.to_thread(exchange.make, "market-halted", symbol="SPY")
            await asyncio.to_thread(exchange.make, "market-halted", symbol="IBM")
            await eventually(lambda: statuses(desk))

            assert [status.symbol for status in statuses(desk)] == [IBM]
            assert is_quoted(desk, IBM)
            assert is_quoted(desk, SPY)
            assert bars_of(desk, IBM) == sorted(set(bars_of(desk, IBM)))
            assert bars_of(desk, SPY) == sorted(set(bars_of(desk, SPY)))
            assert [reason for reason in desk.oddities() if "room" in reason] == snapshot
            assert exchange.data["iex"].connections == 1
            assert desk.is_in(ConnectionState.UP)


async def test_a_halt_and_its_end_are_streamed() -> None:
    """MD-06: of every symbol that is followed."""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        async with a_desk(exchange) as desk:
            await is_settled(desk)
            desk.data.follow((SPY, IBM))
            await eventually(lambda: is_quoted(desk, IBM))
            for symbol in ("SPY", "IBM"):
                await asyncio.to_thread(exchange.make, "market-halted", symbol=symbol)
            await asyncio.to_thread(exchange.end, "market-halted")
            await eventually(lambda: len(statuses(desk)) == 4)

    assert sorted((s.symbol, s.is_halted, s.words) for s in statuses(desk)[:2]) == [
        ("IBM", True, "Trading Halt"),
        ("SPY", True, "Trading Halt"),
    ]
    assert {(s.symbol, s.is_halted) for s in statuses(desk)[2:]} == {("IBM", False), ("SPY", False)}


def statuses(desk: Desk) -> list[TradingHaltHeard]:
    return [message for message in desk.heard if isinstance(message, TradingHaltHeard)]


def has_days(view: DeskView, symbol: str) -> bool:
    return any(row.text.startswith(f"{symbol}: ") and "earlier daily closes" in row.text for row in view.log)


def test_a_desk_follows_its_market_and_positions(tmp_path: Path) -> None:
    """RK-08, RK-10, RK-16, EX-09: SPY for the halt of everything, and a share of QQQ that somebody bought elsewhere.

    No strategy is on that asks for a history, and what needs one has it from the start.
    """
    listed = ["SPY", "IBM", "QQQ"]
    with a_market(symbols=listed, since=date(2026, 10, 19)) as market:
        market.make("bought-elsewhere", symbol="QQQ")
        keyturn = Host.of(environ(market, tmp_path, KEYTURN_SYMBOLS='["IBM"]'))
        with opened(keyturn) as desk:
            engine = desk.runtime.engine
            desk.waits(lambda view: all(has_days(view, each) for each in ("QQQ", "SPY")), "the days", 60)
            desk.waits(lambda _: {"IBM", "SPY", "QQQ"} <= set(engine.state.sightings.quotes), "quotes of all three")
            desk.waits(lambda _: {"IBM", "SPY"} <= set(engine.state.orchestrator.state.marks), "bars of both")
            halts = engine.state.protections.volatility_halt.state.symbols
            medians = {symbol: len(halts[Symbol(symbol)].days) for symbol in listed}
            likeness = engine.state.sizing.ranges.likeness(IBM, SPY, 60)
            ranges = [engine.state.sizing.ranges.atr(symbol, 14) for symbol in (IBM, SPY)]
            measured = {
                str(measure.scope) for measure in engine.state.protections.volatility_halt.measures(engine.state.at)
            }

    assert "global" in measured
    assert medians == dict.fromkeys(listed, 20)
    assert likeness[0] is not None
    assert likeness[1] >= 20
    assert None not in ranges


async def test_the_last_place_goes_to_a_new_first_symbol() -> None:
    """MD-06: every place is taken and none was refused yet; what is bought now has one"""
    with LoopbackExchange(symbols=["SPY", "IBM", "XOM"], clock=StillClock(MORNING)) as exchange:
        exchange.data["iex"].room = 2
        async with a_desk(exchange, symbols=(SPY, Symbol("XOM"))) as desk:
            await eventually(lambda: desk.is_in(ConnectionState.UP) and len(desk.bars()) == 60)
            assert desk.connections[-1].polled == ()

            desk.data.follow((IBM, SPY, Symbol("XOM")))
            await eventually(lambda: desk.connections[-1].polled == (Symbol("XOM"),))

            assert exchange.data["iex"]._wanted["statuses"] == {"IBM", "SPY"}


async def test_a_symbol_that_is_not_confirmed_is_polled() -> None:
    """MD-06: the other side says yes, and lists fewer"""
    with LoopbackExchange(symbols=["SPY", "IBM"], clock=StillClock(MORNING)) as exchange:
        exchange.data["iex"].confirms = frozenset({"SPY"})
        async with a_desk(exchange, symbols=(SPY, IBM)) as desk:
            await eventually(lambda: desk.is_in(ConnectionState.UP) and desk.connections[-1].polled == (IBM,))
