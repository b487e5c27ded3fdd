"""The sockets under the protocols: on a port that stays the same, without delay, and found again to be dropped."""

from __future__ import annotations

import asyncio
import socket
import struct

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

LOOPBACK = "127.0.0.1"
NO_FAREWELL = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time."""
WAITING = 100
"""Connections that may wait to be taken."""

Peer = tuple[str, int]


class Transports:
    """Every open connection, by its client's address, also after it became a WebSocket."""

    def __init__(self) -> None:
        self._open: dict[Peer, asyncio.Transport] = {}

    def add(self, peer: Peer, transport: asyncio.Transport) -> None:
        self._open = {other: one for other, one in self._open.items() if not one.is_closing()}
        self._open[peer] = transport

    def of(self, peer: Peer) -> asyncio.Transport | None:
        return self._open.get(peer)

    def drop(self, peer: Peer) -> None:
        transport = self._open.pop(peer, None)
        if transport is not None:
            abort(transport)

    def drop_all(self) -> None:
        for peer in list(self._open):
            self.drop(peer)


class Connection(H11Protocol):
    """A connection whose transport can be found again, and whose small answers leave at once."""

    def __init__(self, config: Config, state: ServerState, transports: Transports) -> None:
        super().__init__(config, state, {})
        self._transports = transports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client is not None:
            self._transports.add(self.client, transport)


def abort(transport: asyncio.Transport) -> None:
    """No farewell: the client's next read fails."""
    if transport.is_closing():
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_FAREWELL)
    transport.abort()


def bound(port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free. Clients may knock before anybody answers."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(WAITING)
    return listener
