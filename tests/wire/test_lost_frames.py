"""The order stream is up and a fill's frame is lost: the order is looked up, and its stop follows (EX-22)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from core.facts import OrderCreated
from core.model.order import OrderStatus, OrderType, StopHolder
from core.model.values import ClientOrderId
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_buy, a_desk, started, status_of, turn, waits, written
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it, exits
from tests.wire.test_owed_stops import are_covered

SHARES = Decimal("1.5")
AT_MOST = timedelta(seconds=6)
"""Five seconds, and the look-up."""


def buys_unheard(market: LoopbackExchange, desk: Open, timeline: Timeline) -> ClientOrderId:
    """A fraction at the market, between two comparisons of the books: the answer comes, and no frame of its fill."""
    timeline.advance(10)
    market.make("drop-update", of="fill")
    entry = turn(desk, a_buy(SPY, str(SHARES), StopHolder.BROKER))
    waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "its answer")
    return entry


def test_a_lost_frame_delays_a_stop_by_five_seconds(
    market: LoopbackExchange, timeline: Timeline, tmp_path: Path
) -> None:
    """EX-22, EX-05"""
    with a_desk(market, tmp_path) as desk:
        entry = buys_unheard(market, desk, timeline)
        waits(desk, are_covered, "its stop")
        (bought,) = [order for order in market.orders() if order.client_order_id == entry]
        (stop,) = [
            fact for fact in written(desk) if isinstance(fact, OrderCreated) and fact.order.type is OrderType.STOP
        ]
        made = desk.runtime.engine.state.ledger.order(stop.order.client_order_id)

    assert made is not None
    assert made.created_at - bought.executions[-1].at <= AT_MOST
    assert exits(market) == [(SHARES, True)]
    assert len(market.received("GET", "/v2/orders:by_client_order_id")) == 1


def test_a_lost_frame_and_a_kill_leave_one_stop(market: LoopbackExchange, timeline: Timeline, tmp_path: Path) -> None:
    """EX-22, EX-20: the machine dies before the look-up"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        buys_unheard(market, desk, timeline)
        left = as_a_kill_leaves_it(home)
    with started(market, left) as desk:
        waits(desk, are_covered, "its stop")

    assert exits(market) == [(SHARES, True)]
