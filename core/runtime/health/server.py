"""`GET /healthz` and `GET /metrics` on this machine alone: a few short requests at a time, each with a time limit.

A client that is slow, sends too much or opens too many connections is disconnected. Requests never touch the engine:
they read its last snapshot.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EADDRINUSE, EEXIST
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from socketserver import BaseServer, TCPServer, ThreadingMixIn
from typing import Any

from core.settings.health import SocketPlace, TcpPlace

AT_ONCE = 4
"""The maximum of connections; one more is closed."""
SECONDS = 2.0
"""The time-out for receiving a request, and for sending its answer."""
LARGEST = 8_192
"""The maximum size of a request in bytes."""
LOCAL = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.ASCII)
"""Names of this machine's own address."""
PRIVATE = 0o600
PACE = 0.02
"""Seconds before each connection, so that a flood is limited to fifty connections a second."""
REST = 0.2
"""Seconds of pause after a failed accept: a process without free descriptors must not spin."""


@dataclass(frozen=True, slots=True)
class Page:
    """A response."""

    status: HTTPStatus
    kind: str
    content: bytes


Pages = Mapping[str, Callable[[], Page]]
"""Pages by path."""


LOOK_SECONDS = 0.5
"""Seconds between two checks whether the server must end."""


class HealthServer:
    """Serve pages in separate threads until closed."""

    def __init__(self, place: TcpPlace | SocketPlace, pages: Pages) -> None:
        self._place = place
        self._server = _bound(place, pages)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(LOOK_SECONDS,), name="health", daemon=True
        )

    def start(self) -> None:
        """Start the thread. Raises RuntimeError if the machine cannot start one."""
        self._thread.start()

    @property
    def address(self) -> Any:
        """The address it listens on: host and port, or a path."""
        return self._server.server_address

    def close(self) -> None:
        """Stop listening; requests in progress are completed."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        if isinstance(self._place, SocketPlace):
            with suppress(OSError):
                os.unlink(self._place.path)


def _bound(place: TcpPlace | SocketPlace, pages: Pages) -> _Server:
    """Bind the server. Raises OSError if another program uses the address; an abandoned socket file is replaced."""
    if isinstance(place, TcpPlace):
        return _Server(socket.AF_INET6 if ":" in place.host else socket.AF_INET, (place.host, place.port), pages)
    _clear(place.path)
    return _Server(socket.AF_UNIX, place.path, pages)


def _clear(path: str) -> None:
    """Remove the socket file of a dead engine. Raises OSError for anything else at that path."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(EEXIST, "something that is no socket stands there; move it away", path)
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(SECONDS)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(EADDRINUSE, "another program listens there", path)


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, family: socket.AddressFamily, address: Any, pages: Pages) -> None:
        self.address_family = family
        self.pages = pages
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Restrict a socket file to its owner before the server listens."""
        super().server_bind()
        if self.address_family == socket.AF_UNIX:
            os.chmod(self.server_address, PRIVATE)  # type: ignore[arg-type]

    def get_request(self) -> tuple[Any, Any]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(REST)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        time.sleep(PACE)
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread
            self._free.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the client's connection errors."""


class _Handler(BaseHTTPRequestHandler):
    """One request per connection."""

    server_version, sys_version = "keyturn", ""
    timeout = SECONDS
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = BytesIO(_head_of(self.connection))
        self.connection.settimeout(SECONDS)

    def do_GET(self) -> None:
        server: BaseServer = self.server
        assert isinstance(server, _Server)
        page = server.pages.get(self.path.partition("?")[0])
        if server.address_family != socket.AF_UNIX and not _is_local(self.headers.get("Host", "localhost")):
            self.send_error(HTTPStatus.FORBIDDEN, "ask by the name of this machine's own address")
        elif page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there are /healthz and /metrics")
        else:
            self._answer(page())

    def _answer(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(page.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log."""


def _is_local(host: str) -> bool:
    """Whether the Host header names this machine: a browser redirected by another site names that site."""
    return LOCAL.fullmatch(host) is not None


def _head_of(connection: socket.socket) -> bytes:
    """Return the header lines of a request if they arrive complete and in time; otherwise nothing."""
    ends, head = time.monotonic() + SECONDS, b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        left = ends - time.monotonic()
        if left <= 0 or len(head) > LARGEST:
            return b""
        connection.settimeout(left)
        try:
            more = connection.recv(LARGEST)
        except OSError:
            return b""
        if not more:
            return b""
        head += more
    return head
