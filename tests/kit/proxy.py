"""A SOCKS and HTTP proxy on the loopback: it takes every name for this machine, and counts the hosts that it served."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlsplit

GRANTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"
REFUSED = b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"


class LoopbackProxy(socketserver.ThreadingTCPServer):
    """`served` has host and port of each connection; `refuses` lets nobody through, `hangs` never answers."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.served: list[tuple[str, int]] = []
        self.refuses = self.hangs = False

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        proxy = cast(LoopbackProxy, self.server)
        first = self.rfile.read(1)
        if proxy.hangs:
            self.rfile.read()  # until the other side gives up
            return
        if first == b"\x05":
            self._socks(proxy)
        elif first:
            self._http(proxy, first + self.rfile.readline())

    def _socks(self, proxy: LoopbackProxy) -> None:
        self.rfile.read(self.rfile.read(1)[0])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2))
        proxy.served.append((host, port))
        self.wfile.write(REFUSED if proxy.refuses else GRANTED)
        if not proxy.refuses:
            self._join(port, b"")

    def _http(self, proxy: LoopbackProxy, line: bytes) -> None:
        method, target, version = line.decode().split()
        head = b""
        while (header := self.rfile.readline()).strip():
            head += header
        is_tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if is_tunnel else target)
        port = parts.port or 80
        proxy.served.append((parts.hostname or "", port))
        if proxy.refuses:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        elif is_tunnel:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._join(port, b"")
        else:
            path = target.split("/", 3)[3]
            self._join(port, f"{method} /{path} {version}\r\n".encode() + head + b"\r\n")

    def _join(self, port: int, first: bytes) -> None:
        """Pass bytes both ways until one side ends."""
        with socket.create_connection(("127.0.0.1", port)) as there:
            there.sendall(first)
            back = threading.Thread(target=_pass_on, args=(there, self.connection), daemon=True)
            back.start()
            _pass_on(self.connection, there)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def a_proxy() -> Iterator[LoopbackProxy]:
    with LoopbackProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
