"""A proxy of the environment is used for requests and streams alike, or refused by its variable (SY-10)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from console.commands import doctor
from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.io.http_requests import HttpTimes, UnreachableError, answer_of
from core.io.proxies import Proxy, ProxyRefusedError, proxy_of, socket_through
from core.market.alpaca.failure import Counts
from core.market.alpaca.requests import AskError, DataRequests
from core.market.alpaca.socket import DataSocket, StreamLostError
from core.market.vix import VixError
from core.market.vix_source import HttpVixQuote, HttpVixSource
from core.model.account import Account, ConnectionState, ConnectionStatus, Mode
from core.model.broker import NoAnswer
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from core.settings.risk import RegimeSettings
from tests.kit.pause import pause
from tests.kit.proxy import LoopbackProxy, a_proxy
from tests.wire.desk_side import keys_of
from tests.wire.exchange.server import LoopbackExchange

NAME = "exchange.test"
"""No name server knows it: only the proxy resolves it."""
TIMES = HttpTimes(connect=2, read=2, answer=4)
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
KINDS = pytest.mark.parametrize(
    ("variable", "kind"),
    [("ALL_PROXY", "socks5h"), ("all_proxy", "socks5h"), ("HTTP_PROXY", "http")],
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def proxy() -> Iterator[LoopbackProxy]:
    with a_proxy() as proxy:
        yield proxy


def settings_for(exchange: LoopbackExchange) -> AlpacaSettings:
    def named(url: str) -> str:
        return url.replace("127.0.0.1", NAME)

    names = ("trading_url", "data_url", "trade_stream_url", "data_stream_url")
    return AlpacaSettings().model_copy(update={name: named(getattr(exchange, name)) for name in names})


async def heard_of_orders(exchange: LoopbackExchange, settings: AlpacaSettings) -> ConnectionStatus:
    """The first state of the order stream that is not the beginning."""
    shown: asyncio.Queue[ConnectionStatus] = asyncio.Queue()
    stream = AlpacaOrderStream(keys_of(exchange), Mode.PAPER, settings)
    task = asyncio.create_task(stream.run(lambda _update: None, shown.put_nowait))
    while (found := await shown.get()).state is ConnectionState.CONNECTING:
        pass
    task.cancel()
    return found


async def heard_of_data(exchange: LoopbackExchange, settings: AlpacaSettings) -> tuple[Symbol, ...]:
    keys = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    stream = DataSocket(settings, *keys, [Symbol("SPY")])
    try:
        await stream.open()
        return stream.streamed
    finally:
        await stream.shut()


def quotes(exchange: LoopbackExchange, settings: AlpacaSettings) -> object:
    keys = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    return DataRequests(settings, *keys, Counts()).latest_quotes([Symbol("SPY")])


def account(exchange: LoopbackExchange, settings: AlpacaSettings) -> Account | NoAnswer:
    return AlpacaBroker(keys_of(exchange), Mode.PAPER, settings, now=exchange.clock.now).account()


@KINDS
async def test_requests_and_streams_go_through_it(
    exchange: LoopbackExchange, proxy: LoopbackProxy, environment: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    environment.setenv(variable, f"{kind}://{proxy.place}")
    settings = settings_for(exchange)

    assert isinstance(await asyncio.to_thread(account, exchange, settings), Account)
    assert (await heard_of_orders(exchange, settings)).state is ConnectionState.UP
    assert await heard_of_data(exchange, settings) == ("SPY",)
    headers = {"APCA-API-KEY-ID": exchange.keys.id, "APCA-API-SECRET-KEY": exchange.keys.secret}
    assert await asyncio.to_thread(answer_of, "GET", f"{settings.trading_url}/v2/clock", TIMES, 1000, headers)
    assert await asyncio.to_thread(quotes, exchange, settings)
    assert {host for host, _ in proxy.served} == {NAME}
    assert len(proxy.served) >= 5


@KINDS
async def test_one_that_lets_nobody_through_is_named(
    exchange: LoopbackExchange, proxy: LoopbackProxy, environment: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    environment.setenv(variable, f"{kind}://{proxy.place}")
    proxy.refuses, settings = True, settings_for(exchange)

    assert isinstance(await asyncio.to_thread(account, exchange, settings), NoAnswer)
    assert (await heard_of_orders(exchange, settings)).state is ConnectionState.DOWN
    with pytest.raises(StreamLostError, match=variable):
        await heard_of_data(exchange, settings)
    with pytest.raises(AskError):
        await asyncio.to_thread(quotes, exchange, settings)


@KINDS
async def test_one_that_hangs_is_named_with_its_address(
    exchange: LoopbackExchange, proxy: LoopbackProxy, environment: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    """EX-26: it takes the connection and never answers, for orders, prices, both streams and the VIX"""
    environment.setenv(variable, f"{kind}://{proxy.place}")
    proxy.hangs, settings = True, settings_for(exchange)
    keys = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    data = DataRequests(settings, *keys, Counts())
    regime = RegimeSettings().model_copy(
        update={"vix_url": f"http://{NAME}/vix.csv", "vix_now_url": f"http://{NAME}/vix.json"}
    )

    asked = await asyncio.to_thread(account, exchange, settings)
    lost = await heard_of_orders(exchange, settings)
    with pytest.raises(StreamLostError) as stream:
        await heard_of_data(exchange, settings)
    with pytest.raises(AskError) as prices:
        await asyncio.to_thread(data.latest_quotes, [Symbol("SPY")])
    with pytest.raises(VixError) as vix:
        await asyncio.to_thread(HttpVixSource(regime).history)
    with pytest.raises(VixError) as vix_now:
        await asyncio.to_thread(HttpVixQuote(regime).newest)

    assert isinstance(asked, NoAnswer)
    assert lost.state is ConnectionState.DOWN
    told = {
        "orders": asked.reason, "order updates": lost.words, "stream": str(stream.value), "prices": str(prices.value),
        "VIX": str(vix.value), "VIX in the day": str(vix_now.value),
    }  # fmt: skip
    assert {name for name, words in told.items() if f"{proxy.place} of {variable}" not in words} == set()


async def test_a_name_without_an_address_is_told_as_one(
    exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-26: for orders, prices, both streams and the VIX; no proxy looks it up here"""

    def unnamed(*_arguments: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unnamed)
    settings = settings_for(exchange)
    keys = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    data = DataRequests(settings, *keys, Counts())
    regime = RegimeSettings().model_copy(
        update={"vix_url": f"http://{NAME}/vix.csv", "vix_now_url": f"http://{NAME}/vix.json"}
    )

    asked = await asyncio.to_thread(account, exchange, settings)
    lost = await heard_of_orders(exchange, settings)
    with pytest.raises(StreamLostError) as stream:
        await heard_of_data(exchange, settings)
    with pytest.raises(AskError) as prices:
        await asyncio.to_thread(data.latest_quotes, [Symbol("SPY")])
    with pytest.raises(VixError) as vix:
        await asyncio.to_thread(HttpVixSource(regime).history)
    with pytest.raises(VixError) as vix_now:
        await asyncio.to_thread(HttpVixQuote(regime).newest)

    assert isinstance(asked, NoAnswer)
    told = [asked.reason, lost.words, *(str(error.value) for error in (stream, prices, vix, vix_now))]
    assert [
        words for words in told if "name cannot be looked up" not in words or "check the network" not in words
    ] == []


