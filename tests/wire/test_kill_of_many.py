"""A kill beside more orders of others than the broker takes requests a minute (OP-07, RK-24)."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.messages.commands import Kill
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.kill_of_many import allow, kill, most_in_a_minute, rest_elsewhere, working
from tests.wire.open_desk import a_desk, eventually, started, waits

LIMIT, ORDERS = 60, 76


def test_a_kill_waits_as_long_as_a_429_says(tmp_path: Path) -> None:
    """OP-07, RK-24: the broker takes fewer than it documents; all are gone in two minutes, and few are refused"""
    killed = kill(tmp_path, ORDERS, LIMIT - 10, LIMIT)

    assert killed.seconds is not None
    assert killed.seconds <= 125
    assert killed.refused <= ORDERS // 2


def test_a_kill_goes_on_after_a_crash(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-07, EX-20: the largest go first, the screen counts them, and the machine dies while the others wait"""
    home, left = tmp_path / "home", tmp_path / "left"
    with a_desk(market, home) as desk:
        allow(desk, LIMIT)
        rest_elsewhere(market, ORDERS)
        waits(desk, lambda view: len(view.others) == ORDERS, "they are shown")
        desk.sends(Kill("key"))
        view = waits(desk, lambda view: 0 < view.kill.gone < view.kill.asked, "some are gone")
        timeline().advance(1)
        first = {order.quantity for order in market.orders() if order.status is not None and order.status.is_terminal}
        shutil.copytree(home, left)
    with started(market, left) as desk:
        allow(desk, LIMIT)
        eventually(lambda: not working(market), "all are gone")

    assert view.kill.asked == ORDERS
    assert min(first) > 1
    assert most_in_a_minute(market) <= LIMIT
