"""Strategies that win where a bar elects a stop-limit by one extreme and fills it by the other: each of them pays, on a
fair walk, whoever has the extremes in the order that suits. An honest exchange does not know that order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from core.brokers.simulated.book import BookedOrder
from core.brokers.simulated.directions import Directions
from core.brokers.simulated.path import Segment
from core.brokers.simulated.same_bar import SameBar
from core.model.bar import Bar
from core.model.order import OrderClass, OrderRequest, Side
from tests.scenarios.test_strategies_that_win_by_a_flaw_alone import (
    ARRIVES,
    Played,
    Strategy,
    a_fair_walk,
    a_session_of,
    beyond,
    is_out,
    played,
)
from tests.unit.core.brokers.trading_floor import SPY, Floor, a_stop_leg, an_order

BEGINS = Decimal(1_000_000)
SESSIONS = [a_session_of(a_fair_walk(f"stop-limit {number}", 195)) for number in range(4)]

Strategies = Callable[[Side], Strategy]


def enters(side: Side, stop: str, limit: str) -> Strategy:
    """Each minute a break-out that is to be had at a pull-back."""

    def strategy(bar: Bar) -> OrderRequest:
        prices = {"stop": str(beyond(bar.close, stop, side)), "limit": str(beyond(bar.close, limit, side))}
        return an_order(f"in-{bar.start:%H%M}", side, "100", **prices)

    return strategy


def of_all(side: Side, stop: str, limit: str) -> Played:
    """Four half sessions of a fair walk."""
    found = [played(bars, enters(side, stop, limit)) for bars in SESSIONS]
    return Played(*(sum(figures) for figures in zip(*((p.profit, p.entries, p.decided) for p in found), strict=True)))


def leaves(side: Side, order_class: OrderClass) -> tuple[Decimal, int, int]:
    """Held over bars, with an exit each minute whose stop is four cents away and whose limit is two to the good."""
    profit, exits, decided = Decimal(0), 0, 0
    for bars in SESSIONS:
        floor = Floor(multiplier=Decimal(4), cash=BEGINS)
        sent = list[OrderRequest]()
        for number, bar in enumerate(bars):
            floor.exchange.begin_bar(bar)
            moment = bar.start + ARRIVES
            for order in sent[-1:]:
                floor.exchange.cancel(moment, order.client_order_id)
            held = floor.exchange._ledger.quantity(SPY)
            exits += number > 1 and held == 0
            if number:
                sent.append(
                    an_exit(bars[number - 1], side, order_class) if held else an_order(f"in-{number}", side, "100")
                )
                floor.exchange.submit(moment, sent[-1])
            floor.exchange.advance(bar.end - ARRIVES)
        is_out(floor, sent[-1:], bars[-1].end - ARRIVES)
        profit += floor.exchange.account(bars[-1].end).equity - BEGINS
        decided += floor.exchange.tally.decided_by_the_path
    return profit, exits, decided


def an_exit(bar: Bar, side: Side, order_class: OrderClass) -> OrderRequest:
    """Alone, or beside a target eight cents away."""
    stop, limit, target = (str(beyond(bar.close, step, side)) for step in ("-0.04", "0.02", "0.08"))
    name = f"out-{bar.start:%H%M}"
    if order_class is OrderClass.SIMPLE:
        return an_order(name, side.opposite, "100", stop=stop, limit=limit)
    legs = (a_stop_leg(stop, limit),)
    return an_order(name, side.opposite, "100", limit=target, order_class=order_class, legs=legs)


@pytest.fixture
def elects_and_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange on which what a bar elects rests in it as any limit does, and turns the bar to its own side."""

    def says_nothing(_: SameBar, order: BookedOrder, segment: Segment) -> None:
        del order, segment

    monkeypatch.setattr(SameBar, "note_election", says_nothing)
    monkeypatch.setattr(Directions, "_is_out_of_reach", lambda *_: False)


@pytest.mark.parametrize(("stop", "limit"), [("0.04", "0.00"), ("0.05", "-0.05"), ("0.04", "0.04"), ("0.04", "0.08")])
@pytest.mark.parametrize("side", Side)
def test_who_enters_at_the_pull_back_of_the_bar_that_broke_out_wins_nothing(side: Side, stop: str, limit: str) -> None:
    """AN-04, MD-05: long and short."""
    came_to = of_all(side, stop, limit)

    assert came_to.entries >= 15
    assert came_to.profit <= 0
    assert Decimal(limit) >= Decimal(stop) or came_to.decided > 40


@pytest.mark.usefixtures("elects_and_fills")
@pytest.mark.parametrize(("stop", "limit"), [("0.04", "0.00"), ("0.05", "-0.05")])
@pytest.mark.parametrize("side", Side)
def test_it_won_where_one_extreme_elected_it_and_the_other_filled_it(side: Side, stop: str, limit: str) -> None:
    """AN-04: the strategy would find the flaw if it were there."""
    assert of_all(side, stop, limit).profit > 100


def both_ways(order_class: OrderClass) -> tuple[Decimal, int, int]:
    """Long and short over the same walks: what is held goes with them and against them alike."""
    bought, sold = (leaves(side, order_class) for side in Side)
    return bought[0] + sold[0], bought[1] + sold[1], bought[2] + sold[2]


@pytest.mark.parametrize("order_class", [OrderClass.SIMPLE, OrderClass.OCO])
def test_who_leaves_at_the_rebound_of_the_bar_that_fell_wins_nothing(order_class: OrderClass) -> None:
    """AN-04, MD-05: a target beside it has no better end of the bar either."""
    profit, exits, decided = both_ways(order_class)

    assert exits > 20
    assert decided > 50
    assert profit <= 0


@pytest.mark.usefixtures("elects_and_fills")
@pytest.mark.parametrize("order_class", [OrderClass.SIMPLE, OrderClass.OCO])
def test_it_won_where_the_low_elected_and_the_high_sold(order_class: OrderClass) -> None:
    """AN-04: the strategy would find the flaw if it were there."""
    profit, _, _ = both_ways(order_class)

    assert profit > 100
