"""One scripted day, and the same day once for every place at which the process could have died."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache

import pytest
from simulation.machine import some_settings
from simulation.world import DAY, SPY, World, calendar

from core.brokers.simulated.exchange import ExchangeConfig
from core.messages.commands import EditOrder, MoveStop, OpenTicket, ProposeOrder, RequestCancel
from core.model.order import Effect, LegRole, OrderStatus, OrderType, StopHolder
from core.model.position import Trade
from core.model.values import Price, Quantity
from core.runtime.scripted_operator import turn_of

TRIES = 4
"""How often the operator reads and confirms again what a crash has swallowed."""
GROUPS = 8


@dataclass(frozen=True, slots=True)
class Life:
    """How the process dies and comes back: the place, what of the unsynced lines is kept, from what it starts."""

    place: int
    kept: int = 0
    with_checkpoint: bool = False


def a_day(life: Life | None = None) -> World:
    """The scripted day, settled and compared."""
    world = a_day_until_it_is_settled(life)
    world.settle()
    return world


def a_day_until_it_is_settled(life: Life | None = None) -> World:
    """A dip is bought in two fills, its stop goes with it, the stop is moved, all is sold at the average.

    A typed order is edited and taken back.

    With a `life` the process dies once on the way; the operator goes on with whatever the next one shows.
    """
    settings = some_settings(whole=True, margin=False, holder="broker")
    opened = calendar().session_on(DAY).open
    world = World(settings, ExchangeConfig(account="SIM", cash=Decimal(50_000)), opened + timedelta(minutes=10))
    world.run(1)
    world.save_checkpoint()
    world.fuse.places.clear()
    if life is not None:
        world.next_crash = {"kept": life.kept, "with_checkpoint": life.with_checkpoint}
        world.fuse.light(life.place)

    for close in ("100.00", "100.05", "99.70"):
        world.bar(close)
    world.bar("99.65", volume=40, seconds=0.0)
    confirm_all(world)
    world.save_checkpoint()
    world.bar("99.68", volume=1000)
    for position in world.engine.state.ledger.positions():
        world.do(MoveStop(SPY, position.strategy, Price(Decimal("99.50"))))
    confirm_all(world)
    world.bar("100.60")
    confirm_all(world)
    world.bar("100.50")
    confirm_all(world)

    price = Price(Decimal("95.00"))
    world.do(
        ProposeOrder(SPY, Effect.OPEN, Quantity(Decimal(2)), OrderType.LIMIT, price, Price(Decimal("94.00")),
                     StopHolder.BROKER)
    )  # fmt: skip
    confirm_all(world)
    for order in world.engine.state.ledger.working_entries(SPY)[:1]:
        world.do(EditOrder(order.id, Quantity(Decimal(3)), Price(Decimal("95.10")), None))
    confirm_all(world)
    for order in world.engine.state.ledger.working_entries(SPY):
        world.do(RequestCancel(order.id))
    world.run(2)
    for order in world.engine.state.ledger.working_entries(SPY):
        world.do(RequestCancel(order.id))
    return world


def confirm_all(world: World) -> None:
    """Reads and confirms until nothing waits."""
    for _ in range(TRIES):
        waiting = world.engine.state.stage.proposals()
        if not waiting:
            break
        world.do(OpenTicket(waiting[0].id))
        world.run(0.5)
        for ticket in list(world.engine.state.stage.state.tickets.values()):
            order = ticket.order
            world.presses.add((ticket.id, ticket.digest, order.effect.value, order.replaces))
            world.do(turn_of(ticket))
        world.run(1.5)


@cache
def places() -> tuple[str, ...]:
    """Every place of the undisturbed day, in order."""
    return tuple(a_day_until_it_is_settled().fuse.places)


def test_the_scripted_day_is_worth_crashing() -> None:
    """EX-21, EX-12, OP-06: an entry in parts with its stop, the stop's move, a close through it, an edit, a cancel"""
    world = a_day()

    orders = world.engine.state.ledger.state.orders.values()
    trades: list[Trade] = world.engine.state.ledger.state.trades
    entry, *_ = orders
    stops = [order for order in orders if order.is_protective]
    assert entry.status is OrderStatus.FILLED
    leg, moved, *_ = stops
    assert [(stop.request.quantity, stop.role) for stop in (leg, moved)] == [(10, LegRole.STOP)] * 2
    assert (leg.replaced_by, moved.request.stop_price) == (moved.id, Decimal("99.50"))
    assert {stop.status for stop in stops} == {OrderStatus.CANCELLED}
    assert [trade.quantity for trade in trades] == [10]
    typed, edited = [order for order in orders if not order.only_reduces][-2:]
    assert (typed.replaced_by, edited.request.quantity) == (edited.id, 3)
    assert typed.status is edited.status is OrderStatus.CANCELLED
    assert world.auditor.wrong == []
    assert len(places()) > 150


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_crash_at_any_place_ends_with_the_exchange_s_own_books(group: int) -> None:
    """EX-06, EX-09, EX-20: before and after each journal line, each sync, each request and each answer"""
    for place in range(group + 1, len(places()) + 1, GROUPS):
        for life in lives(place):
            dies(life)


def lives(place: int) -> Iterable[Life]:
    """The ways to come back: each place has its turn with one of them, or with all three where that was asked for."""
    ways = (Life(place), Life(place, kept=1), Life(place, kept=100, with_checkpoint=True))
    return ways if os.environ.get("LIVES") == "all" else ways[place % len(ways) :][:1]


def dies(life: Life) -> None:
    died_at = places()[life.place - 1]
    world = a_day(life)

    assert world.restarts == 1, life
    assert world.fuse.burnt_at == died_at, life
    world.auditor.compare_folds()
    world.auditor.compare_with_exchange()
    assert world.auditor.wrong == [], (life, died_at)
    assert not world.engine.state.ledger.positions(), (life, died_at)
    assert not any(world.engine.state.ledger.working()), (life, died_at)
