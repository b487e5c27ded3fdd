"""A kill with many orders of others at the loopback exchange, in virtual time: requests a minute, seconds it takes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from core.messages.commands import Kill
from core.model.order import Effect, OrderRequest, OrderType, Side, TimeInForce
from core.model.values import ClientOrderId, Price, Quantity
from tests.kit.timeline import timeline
from tests.wire.exchange.door import MARKET_DATA
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_desk, a_market, waits

A_MINUTE = timedelta(minutes=1)
LIMIT = 200
LONGEST = 600
"""Seconds until a kill that does not end is given up."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What a kill did.

    Attributes
    ----------
    requests
        All requests to the trading API from the kill to the end, refused ones too.
    refused
        Those answered with 429.
    most
        The most requests in any rolling 60 seconds, those before the kill included.
    seconds
        From the kill until the last order is gone; None if it did not end.
    """

    requests: int
    refused: int
    most: int
    seconds: float | None


def rest_elsewhere(market: LoopbackExchange, orders: int) -> None:
    """Rest buy orders of somebody else for 1 to 5 shares, far below the market."""

    def rest() -> None:
        for number in range(orders):
            name, shares = ClientOrderId(f"elsewhere-{number}"), Quantity(Decimal(1 + number % 5))
            market.floor.submit(
                OrderRequest(
                    name, SPY, Side.BUY, Effect.OPEN, shares, OrderType.LIMIT, TimeInForce.DAY, Price(Decimal(1))
                )
            )
        market.publish()

    market.call(rest)


def working(market: LoopbackExchange) -> int:
    return sum(order.status is None or order.status.is_working for order in market.orders())


def most_in_a_minute(market: LoopbackExchange) -> int:
    times = [request.at for request in market.received() if not request.path.startswith(MARKET_DATA)]
    return max(bisect_left(times, at + A_MINUTE) - number for number, at in enumerate(times))


def asked(market: LoopbackExchange) -> int:
    return sum(not request.path.startswith(MARKET_DATA) for request in market.received())


def allow(desk: Open, a_minute: int) -> None:
    """Let the desk take this for the broker's limit; the documented one needs hundreds of orders to be reached."""
    sightings = desk.runtime.engine.state.sightings
    sightings.capabilities = replace(sightings.capabilities, messages_a_minute=a_minute)


def kill(home: Path, orders: int, limit: int | None, allowed: int = LIMIT) -> Killed:
    """Kill a desk beside so many orders; the exchange answers 429 beyond `limit` requests a minute, if there is one.

    The desk is told that `allowed` are.
    """
    with a_market(limit=limit) as market, a_desk(market, home) as desk:
        allow(desk, allowed)
        rest_elsewhere(market, orders)
        waits(desk, lambda view: len(view.others) == orders, "they are shown")
        timeline().advance(61)
        before, refused = asked(market), market.door.refused
        begun = timeline().monotonic()
        desk.sends(Kill("key"))
        while working(market) and timeline().monotonic() - begun < LONGEST:
            timeline().advance(1)
        seconds = timeline().monotonic() - begun if not working(market) else None
        return Killed(asked(market) - before, market.door.refused - refused, most_in_a_minute(market), seconds)
