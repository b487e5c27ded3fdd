"""Two hosts on this machine: the first sends each request of ours on to the second, which must hear nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

import core
from core.brokers.alpaca.http_client import CallCounter, Wire
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.io.http_requests import HttpTimes, NoAnswerError, answer_of
from core.market.alpaca.failure import Counts
from core.market.alpaca.requests import AskError, DataRequests
from core.market.alpaca.socket import DataSocket, StreamLostError
from core.model.account import ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import Keys
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings

KEYS = Keys(SecretStr("PKREDIRECTED"), SecretStr("a-secret-of-ours"))
SPY, AT = Symbol("SPY"), datetime(2026, 11, 19, 15, tzinfo=UTC)
STATUSES = (301, 302, 303, 307, 308)
SENDERS = {
    "core/brokers/alpaca/stream.py", "core/brokers/alpaca/http_client.py", "core/io/http_requests.py",
    "core/io/proxies.py",
    "core/market/alpaca/requests.py", "core/market/alpaca/socket.py", "core/runtime/notifier/by_apprise.py",
}  # fmt: skip
"""Whoever sends anything over HTTP or a WebSocket; the last one is tested with its web server in `tests/wire`."""
LIBRARIES = {"requests", "httpx", "websockets", "urllib.request", "http.client", "aiohttp", "apprise", "urllib3"}
IMPORT = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(map(re.escape, LIBRARIES))})\b", re.MULTILINE)


class Second:
    """Accepts connections and keeps every byte."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with closing(connection):
                    self.heard.append(connection.recv(65_536))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class First:
    """Answers each request with a redirect to the second host."""

    def __init__(self, second: str) -> None:
        first = self
        self.asked: list[str] = []
        self.status = 302

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # a WebSocket reads no older one

            def redirect(self) -> None:
                scheme = "ws" if self.headers.get("Upgrade") else "http"
                first.asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(first.status)
                self.send_header("Location", f"{scheme}://{second}{self.path}")
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.redirect)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def two_hosts() -> Iterator[tuple[First, Second]]:
    with closing(Second()) as second, closing(First(second.place)) as first:
        yield first, second


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[First, Second]]:
    with two_hosts() as both:
        yield both


def settings_for(first: First) -> AlpacaSettings:
    http, ws = f"http://{first.place}", f"ws://{first.place}"
    return AlpacaSettings(trading_url=http, data_url=http, trade_stream_url=ws, data_stream_url=ws)


def trading(settings: AlpacaSettings) -> None:
    wire = Wire(KEYS, Mode.PAPER, settings, CallCounter())
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        wire.ask(method, "/orders", "orders", {"symbol": "SPY"})
    wire.hang_up()


def market_data(settings: AlpacaSettings) -> None:
    requests = DataRequests(settings, KEYS.key_id, KEYS.secret, Counts())
    for ask in (
        lambda: requests.bars_page([SPY], AT, AT, None, believes_null=True),
        lambda: requests.latest_quotes([SPY]),
        lambda: requests.corporate_actions([SPY], date(2026, 11, 19), date(2026, 11, 20), None),
    ):
        with pytest.raises(AskError):
            ask()


def data_stream(settings: AlpacaSettings) -> None:
    async def opened() -> None:
        stream = DataSocket(settings, KEYS.key_id, KEYS.secret, [SPY])
        with pytest.raises(StreamLostError):
            await stream.open()
        await stream.shut()

    asyncio.run(opened())


def order_stream(settings: AlpacaSettings) -> None:
    async def until_lost() -> None:
        lost = asyncio.Event()

        def show(connection: ConnectionStatus) -> None:
            if connection.state is ConnectionState.DOWN:
                lost.set()

        stream = AlpacaOrderStream(KEYS, Mode.PAPER, settings)
        task = asyncio.create_task(stream.run(lambda _update: None, show))
        await lost.wait()
        task.cancel()

    asyncio.run(until_lost())


def one_question(settings: AlpacaSettings) -> None:
    with pytest.raises(NoAnswerError):
        answer_of("GET", settings.data_url, HttpTimes(2, 2, 4), 1000, {"Authorization": "a-secret-of-ours"})


@pytest.mark.parametrize("ask", [trading, market_data, data_stream, order_stream, one_question])
def test_no_redirect_is_followed(hosts: tuple[First, Second], ask: Callable[[AlpacaSettings], None]) -> None:
    """SY-06: with each status; the second host hears nothing, and so no key."""
    first, second = hosts
    for first.status in STATUSES:
        before = len(first.asked)
        ask(settings_for(first))
        assert len(first.asked) > before
    assert second.heard == []


def test_no_proxy_hears_what_is_for_this_machine(hosts: tuple[First, Second], monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-06: whatever the environment names."""
    first, second = hosts
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{second.place}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for ask in (trading, market_data, data_stream, order_stream, one_question):
        before = len(first.asked)
        ask(settings_for(first))
        assert len(first.asked) > before
    assert second.heard == []


def test_nobody_else_sends_anything() -> None:
    """SY-06: a new sender belongs into this test."""
    root = Path(core.__file__).parent.parent
    found = set()
    for place in ("core", "console", "state", "widgets", "app.py"):
        files = [root / place] if place.endswith(".py") else (root / place).rglob("*.py")
        found |= {path.relative_to(root).as_posix() for path in files if IMPORT.search(path.read_text())}
    assert found == SENDERS
