"""Desks that come and go, take the key, and confirm where they may not (OP-13). A session has them or it does not."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from core.messages.commands import OpenTicket
from core.messages.desk_commands import AttachDesk, DetachDesk, LoseDesk, TakeKey
from core.model.basket import BasketSource
from core.model.desk import DeskNumber, Seat
from core.workflows.operator.desk_control import TAKE

if TYPE_CHECKING:
    from simulation.planner import Planner
    from simulation.sessions import Session
    from simulation.world import World

MOST = 4
NOWHERE = DeskNumber(999_999)


class DeskPlay:
    """What a player does with several desks."""

    session: Session
    world: World
    planner: Planner

    def sit(self) -> None:
        """The operator goes to the desk that holds the key; where nobody is attached one comes, but for an absence."""
        if not self.session.has_desks:
            return
        desks = self.world.engine.state.desks
        if not desks.state.attached and not self.world.is_away:
            self._attach(None)
        desks = self.world.engine.state.desks
        holder = desks.holder
        if holder is None or holder.away_until is not None:
            self.world.desk = next(iter(desks.state.attached), NOWHERE)
            if desks.state.attached and not self.world.is_away:
                self.world.do(TakeKey(TAKE, desks.hold))
        else:
            self.world.desk = holder.number
        self.world.hold = self.world.engine.state.desks.hold

    def _attach(self, returning: int | None) -> None:
        self.world.links += 1
        self.world.desk = None
        number = None if returning is None else DeskNumber(returning)
        seat = Seat(f"/dev/pts/{self.world.links}", "eve")
        self.world.do(AttachDesk(seat, f"link-{self.world.links}", number))
        self.world.is_away = False

    def _others(self) -> list[DeskNumber]:
        desks = self.world.engine.state.desks
        return [number for number in desks.state.attached if not desks.is_holder(number)]

    def desks_come_and_go(self, what: str, pick: int, seconds: float) -> None:
        """One thing of the many that happen to desks, and the key with it."""
        world, desks = self.world, self.world.engine.state.desks
        if what == "attach" and len(desks.state.attached) < MOST:
            self._attach(None)
        elif what in ("detach", "link lost") and desks.state.attached:
            world.desk = sorted(desks.state.attached)[pick % len(desks.state.attached)]
            world.do(DetachDesk() if what == "detach" else LoseDesk())
            gone = world.desk
            world.run(seconds)
            if what == "link lost" and pick % 2:
                self._attach(gone)
        elif what == "nobody":
            for number in sorted(desks.state.attached):
                world.desk = number
                world.do(LoseDesk() if pick % 2 else DetachDesk())
            world.desk, world.is_away = NOWHERE, True
        elif what in ("take", "take without the word", "take at once"):
            self._take(what, pick)

    def _take(self, what: str, pick: int) -> None:
        others = self._others()
        if not others:
            self._attach(None)
            others = self._others()
        if others:
            self.world.desk = others[pick % len(others)]
            hold = self.world.engine.state.desks.hold
            for number in others if what == "take at once" else [self.world.desk]:
                self.world.desk = number
                self.world.do(TakeKey("" if what == "take without the word" else TAKE, hold))

    def a_key_across_a_hand_over(self, who: str, between: float, pick: int) -> None:
        """A ticket is open at the holder; the key is turned from a watcher, or the key goes while it is turned."""
        if (other := self._across(pick)) is None or not (proposals := self._proposals()):  # type: ignore[attr-defined]
            return
        world, hold, holder = self.world, self.world.hold, self.world.desk
        world.do(OpenTicket(proposals[pick % len(proposals)].id))
        world.run(0.5)
        tickets = self._tickets()  # type: ignore[attr-defined]
        if who == "key, then hand-over" and tickets:
            self._press(tickets[0])  # type: ignore[attr-defined]
            world.run(between / 4)
        self._hand_over(who, holder, other, hold)
        for ticket in tickets if who != "key, then hand-over" else ():
            self._press(ticket)  # type: ignore[attr-defined]
        world.run(max(between, 0.5))

    def a_basket_across_a_hand_over(self, who: str, between: float, pick: int) -> None:
        """The same with a basket and its `P`."""
        if (other := self._across(pick)) is None:
            return
        world, hold, holder, chance = self.world, self.world.hold, self.world.desk, Random(pick)
        self.planner.open(BasketSource.FILE, chance)
        self.planner.mark(chance)
        if who == "key, then hand-over":
            self.planner.sign()
        self._hand_over(who, holder, other, hold)
        if who != "key, then hand-over":
            self.planner.sign()
        world.run(max(between, 0.5))

    def _across(self, pick: int) -> DeskNumber | None:
        """Another desk than the holder's, at which the person sits down."""
        if not self._others():
            self._attach(None)
        self.sit()
        others = self._others()
        return others[pick % len(others)] if others else None

    def _hand_over(self, who: str, holder: DeskNumber | None, other: DeskNumber, hold: int) -> None:
        """The person is at the desk then from which the next key comes."""
        world = self.world
        world.desk = other
        if who in ("old hold", "holder after", "key, then hand-over"):
            world.do(TakeKey(TAKE, hold))
        if who in ("holder after", "link lost"):
            world.desk = holder
        if who == "link lost":
            world.do(LoseDesk())


def what_desks_do(chance: Random) -> tuple[str, int, float]:
    return (
        chance.choice(
            (
                "attach", "attach", "detach", "link lost", "link lost", "nobody", "take", "take",
                "take without the word", "take at once",
            )
        ),
        chance.randrange(4),
        chance.choice((0.05, 5.0, 59.0, 61.0, 130.0)),
    )  # fmt: skip


def a_key_on_its_way(chance: Random) -> tuple[str, float, int]:
    return (
        chance.choice(("watcher", "old hold", "holder after", "key, then hand-over", "link lost")),
        chance.choice((0.0, 0.05, 0.12, 0.35)),
        chance.randrange(4),
    )
