"""What a person does to change an order that works, and the houses in which there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.execution.order import Order
from core.messages.commands import EditOrder, MoveStop
from core.model.order import OrderStatus
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from tests.scenarios.house import House, a_day, a_house_with_a_proposal, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY, a_bar

ABOVE = "99.70 99.70 99.65 99.70"
AWAY = ("10:06", "10:30", ABOVE)
"""A limit at 99.60 is never touched."""
ROOMY = Settings.model_validate(
    {
        "risk": {"max_notional": {"usd": "2000"}, "per_trade": {"usd": "20"}, "entries_a_day": 5},
        "strategies": {"vwap": {"quantity_step": "1"}},
    }
)
"""Whole shares, and money for twenty of them."""
FRACTIONS = ROOMY.model_copy(update={"strategies": Settings().strategies})
"""The same money for shares and parts of them: a stop follows each fill."""
WORKING = OrderStatus.SUBMITTED


def moves(house: House, price: str) -> None:
    house.presses(MoveStop(SPY, "vwap", Price(Decimal(price))))


def edits(house: House, quantity: str, limit: str | None = None, stop: str | None = None) -> None:
    house.presses(
        EditOrder(
            house.entry.id,
            Quantity(Decimal(quantity)),
            None if limit is None else Price(Decimal(limit)),
            None if stop is None else Price(Decimal(stop)),
        )
    )


def confirms_now(house: House, arrives_after: float = 0.1) -> None:
    """The first proposal's ticket is opened, read and confirmed, in one second; its order takes so long to arrive."""
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    if arrives_after != 0.1:
        house.slows_down(arrives_after)
        passes(house, 0.15)
        house.slows_down(0.1)


def passes(house: House, seconds: float) -> None:
    house.until_moment(house.line.at + timedelta(seconds=seconds))


def a_house_with_a_working_entry(quantity: str = "1", **terms: object) -> House:
    """A typed buy works at 99.60, and the market stays above it."""
    house = a_house_with_a_proposal(AWAY, settings=ROOMY, **terms)
    house.until("10:08:00")
    house.presses(a_typed_buy(quantity))
    confirms_now(house)
    passes(house, 2)
    assert house.entry.status is WORKING
    return house


def the_new(house: House) -> Order:
    return next(o for o in house.desk.ledger.state.orders.values() if o.request.replaces is not None)


def a_house_in_a_thin_market(target: str | None = None, settings: Settings = ROOMY) -> House:
    """A typed buy of 15 works at 99.60; at 10:10 the price comes down to it, and ten shares a minute trade with us."""
    falls = [a_bar("10:10", "99.65 99.65 99.60 99.65", volume=100)]
    after = [a_bar(f"10:{minute}", "99.65", volume=100) for minute in range(11, 20)]
    house = House([*a_day(("10:06", "10:09", ABOVE)), *falls, *after], settings=settings, cash=Decimal(10_000))
    house.opens().until("10:08:00")
    house.presses(replace(a_typed_buy("15"), target_price=None if target is None else Price(Decimal(target))))
    confirms_now(house)
    passes(house, 2)
    return house
