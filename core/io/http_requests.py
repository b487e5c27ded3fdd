"""HTTP requests with a total time limit, a bounded answer, and credentials for one host only (EX-22, SY-06).

`requests` gives each socket operation its own time-out, and the name look-up none: a server that sends a byte now and
then could hold a call forever. Here each operation gets the rest of the time that `within` gives its thread.

Cookies and passwords from files are not sent, and no proxy of the environment is used for this machine. Redirects are
not followed: Alpaca's clients disable them for each request.

The limit covers look-up, connection, headers and body together, also when they arrive slowly. TLS is verified.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from core.io.proxies import ProxyRefusedError, by_proxy, is_loopback, proxy_of
from core.model.lazy_dataclass import dataclass

Addresses = list[tuple[Any, ...]]

_limits = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit all requests of this thread over a `TimedAdapter` in this context to these seconds."""
    before: float | None = getattr(_limits, "ends", None)
    _limits.ends = min(math.inf if before is None else before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _limits.ends = before


def left() -> float:
    """Return the remaining seconds. Raises TimeoutError if there are none, or without a limit."""
    ends: float | None = getattr(_limits, "ends", None)
    if ends is None or (seconds := ends - time.monotonic()) <= 0:
        raise TimeoutError
    return seconds


def is_over() -> bool:
    ends: float | None = getattr(_limits, "ends", None)
    return ends is not None and time.monotonic() >= ends


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

AGAIN = 1.5
"""Seconds after which a look-up without an answer is repeated in parallel; the next one waits twice as long."""
AT_ONCE = 6
"""The maximum of parallel look-ups of one name: each has a thread that ends only when its resolver gives up."""


def addresses_of(host: str, port: int) -> Addresses:
    """Look up a host's addresses in a separate thread, because a look-up cannot be interrupted.

    If it hangs, the last known addresses of the name are used: they were valid before, and TLS verifies the peer.
    Another look-up is started, and the first answer counts.

    Raises OSError: TimeoutError, socket.gaierror.
    """
    try:
        return _addresses(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    with _naming:
        name = _asked.setdefault((host, port), _Name(host, port))
    return name.addresses()


class _Name:
    """The look-ups of one name, and its last result. All but the look-up itself holds `_changed`."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._changed = threading.Condition()
        self._under_way: dict[int, float] = {}
        self._tried, self._tried_at = 0, -math.inf
        self._known: Addresses | None = None
        self._told: list[Addresses | OSError] = []

    def addresses(self) -> Addresses:
        with self._changed:
            told, trusts_at = self._told, time.monotonic() + left() / 2
            self._begin_where_due()
            while self._told is told:
                now, trusts_at = time.monotonic(), min(trusts_at, self._hangs_at())
                if self._known is not None and now >= trusts_at:
                    return self._known
                looks_at = self._due_at() if self._known is None else min(self._due_at(), trusts_at)
                self._changed.wait(min(left(), max(0.0, looks_at - now)))
                if self._told is told:
                    self._begin_where_due()
            (answer,) = self._told
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _hangs_at(self) -> float:
        """The time from which the oldest look-up hangs; the past if none could begin."""
        return min(self._under_way.values(), default=-math.inf) + AGAIN

    def _due_at(self) -> float:
        """The time of the next look-up."""
        under_way = len(self._under_way)
        return math.inf if under_way >= AT_ONCE else self._tried_at + AGAIN * 2 ** max(0, under_way - 1)

    def _begin_where_due(self) -> None:
        now = time.monotonic()
        if self._under_way and now < self._due_at():
            return
        self._tried += 1
        self._tried_at = self._under_way[self._tried] = now
        look_up = threading.Thread(target=self._look_up, args=(self._tried,), daemon=True, name=f"name {self._host}")
        try:
            look_up.start()
        except RuntimeError as error:  # nothing of it stays: the next request tries again
            del self._under_way[self._tried]
            if not self._under_way and self._known is None:
                raise OSError(f"the name {self._host} could not be looked up: {error}") from error

    def _look_up(self, number: int) -> None:
        answer: Addresses | OSError
        try:
            answer = _addresses(self._host, self._port)
        except OSError as error:
            answer = error
        except Exception as error:  # such as an invalid name: the waiting request gets the error
            answer = OSError(f"the name {self._host} could not be looked up: {error}")
        with self._changed:
            del self._under_way[number]
            self._hear(number, answer)
            self._changed.notify_all()

    def _hear(self, number: int, answer: Addresses | OSError) -> None:
        """Take a result. A failure ends the waiting unless a newer look-up may still succeed."""
        if isinstance(answer, OSError) and number < self._tried and self._under_way:
            return
        if not isinstance(answer, OSError):
            self._known = answer
        elif _is_out_of_reach(answer) and self._known is not None:
            answer = self._known
        self._told = [answer]


_asked: dict[tuple[str, int], _Name] = {}
_naming = threading.Lock()


def _is_out_of_reach(error: OSError) -> bool:
    """Whether the resolver was unreachable, so that the last addresses may still be valid."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN


def _addresses(host: str, port: int, flags: int = 0) -> Addresses:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class TimedSocket(socket.socket):
    """Limits each operation to its own time-out and the rest of the total limit."""

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
    """The same over TLS, including the handshake. Only created by a context."""

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
        """Connect to the first address that answers."""
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
    """An adapter for `requests` sessions: a request outside `within` times out at once."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Apply the limit to proxy connections; SOCKS has its own library, with time-outs only."""
        if proxy.lower().startswith("socks"):
            return super().proxy_manager_for(proxy, **named)
        if proxy.lower().startswith("https"):
            named.setdefault("proxy_ssl_context", a_context())
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = POOLS
        return manager


def http_session(url: str, connections: int) -> requests.Session:
    """Return a session for this address; empty means the client's own server elsewhere. Requests are not retried."""
    session = requests.Session()
    session.trust_env = not is_loopback(url)
    session.auth = _as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, TimedAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0))
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the client's own headers as the only credentials: `.netrc` is not read."""
    return request


