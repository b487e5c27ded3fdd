"""Legs over real sockets, none of which changes with the other: no exit opens what nobody meant to hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from core.messages.commands import Kill, ProposeOrder
from core.model.broker import OrderReport
from core.model.order import Effect, OrderType, Side, StopHolder
from core.model.values import Price, Quantity
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_market, confirm_the_first, environ, opened

SIDES = pytest.mark.parametrize("effect", [Effect.OPEN, Effect.SHORT])


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market() as exchange:
        exchange.make("legs-unlinked")
        yield exchange


@contextmanager
def with_a_bracket(market: LoopbackExchange, home: Path, effect: Effect) -> Iterator[Open]:
    """Six shares, bought or sold short, with their stop and their target 20 USD away from the market."""
    last = market.call(lambda: market.floor.price(SPY)).quantize(Decimal(1))
    stop, target = (last - 20, last + 20) if effect is Effect.OPEN else (last + 20, last - 20)
    loose = {"KEYTURN_RISK__PER_TRADE__USD": "90000", "KEYTURN_RISK__MAX_NOTIONAL__USD": "90000"}
    with opened(Host.of(environ(market, home, **loose))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        desk.sends(
            ProposeOrder(
                SPY,
                effect,
                Quantity(Decimal(6)),
                OrderType.MARKET,
                None,
                Price(stop),
                StopHolder.BROKER,
                target_price=Price(target),
            )
        )
        confirm_the_first(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 6, "a covered position", 60)
        yield desk


def legs(market: LoopbackExchange) -> tuple[OrderReport, OrderReport]:
    """The stop and the target that work."""
    working = [order for order in market.orders() if order.status is not None and order.status.is_working]
    (stop,) = [order for order in working if order.type is OrderType.STOP]
    (target,) = [order for order in working if order.type is OrderType.LIMIT]
    return stop, target


@SIDES
def test_a_kill_waits_for_two_half_filled_legs(market: LoopbackExchange, tmp_path: Path, effect: Effect) -> None:
    """EX-13, OP-07"""
    with with_a_bracket(market, tmp_path, effect) as desk:
        market.make("cancel-pending")
        market.fills(*legs(market), shares=3)
        view = desk.waits(lambda view: len(view.kill.entries_working) == 2, "both are named as what could open", 60)
        opens = Effect.SHORT if effect is Effect.OPEN else Effect.OPEN
        assert {row.effect for row in view.kill.entries_working} == {opens}
        assert not view.positions

        desk.sends(Kill("the operator"))
        desk.waits(lambda view: view.status.killed_by, "killed")
        assert desk.view is not None
        assert len(desk.view.kill.entries_working) == 2
        market.end("cancel-pending")
        desk.waits(lambda view: not view.kill.entries_working, "nothing works that could open", 60)

    assert [order for order in market.orders() if order.status is not None and order.status.is_working] == []
    assert market.positions() == ()


@SIDES
def test_a_half_filled_target_reduces_the_stop(market: LoopbackExchange, tmp_path: Path, effect: Effect) -> None:
    """EX-13: one PATCH, and no share without its stop meanwhile"""
    with with_a_bracket(market, tmp_path, effect) as desk:
        market.fills(legs(market)[1], shares=3)
        desk.waits(lambda _: len(market.received("PATCH", "/v2/orders/")) == 1, "the stop is made less", 60)
        desk.waits(lambda view: not view.kill.too_large and view.positions[0].covered == 3, "it fits", 60)

        left, rest = legs(market)

    assert (left.quantity, rest.quantity - rest.filled_quantity) == (3, 3)
    assert left.side is (Side.SELL if effect is Effect.OPEN else Side.BUY)
    assert market.received("DELETE", "/v2/orders/") == []
