"""A broker that takes fills back, over real sockets; the machine dies in the middle, and the next engine goes on."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import FillReversed, PositionCorrected, ReconciliationFailed, StopOwed
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.values import ClientOrderId, Quantity
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_desk, is_held, status_of, turn, waits, written
from tests.wire.test_leaving import a_limit

SHARES = Quantity(Decimal("1.5"))


def a_guarded_entry(market: LoopbackExchange, desk: Open) -> ClientOrderId:
    """1.5 shares, and their stop at the broker."""
    entry = turn(desk, a_limit(desk, "0.99", "1.5"))
    waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
    market.call(lambda: market.floor.fill(entry, SHARES))
    waits(desk, lambda view: view.positions and view.positions[0].covered == SHARES, "its stop")
    return entry


def stop_of(market: LoopbackExchange) -> ClientOrderId:
    (stop,) = [order.client_order_id for order in market.orders() if order.side is Side.SELL]
    return stop


def left_by_a_kill(home: Path) -> Path:
    left = home.with_name("left")
    shutil.copytree(home, left)
    return left


def of(desk: Open, kind: type) -> list[object]:
    return [fact for fact in written(desk) if isinstance(fact, kind)]


def working(market: LoopbackExchange) -> list[str]:
    return [o.raw_status for o in market.orders() if o.status is not None and o.status.is_working]


@pytest.mark.parametrize("fault", ["fills-busted", "fills-taken-back"])
def test_an_entry_taken_back_leaves_no_stop_over_a_kill(market: LoopbackExchange, tmp_path: Path, fault: str) -> None:
    """EX-05, EX-09, EX-20: the machine dies before the books show it; the next engine takes it in and cuts the stop"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        entry = a_guarded_entry(market, desk)
        market.make("hang", of="positions", times=1)
        market.make(fault, order=entry)
        left = left_by_a_kill(home)
    with a_desk(market, left) as desk:
        waits(desk, lambda view: not view.positions and view.status.word == "on", "flat and on")
        waits(desk, lambda _: not working(market), "no stop")
        reversals, corrections = of(desk, FillReversed), of(desk, PositionCorrected)

    assert [fact.quantity for fact in reversals] == [SHARES]  # type: ignore[attr-defined]
    assert corrections == []
    assert market.floor.held(SPY) == 0


def test_a_bust_that_an_update_names_needs_one_comparison(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-05, EX-09"""
    with a_desk(market, tmp_path / "home") as desk:
        entry = a_guarded_entry(market, desk)
        market.make("fills-busted", order=entry)
        waits(desk, lambda view: not view.positions, "flat")
        waits(desk, lambda _: not working(market), "no stop")
        failed = of(desk, ReconciliationFailed)

    assert failed == []


def test_a_stop_taken_back_leaves_shares_that_call_a_person(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-20: flat here and long there; the machine dies between the two readings"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        a_guarded_entry(market, desk)
        stop = stop_of(market)
        market.call(lambda: market.floor.fill(stop, SHARES))
        waits(desk, lambda view: not view.positions, "stopped out")
        market.make("fills-taken-back", order=stop)
        waits(desk, lambda view: view.status.word == "read-only", "the doubt")
        code = of(desk, ReconciliationFailed)[-1].code  # type: ignore[attr-defined]
        left = left_by_a_kill(home)
    with a_desk(market, left) as desk:
        waits(desk, is_held(SPY), "the shares")
        waits(desk, lambda _: of(desk, StopOwed), "a person is told")
        held = desk.runtime.engine.state.ledger.positions()

    assert code is ReadOnlyCode.UNPROVEN
    assert [position.quantity for position in held] == [market.floor.held(SPY)] == [SHARES]
