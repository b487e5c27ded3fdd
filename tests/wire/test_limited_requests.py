"""Alpaca takes no requests for a while: a stop goes as soon as it does, also in the next run of the engine.

What the desk counts is what the exchange receives.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import OrderKept, ReconciliationFailed
from core.messages.commands import ProposeClose, RequestCancel
from core.model.order import OrderStatus, Side
from tests.kit.timeline import timeline
from tests.wire.exchange.door import MARKET_DATA
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import IBM, SPY, a_buy, a_desk, a_market, is_held, posts, status_of, turn, waits, written
from tests.wire.test_leaving import a_limit

SHARES = Decimal("1.5")


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=(SPY, IBM)) as exchange:
        yield exchange


def test_a_stop_goes_when_requests_are_taken_again(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-06: `Retry-After: 20`, and no second key"""
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        market.make("rate-limited-retry-after", of="submit", seconds=20)
        market.call(lambda: market.floor.fill(entry, SHARES))
        waits(desk, lambda _: any(isinstance(fact, OrderKept) for fact in written(desk)), "the refusal")
        before = posts(market)
        waits(desk, lambda view: view.positions[0].covered == SHARES, "its stop")

    assert (before, posts(market)) == (2, 3)
    assert [order.quantity for order in market.orders() if order.side is Side.SELL] == [SHARES]


def received(market: LoopbackExchange) -> int:
    """Requests to the trading API."""
    return sum(not request.path.startswith(MARKET_DATA) for request in market.received())


def test_the_desk_counts_what_the_exchange_receives(market: LoopbackExchange, tmp_path: Path) -> None:
    """RK-24: orders, cancels, look-ups, books, clock, account, assets, the calendar, and what is sent twice"""
    begun = timeline().monotonic()
    with a_desk(market, tmp_path) as desk:
        market.make("server-error", of="account", times=2)
        resting = turn(desk, a_limit(desk, "0.99", "1"))
        waits(desk, lambda _: status_of(desk, resting) is OrderStatus.SUBMITTED, "it rests")
        turn(desk, a_buy(IBM, "2"))
        waits(desk, is_held(IBM), "the shares")
        desk.sends(RequestCancel(resting))
        waits(desk, lambda _: status_of(desk, resting) is OrderStatus.CANCELLED, "its end")
        turn(desk, ProposeClose(IBM))
        waits(desk, lambda view: not view.positions, "they are sold")
        timeline().advance(3)
        state = desk.runtime.engine.state
        counted = state.messages.requests(state.at)

        assert timeline().monotonic() - begun < 60
        assert counted == received(market)


def test_a_429_of_the_books_keeps_the_desk_open(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09, EX-15: for a minute of them, it is neither silence nor read-only"""
    with a_desk(market, tmp_path) as desk:
        market.make("rate-limited-retry-after", of="positions", seconds=20, times=3)
        timeline().advance(70)
        words = waits(desk, lambda view: view.status.word, "a picture").status.word

    assert words == "on"
    assert not [fact for fact in written(desk) if isinstance(fact, ReconciliationFailed)]
