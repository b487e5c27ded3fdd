"""Who may call `keyturn mcp` over HTTP, and how slowly a request may come."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from console.client.agents import AgentClient
from console.commands.assembly import mcp_http
from console.commands.assembly.mcp_http import LARGEST_BODY, LOOPBACK, AnsweringServer, built, guarded
from console.commands.assembly.mcp_server import DeskServer
from tests.unit.console.test_mcp_limits import Desk
from tests.unit.console.test_mcp_tools import CLIENT, NoJournal

TOKEN = "token"
SERVERS: list[AnsweringServer] = []
"""The one that runs."""
JSON = "application/json"
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}},
}  # fmt: skip


class Guarded:
    """The guard before an application that notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.guard = guarded(self.app, TOKEN)

    async def app(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.reached.append(scope["type"])

    async def call(self, *given: bytes, kind: str = "http", method: str = "POST") -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(message: dict[str, Any]) -> None:
            self.told.append(message)

        headers = [(b"authorization", each) for each in given]
        await self.guard({"type": kind, "method": method, "headers": headers}, receive, send)


WITHOUT = [(), (b"Bearer other",), (b"token",), (b"Bearer ",), (b"",), (b"Basic token",), (b"Bearer token x",),
           (b"Bearer token", b"Bearer other"), (b"Bearer other", b"Bearer token"), (b"Bearer \xff",)]  # fmt: skip


@pytest.mark.parametrize("given", WITHOUT, ids=str)
async def test_a_caller_without_the_token_reaches_nothing(given: tuple[bytes, ...]) -> None:
    """OP-09, SY-11: and is told how to ask"""
    there = Guarded()
    await there.call(*given)
    await there.call(*given, kind="websocket")

    assert there.reached == []
    start, body = there.told[:2]
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-type"]) == (401, b"application/json")
    assert headers[b"www-authenticate"].startswith(b"Bearer realm=")
    assert (b"invalid_token" in headers[b"www-authenticate"]) is bool(given)
    assert json.loads(body["body"])["error"] == ("invalid_token" if given else "missing_token")


@pytest.mark.parametrize("given", [b"Bearer token", b"bearer token", b"BEARER   token", b" bEaReR token  "], ids=str)
async def test_the_scheme_may_be_in_any_letter_case(given: bytes) -> None:
    """SY-11: and have several blanks"""
    there = Guarded()
    await there.call(given)
    await there.call(kind="lifespan")

    assert there.reached == ["http", "lifespan"]


async def test_a_stream_of_the_server_is_refused_as_clients_know_it() -> None:
    """SY-11: it sends nothing by itself"""
    there = Guarded()
    await there.call(b"Bearer token", method="GET")

    assert there.reached == []
    assert there.told[0]["status"] == 405


@asynccontextmanager
async def served(client: AgentClient = CLIENT) -> AsyncIterator[int]:
    """The real server at a free port."""
    server = built(DeskServer(client, NoJournal()), 0, TOKEN)
    SERVERS[:] = [server]
    with socket.create_server((LOOPBACK, 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


class Dripping:
    """A caller that sends a byte now and then."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def drips(self, first: bytes, drop: bytes) -> bytes:
        """Send, then drip until the server hangs up; return what it said."""
        heard = bytearray()

        async def hear() -> None:
            with suppress(ConnectionError):  # it hung up before it had read all of it
                while content := await self.reader.read(1 << 16):
                    heard.extend(content)

        self.writer.write(first)
        hearing = asyncio.ensure_future(hear())
        while not hearing.done():
            if drop and not self.writer.is_closing():
                self.writer.write(drop)
            await asyncio.wait({hearing}, timeout=0.01)
        self.writer.close()
        return bytes(heard)


@asynccontextmanager
async def a_caller(client: AgentClient = CLIENT) -> AsyncIterator[Dripping]:
    async with served(client) as port:
        yield Dripping(*await asyncio.open_connection(LOOPBACK, port))


def head(token: str = TOKEN, length: int = 1_000_000, **more: str) -> bytes:
    lines = {"host": f"{LOOPBACK}:1", "authorization": f"Bearer {token}", "content-type": JSON,
             "accept": f"{JSON}, text/event-stream", "content-length": str(length), **more}  # fmt: skip
    return "\r\n".join(["POST /mcp HTTP/1.1", *(f"{n}: {v}" for n, v in lines.items()), "", ""]).encode()


HALF_SENT = [
    (b"", b""), (b"POST /mcp HT", b"x"), (b"POST /mcp HTTP/1.1\r\nhost: x\r\nx: ", b"y"),
    (head(), b""), (head(), b"{"), (head("other"), b"{"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "drop"), HALF_SENT, ids=str)
async def test_a_request_that_comes_in_drips_is_ended(
    first: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-11: its head and its body have a limit of time, with the token and without"""
    monkeypatch.setattr(mcp_http, "HEAD_WITHIN", 0.1)
    monkeypatch.setattr(mcp_http, "BODY_WITHIN", 0.1)
    async with a_caller() as caller:
        heard = await caller.drips(first, drop)

    status = heard.split(b" ", 2)[1:2]
    assert status == (
        [] if first in (b"", *(each for each, _ in HALF_SENT[1:3])) else [b"401" if b"other" in first else b"408"]
    )


async def test_a_second_request_that_drips_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: also on a connection that had a whole one"""
    monkeypatch.setattr(mcp_http, "HEAD_WITHIN", 0.1)
    body = json.dumps(INITIALIZE).encode()
    async with a_caller() as caller:
        heard = await caller.drips(head(length=len(body)) + body, b"x")

    assert heard.startswith(b"HTTP/1.1 200")


async def test_a_body_that_is_too_large_is_refused() -> None:
    """SY-11"""
    body = b"x" * (LARGEST_BODY + 1)
    async with a_caller() as caller:
        heard = await caller.drips(head(length=2 * len(body)) + body, b"")

    assert heard.startswith(b"HTTP/1.1 413")


async def test_a_session_of_another_server_goes_on() -> None:
    """SY-11: after a restart of the server no client is without its session"""
    listed = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}).encode()
    asked = head(length=len(listed), **{"mcp-session-id": "an-old-one", "mcp-protocol-version": "2025-06-18",
                                        "connection": "close"})  # fmt: skip
    async with a_caller() as caller:
        heard = await caller.drips(asked + listed, b"")

    assert heard.startswith(b"HTTP/1.1 200")
    assert b"draft_order" in heard


ACCEPTS = {
    f"{JSON}, text/event-stream": 200, "text/event-stream": 200, "Text/Event-Stream;q=0.9": 200, "*/*": 200, "": 200,
    "text/*": 200, "text/html, text/event-stream": 200, JSON: 406, "text/html": 406, "text/event-stream;q=0": 406,
}  # fmt: skip


@pytest.mark.parametrize(("accept", "status"), ACCEPTS.items(), ids=str)
async def test_a_caller_that_takes_a_stream_is_answered(accept: str, status: int) -> None:
    """SY-11: every answer is a stream, so whoever takes one need not take JSON too"""
    asked = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}).encode()
    async with a_caller() as caller:
        heard = await caller.drips(head(length=len(asked), accept=accept, connection="close") + asked, b"")

    assert heard.startswith(f"HTTP/1.1 {status}".encode())


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
async def test_a_text_that_was_cut_within_a_character_is_answered(begin: bytes) -> None:
    """SY-11: as over standard input"""
    call = {"name": "say", "arguments": {"text": "a cut \ud83d"}}
    asked = begin + json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}).encode()
    async with a_caller() as caller:
        heard = await caller.drips(head(length=len(asked), connection="close") + asked, b"")

    assert heard.startswith(b"HTTP/1.1 200")
    assert b"no-engine" in heard


async def test_a_caller_that_names_no_type_is_answered() -> None:
    """SY-11"""
    asked = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}).encode()
    nothing = head(length=len(asked), connection="close").replace(
        f"accept: {JSON}, text/event-stream\r\n".encode(), b""
    )
    async with a_caller() as caller:
        heard = await caller.drips(nothing + asked, b"")

    assert heard.startswith(b"HTTP/1.1 200")


async def test_the_head_of_an_answer_comes_with_its_first_part() -> None:
    """SY-11: a client whose server is killed before that fails at once, and calls again"""
    there, told = asyncio.Event(), list[str]()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await there.wait()
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message["type"].rpartition(".")[2] + message.get("body", b"").decode())

    scope = {"type": "http", "method": "POST", "headers": [(b"authorization", b"Bearer token")]}
    call = asyncio.ensure_future(guarded(app, TOKEN)(scope, receive, send))
    for _ in range(10):
        await asyncio.sleep(0)
    assert told == []

    there.set()
    await call
    assert told == ["start", "bodya", "body"]


async def test_an_answer_without_a_body_has_its_head() -> None:
    """SY-11"""
    listed = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    async with a_caller() as caller:
        heard = await caller.drips(head(length=len(listed), connection="close") + listed, b"")

    assert heard.startswith(b"HTTP/1.1 202")


async def test_a_call_that_waits_is_answered_when_the_server_ends() -> None:
    """SY-11: over its stream; a client that has its head would wait for its limit"""
    asked = {"name": "await_decision", "arguments": {"key": "a", "seconds": 40}, "_meta": {"progressToken": 1}}
    called = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked}).encode()
    desk = Desk()
    async with a_caller(desk) as caller:
        hearing = asyncio.ensure_future(caller.drips(head(length=len(called), connection="close") + called, b""))
        await asyncio.to_thread(desk.was_asked.wait)
        SERVERS[0].should_exit = True
        heard = await hearing

    assert heard.startswith(b"HTTP/1.1 200")
    assert b'"code":"leaving"' in heard


async def test_a_stream_that_ends_without_its_answer_is_an_error() -> None:
    """SY-11: not an empty answer, after which a client waits for its limit"""
    told = list[dict[str, Any]]()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"authorization", b"Bearer token")]}
    await guarded(app, TOKEN)(scope, receive, send)

    assert told[0]["status"] == 503
