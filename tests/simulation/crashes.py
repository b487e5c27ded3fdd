"""One scripted day, and the same day once for every place at which the process could have died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache

from core.brokers.simulated.exchange import ExchangeConfig
from core.messages.commands import EditOrder, MoveStop, OpenTicket, ProposeOrder, RequestCancel
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity
from core.runtime.scripted_operator import turn_of
from tests.simulation.machine import some_settings
from tests.simulation.world import DAY, SPY, World, calendar

TRIES = 4
"""How often the operator reads and confirms again what a crash has swallowed."""
WAYS = 3
"""To come back from a crash: nothing of the unsynced lines is kept, one line, or all of them with a checkpoint."""


@dataclass(frozen=True, slots=True)
class Life:
    """How the process dies and comes back: the place, what of the unsynced lines is kept, from what it starts."""

    place: int
    kept: int = 0
    with_checkpoint: bool = False


def a_trade(world: World) -> None:
    """A dip is bought in two fills, its stop goes with it, the stop is moved, all is sold at the average."""
    world.bar("99.70")
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


def a_typed_order(world: World) -> None:
    """It is edited and taken back."""
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


Parts = tuple[Callable[[World], None], ...]
WHOLE: Parts = (a_trade, a_typed_order)


def a_day(life: Life | None = None, parts: Parts = WHOLE) -> World:
    """The scripted day, settled and compared."""
    world = a_day_until_it_is_settled(life, parts)
    world.settle()
    return world


def a_day_until_it_is_settled(life: Life | None, parts: Parts) -> World:
    """With a `life` the process dies once on the way; the operator goes on with whatever the next one shows."""
    settings = some_settings(whole=True, margin=False, holder="broker")
    opened = calendar().session_on(DAY).open
    world = World(settings, ExchangeConfig(account="SIM", cash=Decimal(50_000)), opened + timedelta(minutes=10))
    world.run(1)
    world.save_checkpoint()
    world.fuse.places.clear()
    if life is not None:
        world.next_crash = {"kept": life.kept, "with_checkpoint": life.with_checkpoint}
        world.fuse.light(life.place)
    for close in ("100.00", "100.05"):
        world.bar(close)
    for part in parts:
        part(world)
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
def places(parts: Parts = WHOLE) -> tuple[str, ...]:
    """Every place of the undisturbed day, in order."""
    return tuple(a_day_until_it_is_settled(None, parts).fuse.places)


def crash_at(number: int, parts: Parts = WHOLE) -> list[str]:
    """Crash the day at place `number // WAYS` in the way `number % WAYS`; what was wrong afterwards (EX-06, EX-09)."""
    place, way = divmod(number, WAYS)
    place += 1
    life = (Life(place), Life(place, kept=1), Life(place, kept=100, with_checkpoint=True))[way]
    died_at = places(parts)[place - 1]
    world = a_day(life, parts)
    world.auditor.compare_folds()
    world.auditor.compare_with_exchange()
    wrong = [str(one) for one in world.auditor.wrong]
    if world.restarts != 1 or world.fuse.burnt_at != died_at:
        wrong.append(f"{world.restarts} restarts, crashed at {world.fuse.burnt_at}")
    if world.engine.state.ledger.positions() or any(world.engine.state.ledger.working()):
        wrong.append("the day does not end flat")
    return [f"crash {number} at {died_at!r}, {life}: {one}" for one in wrong]
