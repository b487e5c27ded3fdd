"""Alpaca's own client on real sockets, through a bad day: what the operator is told, and which bars the desk gets."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca import data
from core.market.alpaca.failure import Seen
from core.market.alpaca.socket import DataSocket
from core.model.account import ConnectionState
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from tests.kit.timeline import Timeline
from tests.unit.core.market.alpaca.morning import at, every_minute
from tests.unit.core.market.alpaca.server import a_desk, a_server, eventually, pauses

pytestmark = pytest.mark.usefixtures("timeline")


async def test_a_muted_socket_is_replaced() -> None:
    """MD-02: mute the socket while its pong is waited for."""
    async with a_server() as server, a_desk(server, "10:02:30") as desk:
        server.has_minutes("9:30", "10:01")
        desk.starts()
        await desk.is_up()
        await eventually(lambda: len(desk.bars()) == 32)
        desk.clock("10:03:00")
        await server.says_bar("10:02")
        await eventually(lambda: desk.bars()[-1] == "10:02")

        server.has_minutes("10:02", "10:05")
        desk.clock("10:03:31")
        await eventually(lambda: any(connection.state is ConnectionState.SILENT for connection in desk.connections))
        server.goes_deaf()
        desk.clock("10:04:03")
        await eventually(lambda: desk.bars()[-1] == "10:03")
        await eventually(lambda: "mute" in desk.connections[-1].words)
        server.hears_again()
        await eventually(lambda: not server.connections)
        desk.clock("10:05:03")
        await eventually(lambda: server.accepted == 2 and server.connections)
        await eventually(lambda: desk.bars()[-1] == "10:04")
        assert desk.state() is ConnectionState.POLLING

        desk.clock("10:06:01")
        await server.says_bar("10:05")
        await desk.is_up()
        desk.clock("10:06:04")
        await eventually(lambda: desk.bars()[-1] == "10:05")

        assert desk.bars() == every_minute("9:30", "10:05")
        assert desk.oddities() == []
        assert desk.data.counts.seen(Seen.MUTED) == 1


async def test_a_socket_without_pongs_is_replaced() -> None:
    """MD-02"""
    async with a_server() as server, a_desk(server, "9:30:10", read_seconds=0.5) as desk:
        desk.starts()
        await desk.is_up()
        server.goes_deaf()

        desk.clock("9:30:35")
        await eventually(lambda: "did not answer a ping" in desk.connections[-1].words)
        desk.clock("9:30:40")
        await eventually(lambda: server.accepted == 2)
        await desk.is_up()


async def test_a_quiet_link_with_pongs_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04: nothing is said for 15 s, and the lamp knows that the other side is there."""
    monkeypatch.setattr(data, "PING_EVERY", 0.02)
    async with a_server() as server, a_desk(server, "9:35:30") as desk:
        desk.starts()
        await desk.is_up()
        for clock in ("9:35:35", "9:35:40", "9:35:45"):
            desk.clock(clock)
            await eventually(lambda clock=clock: desk.connections[-1].heard_at == at(clock))

        assert desk.state() is ConnectionState.UP
        server.goes_deaf()
        desk.clock("9:35:48")
        await server.quotes_now(desk.now)
        await eventually(lambda: desk.connections[-1].heard_at == at("9:35:48"))


