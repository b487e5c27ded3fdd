"""A resolver that hangs, a machine that starts no thread: what reduces and what cancels goes out all the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.execution.gateway import Lane, LaneKind
from core.messages.commands import Kill, ProposeClose
from core.model.order import OrderStatus
from tests.kit.no_threads import no_thread_starts
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, SYMBOLS, TIMEOUT, a_buy, a_desk, a_market, is_held, status_of, turn, waits

AT_HOME = "localhost"


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=SYMBOLS) as exchange:
        yield exchange


@contextmanager
def a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """For names; what was asked for."""
    is_over, asked, resolved = threading.Event(), list[str](), socket.getaddrinfo

    def look_up(host: str, *args: Any, **named: Any) -> Any:
        if host == AT_HOME and not named.get("flags", 0) & socket.AI_NUMERICHOST:
            asked.append(host)
            is_over.wait(TIMEOUT)
        return resolved(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    is_over.set()


def test_an_exit_is_sent_while_the_resolver_hangs(
    market: LoopbackExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-22: every connection is gone, and no new one has its name looked up."""
    url = market.trading_url.replace("127.0.0.1", AT_HOME)
    with a_desk(market, tmp_path, KEYTURN_ALPACA__TRADING_URL=url) as desk:
        turn(desk, a_buy(SPY, "2"))
        waits(desk, is_held(SPY), "two shares")
        with a_resolver_that_hangs(monkeypatch) as asked:
            market.call(market._transports.drop_all)
            turn(desk, ProposeClose(SPY))
            waits(desk, lambda view: not is_held(SPY)(view), "the close")
            assert asked
    assert market.positions() == ()


def test_a_kill_cancels_when_a_thread_cannot_start(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-07: it is asked for again, and the others are not held up by it."""
    with a_desk(market, tmp_path) as desk:
        resting = [turn(desk, a_buy(symbol, "300", limit="2")) for symbol in SYMBOLS]
        waits(desk, lambda view: [r.status for r in view.orders].count(OrderStatus.SUBMITTED) == 4, "four orders rest")
        release = threading.Event()
        for number in range(20):  # no thread is idle
            lane = Lane(LaneKind.CANCELS, str(number))
            desk.runtime.sending.queue(lane, lambda: release.wait(TIMEOUT) and None)
        with no_thread_starts("request", times=1) as failed:
            desk.sends(Kill("key"))
            waits(
                desk,
                lambda _: [status_of(desk, order) for order in resting].count(OrderStatus.CANCELLED) >= 3,
                "three are cancelled",
            )
            assert failed
        waits(desk, lambda _: {status_of(desk, order) for order in resting} == {OrderStatus.CANCELLED}, "the fourth")
        release.set()
