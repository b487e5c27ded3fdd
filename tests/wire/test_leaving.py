"""An entry works as the desk is left, and its stop is the desk's to send: all of it, on the loopback exchange."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.desk_control import leaving_lines
from core.messages.commands import ProposeOrder
from core.model.order import OrderStatus, Side, StopHolder
from core.model.values import CENT, Price, Symbol
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import IBM, SPY, Open, a_buy, a_desk, a_market, is_held, started, status_of, turn, waits
from widgets.lines import joined

A_MOMENT = 0.3
"""Seconds: longer than a desk that owes nothing takes to leave."""


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=(SPY, IBM)) as exchange:
        yield exchange


def a_limit(
    desk: Open, of_the_ask: str, shares: str, holder: StopHolder = StopHolder.BROKER, symbol: Symbol = SPY
) -> ProposeOrder:
    """Its stop well under it."""
    quotes = desk.runtime.engine.state.sightings.quotes
    waits(desk, lambda _: symbol in quotes, "a quote")
    limit = (quotes[symbol].ask * Decimal(of_the_ask)).quantize(CENT)
    stop = Price((limit * Decimal("0.98")).quantize(CENT))
    return replace(a_buy(symbol, shares, holder, limit=str(limit)), stop_price=stop)


def question(desk: Open) -> str:
    assert desk.view is not None
    return " ".join(joined(line).strip() for line in leaving_lines(desk.view))


def holds_its_news_back(market: LoopbackExchange) -> None:
    market.call(lambda: setattr(market.floor, "take_outbox", list))


def tells_it(market: LoopbackExchange) -> None:
    def tell() -> None:
        del market.floor.take_outbox
        market.publish()

    market.call(tell)


def test_leaving_waits_for_a_fill_and_sends_its_stop(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-06: the broker has taken the order and not said yet that it is filled."""
    with a_desk(market, tmp_path) as desk:
        holds_its_news_back(market)
        entry = turn(desk, a_limit(desk, "1.001", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it is taken")
        telling = threading.Timer(A_MOMENT, tells_it, (market,))
        telling.start()
    telling.join()

    assert [(o.side, o.quantity) for o in market.orders() if o.side is Side.SELL] == [(Side.SELL, Decimal("1.5"))]
    assert desk.runtime.last_words == ()


def test_leaving_names_a_resting_entry(market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """EX-22, OP-06: fractions have no legs at the broker, and a stop of the desk's own is kept by nobody."""
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
        kept = turn(
            desk, a_limit(desk, "0.985", "1.45", StopHolder.DESK, IBM)
        )  # beside another of SPY it would bar that stop
        waits(desk, lambda _: status_of(desk, kept) is OrderStatus.SUBMITTED, "another rests")
        legs = turn(desk, a_limit(desk, "0.98", "2"))
        waits(desk, lambda _: status_of(desk, legs) is OrderStatus.SUBMITTED, "one with its stop rests")
        waits(desk, lambda view: len(view.kill.entries_working) == 3, "three in the picture")
        said = question(desk)

    assert said == snapshot
    assert sorted(desk.runtime.last_words, reverse=True) == snapshot


def test_a_fill_while_closed_is_stopped_at_the_start(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-06: as the last words say."""
    with a_desk(market, tmp_path) as desk:
        entry = turn(desk, a_limit(desk, "0.99", "1.5"))
        waits(desk, lambda _: status_of(desk, entry) is OrderStatus.SUBMITTED, "it rests")
    (report,) = [order for order in market.orders() if order.client_order_id == entry]
    market.call(lambda: market.floor.fill(entry, report.quantity))

    with started(market, tmp_path) as again:
        waits(again, is_held(SPY), "the shares")
        waits(again, lambda view: view.positions[0].covered == Decimal("1.5"), "their stop")
