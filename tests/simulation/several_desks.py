"""Two desks at one ticket: a watcher presses its key, or the key changes hands under it (OP-13).

Of everything that is pressed here, what the books permit is told to the world beside the press; the rest confirms
nothing, whoever pressed it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from core.messages.commands import AttachDesk, Confirm, DetachDesk, LoseDesk, OpenTicket, ProposeOrder, TakeKey
from core.model.desk import DeskNumber, PaintProof, Seat
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.staging import Ticket
from core.model.values import Price, Quantity, Symbol

if TYPE_CHECKING:
    from simulation.world import World

Arguments = tuple[str | int | float | bool, ...]
HAND_OVER = "the_key_changes_hands"
"""The event's name."""
HAS_THEM = 0.35
"""Of sessions, those in which a second desk attaches."""
MOST = 3
USERS = ("adam", "eve")
HOWS = ("a watcher", "armed", "between", "lost", "left", "own")


def a_hand_over(chance: Random) -> Arguments:
    """What happens at the ticket, seconds of thought before it, and of waiting after it."""
    return chance.choice(HOWS), chance.choice((0.5, 0.5, 2.0)), chance.choice((0.0, 0.35, 6.0, 61.0))


def hand_over(world: World, how: str, think: float, wait: float) -> None:
    desks = _both(world)
    if desks is None:
        return
    holder, other = desks
    ticket = _opened(world, holder, think)
    if ticket is None or not _is_holder(world, holder):
        return
    hold = world.engine.state.desks.hold
    key = Confirm(
        ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces, hold=hold, proof=PaintProof.TIMED
    )

    def takes() -> None:
        world.say_at(other, TakeKey("TAKE", hold))

    def presses_its_own() -> None:
        world.presses.add((ticket.id, ticket.digest, ticket.order.effect.value, ticket.order.replaces))
        world.say_at(holder, key)

    acts: dict[str, tuple[Callable[[], None], ...]] = {
        "a watcher": (lambda: world.say_at(other, key),),
        "armed": (takes, lambda: world.say_at(holder, key), lambda: world.say_at(other, replace(key, hold=hold + 1))),
        "between": (presses_its_own, takes),
        "lost": (lambda: world.say_at(holder, LoseDesk()), lambda: world.say_at(holder, key)),
        "left": (
            lambda: world.say_at(holder, DetachDesk()),
            takes,
            lambda: world.say_at(other, replace(key, hold=hold + 1)),
        ),
        "own": (presses_its_own,),
    }
    for act in acts[how]:
        act()
    world.run(wait)


def _both(world: World) -> tuple[DeskNumber, DeskNumber] | None:
    """Who holds the key, and the other one; None where the process died meanwhile."""
    for user in USERS:
        if world.wire.desk_of(user) is None:
            world.do(AttachDesk(Seat(f"/dev/pts/{len(user)}", user), user))
    numbers = [number for user in USERS if (number := world.wire.desk_of(user)) is not None]
    if len(numbers) < len(USERS):
        return None
    if not any(_is_holder(world, number) for number in numbers):
        world.say_at(numbers[0], TakeKey("TAKE", world.engine.state.desks.hold))
    holder, other = sorted(numbers, key=lambda number: not _is_holder(world, number))
    return holder, other


def _is_holder(world: World, desk: DeskNumber) -> bool:
    return world.engine.state.desks.is_holder(desk)


def _opened(world: World, holder: DeskNumber, think: float) -> Ticket | None:
    """The ticket of what waits, or of an order that is typed for it."""
    if not world.engine.state.stage.proposals():
        stop = Price(STOCK_TICKS.nearest(world.price - 1))
        one = Quantity(Decimal(1))
        world.say_at(
            holder,
            ProposeOrder(Symbol("SPY"), Effect.OPEN, one, OrderType.MARKET, None, stop, StopHolder.BROKER),
        )
    for proposal in world.engine.state.stage.proposals()[:1]:
        world.say_at(holder, OpenTicket(proposal.id))
        world.run(think)
        tickets = world.engine.state.stage.state.tickets.values()
        return next((ticket for ticket in tickets if ticket.proposal_id == proposal.id), None)
    return None
