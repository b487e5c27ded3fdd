"""A time limit is a time limit: name look-up, connection, TLS, headers and body of a request together (EX-22).

`requests` gives each operation of a socket a time of its own, and the look-up of a name none: a server that sends a
byte now and then would hold a call for ever. Here each operation has what is left of the time that `within` gives its
thread.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

Addresses = list[tuple[Any, ...]]

_limits = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever this thread asks over a `TimedAdapter` in here has ended by then."""
    before: float | None = getattr(_limits, "ends", None)
    _limits.ends = min(math.inf if before is None else before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _limits.ends = before


def left() -> float:
    """Seconds. Raises TimeoutError where none are, as where nobody said how many there are."""
    ends: float | None = getattr(_limits, "ends", None)
    if ends is None or (seconds := ends - time.monotonic()) <= 0:
        raise TimeoutError
    return seconds


def is_over() -> bool:
    ends: float | None = getattr(_limits, "ends", None)
    return ends is not None and time.monotonic() >= ends


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_asked: dict[tuple[str, int], Future[Addresses]] = {}
_asking = threading.Lock()


def addresses_of(host: str, port: int) -> Addresses:
    """A look-up cannot be interrupted: it has a thread of its own that nobody waits for longer than there is time, and
    one alone for a name, however often that is asked for meanwhile.

    Raises OSError: TimeoutError, socket.gaierror.
    """
    try:
        return _addresses(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    with _asking:
        found = _asked.get((host, port))
        if found is None:
            found = _asked[host, port] = Future()
            threading.Thread(target=_look_up, args=(host, port, found), daemon=True, name=f"name {host}").start()
    return found.result(left())


def _look_up(host: str, port: int, found: Future[Addresses]) -> None:
    try:
        addresses = _addresses(host, port)
    except Exception as error:  # it is whoever waits that is told
        _end(host, port)
        found.set_exception(error)
    else:
        _end(host, port)
        found.set_result(addresses)


def _end(host: str, port: int) -> None:
    with _asking:
        del _asked[host, port]


def _addresses(host: str, port: int, flags: int = 0) -> Addresses:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class TimedSocket(socket.socket):
    """Each operation takes its own time-out at most, and what is left of the limit."""

    _own: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._own = value
        super().settimeout(value)

    def _hurry(self) -> None:
        super().settimeout(min(left(), math.inf if self._own is None else self._own))

    def connect(self, address: Any) -> None:
        self._hurry()
        super().connect(address)

    def recv(self, *args: Any) -> bytes:
        self._hurry()
        return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        self._hurry()
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self._hurry()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        self._hurry()
        super().sendall(*args)


class TimedTlsSocket(TimedSocket, ssl.SSLSocket):
    """The same over TLS, its handshake too. Made by a context alone."""

    def do_handshake(self, block: bool = False) -> None:
        self._hurry()
        super().do_handshake(block)


def a_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.sslsocket_class = TimedTlsSocket
    return context


# ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────


class TimedConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        try:
            return self._connected()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, self.host) from error
        except OSError as error:
            raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error

    def _connected(self) -> socket.socket:
        """To the first of its addresses that answers."""
        failure = OSError()  # of a name without an address
        for family, kind, protocol, _, address in addresses_of(self._dns_host, self.port):
            connection = TimedSocket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    connection.setsockopt(*option)
                connection.settimeout(self.timeout)
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    def connect(self) -> None:
        self.ssl_context = a_context()
        super().connect()


class TimedPool(HTTPConnectionPool):
    ConnectionCls = TimedConnection


class TimedTlsPool(HTTPSConnectionPool):
    ConnectionCls = TimedTlsConnection


POOLS = {"http": TimedPool, "https": TimedTlsPool}


class TimedAdapter(HTTPAdapter):
    """For a session of `requests`: what it asks outside of `within` ends at once."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """The connection to a proxy is as any other; one of SOCKS has its own library's, and time-outs alone."""
        if proxy.lower().startswith("socks"):
            return super().proxy_manager_for(proxy, **named)
        if proxy.lower().startswith("https"):
            named.setdefault("proxy_ssl_context", a_context())
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = POOLS
        return manager