async def test_a_link_without_pongs_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04"""
    monkeypatch.setattr(data, "PING_EVERY", 0.02)
    async with a_server() as server, a_desk(server, "9:35:30", read_seconds=0.3) as desk:
        desk.starts()
        await desk.is_up()
        server.goes_deaf()
        await pauses(0.1)  # the pongs that were under way
        desk.clock("9:35:40")
        await pauses(0.6)

        assert desk.connections[-1].heard_at < at("9:35:40")


async def test_polled_quotes_are_a_sign_of_life() -> None:
    """OP-04: no stream, and the last good answer counts."""
    async with a_server() as server, a_desk(server, "9:35:30") as desk:
        server.admission = [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
        desk.starts()
        await eventually(
            lambda: any("this desk's own connection" in connection.words for connection in desk.connections)
        )
        desk.clock("9:35:50")

        await eventually(lambda: desk.connections[-1].heard_at == at("9:35:50"))


async def test_a_greeting_that_refuses_is_heard_too() -> None:
    """MD-02: 406 may come before the keys were asked for."""
    async with a_server() as server, a_desk(server, "9:35:30") as desk:
        server.greeting = [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
        desk.starts()

        await eventually(lambda: any("406" in connection.words for connection in desk.connections))


async def test_a_cancel_within_a_goodbye_is_kept() -> None:
    """OP-07: the library took it for the end of its goodbye, and the desk did not leave."""
    async with a_server() as server, a_desk(server, "9:35:30") as desk:
        desk.starts()
        await desk.is_up()
        socket = desk.data._socket
        assert socket is not None
        server.goes_deaf()
        goodbye = asyncio.ensure_future(socket.shut())
        await pauses(0.05)

        goodbye.cancel()
        server.hears_again()
        await asyncio.wait({goodbye})

        assert goodbye.cancelled()


async def test_a_silent_handshake_is_left_in_time() -> None:
    """MD-02: time-outs of our own on connection and authentication."""
    async with a_server() as server, a_desk(server, "9:35:30", connect_seconds=0.3, read_seconds=0.3) as desk:

        def is_told(words: str) -> bool:
            """Time passes meanwhile: where the machine is too busy to connect so soon, it is tried again."""
            desk.passes(0.05)
            return any(words in connection.words for connection in desk.connections)

        server.greeting = None
        desk.starts()
        await eventually(lambda: is_told("did not greet in time"))

        server.greeting, server.admission = [{"T": "success", "msg": "connected"}], None
        await eventually(lambda: is_told("did not authenticate in time"))

        server.admission, server.confirms = [{"T": "success", "msg": "authenticated"}], False
        await eventually(lambda: is_told("confirm the subscription in time"))

        server.confirms = True
        desk.passes(30)
        await eventually(lambda: desk.passes(0.05) or desk.state() is ConnectionState.UP)


async def test_odd_bars_are_named_and_ours_stand(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    async with a_server() as server, a_desk(server, "9:30:00") as desk:
        desk.starts()
        await desk.is_up()
        desk.clock("9:36:00")
        await server.says_bar("9:31")
        await server.says_bar("9:33")
        await eventually(lambda: desk.bars() == ["09:31", "09:33"])
        await server.says_bar("9:33")
        await server.says_bar("9:33", close=100.9, kind="u")
        await server.says_bar("9:32")
        await server.says({"T": "b", "S": "SPY", "o": None, "h": 1, "l": 1, "c": 1, "v": 1, "t": at("9:34")})
        await server.says({"T": "b", "S": "SPY"}, None, {"T": "b", "S": ["SPY"]})
        await server.says_bar("9:34", symbol="QQQ")
        await server.says_bar("9:35")

        await eventually(lambda: desk.bars()[-1:] == ["09:35"])

        assert desk.bars() == ["09:31", "09:33", "09:35"]
        assert desk.oddities() == snapshot
        assert desk.data.counts.seen(Seen.NOT_ASKED_FOR) == 1
        assert desk.state() is ConnectionState.UP


async def test_noise_in_a_frame_is_counted() -> None:
    """MD-03"""
    async with a_server() as server, a_desk(server, "9:31:00") as desk:
        desk.starts()
        await desk.is_up()
        for noise in (b"\xc1", b"", "text", b"\x2a", b"\x81\xa1T"):
            await server.connections[-1].send(noise)
        desk.clock("9:32:00")
        await server.says_bar("9:31")

        await eventually(lambda: desk.bars() == ["09:31"])
        assert desk.data.counts.seen(Seen.BROKEN) == 4


async def test_bad_quotes_are_reported_once() -> None:
    """MD-03: the normaliser refuses them by name; they do not flood it."""
    async with a_server() as server, a_desk(server, "9:31:00") as desk:
        desk.starts()
        await desk.is_up()
        for bid, ask in ((100.02, 100.01), (0.0, 100.01), (100.0, 0.0)):
            desk.passes(1)
            await server.quotes_now(desk.now, bid, ask)
            seen = desk.data.counts.seen(Seen.BAD_QUOTES)
            await eventually(lambda seen=seen: desk.data.counts.seen(Seen.BAD_QUOTES) > seen)
        desk.passes(1)
        await server.quotes_now(desk.now, 100.0, 100.01)

        await eventually(lambda: len(desk.bids()) == 2)
        assert desk.connections[-1].odd == ((Seen.BAD_QUOTES.value, 3),)
        assert [f"{bid}" for bid in desk.bids()] == ["100.02", "100.00"]


async def test_quotes_are_polled_without_a_stream() -> None:
    """MD-02: batched, about once a second."""
    async with a_server() as server, a_desk(server, "9:35:30", symbols=(Symbol("SPY"), Symbol("QQQ"))) as desk:
        server.admission = [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
        server.quotes = {
            "SPY": {"bp": 100.0, "bs": 1, "ap": 100.01, "as": 1, "t": "2013-10-08T13:35:29Z"},
            "QQQ": {"bp": 50.0, "bs": 1, "ap": 50.01, "as": 1, "t": "2013-10-08T13:35:29Z"},
        }
        desk.starts()

        await eventually(lambda: len(desk.bids()) >= 4)

        questions = [asked.question for asked in server.asked if asked.path == "/v2/stocks/quotes/latest"]
        assert questions[0] == {"symbols": "SPY,QQQ", "feed": "iex"}


async def test_closing_leaves_no_socket(timeline: Timeline) -> None:
    """MD-02: a clean stop, also in the middle of a handshake."""
    for greeting in ([{"T": "success", "msg": "connected"}], None):
        async with a_server() as server, a_desk(server, "9:35:30") as desk:
            server.greeting = greeting
            desk.starts()
            await eventually(lambda: server.accepted == 1)
            before = timeline.now()

            await desk.stops()

            await eventually(lambda: not server.connections)
            assert timeline.now() - before < timedelta(seconds=10)
            assert desk.task is not None
            assert desk.task.cancelled()


def test_a_stream_without_symbols_never_begins() -> None:
    """MD-02: Alpaca's class would burn a core over it."""
    with pytest.raises(ValueError, match="at least one symbol"):
        DataSocket(AlpacaSettings(), SecretStr("k"), SecretStr("s"), ())


async def test_a_restarted_run_goes_on() -> None:
    """MD-02: what was handed on outlives a run."""
    async with a_server() as server, a_desk(server, "9:33:30") as desk:
        server.has_minutes("9:30", "9:32")
        desk.starts()
        await desk.is_up()
        await eventually(lambda: len(desk.bars()) == 3)
        assert desk.task is not None
        desk.task.cancel()
        await asyncio.gather(desk.task, return_exceptions=True)

        server.has_minutes("9:33", "9:33")
        desk.clock("9:34:20")
        desk.starts()
        await eventually(lambda: len(desk.bars()) == 4)

        assert desk.bars() == every_minute("9:30", "9:33")
