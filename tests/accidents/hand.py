"""What a hand, a link and a market do to a desk, each act written down with its instant, so that a list of them can be
read. The hand knows the desk only where it must get ready for the next accident.
"""

from __future__ import annotations

from random import Random

from console.screens.kill import KillScreen
from tests.accidents.house import ARMED, SIZES, House
from tests.kit.pause import pause

ESCAPE, ENTER, CTRL_K = b"\x1b", b"\r", b"\x0b"
PUNCTUAL = 0.15
"""Of all short waits, those in which each of the desk's timers keeps its time: about ten times as dear."""
RUNS_OUT = 3.0
"""Seconds before a ticket's end in which nobody presses its key on purpose."""
READING = 0.5
"""Seconds for which a person looks at an armed ticket before the deliberate press, at least."""


class NoTicketError(Exception):
    """None can be had now: the accident does not take place, and is not counted."""


class Hand:
    """Attributes: `events`, what it did in this accident."""

    def __init__(self, house: House, chance: Random) -> None:
        self.house = house
        self.chance = chance
        self.events: list[str] = []

    def begins(self, chance: Random) -> None:
        self.chance = self.house.chance = chance
        self.events = []
        self.house.began = self.house.clock.at

    def note(self, what: str) -> None:
        self.events.append(f"{self.house.clock.at - self.house.began:8.3f}  {what}")

    # ── acts

    def type(self, data: bytes | str) -> None:
        encoded = data.encode() if isinstance(data, str) else data
        self.note(f"types {encoded!r}" + (" into the standing link" if self.house.wire.is_still else ""))
        self.house.wire.type(encoded)

    async def wait(self, seconds: float) -> None:
        """Some time of a desk that runs: now and then every timer at its own instant, else in leaps, as on a busy
        machine. What the wire and the input thread do comes at its own instant in any case."""
        if seconds <= 0.6 and self.chance.random() < PUNCTUAL:
            await pause(seconds)
        else:
            least = 1 if self.chance.random() < PUNCTUAL else int(seconds / 0.8) + 1
            steps = max(least, self.chance.choice((1, 1, 2, 3)) if seconds > 0.1 else 1)
            for _ in range(steps):
                await self.house.clock.leap(seconds / steps)

    def stops_the_link(self) -> None:
        self.note("the link stands still")
        self.house.wire.stop()

    def moves_the_link(self) -> None:
        in_one_read = self.chance.random() < 0.6
        self.note(f"the link moves again, what was typed comes {'in one read' if in_one_read else 'key by key'}")
        self.house.wire.move(in_one_read)

    def starves_the_keyboard(self, seconds: float) -> None:
        """From what was typed last on."""
        wire = self.house.wire
        self.note(f"once this is read, the input thread has no turn for {seconds:.3f} s")
        assert wire.driver is not None
        self.house.clock.call_punctually(wire.delay + 0.001, wire.driver.starves, seconds)

    def resizes(self, width: int, height: int) -> None:
        self.note(f"resizes to {width} × {height}")
        assert self.house.wire.driver is not None
        self.house.wire.driver.resize(width, height)

    def clicks(self, column: int, row: int, button: int = 0, releases: bool = True) -> None:
        self.type(f"\x1b[<{button};{column};{row}M")
        if releases:
            self.type(f"\x1b[<{button};{column};{row}m")

    def key_line(self) -> tuple[int, int]:
        """Where the far terminal shows the ticket's key line; anywhere when it shows none."""
        for row, line in enumerate(self.house.wire.far.lines(), start=1):
            if "Esc back" in line:
                return line.index("Esc back") + 1, row
        return 1, 1

    async def jumps_the_clock(self, seconds: float) -> None:
        self.note(f"the engine's clock jumps by {seconds:.1f} s")
        self.house.pace.jump(seconds)
        await self.wait(0.15)

    async def moves_the_price(self, fraction: float) -> None:
        self.note(f"prices jump by {fraction:+.2%}")
        self.house.price_jumps(fraction)
        await self.wait(0.15)

    # ── the one press that is meant

    async def presses_deliberately(self) -> bool | None:
        """Reads the armed ticket on the far terminal, waits, presses its key once, alone. None: nothing to press."""
        house = self.house
        await self.has_an_armed_ticket()
        ticket, since = house.shown, house.clock.at
        for _ in range(120):
            if house.shown is None:
                return None
            if house.shown != ticket or not house.reads(house.shown):
                ticket, since = house.shown, house.clock.at
                await self.spells_the_word()
            elif house.clock.at - since >= READING:
                break
            await self.wait(0.1)
        else:
            return None
        assert ticket is not None
        left = (ticket.ends_at - house.desk.engine_now()).total_seconds()
        if left < RUNS_OUT + 2 * house.wire.delay:
            return None  # whoever reads it sees that its time runs out
        house.means(ticket)
        self.type(house.right_key)
        for _ in range(10):
            await self.wait(0.1 + house.wire.delay / 4)
            if house.meant.is_confirmed:
                break
        is_confirmed = house.meant.is_confirmed
        house.meant = None
        return is_confirmed

    async def spells_the_word(self) -> None:
        """On a ticket that asks for one."""
        for letter in self.house.missing_word:
            self.type(letter)
            await self.wait(self.chance.uniform(0.02, 0.15))

    # ── getting ready

    async def goes_home(self) -> None:
        """To the panes of a desk that may trade, by its keys."""
        house = self.house
        if house.wire.is_still:
            self.moves_the_link()
            await self.wait(2.0)
        if house.desk.is_too_small:
            self.resizes(*self.chance.choice(SIZES))
            await self.wait(0.2)
        for _ in range(12):
            top = house.desk.screen_stack[-1]
            if isinstance(top, KillScreen) and top.is_killed:
                for letter in "REARM":
                    self.type(letter)
                await self.wait(1.4)
            elif isinstance(top, KillScreen):
                await self.wait(0.7 + 2 * house.wire.delay)
                self.type("U")
                await self.wait(0.4 + 2 * house.wire.delay)
            elif len(house.desk.screen_stack) > 1:
                self.type(ESCAPE)
                await self.wait(0.3 + 2 * house.wire.delay)
            elif house.is_shut():
                self.type(CTRL_K)
                await self.wait(0.3 + 2 * house.wire.delay)
            else:
                return

    async def has_a_ticket(self) -> None:
        """An open one that could be confirmed once it is armed; the last accident's, where that is still there."""
        house = self.house
        for _ in range(4):
            if house.shown is not None and not house.is_shut():
                return
            await self.waits_a_doubt_out()
            await self.goes_home()
            while house.waiting() < 3:
                before = house.waiting()
                house.stages_an_order()
                await self.wait(0.25)
                if house.waiting() == before:
                    break
            self.type(b"1")
            await self.wait(0.05)
            self.type(ENTER)
            for _ in range(20):
                await self.wait(0.05 + house.wire.delay)
                if house.shown is not None:
                    return
            house.drops_what_cannot_be_confirmed()
        raise NoTicketError

    async def waits_a_doubt_out(self) -> None:
        """As the desk says: it takes no letter until nothing was typed for so long."""
        for _ in range(20):
            if self.house.desk.link.doubt is None:
                return
            await self.wait(0.6)

    async def has_an_armed_ticket(self) -> None:
        """Silent and painted for long enough, as the desk itself judges."""
        house = self.house
        for _ in range(3):
            await self.has_a_ticket()
            for _ in range(40):
                screen = house.ticket_screen
                if house.shown is None or screen is None:
                    break
                if screen.armed_in_words() in ARMED:
                    return
                await self.spells_the_word()
                await self.wait(0.15)
            else:
                self.type(ESCAPE)
                await self.wait(0.3)
        raise NoTicketError
