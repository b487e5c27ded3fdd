"""What a call may take is all that it takes: its name, its connection, its headers and its body together (EX-22)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.facts import OrderStateUnknown
from core.io import http_requests
from core.market.alpaca.failure import Counts
from core.market.alpaca.requests import AskError, DataRequests
from core.market.alpaca.socket import DataSocket, StreamLostError
from core.market.vix import VixError
from core.market.vix_source import HttpVixSource
from core.model.account import ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import Keys
from core.model.broker import NoAnswer
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from core.settings.risk import RegimeSettings
from core.views import DeskView
from tests.wire.clients import until
from tests.wire.desk_side import an_order
from tests.wire.dripping import Dripping
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import a_buy_of_two, confirm_the_first, environ, opened, written

Answer = TypeVar("Answer")
KEYS = Keys(SecretStr("PKTESTTESTTESTTEST00"), SecretStr("not-a-secret-of-anyone"))  # pragma: allowlist secret
PATIENT = 20
"""Seconds for which a test waits for a call of less than one: a call without a limit is told from a slow machine."""


@pytest.fixture
def server() -> Iterator[Dripping]:
    with Dripping() as dripping:
        yield dripping


def is_up(view: DeskView) -> bool:
    return [connection.state for connection in view.status.connections].count(ConnectionState.UP) == 3


def settings(url: str) -> AlpacaSettings:
    http, ws = url, url.replace("http", "ws", 1)
    return AlpacaSettings(
        trading_url=http, data_url=http, trade_stream_url=ws, data_stream_url=ws, connect_seconds=Decimal("0.3"),
        read_seconds=Decimal(1),
    )  # fmt: skip


def in_time(call: Callable[[], Answer]) -> Answer:
    """What a call brings that is over in its time."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(call).result(PATIENT)
    except TimeoutError:
        raise AssertionError("it goes on and on") from None
    finally:
        pool.shutdown(wait=False)


def a_broker(url: str) -> AlpacaBroker:
    return AlpacaBroker(KEYS, Mode.PAPER, settings(url))


def the_data(url: str) -> DataRequests:
    return DataRequests(settings(url), KEYS.key_id, KEYS.secret, Counts())


def the_vix(url: str) -> HttpVixSource:
    return HttpVixSource(RegimeSettings(vix_url=url, answer_seconds=Decimal("0.5")))


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_with_a_dripping_answer_is_in_doubt(server: Dripping, snapshot: SnapshotAssertion) -> None:
    """EX-22, EX-06"""
    answer = in_time(lambda: a_broker(server.url).submit(an_order("dripping")))

    assert isinstance(answer, NoAnswer)
    assert answer.reason == snapshot
    assert server.dripped == 1


def test_repeated_questions_with_dripping_answers_end(server: Dripping) -> None:
    """EX-22, EX-15"""
    answer = in_time(lambda: a_broker(server.url).time())

    assert isinstance(answer, NoAnswer)
    assert server.dripped > 1


def test_a_data_question_with_a_dripping_answer_ends(server: Dripping) -> None:
    """EX-22"""
    with pytest.raises(AskError, match="did not answer in time"):
        in_time(lambda: the_data(server.url).latest_quotes([Symbol("SPY")]))


def test_a_dripping_vix_answer_is_given_up(server: Dripping) -> None:
    """EX-22, RK-19"""
    with pytest.raises(VixError, match=r"did not end its answer in 0\.5 s"):
        in_time(lambda: the_vix(server.url).history())


async def test_the_update_stream_survives_a_slow_handshake(server: Dripping) -> None:
    """EX-22"""
    stream, connections = (
        AlpacaOrderStream(KEYS, Mode.PAPER, settings(server.url), chance=lambda: 0.0),
        list[ConnectionStatus](),
    )
    task = asyncio.create_task(stream.run(lambda _: None, connections.append))
    await until(lambda: any(connection.state is ConnectionState.DOWN for connection in connections))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert server.dripped


async def test_the_data_stream_gives_up_a_slow_handshake(server: Dripping) -> None:
    """EX-22"""
    with pytest.raises(StreamLostError):
        await asyncio.wait_for(
            DataSocket(settings(server.url), KEYS.key_id, KEYS.secret, [Symbol("SPY")]).open(), PATIENT
        )

    assert server.dripped


# ── names and TLS ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def nobody_answers_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was asked for, while the resolver says nothing."""
    asked, is_over, resolved = list[str](), threading.Event(), socket.getaddrinfo

    def look_up(host: str, *args: Any, **named: Any) -> Any:
        if host == "127.0.0.1" or ("flags" in named and named["flags"] & socket.AI_NUMERICHOST):
            return resolved(host, *args, **named)
        asked.append(host)
        is_over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "it is over")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    is_over.set()


def test_an_order_ends_when_the_resolver_hangs(
    nobody_answers_names: list[str], monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """EX-22, EX-06: each for its own time, and one look-up for all of them: no thread a call stays behind."""
    monkeypatch.setattr(http_requests, "AGAIN", PATIENT)
    broker = a_broker("https://api.example.invalid")
    answers = [in_time(lambda: broker.submit(an_order("nameless"))) for _ in range(3)]

    assert [type(answer) for answer in answers] == [NoAnswer] * 3
    assert answers[0].reason == snapshot
    assert len(nobody_answers_names) == 1


@pytest.mark.usefixtures("nobody_answers_names")
def test_questions_end_when_the_resolver_hangs() -> None:
    """EX-22, RK-19"""
    with pytest.raises(AskError, match="did not answer in time"):
        in_time(lambda: the_data("https://data.example.invalid").latest_quotes([Symbol("SPY")]))
    with pytest.raises(VixError):
        in_time(lambda: the_vix("https://vix.example.invalid/VIX.csv").history())


def test_an_order_ends_when_the_tls_handshake_drips(server: Dripping) -> None:
    """EX-22, EX-06"""
    url = server.url.replace("http:", "https:").replace("127.0.0.1", "localhost")

    answer = in_time(lambda: a_broker(url).submit(an_order("unsealed")))

    assert isinstance(answer, NoAnswer)


# ── the whole desk ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_with_a_dripping_answer_is_found(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """EX-22, EX-06: it arrived; the desk hears of it in the call's time, and sends nothing twice."""
    where = urlsplit(market.trading_url)
    with Dripping((where.hostname or "", where.port or 0), "POST /v2/orders") as relay:
        through = {
            "KEYTURN_ALPACA__TRADING_URL": relay.url,
            "KEYTURN_ALPACA__CONNECT_SECONDS": "1",
            "KEYTURN_ALPACA__READ_SECONDS": "3",
        }
        with opened(Host.of(environ(market, tmp_path, **through))) as desk:
            desk.waits(lambda view: view.status.word == "on" and is_up(view), "the books agree, three lamps", 60)
            market.make("mute", of="trades")
            market.make("hang", of="orders", times=99)  # the books do not tell of it first
            desk.sends(a_buy_of_two())
            confirm_the_first(desk)
            desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position", 60)

    doubts = [fact.reason for fact in written(desk) if isinstance(fact, OrderStateUnknown)]
    assert doubts == snapshot
    assert len(market.received("POST", "/v2/orders")) == relay.dripped == 1
