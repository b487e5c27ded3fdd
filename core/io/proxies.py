"""The proxy of the environment: one rule for requests and for streams (SY-10).

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as requests reads them; this machine's own addresses
use none. A stream uses the proxy of the requests to its host.
"""

from __future__ import annotations

import asyncio
import os
import socket
from base64 import b64encode
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from python_socks import ProxyError
from python_socks.async_.asyncio import Proxy as Connector
from requests.utils import get_environ_proxies, select_proxy

from core.model.lazy_dataclass import dataclass

KINDS = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
RESOLVES_THERE = {"socks4a": "socks4", "socks5h": "socks5"}
"""Kinds whose proxy resolves the name, and their plain ones."""
PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}
SOCKS_PORT = 1080
"""The port of a proxy of this kind whose address has none, as requests take it."""
LONGEST_HEAD = 2**16
"""Bytes of a proxy's answer before its tunnel."""
TUNNELS = range(200, 300)
"""Statuses with which a proxy opens a tunnel."""


class ProxyRefusedError(Exception):
    """The proxy cannot be used; the message names its variable."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """`variable` names it in the environment; `url` may hold a password."""

    variable: str
    url: str

    @property
    def in_words(self) -> str:
        """As in `socks5://127.0.0.1:1080 of ALL_PROXY`, without name and password."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port} of {self.variable}"

    @property
    def kind(self) -> str:
        return urlsplit(self.url).scheme


def is_loopback(url: str) -> bool:
    """Whether an address is this machine, encrypted or not."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def proxy_of(url: str) -> Proxy | None:
    """Return the proxy to this address, of a request or a stream; None without one.

    Raises `ProxyRefusedError` for a proxy of another kind.
    """
    if is_loopback(url):
        return None
    scheme, rest = url.split("://", 1)
    asked = f"{'https' if scheme in ('https', 'wss') else 'http'}://{rest}"
    found = select_proxy(asked, get_environ_proxies(asked))
    if not found:
        return None
    if "://" not in found:
        found = f"http://{found}"
    proxy = Proxy(_variable(found, urlsplit(asked).scheme), found)
    try:
        parts = urlsplit(found)
        port = PORTS.get(parts.scheme, SOCKS_PORT) if parts.port is None else parts.port
        (parts.hostname or "").encode("idna")
        for each in (parts.username, parts.password):
            unquote(each or "", errors="strict")
    except ValueError:
        raise ProxyRefusedError(f"{proxy.variable} is no address of a proxy") from None
    if parts.scheme not in KINDS or not parts.hostname:
        kinds = ", ".join(f"{each}://" for each in KINDS)
        raise ProxyRefusedError(f"{proxy.variable} names a proxy of another kind: {kinds} can be used")
    if not _is_sent_alike(parts):
        raise ProxyRefusedError(
            f"{proxy.variable} has a name or password that not all send alike: use ASCII letters, and no : in the name"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment or any(map(str.isspace, found)):
        raise ProxyRefusedError(
            f"{proxy.variable} is no address of a proxy: write http://host:port, and / ? # of a password as %2F %3F %23"
        )
    place = parts.netloc if parts.port is not None else f"{parts.netloc.removesuffix(':')}:{port}"
    if parts.username is not None and parts.password is None:
        place = ":@".join(place.rsplit("@", 1))  # websockets refuses a name alone
    return Proxy(proxy.variable, f"{parts.scheme}://{place}")


def by_proxy(url: str) -> str:
    """Return `, through the proxy http://10.0.0.2:3128 of HTTPS_PROXY` for the words of a failure; empty without one.

    Many failures do not tell whether the proxy or what is behind it failed: both are to be looked at (EX-26).
    """
    try:
        proxy = proxy_of(url)
    except ProxyRefusedError as error:
        return f": {error}"
    except ValueError:  # the address is none
        return ""
    return "" if proxy is None else f", through the proxy {proxy.in_words}"


def _is_sent_alike(parts: SplitResult) -> bool:
    """Whether each library makes the same bytes of name and password: they disagree beyond ASCII."""
    if parts.username is None:
        return True
    name, password = (unquote(each or "") for each in (parts.username, parts.password))
    is_basic = parts.scheme in ("http", "https")
    return bool(name) and f"{name}{password}".isascii() and not (is_basic and ":" in name)


def _variable(found: str, scheme: str) -> str:
    names = (f"{scheme}_proxy", "all_proxy")
    every = [*names, *(name.upper() for name in names)]
    return next((name for name in every if os.environ.get(name) in (found, found.removeprefix("http://"))), every[-2])


async def socket_through(proxy: Proxy, url: str, seconds: float) -> socket.socket:
    """Return a connection to the host of this address, through its proxy.

    Raises `ProxyRefusedError`, which a proxy without an answer is too.
    """
    kind, rest = proxy.url.split("://", 1)
    plain = RESOLVES_THERE.get(kind, kind)
    if plain == "https":
        raise ProxyRefusedError(f"{proxy.variable} names a proxy over TLS, which this stream cannot use: name http://")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        if plain == "http":
            async with asyncio.timeout(seconds):
                return await _tunnel(proxy, host, port)
        through = Connector.from_url(f"{plain}://{rest}", rdns=kind in RESOLVES_THERE)
        return await through.connect(host, port, timeout=seconds)
    except TimeoutError:
        raise ProxyRefusedError(f"the proxy {proxy.in_words} did not answer in {seconds:g} s") from None
    except (ProxyError, OSError, ValueError) as error:  # ValueError: a name that cannot be one
        raise ProxyRefusedError(
            f"the proxy {proxy.in_words} does not let us through ({type(error).__name__})"
        ) from None


async def _tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Ask an HTTP proxy for a tunnel, and read its answer to the end, in however many pieces it comes.

    python-socks takes the first piece for the whole answer. Nothing beyond is read: it is the server's.
    """
    loop, parts = asyncio.get_running_loop(), urlsplit(proxy.url)
    line = await _line_to(parts.hostname or "", parts.port or 0)
    try:
        await loop.sock_sendall(line, _request(proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
        head = b""
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            piece = await loop.sock_recv(line, 1)
            if not piece or len(head) == LONGEST_HEAD:
                raise ProxyError("no whole answer")
            head += piece
        status = head.split(maxsplit=2)[1:2]
        if not status or not status[0].isdigit() or int(status[0]) not in TUNNELS:
            raise ProxyError("no tunnel")
    except BaseException:
        line.close()
        raise
    return line


async def _line_to(host: str, port: int) -> socket.socket:
    """Connect to the first address of the host that answers."""
    loop, failure = asyncio.get_running_loop(), OSError()
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        line = socket.socket(family, kind, protocol)
        line.setblocking(False)
        try:
            await loop.sock_connect(line, address)
        except OSError as error:
            line.close()
            failure = error
        except BaseException:
            line.close()
            raise
        else:
            return line
    raise failure


def _request(proxy: Proxy, place: str) -> bytes:
    parts, head = urlsplit(proxy.url), [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        head.append(f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}")
    return "".join(f"{line}\r\n" for line in (*head, "")).encode()
