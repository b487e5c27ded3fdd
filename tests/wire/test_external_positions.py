"""The live desk on the loopback exchange: somebody buys a symbol elsewhere that two hold here already."""

from __future__ import annotations

from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import CancelRequested, PositionCorrected
from core.model.order import Side
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import environ, opened, two_shares_are_bought, written


def test_an_external_buy_takes_no_stop_away(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """EX-09, EX-13: one was nobody's already; with another the operator's two, and their stop, became nobody's too."""
    asks = {"KEYTURN_RECONCILIATION__EVERY_SECONDS": "1", "KEYTURN_RECONCILIATION__MAX_DRIFT": "0.5"}
    with opened(Host.of(environ(market, tmp_path, **asks))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        market.make("bought-elsewhere", symbol="SPY")
        desk.waits(lambda view: [row.strategy for row in view.positions] == [UNKNOWN_OWNER], "it is nobody's")
        two_shares_are_bought(desk)
        desk.waits(lambda view: [row.covered for row in view.positions if row.strategy == "manual"] == [2], "a stop")
        market.make("bought-elsewhere", symbol="SPY")
        desk.waits(lambda _: market.positions()[0].quantity == 4, "another share of somebody's")
        desk.waits(lambda view: sum(row.quantity for row in view.positions) == 4, "a correction")
        view = desk.waits(lambda view: len(view.positions) == 2, "two owners, still")

    told = written(desk)
    assert {row.strategy: (row.quantity, row.covered) for row in view.positions} == {
        "manual": (2, 2), UNKNOWN_OWNER: (2, 0),
    }  # fmt: skip
    assert [f.reason for f in told if isinstance(f, CancelRequested)] == []
    assert [order.status.is_working for order in market.orders() if order.side is Side.SELL and order.status] == [True]
    corrected = [fact for fact in told if isinstance(fact, PositionCorrected)][-1]
    assert corrected.reason == snapshot
