"""Receivers of messages on the loopback: what ntfy, a webhook and a mail server are to a client, real sockets all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from errno import EADDRINUSE
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

HANGS = 1000.0
"""Seconds: longer than any test lets a try take."""
HANG = "hang?rto=600"
"""Where nothing answers, and Apprise's own patience of 4 s does not end the try."""


class WebServer:
    """ntfy at `/`, a webhook elsewhere: `/500` says so, `/hang` takes it and never answers, `/twice` says 200 twice,
    `/307` sends the same on to another place, as to another machine.

    Attributes
    ----------
    heard
        The body of each request, as JSON.
    """

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.is_down = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.paths.append(self.path)
                outer.heard.append(json.loads(body))
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if "hang" in request.path:
            threading.Event().wait(HANGS)
            return
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        if "twice" in request.path:
            request.wfile.write(whole + whole)
            return
        if "500" in request.path or self.is_down:
            whole = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}"
        if "moved" in request.path:
            body = b'{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-1001234567890}}'
            whole = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        if "404" in request.path:
            whole = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
        if "307" in request.path:
            whole = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
        request.wfile.write(whole)

    def url(self, path: str = "") -> str:
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def ntfy(self) -> str:
        return f"ntfy://127.0.0.1:{self.port}/my-topic"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.controller = self._started()

    def _started(self) -> Controller:
        """On a port that was free; another process may take it before the server does, and then the next is tried."""
        while True:
            with closed_port() as port:
                controller = Controller(self, hostname="127.0.0.1", port=port)
            try:
                controller.start()
            except OSError as error:
                if error.errno != EADDRINUSE:
                    raise
            else:
                return controller

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.controller.port}?from=desk@example.com&to=me@example.com"

    def close(self) -> None:
        self.controller.stop()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@contextmanager
def a_web_server() -> Iterator[WebServer]:
    server = WebServer()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def a_mail_server() -> Iterator[MailServer]:
    server = MailServer()
    try:
        yield server
    finally:
        server.close()


if __name__ == "__main__":
    print(WebServer().port, flush=True)
    threading.Event().wait()
