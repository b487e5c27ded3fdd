"""No name is used twice: over real sockets, with an entry that the desk has forgotten as it does after a week."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import DayStarted, OrderCreated
from core.messages.commands import ProposeClose
from core.model.broker import OrderReport
from core.model.order import OrderStatus, OrderType, StopHolder
from core.model.values import Money, Quantity
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_buy, a_desk, turn, waits, written


def forgets_what_ended(desk: Open) -> None:
    """As the beginning of a day does with what is a week old."""
    engine, loop = desk.runtime.engine, desk.runtime._loop
    assert loop is not None
    loop.call_soon_threadsafe(lambda: engine.state.record(DayStarted(engine.state.at.date(), Money(Decimal(100_000)))))
    waits(desk, lambda _: not [o for o in engine.state.ledger.state.orders.values() if not o.is_working], "it forgets")


def stops(market: LoopbackExchange) -> list[OrderReport]:
    return [order for order in market.orders() if order.type is OrderType.STOP]


def test_a_sale_and_its_stop_outlive_a_forgotten_entry(
    market: LoopbackExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-04, EX-22: the stop that is put back has a name of its own, and takes nothing else with it."""
    monkeypatch.setattr("core.execution.past_orders.KEPT", timedelta(0))
    monkeypatch.setattr(
        "core.workflows.protection.protective_stops.MANUAL", "nobody"
    )  # its stops are named as a signal's are
    with a_desk(market, tmp_path) as desk:
        turn(desk, a_buy(SPY, "1.5", StopHolder.BROKER))
        waits(desk, lambda view: view.positions and view.positions[0].covered == Decimal("1.5"), "a covered position")
        timeline().advance(5)
        forgets_what_ended(desk)
        turn(desk, ProposeClose(SPY, quantity=Quantity(Decimal("0.5"))))
        view = waits(
            desk, lambda view: view.positions[0].quantity == view.positions[0].covered == 1, "the rest covered"
        )

    assert view.status.word == "on"
    assert [(stop.quantity, stop.status) for stop in stops(market)] == [
        (Decimal("1.5"), OrderStatus.CANCELLED),
        (Decimal(1), OrderStatus.SUBMITTED),
    ]
    names = [fact.order.client_order_id for fact in written(desk) if isinstance(fact, OrderCreated)]
    assert len(names) == len(set(names)) == 4
