"""The stream of order updates over a real socket: what is heard, what the lamp shows, and that it always comes back."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from http import HTTPStatus

import pytest
from syrupy.assertion import SnapshotAssertion
from websockets.asyncio.server import ServerConnection

from core.brokers.alpaca.http_client import StreamStatus
from core.brokers.alpaca.stream import FIRST_PAUSE, LONGEST_PAUSE
from core.io.http_requests import backoff
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import UpdateEvent
from tests.kit.pause import pause
from tests.kit.rows import cases
from tests.kit.timeline import Timeline
from tests.unit.core.brokers.alpaca_door import KEY_ID, SECRET, an_order_json
from tests.unit.core.brokers.alpaca_ear import (
    AUTHORISED,
    LISTENING,
    UNAUTHORISED,
    agree,
    an_ear,
    an_update,
    frame,
    leaving,
    pauses,
    saying,
)

pytestmark = pytest.mark.usefixtures("timeline")

CONNECTING, UP, DOWN = ConnectionState.CONNECTING, ConnectionState.UP, ConnectionState.DOWN
SILENT, REFUSED = ConnectionState.SILENT, ConnectionState.REFUSED

# ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_fill_is_heard_and_the_connection_is_up() -> None:
    """EX-05"""
    async with an_ear(saying(an_update())) as (ear, said):
        await ear.until(lambda: bool(ear.updates))

    assert (ear.updates[0].event, ear.updates[0].execution is not None) == (UpdateEvent.FILL, True)
    assert ear.states == [CONNECTING, UP]
    assert {connection.line for connection in ear.connections} == {Channel.TRADES}
    assert json.loads(said[0][0])["data"] == {"key_id": KEY_ID, "secret_key": SECRET}
    assert json.loads(said[0][1]) == {"action": "listen", "data": {"streams": ["trade_updates"]}}


async def test_an_update_before_the_listen_answer_is_heard() -> None:
    """EX-05"""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(frame(AUTHORISED))
        await socket.recv()
        await socket.send(an_update())
        await socket.send(frame(LISTENING))
        await socket.wait_closed()

    async with an_ear(talk) as (ear, _):
        await ear.until(lambda: UP in ear.states)

    assert len(ear.updates) == 1


@cases(
    "junk", b"\xff\xfe", "not json", "[]", "null",
    frame({"stream": "trade_updates"}),
    frame({"stream": "trade_updates", "data": {"event": "fill"}}),
    an_update(qty="many"),
    an_update(order={"id": "x"}),
)  # fmt: skip
async def test_an_unreadable_message_is_told(junk: bytes | str) -> None:
    """EX-01, EX-05: the raw text is kept, and whoever listens hears of it."""
    async with an_ear(saying(junk, an_update())) as (ear, _):
        await ear.until(lambda: bool(ear.updates) and ear.connections[-1].odd != ())

    assert ear.stream is not None
    assert ear.stream.unread.count == 1
    assert [count for _, count in ear.connections[-1].odd] == [1]
    assert ear.stream.unread.last[0].raw
    assert len(ear.unread) == 1
    assert ear.states == [CONNECTING, UP]


async def test_an_unreadable_update_names_its_order() -> None:
    """EX-05: by what can be read of it"""
    order = an_order_json(filled_qty=None, client_order_id="ours", id="theirs")
    async with an_ear(saying(an_update(order=order), an_update(order=order | {"id": 7}), an_update())) as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert [(told.client_order_id, told.broker_order_id) for told in ear.unread] == [("ours", "theirs"), ("ours", None)]


async def test_an_unrequested_stream_is_ignored() -> None:
    """EX-01"""
    async with an_ear(saying(frame({"stream": "account_updates", "data": {}}), an_update())) as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert ear.stream is not None
    assert ear.stream.unread.count == 0


# ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_quiet_market_is_not_a_broken_line() -> None:
    """MD-02: a pong is enough where nothing is traded, and the lamp says that it was heard."""
    async with an_ear(saying()) as (ear, said):
        await ear.until(lambda: UP in ear.states)
        await ear.until(lambda: [connection.state for connection in ear.connections].count(UP) == 2)

    assert ear.states == [CONNECTING, UP]
    assert len(said) == 1
    first, second = (connection.heard_at for connection in ear.connections[-2:])
    assert first is not None
    assert second is not None
    assert first < second


async def test_no_update_waits_for_a_pong() -> None:
    """EX-05, OP-04: no ping is answered any more, and what is told is heard all the same."""

    async def deaf(socket: ServerConnection) -> None:
        await agree(socket)
        socket.transport.pause_reading()  # type: ignore[attr-defined]
        await pauses(0.5)
        await socket.send(an_update())
        await socket.wait_closed()

    async with an_ear(deaf, silence_seconds="0.2", read_seconds="30") as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert ear.states == [CONNECTING, UP]


async def test_a_mute_line_is_shown_and_left(snapshot: SnapshotAssertion) -> None:
    """EX-09: open, and not even a pong comes."""

    async def mute(socket: ServerConnection) -> None:
        await agree(socket)
        socket.transport.pause_reading()  # type: ignore[attr-defined]
        await pauses(1)

    async with an_ear(mute, saying(an_update()), read_seconds="0.5") as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert ear.states == [CONNECTING, UP, SILENT, CONNECTING, UP]
    silent = next(connection for connection in ear.connections if connection.state is SILENT)
    assert silent.words == snapshot


async def test_a_server_silent_on_keys_is_left(snapshot: SnapshotAssertion) -> None:
    """EX-09"""

    async def hang(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.wait_closed()

    async with an_ear(hang, saying(an_update()), read_seconds="0.5") as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert ear.states == [CONNECTING, DOWN, CONNECTING, UP]
    assert ear.connections[1].words == snapshot


@pytest.mark.parametrize("answer", [b"\xff", frame([]), frame({"stream": "authorization", "data": {"status": "?"}})])
async def test_an_empty_answer_to_keys_is_no_refusal(answer: bytes) -> None:
    """EX-06"""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(answer)
        await socket.wait_closed()

    async with an_ear(talk, saying(an_update()), read_seconds="0.5") as (ear, _):
        await ear.until(lambda: bool(ear.updates))

    assert REFUSED not in ear.states


async def test_a_refused_subscription_is_reported(snapshot: SnapshotAssertion) -> None:
    """EX-01"""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(frame(AUTHORISED))
        await socket.recv()
        await socket.send(frame({"stream": "listening", "data": {"streams": []}}))
        await socket.wait_closed()

    async with an_ear(talk) as (ear, _):
        await ear.until(lambda: DOWN in ear.states)

    assert ear.connections[1].words == snapshot


async def test_refused_keys_are_retried_slowly(timeline: Timeline, snapshot: SnapshotAssertion) -> None:
    """OP-10"""

    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(frame(UNAUTHORISED))
        await socket.wait_closed()

    async with an_ear(refuse) as (ear, said):
        begun = timeline.now()
        await ear.until(lambda: len(said) == 2)
        assert timedelta(seconds=60) <= timeline.now() - begun < timedelta(seconds=61)

    assert ear.states[:3] == [CONNECTING, REFUSED, CONNECTING]
    words = ear.connections[1].words
    assert words == snapshot
    assert "check APCA_API_KEY_ID" in words


async def test_keys_that_are_refused_later_are_refused() -> None:
    """OP-10"""
    async with an_ear(saying(frame(UNAUTHORISED))) as (ear, _):
        await ear.until(lambda: REFUSED in ear.states)

    assert ear.states[:3] == [CONNECTING, UP, REFUSED]


@cases(
    "status state words",
    (HTTPStatus.UNAUTHORIZED, REFUSED, "check APCA_API_KEY_ID"),
    (HTTPStatus.NOT_ACCEPTABLE, DOWN, "the only place is taken, probably by this desk's own connection"),
    (HTTPStatus.BAD_GATEWAY, DOWN, "HTTP 502"),
    (HTTPStatus.FOUND, DOWN, "HTTP 302"),
)
async def test_a_door_that_stays_shut_says_why(status: HTTPStatus, state: ConnectionState, words: str) -> None:
    """EX-09"""
    async with an_ear(saying(), refuses=status) as (ear, said):
        await ear.until(lambda: state in ear.states)

    assert words in ear.connections[1].words
    assert said == []


async def test_a_lost_server_is_retried_with_backoff() -> None:
    """EX-15: no storm, although each connection stands for a moment."""
    async with an_ear(leaving()) as (ear, said):
        await ear.until(lambda: len(said) == 3)

    tries = [connection.tries for connection in ear.connections if connection.state is DOWN]
    assert tries[:2] == [1, 2]
    pauses = [backoff(n, 0.0, FIRST_PAUSE, LONGEST_PAUSE) for n in (1, 2, 3, 7, 50)]
    assert pauses == [0.25, 0.5, 1.0, 15.0, 15.0]


@pytest.mark.parametrize("talk", ["agreed", "hanging", "mute"])
async def test_closing_closes_the_connection_at_once(talk: str, timeline: Timeline) -> None:
    """OP-07"""
    closed = asyncio.Event()

    async def lead(socket: ServerConnection) -> None:
        if talk == "hanging":
            await socket.recv()
        else:
            await agree(socket)
        if talk == "mute":
            socket.transport.pause_reading()  # type: ignore[attr-defined]
            await pauses(1.5)
            socket.transport.resume_reading()  # type: ignore[attr-defined]
        await socket.wait_closed()
        closed.set()

    async with an_ear(lead, read_seconds="30", silence_seconds="30") as (ear, said):
        await ear.until(lambda: bool(said and said[0]) and (talk == "hanging" or UP in ear.states))
        begun = timeline.now()
    assert timeline.now() - begun <= timedelta(seconds=2)
    await closed.wait()


async def test_keys_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """SY-06"""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.INFO)
    try:
        async with an_ear(saying(an_update())) as (ear, _):
            await ear.until(lambda: bool(ear.updates))
    finally:
        logging.getLogger("websockets").setLevel(logging.NOTSET)

    written = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("websockets"))
    assert SECRET not in written
    assert SECRET not in repr([connection.words for connection in ear.connections])


async def test_many_messages_are_one_status_a_second(timeline: Timeline) -> None:
    """The desk draws its status line no more often, however busy the stream is."""
    shown: list[ConnectionStatus] = []
    status = StreamStatus(shown.append, timeline.now)
    status.up()
    for _ in range(25):
        await pause(0.1)
        status.heard()

    assert [it.state for it in shown] == [UP, UP, UP]
