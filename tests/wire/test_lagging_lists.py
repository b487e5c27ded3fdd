"""Alpaca's list of positions is older than our sale: no shares come of it, and none are sold that are not there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from core.facts import OrderStateChanged, PositionCorrected, ReconciliationFailed
from core.messages.commands import ProposeClose
from core.model.codes import ReadOnlyCode
from core.model.order import OrderStatus, Side
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_desk, confirm_the_first, is_held, started, turn, waits, written
from tests.wire.test_contradicting_exchange import a_filled_entry, as_a_kill_leaves_it

LONG = {"KEYTURN_RECONCILIATION__AGAIN_SECONDS": "10"}


def sells_it_all(market: LoopbackExchange, desk: Open) -> None:
    """At the market; the list of positions stays as it was, and the books are compared within seconds."""
    a_filled_entry(market, desk)
    market.make("positions-lag")
    turn(desk, ProposeClose(SPY))
    waits(desk, lambda view: not view.positions, "the sale")
    market.make("disconnect", of="trades")
    waits(desk, lambda view: view.status.word == "read-only", "the doubt")


def corrections(desk: Open) -> list[PositionCorrected]:
    return [fact for fact in written(desk) if isinstance(fact, PositionCorrected)]


def test_a_lagging_list_makes_no_shares_of_a_sale(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09, EX-20: it lags for 20 s, and the machine dies meanwhile"""
    home = tmp_path / "home"
    with a_desk(market, home, **LONG) as desk:
        sells_it_all(market, desk)
        failed = [fact for fact in written(desk) if isinstance(fact, ReconciliationFailed)][-1]
        left = as_a_kill_leaves_it(home)
    with started(market, left, **LONG) as desk:
        waits(desk, lambda view: view.status.word == "read-only", "the doubt")
        market.end("positions-lag")
        view = waits(desk, lambda view: view.status.word == "on", "the agreement")

    assert failed.code is ReadOnlyCode.UNPROVEN
    assert (view.positions, corrections(desk)) == ((), [])


def test_shares_that_are_not_there_are_never_sold(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-11, EX-09: the list lags for minutes and is believed; Alpaca refuses what closes nothing"""
    with a_desk(market, tmp_path, **LONG) as desk:
        sells_it_all(market, desk)
        waits(desk, is_held(SPY), "the shares of the list")
        desk.sends(ProposeClose(SPY))
        confirm_the_first(desk)
        waits(
            desk,
            lambda _: any(
                isinstance(fact, OrderStateChanged) and fact.after is OrderStatus.REJECTED for fact in written(desk)
            ),
            "the refusal",
        )

    sold = [order.filled_quantity for order in market.orders() if order.side is Side.SELL]
    assert len(corrections(desk)) == 1
    assert market.call(lambda: market.floor.held(SPY)) == 0
    assert sorted(sold) == [0, Decimal("1.5")]
