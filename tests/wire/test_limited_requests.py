"""Alpaca takes no requests for a while: a stop goes as soon as it does, also in the next run of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import OrderKept
from core.model.order import OrderStatus, Side
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, SYMBOLS, a_desk, a_market, is_held, posts, status_of, turn, waits, written
from tests.wire.test_leaving import a_limit

SHARES = Decimal("1.5")


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=SYMBOLS) as exchange:
        yield exchange


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_stop_goes_when_requests_are_taken_again(
    market: LoopbackExchange, tmp_path: Path, is_restarted: bool
) -> None:
    """EX-22, EX-06, EX-20: `Retry-After: 20`, and no second key"""
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        market.make("rate-limited-retry-after", of="submit", seconds=20)
        market.call(lambda: market.floor.fill(entry, SHARES))
        waits(desk, lambda _: any(isinstance(fact, OrderKept) for fact in written(desk)), "the refusal")
        before = posts(market)
        if not is_restarted:
            waits(desk, lambda view: view.positions[0].covered == SHARES, "its stop")
    if is_restarted:
        with a_desk(market, tmp_path) as desk:
            waits(desk, is_held(SPY), "the shares")
            waits(desk, lambda view: view.positions[0].covered == SHARES, "its stop")

    assert (before, posts(market)) == (2, 3)
    assert [order.quantity for order in market.orders() if order.side is Side.SELL] == [SHARES]
