"""The hand at the desk that the accidents happen at, where another desk is on the same engine."""

from __future__ import annotations

from console.keymap import written
from console.screens.desk_control import TakeByQuestion, TakeByWord
from tests.accidents.hand import ESCAPE, Hand
from tests.accidents.house import SIZES
from tests.accidents.served_house import ServedHouse


class HandOfTwo(Hand):
    house: ServedHouse

    async def goes_home(self) -> None:
        await self.gets_whole()
        await self.takes_the_key()
        await super().goes_home()

    async def has_a_ticket(self) -> None:
        if not (self.is_whole and self.house.holds_key):
            await self.goes_home()
        await super().has_a_ticket()

    @property
    def is_whole(self) -> bool:
        house = self.house
        handle, desks = house.desk.handle, house.world.runtime.engine.state.desks
        view = house.desk.view
        return (
            house.served.is_up
            and not house.served.is_still
            and handle.link.trouble is None
            and handle.desk is not None
            and desks.desk(handle.desk) is not None
            and view is not None
            and view.status.key.hold == desks.hold
        )

    async def gets_whole(self) -> None:
        """The engine is there, and both desks see it."""
        house = self.house
        house.meant = None
        house.served.is_still = False
        house.line.mend()
        house.other.line.mend()
        if not house.served.is_up:
            self.engine_begins()
        self.later(0, "comes")
        if house.wire.is_still:
            self.moves_the_link()
            await self.wait(2.0)
        if house.desk.is_too_small:
            self.resizes(*self.chance.choice(SIZES))
            await self.wait(0.2)
        for _ in range(60):
            if self.is_whole:
                return
            await self.wait(0.2)

    async def takes_the_key(self) -> None:
        """By its keys, where another desk has it or nobody."""
        house = self.house
        for _ in range(12):
            if house.holds_key:
                return
            if len(house.desk.screen_stack) > 1:
                self.type(ESCAPE)
                await self.wait(0.3 + 2 * house.wire.delay)
                continue
            await self.waits_a_doubt_out()
            await self.asks_for_the_key()

    async def asks_for_the_key(self) -> None:
        house = self.house
        self.type("T")
        await self.wait(0.3 + 2 * house.wire.delay)
        top = house.desk.screen_stack[-1]
        if isinstance(top, TakeByWord):
            for letter in "TAKE":
                self.type(letter)
                await self.wait(0.03)
        elif isinstance(top, TakeByQuestion):
            await self.wait(0.9 + house.wire.delay)
            self.type(written("question.do"))
        await self.wait(0.4 + house.wire.delay + house.slowest)

    # ── what happens to the key and to the engine

    def later(self, seconds: float, what: str) -> None:
        """The other desk does it after so long, on its own: `takes`, `halts`, `kills`, `leaves` or `comes`."""
        acts = {
            "takes": self.house.other.takes, "leaves": self.house.other.leaves, "comes": self.house.other.comes,
            "halts": self.house.other.remote.press_kill, "kills": self.house.other.remote.press_kill_again,
        }  # fmt: skip

        def does() -> None:
            if what == "comes" and self.house.other.is_there:
                return
            self.note(f"the other desk {what}{' the key' if what == 'takes' else ''}")
            acts[what]()
            self.house.served.turn()

        if seconds > 0:
            self.house.clock.call_punctually(seconds, does)
        else:
            does()

    async def gives_the_key_away(self) -> None:
        """The other desk holds it, and both know."""
        for _ in range(20):
            if self.house.other.holds and not self.house.holds_key:
                return
            self.later(0, "takes")
            await self.wait(0.3 + self.house.slowest)

    def engine_ends(self, cleanly: bool) -> None:
        self.note("the engine is stopped" if cleanly else "the engine is killed")
        self.house.served.ends(cleanly)

    def engine_begins(self) -> None:
        self.note("another engine takes the journal up")
        self.house.served.begins_again()

    def means_and_types(self) -> None:
        """The key of the ticket that stands there, as one that is meant, until something makes it void."""
        assert self.house.shown is not None
        self.house.means(self.house.shown)
        self.type(self.house.right_key)
