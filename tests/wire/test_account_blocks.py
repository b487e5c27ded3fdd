"""Alpaca blocks the account in mid-session: no stop is given up for a sale, and a refused one returns by itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import AccountBlocked, ConfirmationReceived, ConfirmationRefused, Fact
from core.messages.commands import ProposeClose
from core.model.order import OrderStatus, Side
from core.model.values import Quantity
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_desk, is_held, started, status_of, turn, waits, written
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it
from tests.wire.test_leaving import a_limit

SHARES = Quantity(Decimal("1.5"))


def holds(market: LoopbackExchange, desk: Open) -> None:
    """One share and a half, and their stop at the broker."""
    entry = turn(desk, a_limit(desk, "0.99", "1.5"))
    waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
    market.call(lambda: market.floor.fill(entry, SHARES))
    waits(desk, lambda view: view.positions and view.positions[0].covered == SHARES, "its stop")


def stops(market: LoopbackExchange) -> list[tuple[Decimal, bool]]:
    sells = [order for order in market.orders() if order.side is Side.SELL]
    return [(order.quantity, order.status is not None and order.status.is_working) for order in sells]


def has(desk: Open, kind: type[Fact]) -> bool:
    return any(isinstance(fact, kind) for fact in written(desk))


@pytest.mark.parametrize("shown", [{"trade_suspended_by_user": True}, {"status": "ONBOARDING"}], ids=["flag", "status"])
def test_a_close_of_a_blocked_account_keeps_its_stop(
    market: LoopbackExchange, tmp_path: Path, shown: dict[str, object]
) -> None:
    """EX-21, RK-22: whichever of its figures says so"""
    with a_desk(market, tmp_path) as desk:
        holds(market, desk)
        market.make("orders-forbidden")
        market.call(lambda: market.floor.shown_block.update(shown))
        turn(desk, ProposeClose(SPY))
        waits(desk, lambda _: has(desk, ConfirmationRefused), "the refusal")

    assert market.received("DELETE") == []
    assert stops(market) == [(SHARES, True)]


def test_a_stop_refused_by_a_hidden_block_returns(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22: sale and stop are refused before the figures show why"""
    with a_desk(market, tmp_path) as desk:
        holds(market, desk)
        market.make("orders-forbidden")
        turn(desk, ProposeClose(SPY))
        waits(desk, lambda view: view.positions[0].calls_a_person, "the call")
        market.make("account-blocked")
        waits(desk, lambda _: has(desk, AccountBlocked), "the block")
        bare = stops(market)
        market.end()
        waits(desk, lambda view: view.positions[0].covered == SHARES, "its stop")
    keys = len([fact for fact in written(desk) if isinstance(fact, ConfirmationReceived)])

    assert bare == [(SHARES, False)]
    assert stops(market) == [(SHARES, False), (SHARES, True)]
    assert keys == 2


def test_a_stop_refused_by_a_block_returns_after_a_kill(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-20: the machine dies while the account is blocked, and the block ends before the next start"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        holds(market, desk)
        market.make("orders-forbidden")
        turn(desk, ProposeClose(SPY))
        waits(desk, lambda view: view.positions[0].calls_a_person, "the call")
        market.make("account-blocked")
        waits(desk, lambda _: has(desk, AccountBlocked), "the block")
        left = as_a_kill_leaves_it(home)
    market.end()
    with started(market, left) as desk:
        waits(desk, is_held(SPY), "the shares")
        waits(desk, lambda view: view.positions[0].covered == SHARES, "its stop")
    keys = len([fact for fact in written(desk) if isinstance(fact, ConfirmationReceived)])

    assert stops(market) == [(SHARES, False), (SHARES, True)]
    assert keys == 2