@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h"])
async def test_one_that_is_not_there_is_named(
    exchange: LoopbackExchange, environment: pytest.MonkeyPatch, kind: str
) -> None:
    environment.setenv("ALL_PROXY", f"{kind}://127.0.0.1:1")
    settings = settings_for(exchange)
    asked = await asyncio.to_thread(account, exchange, settings)

    assert isinstance(asked, NoAnswer)
    assert "ALL_PROXY" in asked.reason
    assert "ALL_PROXY" in (await heard_of_orders(exchange, settings)).words
    with pytest.raises(StreamLostError, match="ALL_PROXY"):
        await heard_of_data(exchange, settings)
    with pytest.raises(AskError, match="ALL_PROXY"):
        await asyncio.to_thread(quotes, exchange, settings)
    with pytest.raises(UnreachableError, match="ALL_PROXY"):
        await asyncio.to_thread(answer_of, "GET", f"{settings.trading_url}/v2/clock", TIMES, 1000, {})


async def test_an_answer_in_pieces_is_read_to_its_end_and_no_further() -> None:
    """SY-10"""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in (b"HTTP/1.1 2", b"00 Connection established\r\nVia: proxy\r\n", b"\r\nthe server's"):
            writer.write(piece)
            await pause(1)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        place = server.sockets[0].getsockname()[1]
        proxy = Proxy("ALL_PROXY", f"http://name:p%40ss@127.0.0.1:{place}")  # pragma: allowlist secret
        line = await socket_through(proxy, "wss://[2001:db8::1]/v2/iex", 10)
        with line:
            assert await asyncio.get_running_loop().sock_recv(line, 100) == b"the server's"
    first, _, *headers = asked[0].decode().splitlines()
    assert first == "CONNECT [2001:db8::1]:443 HTTP/1.1"
    assert "Proxy-Authorization: Basic bmFtZTpwQHNz" in headers  # pragma: allowlist secret


