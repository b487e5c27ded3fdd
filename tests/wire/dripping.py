"""A relay before a server whose answers drip: to some requests it sends a header a byte at a time, without an end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PIECE = 2**16
BETWEEN = 0.02
"""Seconds between two bytes: far less than any time-out, so that each of them comes in time."""
BEGINNING = b"HTTP/1.1 200 OK\r\nX-Drip: "


class Dripping:
    """Listens on a port of its own; `upstream` is the address that it relays to, None for nobody.

    Attributes
    ----------
    on
        How a request begins to which the answer drips, as `POST /v2/orders`. It is relayed all the same.
    dripped
        How many such answers were begun.
    """

    def __init__(self, upstream: tuple[str, int] | None = None, on: str = "") -> None:
        self.upstream, self.on = upstream, on.encode()
        self.dripped = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Dripping:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if self.upstream is None:
                client.recv(PIECE)
                self._drip(client)
                return
            with socket.create_connection(self.upstream) as server:
                threading.Thread(target=self._bring_back, args=(server, client), daemon=True).start()
                while asked := client.recv(PIECE):
                    if asked.startswith(self.on):
                        with socket.create_connection(self.upstream) as beside:
                            beside.sendall(_whole(asked, client))
                            beside.recv(PIECE)
                        self._drip(client)
                        return
                    server.sendall(asked)

    def _bring_back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while said := server.recv(PIECE):
                client.sendall(said)
            client.shutdown(socket.SHUT_RDWR)

    def _drip(self, client: socket.socket) -> None:
        self.dripped += 1
        client.sendall(BEGINNING)
        while not self._ended.wait(BETWEEN):
            client.sendall(b"a")


def _whole(asked: bytes, client: socket.socket) -> bytes:
    """A request with its body, which comes after its headers."""
    while b"\r\n\r\n" not in asked:
        asked += client.recv(PIECE)
    headers, _, body = asked.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in headers.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < int(lengths[0]):
        body += client.recv(PIECE)
    return headers + b"\r\n\r\n" + body
