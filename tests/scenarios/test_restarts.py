"""A morning of all strategies with restarts in it is the morning without them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core import facts
from core.model.bar import Bar
from core.model.staging import Review
from core.model.values import Price
from core.runtime.scripted_operator import ConfirmAll
from core.settings.settings import Settings
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import at

WHAT_WAS_TRADED: tuple[type[facts.Fact], ...] = (
    facts.SignalRaised,
    facts.ProposalStaged,
    facts.ProposalEnded,
    facts.OrderCreated,
    facts.OrderStateChanged,
    facts.OrderFilled,
    facts.PositionChanged,
    facts.AuthorizationEnded,
    facts.TradeClosed,
)
NONE = Review(())
ON = Settings.model_validate(
    {
        "risk": {"window_start": "09:30", "window_end": "15:40"},
        "strategies": {
            "momentum": {
                "enabled": True,
                "bars": 3,
                "strength_bars": 4,
                "volume_bars": 5,
                "minimum_gain": "0.001",
                "range_bars": 3,
            },
            "breakout": {
                "enabled": True,
                "bars": 4,
                "counted_bars": 9,
                "confirming_bars": 2,
                "volume_bars": 3,
                "volume_factor": 0,
            },
            "mean_reversion": {"enabled": True, "bars": 6, "deviations": 1, "range_bars": 3},
            "sma": {
                "enabled": True,
                "pairs": [[2, 5], [3, 7]],
                "regime_bars": 9,
                "minimum_confidence": 0,
                "range_bars": 3,
            },
        },
    }
)


def a_wandering_day(chance: Random, last: str = "12:30") -> list[Bar]:
    price, bars = Decimal(100), []
    for quiet in minutes("09:30", last):
        close = price + Decimal(chance.randint(-12, 12)) / 50
        high, low = max(price, close) + Decimal("0.06"), min(price, close) - Decimal("0.06")
        bars.append(replace(quiet, open=Price(price), high=Price(high), low=Price(low), close=Price(close)))
        price = close
    return bars


def played(bars: Iterable[Bar], restarts: Iterable[int] = (), until: str = "12:35") -> House:
    """The day, with restarts so many minutes and a half after the open: when nothing is on its way."""
    house = House(bars, ON, cash=Decimal(50_000)).opens()
    house.line.operator = ConfirmAll(house.desk)
    for minute in sorted(restarts):
        house.until_moment(at("09:30") + timedelta(minutes=minute, seconds=30))
        house.restarted()
        house.line.operator = ConfirmAll(house.desk)
    return house.until(until)


def traded(house: House) -> list[tuple[Any, facts.Fact]]:
    """All but the figures of a proposal's review: quotes and the account's are sightings, and seen anew."""
    found = ((record.at, record.fact) for record in house.journal.records())
    kept = ((when, fact) for when, fact in found if isinstance(fact, WHAT_WAS_TRADED))
    return [
        (when, replace(fact, review=NONE) if isinstance(fact, facts.ProposalStaged) else fact) for when, fact in kept
    ]


def test_restarts_change_nothing_that_is_traded() -> None:
    """SP-05, ST-01, EX-20: signals, tickets, orders, fills, stops and trades, and when each was."""
    bars = a_wandering_day(Random("the market 0"))
    running = played(bars)

    stopped = played(bars, Random("the restarts 0").sample(range(5, 175), 10))

    assert traded(stopped) == traded(running)
    assert len(running.facts(facts.TradeClosed)) > 3
    assert_can_be_rebuilt(stopped)
