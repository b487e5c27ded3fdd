"""The live desk on the loopback exchange: somebody buys elsewhere what two hold here, or closes it."""

from __future__ import annotations

import shutil
from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import CancelRequested, PositionCorrected, TradeClosed
from core.model.order import Side
from core.model.signal import ExitReason
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import Open, environ, opened, two_shares_are_bought, written


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


def closed_trades(desk: Open) -> list[TradeClosed]:
    return [fact for fact in written(desk) if isinstance(fact, TradeClosed)]


def test_a_close_elsewhere_is_a_trade_in_the_next_run_too(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-18, EX-20: it is closed while one desk runs, and another goes on from a folder that the machine left before"""
    asks = {"KEYTURN_RECONCILIATION__EVERY_SECONDS": "1"}
    home, left = tmp_path / "home", tmp_path / "left"
    with opened(Host.of(environ(market, home, **asks))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        two_shares_are_bought(desk)
        desk.waits(lambda view: [row.covered for row in view.positions] == [2], "a stop")
        timeline().advance(61)  # the list of positions may lag behind a later fill (EX-09)
        shutil.copytree(home, left)
        market.make("closed-elsewhere", symbol="SPY")
        desk.waits(lambda view: not view.positions, "it is closed here too")
        trades = [closed_trades(desk)]
    with opened(Host.of(environ(market, left, **asks))) as desk:
        desk.waits(lambda view: view.status.word == "on" and not view.positions, "it is closed in the next run")
        trades.append(closed_trades(desk))

    (sold,) = [order for order in market.orders() if order.client_order_id.startswith("elsewhere")]
    prices = [[(fact.trade.exit_reason, fact.trade.exit_price) for fact in told] for told in trades]
    assert prices == [[(ExitReason.MANUAL, sold.average_price)]] * 2
