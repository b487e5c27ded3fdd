"""An exchange that contradicts itself, over real sockets; the machine dies in the middle, and the next engine goes on.

A copy of the folder, as it is on the disk while the engine runs, is what a kill leaves.
"""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import ConfirmationReceived, OrderFilled, OrderKept, OrderStateUnknown, ReconciliationFailed
from core.model.codes import EndCode, ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.model.values import ClientOrderId, Quantity
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_desk, is_held, posts, status_of, turn, waits, written
from tests.wire.test_leaving import a_limit

ONE_AND_A_HALF = Quantity(Decimal("1.5"))


def a_filled_entry(market: LoopbackExchange, desk: Open) -> ClientOrderId:
    """1.5 shares, and their stop at the broker."""
    entry = turn(desk, a_limit(desk, "0.99", "1.5"))
    waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
    market.call(lambda: market.floor.fill(entry, ONE_AND_A_HALF))
    waits(desk, lambda view: view.positions and view.positions[0].covered == ONE_AND_A_HALF, "its stop")
    return entry


def as_a_kill_leaves_it(home: Path) -> Path:
    left = home.with_name("left")
    shutil.copytree(home, left)
    return left


def exits(market: LoopbackExchange) -> list[tuple[Decimal, bool]]:
    sells = [order for order in market.orders() if order.side is Side.SELL]
    return [(order.quantity, order.status is not None and order.status.is_working) for order in sells]


def test_an_empty_list_of_positions_takes_no_stop_back(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09, EX-20: one comparison reads that nothing is held, and the machine dies before the next"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        a_filled_entry(market, desk)
        market.make("positions-empty", of="positions", times=2)
        waits(desk, lambda view: view.status.word == "read-only", "the doubt")
        (failed,) = [fact for fact in written(desk) if isinstance(fact, ReconciliationFailed)][-1:]
        left = as_a_kill_leaves_it(home)
    with a_desk(market, left) as desk:
        waits(desk, is_held(SPY), "the shares")
        covered = waits(desk, lambda view: view.positions[0].covered, "its stop").positions[0].covered

    assert failed.code is ReadOnlyCode.UNPROVEN
    assert covered == ONE_AND_A_HALF
    assert market.received("DELETE") == []
    assert exits(market) == [(ONE_AND_A_HALF, True)]


@pytest.mark.parametrize("fault", ["server-error", "rate-limited-retry-after"])
def test_a_stop_that_is_not_taken_is_owed_after_a_kill(market: LoopbackExchange, tmp_path: Path, fault: str) -> None:
    """EX-22, EX-20, EX-16: its first request is refused or fails, and the machine dies before the next; no new key"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        market.make(fault, of="submit", seconds=20)
        market.call(lambda: market.floor.fill(entry, ONE_AND_A_HALF))
        waits(desk, lambda _: any(isinstance(fact, OrderStateUnknown | OrderKept) for fact in written(desk)), "no stop")
        bare = exits(market)
        left = as_a_kill_leaves_it(home)
    keys = len([fact for fact in written(desk) if isinstance(fact, ConfirmationReceived)])
    with a_desk(market, left) as desk:
        waits(desk, is_held(SPY), "the shares")
        waits(desk, lambda view: view.positions[0].covered == ONE_AND_A_HALF, "its stop")
        again = len([fact for fact in written(desk) if isinstance(fact, ConfirmationReceived)])
        spans = {span.name: span for span in desk.runtime.engine.state.latencies.spans()}
        (filled_at,) = [
            r.fact.fill.at for r in desk.runtime.engine.state.journal.records() if isinstance(r.fact, OrderFilled)
        ]
        stop = next(order for order in desk.runtime.engine.state.ledger.working() if order.is_protective)

    assert stop.submitted_at is not None
    assert spans["fill to stop in force"].percentiles[0] == stop.submitted_at - filled_at
    assert (bare, exits(market)) == ([], [(ONE_AND_A_HALF, True)])
    assert (keys, again) == (1, 1)


def test_a_short_filled_entry_is_guarded_once(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-05, EX-20: `filled` with 1 of 1.5, and the machine dies while its stop is on its way"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        market.make("hang-after-accepting", of="submit")
        market.call(lambda: market.floor.papers.of(entry).said.update(status="filled"))
        market.call(lambda: market.floor.fill(entry, Quantity(Decimal(1))))
        waits(desk, lambda _: posts(market) == 2, "its stop is on its way")
        ended = desk.runtime.engine.state.ledger.order(entry)
        left = as_a_kill_leaves_it(home)
    with a_desk(market, left) as desk:
        waits(desk, is_held(SPY), "the share")
        covered = waits(desk, lambda view: view.positions[0].covered, "its stop").positions[0].covered

    assert ended is not None
    assert ended.end_code is EndCode.FILLED_SHORT
    assert covered == 1
    assert exits(market) == [(Decimal(1), True)]
