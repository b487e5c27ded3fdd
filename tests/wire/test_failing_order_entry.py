"""Order entry alone fails while every query is answered (EX-15)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.execution.breaker import BreakerPhase
from core.facts import BreakerOpened, OrderStateUnknown
from core.model.values import Symbol
from core.views import IN_DOUBT
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SYMBOLS, Open, a_desk, a_market, posts, turn, waits, written
from tests.wire.test_leaving import a_limit


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=SYMBOLS) as exchange:
        yield exchange


def turns_failing(desk: Open, market: LoopbackExchange, symbols: Sequence[Symbol], shares: str) -> None:
    """Turn the key of an entry in each symbol; each POST is answered with a 500."""
    market.make("server-error", of="submit", times=len(symbols))
    for symbol in symbols:
        order = turn(desk, a_limit(desk, "0.99", shares, symbol=symbol))
        waits(desk, lambda view, order=order: any(r.id == order and IN_DOUBT in r.marks for r in view.orders), "doubt")


def phase(desk: Open) -> BreakerPhase:
    state = desk.runtime.engine.state
    return state.breaker.phase(state.at)


def test_failing_order_entry_opens_the_breaker(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-15, EX-20: five POSTs get a 500, queries are answered, and the machine dies after the fourth"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        turns_failing(desk, market, SYMBOLS, "10")
        before = phase(desk)
        left = home.with_name("left")
        shutil.copytree(home, left)
    with a_desk(market, left) as desk:
        turns_failing(desk, market, SYMBOLS[:1], "8")
        after = phase(desk)

    assert (before, after) == (BreakerPhase.CLOSED, BreakerPhase.OPEN)
    assert posts(market) == 5
    assert len([fact for fact in written(desk) if isinstance(fact, BreakerOpened)]) == 1
    assert len({f.client_order_id for f in written(desk) if isinstance(f, OrderStateUnknown)}) == 5
