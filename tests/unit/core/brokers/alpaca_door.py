"""A door that speaks HTTP on this machine and answers as a test tells it to, for the tests of the adapter to Alpaca.

Real sockets and the real client; what was asked is kept, one entry a request on the wire.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.retries import Timeouts
from core.model.account import Mode
from core.model.api_contract import Keys
from core.model.order import Effect, OrderRequest, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.settings.orders import AlpacaSettings
from tests.kit.timeline import timeline

KEY_ID, SECRET = "PKTESTTESTTESTTEST00", "not-a-secret-of-anyone"  # pragma: allowlist secret
KEYS = Keys(SecretStr(KEY_ID), SecretStr(SECRET))
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
OURS = ClientOrderId("0123456789abcdef")
HTML = b"<html><body>Bad gateway</body></html>"


@dataclass(frozen=True)
class Says:
    """An answer; `body` is sent as JSON unless it is bytes."""

    status: int
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangs:
    """Reads the request and says nothing."""


@dataclass(frozen=True)
class Drops:
    """Reads the request and closes the connection."""


@dataclass(frozen=True)
class Trickles:
    """A body that comes a byte at a time and never ends in time."""


Behaviour = Says | Hangs | Drops | Trickles


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Door:
    """Answers in the order of `says`; by `routes` (`GET /v2/account`) where nothing is left to say."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.routes: dict[str, Behaviour | Callable[[Asked], Behaviour]] = {}
        self._next: deque[Behaviour] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def says(self, *answers: Behaviour) -> Door:
        self._next.extend(answers)
        return self

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _behaviour(self, asked: Asked) -> Behaviour:
        if self._next:
            return self._next.popleft()
        route = self.routes.get(asked.line, Says(599, b"nobody told the door what to say"))
        return route(asked) if callable(route) else route

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(size)
                parts = urlsplit(self.path)
                body = json.loads(sent) if sent else None
                asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), body, dict(self.headers.items()))
                door.asked.append(asked)
                self._behave(door._behaviour(asked))

            def _behave(self, told: Behaviour) -> None:
                if isinstance(told, Hangs):
                    door._closing.wait()
                    self.close_connection = True
                    return
                if isinstance(told, Drops):
                    self.close_connection = True
                    return
                if isinstance(told, Trickles):
                    self.send_response(200)
                    self.send_header("Content-Length", "100")
                    self.end_headers()
                    for _ in range(100):
                        self.wfile.write(b"{")
                        self.wfile.flush()
                        if door._closing.wait(0.05):
                            return
                    return
                body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        return Handler


@contextmanager
def a_door(*answers: Behaviour) -> Iterator[Door]:
    door = Door().says(*answers)
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.close()
        thread.join()


class Pauses:
    """Waits without waiting: the pauses that were taken, on a clock that they move."""

    def __init__(self, chance: float = 1.0, leaves_at: int | None = None) -> None:
        self.taken: list[float] = []
        self._leaves_at = leaves_at
        self._chance = chance
        self._begun = timeline().monotonic()

    def pause(self, seconds: float) -> bool:
        self.taken.append(seconds)
        return self._leaves_at is not None and len(self.taken) >= self._leaves_at

    def clock(self) -> float:
        return timeline().monotonic() - self._begun + sum(self.taken)

    def timeout(self) -> Timeouts:
        return Timeouts(self.pause, self.clock, lambda: self._chance, lambda: NOON)


def a_broker(door: Door, pauses: Pauses | None = None, *, read_seconds: str = "5", keys: Keys = KEYS) -> AlpacaBroker:
    settings = AlpacaSettings(trading_url=door.url, connect_seconds=Decimal("0.5"), read_seconds=Decimal(read_seconds))
    return AlpacaBroker(keys, Mode.PAPER, settings, now=lambda: NOON, timeout=(pauses or Pauses()).timeout())


def a_buy(quantity: str = "10", limit: str | None = "100.50", **terms: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "client_order_id": OURS, "symbol": Symbol("SPY"), "side": Side.BUY, "effect": Effect.OPEN,
        "quantity": Quantity(Decimal(quantity)), "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "limit_price": None if limit is None else Price(Decimal(limit)),
    }  # fmt: skip
    return OrderRequest(**(fields | terms))


def an_order_json(**fields: Any) -> dict[str, Any]:
    """An order as Alpaca writes it."""
    return {
        "id": "61e69015-8549-4bfd-b9c3-01e75843f47d", "client_order_id": OURS,
        "created_at": "2026-11-20T16:59:00.123456789Z", "updated_at": "2026-11-20T16:59:00.123456789Z",
        "submitted_at": "2026-11-20T16:59:00.123456789Z", "filled_at": None,
        "asset_id": "b28f4066-5c6d-479b-a2af-85dc1a8f16fb", "symbol": "SPY", "asset_class": "us_equity",
        "notional": None, "qty": "10", "filled_qty": "0", "filled_avg_price": None, "order_class": "",
        "order_type": "limit", "type": "limit", "side": "buy", "time_in_force": "day", "limit_price": "100.5",
        "stop_price": None, "status": "new", "extended_hours": False, "legs": None, "trail_percent": None,
        "trail_price": None, "hwm": None, **fields,
    }  # fmt: skip


def an_update_json(event: str = "fill", **fields: Any) -> dict[str, Any]:
    order = an_order_json(status="filled", filled_qty="10", filled_avg_price="100.4")
    return {
        "event": event, "execution_id": "2f63ea93-423d-4169-b3f6-3fdafc10c418", "price": "100.45", "qty": "4",
        "position_qty": "10", "timestamp": "2026-11-20T16:59:30.123456789Z", "order": order, **fields,
    }  # fmt: skip


def an_account_json(**fields: Any) -> dict[str, Any]:
    return {
        "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98", "account_number": "PA3TEST00001", "status": "ACTIVE",
        "currency": "USD", "cash": "100000.25", "equity": "100500.75", "last_equity": "100250.5",
        "buying_power": "200001.5", "multiplier": "2", "initial_margin": "250.25", "maintenance_margin": "150.15",
        "regt_buying_power": "190001.5", "trading_blocked": False, "account_blocked": False,
        "trade_suspended_by_user": False, **fields,
    }  # fmt: skip


def a_position_json(**fields: Any) -> dict[str, Any]:
    return {
        "symbol": "SPY", "asset_class": "us_equity", "qty": "10", "side": "long", "avg_entry_price": "100.25",
        "cost_basis": "1002.5", **fields,
    }  # fmt: skip


def an_asset_json(**fields: Any) -> dict[str, Any]:
    """An asset as Alpaca writes it since `easy_to_borrow` has gone; a field that is None is left out."""
    said = {
        "id": "b28f4066-5c6d-479b-a2af-85dc1a8f16fb", "class": "us_equity", "exchange": "ARCA", "symbol": "SPY",
        "name": "SPDR S&P 500 ETF Trust", "status": "active", "tradable": True, "marginable": True, "shortable": True,
        "borrow_status": "easy_to_borrow", "fractionable": True,
        "attributes": ["fractional_eh_enabled", "has_options"], **fields,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def refused(status: int, code: int, message: str = "no") -> Says:
    return Says(status, {"code": code, "message": message})
