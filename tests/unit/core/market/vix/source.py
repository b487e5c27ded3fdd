"""A source of the VIX on this machine: a real HTTP server that says what a test wants, well or badly."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

TWO_DAYS = "DATE,OPEN,HIGH,LOW,CLOSE\n11/17/2026,16.10,17.30,15.90,16.80\n11/18/2026,21.00,24.10,20.70,23.40\n"
"""As the exchange writes it: normal, then elevated."""


def a_quote(value: str, at: str, **changes: object) -> str:
    """A value in the day as the exchange writes it, at a time of its own clock."""
    data = {
        "symbol": "^VIX", "security_type": "index", "exchange_id": 5, "current_price": float(value),
        "price_change": 1.2, "open": 18.44, "high": 38.8, "low": 16.8, "close": 37.32, "prev_day_close": 17.31,
        "volume": 0, "last_trade_time": at,
    }  # fmt: skip
    return json.dumps({"timestamp": "2026-11-19 20:00:00", "data": data | changes, "symbol": "_VIX"})


class Source:
    """Answers every request with `body` and `status`, and counts them.

    Attributes
    ----------
    holds
        While it is not set, an answer waits for it: a server that hangs.
    drips
        Byte for byte, for ever.
    """

    def __init__(self, body: str | bytes = TWO_DAYS, status: int = 200) -> None:
        self.body, self.status = body, status
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.holds = threading.Event()
        self.holds.set()
        self.came = threading.Event()
        self.drips = False
        self._leaves = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/VIX_History.csv"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._leaves.set()
        self.holds.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.asked.append(self.path)
                source.came.set()
                source.holds.wait()
                body = source.body if isinstance(source.body, bytes) else source.body.encode()
                self.send_response(source.status)
                for name, value in source.headers.items():
                    self.send_header(name, value)
                if not source.drips:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self._write(body)

            def _write(self, body: bytes) -> None:
                try:
                    self.wfile.write(body)
                    while source.drips and not source._leaves.wait(0.02):
                        self.wfile.write(b"0")
                except OSError:
                    return

            def log_message(self, *_words: object) -> None:
                return

        return Handler