@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 407 No\r\n\r\n", b"no\r\n\r\n"])
async def test_an_answer_without_a_tunnel_is_refused(answered: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answered)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        proxy = Proxy("ALL_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(ProxyRefusedError, match="ALL_PROXY"):
            await socket_through(proxy, f"wss://{NAME}", 10)


@pytest.mark.parametrize("value", ["ftp://127.0.0.1:1", "socks5://", "http://127.0.0.1:port"])
async def test_another_kind_is_refused_with_the_variable(
    exchange: LoopbackExchange, environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("ALL_PROXY", value)
    settings = settings_for(exchange)
    asked = await asyncio.to_thread(account, exchange, settings)
    lost = await heard_of_orders(exchange, settings)

    assert isinstance(asked, NoAnswer)
    assert "ALL_PROXY" in asked.reason
    assert "ALL_PROXY" in lost.words
    with pytest.raises(StreamLostError, match="ALL_PROXY"):
        await heard_of_data(exchange, settings)
    with pytest.raises(AskError, match="ALL_PROXY"):
        await asyncio.to_thread(quotes, exchange, settings)
    with pytest.raises(UnreachableError, match="ALL_PROXY"):
        await asyncio.to_thread(answer_of, "GET", f"{settings.trading_url}/v2/clock", TIMES, 1000, {})


async def test_a_proxy_over_tls_is_refused_for_the_data_stream(
    exchange: LoopbackExchange, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ALL_PROXY", "https://127.0.0.1:1")

    with pytest.raises(StreamLostError, match="ALL_PROXY"):
        await heard_of_data(exchange, settings_for(exchange))


@pytest.mark.parametrize("value", ["socks5h://127.0.0.1", "http://127.0.0.1", f"http://{'a' * 64}.test:1"])
async def test_one_without_a_port_or_with_an_impossible_name_is_only_a_lost_stream(
    exchange: LoopbackExchange, environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("ALL_PROXY", value)
    settings = settings_for(exchange)

    assert (await heard_of_orders(exchange, settings)).state is ConnectionState.DOWN
    with pytest.raises(StreamLostError, match="ALL_PROXY"):
        await heard_of_data(exchange, settings)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://proxy", "http://proxy:80"),
        ("proxy:", "http://proxy:80"),
        ("SOCKS5://proxy", "socks5://proxy:1080"),
        ("http://name:p%2Fw@[fd00::1]:3128/", "http://[fd00::1]:3128"),  # pragma: allowlist secret
    ],
)
def test_it_is_named_with_its_port(environment: pytest.MonkeyPatch, value: str, words: str) -> None:
    environment.setenv("ALL_PROXY", value)
    found = proxy_of("https://paper-api.alpaca.markets")

    assert found is not None
    assert found.in_words == f"{words} of ALL_PROXY"


def test_a_name_without_a_password_has_an_empty_one(environment: pytest.MonkeyPatch) -> None:
    """A stream's library refuses the form that requests take."""
    environment.setenv("ALL_PROXY", "http://name@proxy")
    found = proxy_of("https://paper-api.alpaca.markets")

    assert found is not None
    assert found.url == "http://name:@proxy:80"


@pytest.mark.parametrize(
    "value", ["http://name:12#34@proxy:3128", "http:/proxy:1", "   ", "http://a b:1", "http://n%ff:p@a:1"]
)
def test_what_is_no_address_is_refused_without_its_text(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("ALL_PROXY", value)

    with pytest.raises(ProxyRefusedError, match="ALL_PROXY is no address") as caught:
        proxy_of("https://paper-api.alpaca.markets")
    assert "12" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [
        ("http://name:p%C3%A9@proxy", True),  # pragma: allowlist secret
        ("http://n%C3%A4me:pw@proxy", True),  # pragma: allowlist secret
        ("socks5h://name:p%C3%A9@proxy", True),  # pragma: allowlist secret
        ("http://na%3Ame:pw@proxy", True),  # pragma: allowlist secret
        ("http://:pw@proxy", True),  # pragma: allowlist secret
        ("socks5h://na%3Ame:pw@proxy", False),  # pragma: allowlist secret
        ("http://name:p%40%3A%23@proxy", False),  # pragma: allowlist secret
        ("http://domain%5Cname:@proxy", False),
    ],
)
def test_a_password_that_libraries_send_differently_is_refused(
    environment: pytest.MonkeyPatch, value: str, is_refused: bool
) -> None:
    """SY-10: one encodes them as Latin-1, another as UTF-8, and a third not at all."""
    environment.setenv("ALL_PROXY", value)

    if is_refused:
        with pytest.raises(ProxyRefusedError, match="ALL_PROXY has a name or password"):
            proxy_of("https://paper-api.alpaca.markets")
    else:
        assert proxy_of("https://paper-api.alpaca.markets") is not None


@pytest.mark.parametrize("url", ["http://[::1", "no address"])
def test_an_address_that_is_none_is_only_unreachable(environment: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(UnreachableError):
        answer_of("GET", url, TIMES, 1000, {})


def test_a_request_to_an_excepted_network_goes_past_it(
    exchange: LoopbackExchange, proxy: LoopbackProxy, environment: pytest.MonkeyPatch
) -> None:
    """httpx itself knows no networks in NO_PROXY, and no kind socks4; 0.0.0.0 is this machine, and no loopback."""
    environment.setenv("NO_PROXY", "0.0.0.0/8")
    url = exchange.trading_url.replace("127.0.0.1", "0.0.0.0")
    headers = {"APCA-API-KEY-ID": exchange.keys.id, "APCA-API-SECRET-KEY": exchange.keys.secret}
    for value in (f"http://{proxy.place}", "socks4://127.0.0.1:1"):
        environment.setenv("ALL_PROXY", value)
        assert answer_of("GET", f"{url}/v2/clock", TIMES, 1000, headers)
    assert not proxy.served


def test_a_request_refuses_a_kind_that_it_cannot_use(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "socks4://127.0.0.1:1")

    with pytest.raises(UnreachableError, match="ALL_PROXY names socks4:"):
        answer_of("GET", f"http://{NAME}", TIMES, 1000, {})


def test_this_machine_and_excepted_hosts_need_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "socks5://name:secret@10.0.0.1:1080")  # pragma: allowlist secret
    environment.setenv("NO_PROXY", ".test")
    found = proxy_of("wss://stream.data.alpaca.markets/v2/iex")

    assert [proxy_of(url) for url in ("ws://127.0.0.1:1/x", "http://localhost", f"https://{NAME}")] == [None] * 3
    assert found is not None
    assert found.in_words == "socks5://10.0.0.1:1080 of ALL_PROXY"
    environment.setenv("HTTPS_PROXY", "10.0.0.2:3128")
    second = proxy_of("https://paper-api.alpaca.markets")
    assert second is not None
    assert second.in_words == "http://10.0.0.2:3128 of HTTPS_PROXY"
    environment.setenv("HTTPS_PROXY", "gopher://x")
    with pytest.raises(ProxyRefusedError, match="HTTPS_PROXY"):
        proxy_of("wss://paper-api.alpaca.markets")


@pytest.mark.parametrize(
    ("value", "is_usable"),
    [
        ("http://proxy.test", True),
        ("socks5h://proxy.test", True),
        ("https://proxy.test", False),
        ("socks4://proxy.test", False),
        ("ftp://proxy.test", False),
        ("", True),
    ],
)
def test_doctor_finds_whether_all_can_use_it(environment: pytest.MonkeyPatch, value: str, is_usable: bool) -> None:
    """SY-10"""
    environment.setenv("ALL_PROXY", value)

    found = doctor._proxy()

    assert (found.ok, bool(found.remedy)) == (is_usable, not is_usable)
    assert ("ALL_PROXY" in found.detail) is bool(value)
