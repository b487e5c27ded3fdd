"""Strategies that win where a bar elects a stop-limit by one extreme and fills it by the other, or lifts a trailing
stop by one and sells behind it: both pay, on a fair walk, who has the extremes in the order that suits. An honest
exchange does not know that order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from core.model.bar import Bar
from core.model.order import OrderClass, OrderRequest, Side
from tests.scenarios.test_fill_model_flaws import (
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
SESSIONS = [a_session_of(a_fair_walk(f"stop-limit {number}", 195)) for number in range(2)]

Strategies = Callable[[Side], Strategy]


def enters(side: Side, stop: str, limit: str) -> Strategy:
    """Each minute a break-out that is to be had at a pull-back."""

    def strategy(bar: Bar) -> OrderRequest:
        prices = {"stop": str(beyond(bar.close, stop, side)), "limit": str(beyond(bar.close, limit, side))}
        return an_order(f"in-{bar.start:%H%M}", side, "100", **prices)

    return strategy


def of_all(side: Side, stop: str, limit: str, many: int = len(SESSIONS)) -> Played:
    """So many half sessions of a fair walk."""
    found = [played(bars, enters(side, stop, limit)) for bars in SESSIONS[:many]]
    return Played(*(sum(figures) for figures in zip(*((p.profit, p.entries, p.decided) for p in found), strict=True)))


Exit = Callable[[Bar, Side], OrderRequest]


def leaves(side: Side, leaves_by: Exit, rules: dict[str, Decimal], many: int) -> tuple[Decimal, int, int]:
    """Held over bars, with another exit each minute: profit, how often it was out, and what the path decided."""
    profit, exits, decided = Decimal(0), 0, 0
    for bars in SESSIONS[:many]:
        floor = Floor(multiplier=Decimal(4), cash=BEGINS, **rules)
        sent = list[OrderRequest]()
        for number, bar in enumerate(bars):
            floor.exchange.begin_bar(bar)
            moment = bar.start + ARRIVES
            for order in sent[-1:]:
                floor.exchange.cancel(moment, order.client_order_id)
            held = floor.exchange._ledger.quantity(SPY)
            exits += number > 1 and held == 0
            if number:
                sent.append(leaves_by(bars[number - 1], side) if held else an_order(f"in-{number}", side, "100"))
                floor.exchange.submit(moment, sent[-1])
            floor.exchange.advance(bar.end - ARRIVES)
        is_out(floor, sent[-1:], bars[-1].end - ARRIVES)
        profit += floor.exchange.account(bars[-1].end).equity - BEGINS
        decided += floor.exchange.tally.decided_by_the_path
    return profit, exits, decided


def by_a_rebound(bar: Bar, side: Side) -> OrderRequest:
    """The stop is four cents away, and the limit two to the good."""
    stop, limit = (str(beyond(bar.close, step, side)) for step in ("-0.04", "0.02"))
    return an_order(f"out-{bar.start:%H%M}", side.opposite, "100", stop=stop, limit=limit)


def by_one_of_two(bar: Bar, side: Side) -> OrderRequest:
    """The same beside a target eight cents away."""
    stop, limit, target = (str(beyond(bar.close, step, side)) for step in ("-0.04", "0.02", "0.08"))
    legs, name = (a_stop_leg(stop, limit),), f"out-{bar.start:%H%M}"
    return an_order(name, side.opposite, "100", limit=target, order_class=OrderClass.OCO, legs=legs)


def by_a_trail(bar: Bar, side: Side) -> OrderRequest:
    return an_order(f"out-{bar.start:%H%M}", side.opposite, "100", trail="0.05")


@pytest.mark.parametrize(("stop", "limit"), [("0.04", "0.00"), ("0.05", "-0.05"), ("0.04", "0.08")])
@pytest.mark.parametrize("side", Side)
def test_a_stop_limit_entry_in_its_bar_gains_nothing(side: Side, stop: str, limit: str) -> None:
    """AN-04, MD-05: long and short."""
    came_to = of_all(side, stop, limit)

    assert came_to.entries >= 4
    assert came_to.profit <= 0
    assert Decimal(limit) >= Decimal(stop) or came_to.decided > 20


def both_ways(leaves_by: Exit, many: int = len(SESSIONS), **rules: Decimal) -> tuple[Decimal, int, int]:
    """Long and short over the same walks: what is held goes with them and against them alike."""
    bought, sold = (leaves(side, leaves_by, rules, many) for side in Side)
    return bought[0] + sold[0], bought[1] + sold[1], bought[2] + sold[2]


@pytest.mark.parametrize("leaves_by", [by_a_rebound, by_one_of_two, by_a_trail])
def test_leaving_by_the_other_extreme_gains_nothing(leaves_by: Exit) -> None:
    """AN-04, MD-05: at a rebound, alone or beside a target that has no better end of the bar either, or by a trail."""
    profit, exits, decided = both_ways(leaves_by)

    assert exits > 10
    assert decided > 25 or leaves_by is by_a_trail
    assert profit <= 0
