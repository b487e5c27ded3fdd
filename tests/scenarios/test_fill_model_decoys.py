"""Strategies that set an order beside a trade, to turn the bar's high and low to the trade's good side. None does.

Each minute buys at the market with a stop and a target five cents away, and is out as the next begins. The decoy is an
entry by a stop: where the larger part decides which extreme comes first, it brings the target before the stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

import pytest

from core.model.bar import Bar
from core.model.broker import Accepted
from core.model.order import OrderClass, OrderRequest, OrderStatus, Side
from core.model.values import Price, Quantity
from tests.scenarios.test_fill_model_flaws import ARRIVES, SESSIONS, beyond, is_out, reported
from tests.unit.core.brokers.trading_floor import Floor, a_stop_leg, a_target_leg, an_order

BEGINS = Decimal(10_000_000)
MIRROR = Decimal(200)
"""A price and its mirror image add up to this."""
NO_SPREAD, ONE_TICK = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class Decoy:
    """An entry by a stop two cents from the open, and how far its limit is from there."""

    quantity: str
    limit: str | None

    def order(self, bar: Bar, side: Side) -> OrderRequest:
        limit = None if self.limit is None else str(beyond(bar.open, self.limit, side))
        stop = str(beyond(bar.open, "0.02", side))
        return an_order(f"decoy-{bar.start:%H%M}", side, self.quantity, stop=stop, limit=limit)


OUT_OF_REACH = Decoy("1000", "-20")
AT_ITS_STOP = Decoy("1000", "0.02")
MORE_THAN_A_BAR = Decoy("30000", None)
"""A bar gives a third of it at the most."""
LARGER = Decoy("11", None)


@dataclass(frozen=True)
class Came:
    """To what the trades came, their exits, and how many of them a bar's order of prices decided."""

    profit: Decimal
    exits: tuple[tuple[OrderStatus, Quantity, Price | None], ...]
    decided: int


def other_side(bar: Bar) -> Bar:
    opened, high, low, close = (Price(MIRROR - price) for price in (bar.open, bar.low, bar.high, bar.close))
    return replace(bar, open=opened, high=high, low=low, close=close)


def came_to(bars: list[Bar], side: Side, decoy: Decoy | None, half_spread: Decimal) -> Came:
    floor = Floor(multiplier=Decimal(4), cash=BEGINS, half_spread_ticks=half_spread)
    sent, trades = list[OrderRequest](), list[OrderRequest]()
    for bar in bars:
        now = bar.start + ARRIVES
        floor.exchange.begin_bar(bar)
        is_out(floor, sent[-2:], now)
        legs = (a_stop_leg(str(beyond(bar.open, "-0.05", side))), a_target_leg(str(beyond(bar.open, "0.05", side))))
        trades.append(an_order(f"in-{bar.start:%H%M}", side, "10", order_class=OrderClass.BRACKET, legs=legs))
        sent.append(trades[-1])
        if decoy is not None:
            sent.append(decoy.order(bar, side))
        for order in sent[-2:] if decoy else sent[-1:]:
            assert isinstance(floor.exchange.submit(now, order), Accepted)
        floor.exchange.advance(bar.end - ARRIVES)
    is_out(floor, sent[-2:], bars[-1].end - ARRIVES)
    legs_of = [leg for trade in trades for leg in reported(floor, trade).legs]
    exits = tuple((leg.status, leg.filled_quantity, leg.average_price) for leg in legs_of)
    profit = floor.exchange.account(bars[-1].end).equity - BEGINS
    return Came(profit, exits, floor.exchange.tally.decided_by_the_path)


def of_all(side: Side, decoy: Decoy | None, half_spread: Decimal, *, is_mirrored: bool = False) -> list[Came]:
    return [
        came_to([other_side(bar) if is_mirrored else bar for bar in bars[:50]], side, decoy, half_spread)
        for bars in SESSIONS[:2]
    ]


known = cache(of_all)
"""By the exchange as it is; played once for each of its arguments."""


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("decoy", "half_spread"),
    [(OUT_OF_REACH, NO_SPREAD), (OUT_OF_REACH, ONE_TICK)],
    ids=["no spread", "one tick"],
)
def test_an_unfilled_order_changes_no_result(side: Side, decoy: Decoy, half_spread: Decimal) -> None:
    """AN-04, MD-05: to the cent, and to the count; and its mirror."""
    with_it = known(side, decoy, half_spread)

    assert with_it == known(side, None, half_spread)
    assert sum(came.profit for came in with_it) <= 0
    assert sum(came.decided for came in with_it) > 4


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("decoy", [LARGER, AT_ITS_STOP], ids=["larger", "at its stop"])
def test_a_filled_second_order_gains_nothing(side: Side, decoy: Decoy) -> None:
    """AN-04: its stops are those that it has alone. Some of its targets must wait: the bar bought after its turn."""
    with_it, alone = known(side, decoy, NO_SPREAD), known(side, None, NO_SPREAD)

    legs = [
        pair for one, other in zip(with_it, alone, strict=True) for pair in zip(one.exits, other.exits, strict=True)
    ]
    assert [stop for stop, _ in legs[::2]] == [stop for _, stop in legs[::2]]
    assert all(target == before or not target[1] for target, before in legs[1::2])
    assert sum(came.decided for came in with_it) >= sum(came.decided for came in alone)


@pytest.mark.parametrize("decoy", [None, OUT_OF_REACH, MORE_THAN_A_BAR, LARGER])
def test_long_and_short_results_match(decoy: Decoy | None) -> None:
    """AN-04: the same minutes, mirrored."""
    long, short = known(Side.BUY, decoy, ONE_TICK), known(Side.SELL, decoy, ONE_TICK, is_mirrored=True)

    assert [(came.profit, came.decided) for came in long] == [(came.profit, came.decided) for came in short]
