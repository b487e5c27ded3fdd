"""A cancel that the broker has and does not carry out, over real sockets, with a kill in the middle (EX-13)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.facts import StopOwed
from core.messages.commands import ProposeClose
from core.model.codes import OwedReason
from core.model.order import OrderStatus, Side
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, a_desk, is_held, turn, two_shares_are_bought, waits, written
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it, exits

SOON = {"KEYTURN_STAGING__CLOSE_SECONDS": "10"}
SIX_MINUTES = timedelta(minutes=6).total_seconds()


def test_a_late_cancel_of_ours_puts_the_stop_back(market: LoopbackExchange, tmp_path: Path, timeline: Timeline) -> None:
    """EX-13, EX-21, EX-20: the close is given up, the machine dies, and the cancel takes effect six minutes later"""
    home = tmp_path / "home"
    with a_desk(market, home, **SOON) as desk:
        two_shares_are_bought(desk)
        waits(desk, lambda view: view.positions and view.positions[0].covered == 2, "its stop")
        market.make("cancel-pending")
        turn(desk, ProposeClose(SPY))
        leaving = waits(desk, lambda view: view.positions[0].idle == "stop leaving", "it leaves").positions[0]
        waits(desk, lambda view: view.positions[0].owed_why is OwedReason.LEAVING, "it is told")
        timeline.advance(20)
        left = as_a_kill_leaves_it(home)
    timeline.advance(SIX_MINUTES)
    with a_desk(market, left, **SOON) as desk:
        waits(desk, is_held(SPY), "the shares")
        still = waits(desk, lambda view: view.positions[0].idle == "stop leaving", "it leaves").positions[0]
        market.end("cancel-pending")
        back = waits(desk, lambda view: view.positions[0].covered == 2, "its stop is back").positions[0]
        (gone,) = [
            o for o in desk.runtime.engine.state.ledger.state.orders.values() if o.status is OrderStatus.CANCELLED
        ]

    assert (leaving.covered, still.covered, back.covered) == (0, 0, 2)
    assert not gone.is_taken_elsewhere
    assert len(market.received("DELETE", "/v2/orders/")) == 1
    assert [(quantity, works) for quantity, works in exits(market)] == [(2, False), (2, True)]
    assert [o for o in market.orders() if o.side is Side.SELL and o.filled_quantity] == []
    assert OwedReason.TAKEN_ELSEWHERE not in [fact.why for fact in written(desk) if isinstance(fact, StopOwed)]
