"""A stop or an exit that is owed goes to Alpaca as soon as it may, also in the next run of the engine (EX-22)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import OrderKept, OrderStateUnknown
from core.messages.commands import ProposeClose, RequestCancel
from core.model.order import OrderStatus, OrderType, Side
from core.model.values import ClientOrderId
from core.views import DeskView
from tests.scenarios.late_fills import fills_late
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import (
    SOON,
    SPY,
    Open,
    a_desk,
    eventually,
    is_held,
    posts,
    started,
    status_of,
    turn,
    waits,
    written,
)
from tests.wire.test_leaving import a_limit

SHARES = Decimal("1.5")


def resting(desk: Open, shares: str) -> ClientOrderId:
    entry = turn(desk, a_limit(desk, "0.99", shares))
    waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
    return entry


def are_covered(view: DeskView) -> bool:
    return bool(view.positions) and view.positions[0].covered == view.positions[0].quantity


def sales(market: LoopbackExchange) -> list[tuple[OrderType, Decimal, OrderStatus | None]]:
    return [(order.type, order.quantity, order.status) for order in market.orders() if order.side is Side.SELL]


def is_in_doubt(desk: Open) -> bool:
    return any(isinstance(fact, OrderStateUnknown) for fact in written(desk))


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_stop_whose_post_failed_is_sent_again(market: LoopbackExchange, tmp_path: Path, is_restarted: bool) -> None:
    """EX-22, EX-06, EX-20: a 500 before anything was accepted, and no second key"""
    with a_desk(market, tmp_path, **SOON) as desk:
        entry = resting(desk, "1.5")
        market.make("server-error", of="submit")
        market.call(lambda: market.floor.fill(entry, SHARES))
        waits(desk, lambda _: is_in_doubt(desk), "the doubt")
        if not is_restarted:
            waits(desk, are_covered, "its stop")
    if is_restarted:
        with started(market, tmp_path, **SOON) as desk:
            waits(desk, is_held(SPY), "the shares")
            waits(desk, are_covered, "its stop")

    assert posts(market) == 3
    assert [fact.is_absent for fact in written(desk) if isinstance(fact, OrderKept)] == [True]
    assert sales(market) == [(OrderType.STOP, SHARES, OrderStatus.SUBMITTED)]


def test_an_exit_whose_post_failed_is_sent_again(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-21, EX-06, EX-20: its stop is gone by then"""
    with a_desk(market, tmp_path, **SOON) as desk:
        entry = resting(desk, "1.5")
        market.call(lambda: market.floor.fill(entry, SHARES))
        waits(desk, are_covered, "its stop")
        market.make("server-error", of="submit")
        turn(desk, ProposeClose(SPY))
        waits(desk, lambda _: is_in_doubt(desk), "the doubt")
    with started(market, tmp_path, **SOON) as desk:
        waits(desk, lambda view: not view.positions, "the sale")

    stop, sale = sales(market)
    assert (stop[0], stop[2]) == (OrderType.STOP, OrderStatus.CANCELLED)
    assert sale[1:] == (SHARES, OrderStatus.FILLED)


def test_a_fill_after_the_end_has_its_stop(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-13, EX-20: entry and attached stop were reported cancelled before"""
    with a_desk(market, tmp_path, **SOON) as desk:
        entry = resting(desk, "2")
        desk.sends(RequestCancel(entry))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.CANCELLED, "its end")
    fills_after_its_end(market, entry)
    with started(market, tmp_path, **SOON) as desk:
        waits(desk, are_covered, "its stop")

    eventually(lambda: len(sales(market)) == 2, "the leg and the stop")
    assert [order[1:] for order in sales(market)] == [(2, OrderStatus.CANCELLED), (2, OrderStatus.SUBMITTED)]


def fills_after_its_end(market: LoopbackExchange, entry: ClientOrderId) -> None:
    def fill() -> None:
        floor = market.floor
        fills_late(floor._exchange, floor.catch_up(), entry, "2")
        floor.collect()
        market.publish()

    market.call(fill)
