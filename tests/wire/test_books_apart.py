"""Alpaca's books go apart from ours in a way that no order of ours explains, over real sockets, with a kill between."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from core.facts import PositionCorrected, ReconciliationFailed, StopOwed
from core.messages.commands import ProposeOrder
from core.model.broker import OrderReport
from core.model.codes import OwedReason, ReadOnlyCode
from core.model.instrument import Borrow
from core.model.order import Effect, OrderRequest, OrderType, Side, StopHolder
from core.model.values import ClientOrderId, Price, Quantity, plain
from core.views import DeskView
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_buy, a_desk, is_held, started, turn, two_shares_are_bought, waits, written
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it
from tests.wire.test_short_sales import lending


def trades_elsewhere(market: LoopbackExchange, side: Side, shares: str) -> None:
    """The broker's shares move, and no order of its list says why."""

    def move() -> None:
        floor = market.floor
        now, quantity = floor.catch_up(), Quantity(Decimal(shares))
        floor._exchange._ledger.execute(SPY, side, quantity, Price(Decimal(650)), now)

    market.call(move)


def working(market: LoopbackExchange) -> list[OrderReport]:
    return [order for order in market.orders() if order.status is not None and order.status.is_working]


def left(market: LoopbackExchange) -> list[str]:
    """What works, and for how much."""
    return [f"{order.side_word} {plain(Quantity(order.quantity - order.filled_quantity))}" for order in working(market)]


def failures(desk: Open) -> list[ReadOnlyCode]:
    return [fact.code for fact in written(desk) if isinstance(fact, ReconciliationFailed)]


def is_guarded(view: DeskView) -> bool:
    return bool(view.positions) and view.positions[0].covered == abs(view.positions[0].quantity)


def test_an_entry_in_doubt_explains_no_shares_that_came(
    market: LoopbackExchange, tmp_path: Path, timeline: Timeline
) -> None:
    """EX-09, EX-26: look-ups fail while the books answer; read-only in two minutes, and so is the next engine"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        market.make("drop", of="submit")
        market.make("server-error", of="order", times=1000)
        turn(desk, a_buy(SPY, "3", StopHolder.BROKER))
        trades_elsewhere(market, Side.BUY, "5")
        timeline.advance(130)
        waits(desk, lambda view: view.status.word == "read-only", "the end of the explanation")
        home = as_a_kill_leaves_it(home)
    told = failures(desk)
    with started(market, home) as desk:
        view = waits(desk, lambda view: view.status.word == "read-only" and view.positions, "read-only again")
        timeline.advance(130)

    assert told[-1] is ReadOnlyCode.UNPROVEN
    assert [row.quantity for row in view.positions] == [2]
    assert [fact for fact in written(desk) if isinstance(fact, PositionCorrected)] == []
    assert left(market) == ["sell 2"]


def test_a_stop_of_shares_bought_in_is_cut_over_a_kill(tmp_path: Path, timeline: Timeline) -> None:
    """EX-09, EX-13: four of ten short shares are bought in by the broker; the stop of ten would open a long"""
    home = tmp_path / "home"
    with lending(Borrow.EASY) as market:
        with a_desk(market, home) as desk:
            short = ProposeOrder(
                SPY, Effect.SHORT, Quantity(Decimal(10)), OrderType.MARKET, None, Price(Decimal(700)), StopHolder.BROKER
            )
            turn(desk, short)
            waits(desk, is_guarded, "its stop")
            trades_elsewhere(market, Side.BUY, "4")
            timeline.advance(62)
            home = as_a_kill_leaves_it(home)
        with started(market, home) as desk:
            waits(desk, is_held(SPY), "the shares")
            timeline.advance(75)
            waits(desk, lambda _: left(market) == ["buy 6"], "the cut")
        assert [position.quantity for position in market.positions()] == [-6]


def test_a_stop_moved_on_a_phone_is_told_once(market: LoopbackExchange, tmp_path: Path, timeline: Timeline) -> None:
    """EX-13, EX-22, SY-03: its holder is named, not urgently, and a kill changes nothing of it"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        (ours,) = [order.client_order_id for order in working(market)]

        def move() -> None:
            market.floor.cancel(ours)
            market.floor.submit(
                OrderRequest(
                    ClientOrderId("phone-1"), SPY, Side.SELL, Effect.CLOSE, Quantity(Decimal(2)), OrderType.STOP,
                    stop_price=Price(Decimal(390)),
                )
            )  # fmt: skip

        market.call(move)
        market.call(market.publish)
        waits(desk, lambda view: view.positions[0].owed_why is OwedReason.HELD_ELSEWHERE, "the moved stop")
        home = as_a_kill_leaves_it(home)
    with started(market, home) as desk:
        waits(desk, is_held(SPY), "the shares")
        timeline.advance(20)

    assert [fact.why for fact in written(desk) if isinstance(fact, StopOwed)] == [OwedReason.HELD_ELSEWHERE]