OK, LIMITED = 200, 429
UNKNOWN_HERE = ("socks4", "socks4a")
"""Kinds of proxies that httpx does not know."""
OWN_LASTS = timedelta(seconds=120)
"""After a start, and after a stream broke, its server may still count our own connection as there: 90 s were seen."""
LARGEST_BODY = 32 * 2**20
"""Bytes; five hundred orders are half of one MiB, ten thousand bars a little over one."""
PIECE = 2**16


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, from the service or a server in between."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TooMuchError(Exception):
    """The body is larger than `LARGEST_BODY`."""


def reply_to(
    session: requests.Session, method: str, url: str, timeout: tuple[float, float], options: Mapping[str, Any]
) -> Reply:
    """Send one request and read the whole reply. Raises `TooMuchError`, and the errors of requests and urllib3."""
    with session.request(method, url, timeout=timeout, verify=True, stream=True, **options) as response:
        body = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > LARGEST_BODY:
                raise TooMuchError
        return Reply(response.status_code, response.headers, bytes(body))


def backoff(tries: int, chance: float, first: float, longest: float = math.inf) -> float:
    """Return seconds before the next try: half to the whole of `first`, doubled with each failed try from the second.

    Parameters
    ----------
    tries
        Failed tries, from 1.
    chance
        A random number from 0 to 1.
    """
    whole = min(first * 2.0 ** min(max(tries, 1) - 1, 16), longest)
    return whole / 2 + whole / 2 * chance


UNNAMED = "its name cannot be looked up; check the network and its name server"


def is_unnamed(error: BaseException) -> bool:
    """Return whether a look-up of a name is the cause of this error, or of one behind it."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, (socket.gaierror, NameResolutionError)):
            return True
        behind = behind.__cause__ or behind.__context__
    return False


class NoAnswerError(Exception):
    """There was no usable answer; the message continues after the name of the service."""


class UnreachableError(NoAnswerError):
    """No HTTP exchange took place: the network, the name, TLS or the address failed."""


@dataclass(frozen=True, slots=True)
class HttpTimes:
    """Time-outs in seconds: for the connection, for the next piece of the answer, and for the whole answer."""

    connect: float
    read: float
    answer: float


def answer_of(
    method: str, url: str, times: HttpTimes, largest: int, headers: Mapping[str, str], content: bytes | None = None
) -> bytes:
    """Return the body, of at most `largest` bytes. Raises `NoAnswerError`.

    A separate event loop can drop every pending operation; when closed, it waits for none of them.
    """
    loop = asyncio.new_event_loop()
    asked = _answer(method, url, times, largest, headers, content)
    try:
        return loop.run_until_complete(asyncio.wait_for(asked, times.answer))
    except TimeoutError:
        raise NoAnswerError(f"did not end its answer in {times.answer:g} s{by_proxy(url)}") from None
    except httpx.TimeoutException:
        raise NoAnswerError(f"did not answer in time{by_proxy(url)}") from None
    except ProxyRefusedError as error:
        raise UnreachableError(f"cannot be reached: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = "its name cannot be looked up" if is_unnamed(error) else type(error).__name__
        raise UnreachableError(f"cannot be reached ({why}){by_proxy(url)}") from error
    finally:
        loop.close()


async def _answer(
    method: str, url: str, times: HttpTimes, largest: int, headers: Mapping[str, str], content: bytes | None
) -> bytes:
    body = bytearray()
    timeout, proxy = httpx.Timeout(times.read, connect=times.connect), proxy_of(url)
    if proxy is not None and proxy.kind in UNKNOWN_HERE:
        raise ProxyRefusedError(
            f"{proxy.variable} names {proxy.kind}://, which this request cannot use: name socks5h://"
        )
    trusts = not is_loopback(url)  # the certificates that the environment names
    through = httpx.AsyncHTTPTransport(trust_env=trusts, proxy=None if proxy is None else proxy.url)
    async with (
        httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=trusts, transport=through) as client,
        client.stream(method, url, headers=headers, content=content) as response,
    ):
        if response.status_code != OK:
            raise NoAnswerError(f"answered {response.status_code}")
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > largest:
                raise NoAnswerError(f"sent more than {largest:,} bytes")
    return bytes(body)
