"""`keyturn mcp --http`: who may call, how long a request may take to come, and the server's loop (OP-09, SY-11).

The server keeps no session: after its restart a client goes on with its next call. A caller without the token reaches
nothing, and a request that comes in drips is ended.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

import h11
import uvicorn
from sse_starlette.sse import AppStatus
from uvicorn.protocols.http.h11_impl import H11Protocol

from console.commands.assembly.mcp_lines import mended
from console.commands.assembly.mcp_server import DeskServer

Scope: TypeAlias = MutableMapping[str, Any]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
App: TypeAlias = Callable[[Scope, Any, Any], Awaitable[None]]

LOOPBACK = "127.0.0.1"
HEAD_WITHIN, BODY_WITHIN = 10.0, 10.0
"""Seconds within which the head and the body of a request must be here."""
LARGEST_BODY = 1 << 20
KEPT_ALIVE = 60
"""Seconds that a connection without a request is kept."""
ENDS_WITHIN = 3
"""Seconds for the calls that are open when the server ends."""
REALM = 'Bearer realm="keyturn"'
STREAMS = frozenset({"text/event-stream", "text/*", "*/*"})
ACCEPTED = b"application/json, text/event-stream"
_NONE = re.compile(r";q=0(\.0*)?(;|$)")
"""A weight that refuses a type."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose connection is closed if the head of a request is not here in time."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Begin the limit with the first byte of a head, and end it with the last one."""
        if self.conn.their_state is not h11.IDLE:
            self._end()
        elif self._limit is None:
            self._limit = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class AnsweringServer(uvicorn.Server):
    """A server that answers the calls which wait before it ends."""

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leave()
        await super().shutdown(sockets)


def serve_http(server: DeskServer, port: int, token: str) -> None:
    """Serve at `http://127.0.0.1:PORT/mcp` until a signal ends it."""
    built(server, port, token).run()


def built(server: DeskServer, port: int, token: str) -> AnsweringServer:
    AppStatus.enable_automatic_graceful_drain = False  # it would end the streams without their answers
    config = uvicorn.Config(
        guarded(stateless(server), token),
        host=LOOPBACK,
        port=port,
        http=PatientProtocol,
        ws="none",
        log_level="warning",
        timeout_keep_alive=KEPT_ALIVE,
        timeout_graceful_shutdown=ENDS_WITHIN,
    )
    return AnsweringServer(config, server.leave)


def stateless(server: DeskServer) -> App:
    """Return the application of a server that keeps no session."""
    return server.streamable_http_app(host=LOOPBACK, stateless_http=True)


def guarded(app: App, token: str) -> App:
    """Return `app` for callers with this token, and for whole requests alone."""

    async def guard(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif (why := _denied(scope, token)) is not None:
            challenge = f'{REALM}, error="invalid_token"' if why == "invalid_token" else REALM
            words = "send the header Authorization: Bearer TOKEN; `keyturn mcp --http PORT --show-token` prints it"
            await _refuse(send, 401, why, words, (b"www-authenticate", challenge.encode()))
        elif scope["method"] == "GET":
            words = "this server sends nothing by itself; call it with POST"
            await _refuse(send, 405, "method_not_allowed", words, (b"allow", b"POST"))
        else:
            await _whole(app, scope, receive, send)

    return guard


def _denied(scope: Scope, token: str) -> str | None:
    """Return the code of the refusal of a caller; None if it has the token. The scheme may be in any letter case."""
    given = [value for name, value in scope.get("headers", ()) if name.lower() == b"authorization"]
    if not given:
        return "missing_token"
    scheme, _, credentials = given[0].strip().partition(b" ")
    is_ours = hmac.compare_digest(credentials.strip(), token.encode())
    return None if len(given) == 1 and scheme.lower() == b"bearer" and is_ours else "invalid_token"


async def _whole(app: App, scope: Scope, receive: Any, send: Any) -> None:
    """Call `app` once the body of the request is here."""
    try:
        body = await asyncio.wait_for(_body(receive), BODY_WITHIN)
    except TimeoutError:
        await _refuse(send, 408, "request_timeout", f"the request was not here within {BODY_WITHIN:.0f} s")
        return
    if body is None:
        return
    if len(body) > LARGEST_BODY:
        await _refuse(send, 413, "too_large", f"a request has at most {LARGEST_BODY} bytes")
        return
    body = _mended(body)
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return left.pop() if left else await receive()

    headers = [each for each in _accepting(scope["headers"]) if each[0] != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await app({**scope, "headers": headers}, replay, _held(send))


def _mended(body: bytes) -> bytes:
    try:
        return mended(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _accepting(headers: Headers) -> Headers:
    """Return the headers with both types of answers as accepted, for a caller that takes a stream or names no type.

    The protocol asks callers to name both, and some name the stream alone. Every answer is one.
    """
    named = b",".join(value for name, value in headers if name == b"accept").decode("latin-1").lower()
    types = [each.replace(" ", "") for each in named.split(",") if each.strip()]
    takes_one = any(each.partition(";")[0] in STREAMS and not _NONE.search(each) for each in types)
    if types and not takes_one:
        return headers
    return [*((name, value) for name, value in headers if name != b"accept"), (b"accept", ACCEPTED)]


def _held(send: Any) -> Any:
    """Return a `send` that holds the head of an answer back until there is a part of it.

    A client that has the head of a stream waits for the answer until its limit, also where the server was killed.
    Without it the call fails at once, and the client calls again.
    """
    heads: list[Any] = []

    async def hold(message: Any) -> None:
        if message["type"] == "http.response.start":
            heads.append(message)
            return
        if heads and not message.get("body") and message.get("more_body"):
            return
        if heads and not message.get("body") and _is_stream(heads[0]):
            heads.clear()
            await _refuse(send, 503, "leaving", "this server ends; call again when it runs")
            return
        if heads:
            await send(heads.pop())
        await send(message)

    return hold


def _is_stream(head: Any) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in head["headers"])


async def _body(receive: Any) -> bytes | None:
    """Return the body, or its beginning if it is too large; None if the caller hung up."""
    content = bytearray()
    while len(content) <= LARGEST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(content)


async def _refuse(send: Any, status: int, code: str, words: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer with the error as JSON, and close the connection: the rest of the request is not read."""
    body = json.dumps({"error": code, "error_description": words}).encode()
    usual = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*usual, *headers]})
    await send({"type": "http.response.body", "body": body})
