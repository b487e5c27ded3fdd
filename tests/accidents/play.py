"""One desk and its accidents, from a seed; and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from tests.accidents.blank import blank_frames
from tests.accidents.clock import Clock, clocked_loop
from tests.accidents.hand import Hand, NoTicketError
from tests.accidents.hand_of_two import HandOfTwo
from tests.accidents.house import House, open_house
from tests.accidents.kinds import KINDS
from tests.accidents.served_house import open_served_house
from tests.accidents.two_desks import TWO
from tests.accidents.word_kinds import word_of_a_twin

A_DESK = 250
"""Accidents a desk."""
DELIBERATE = 0.06
"""Of all events, those in which a key is meant."""
DRAWN = 10
"""One desk in so many draws every frame."""
SERVED = (1, 2)
"""Of four desks, those whose engine is served: another desk is there, the key goes to and fro, engines are lost."""
TWINS = 0
"""Of four desks, the one on which an entry like another has its word typed (`word_kinds.py`)."""
OF_TWO = 0.6
"""Of their accidents, those that take two desks or an engine elsewhere."""
HIDDEN = (0, 4096, 65536, 1 << 20)


@dataclass
class Failure:
    number: int
    kind: str
    words: list[str]
    events: list[str]


@dataclass
class Played:
    """Figures of one desk or of many."""

    accidents: Counter[str] = field(default_factory=Counter)
    deliberate: int = 0
    confirmed: int = 0
    void: int = 0
    """Accidents that did not take place, because there was no ticket."""
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    """Of the desk's own time."""

    def add(self, other: Played) -> None:
        self.accidents += other.accidents
        self.deliberate += other.deliberate
        self.confirmed += other.confirmed
        self.void += other.void
        self.failures += other.failures
        self.seconds += other.seconds

    @property
    def many(self) -> int:
        return self.accidents.total()

    @property
    def events(self) -> int:
        return self.many + self.void + self.deliberate


def play_desk(
    seed: int,
    first: int,
    many: int = A_DESK,
    only: int | None = None,
    kinds: tuple[str, ...] = (),
    deliberate: float = DELIBERATE,
    is_served: bool | None = None,
) -> Played:
    """Accidents `first` to `first + many - 1` of a seed, on one desk. With `only`, as far as that one, and its events
    are kept whatever came of it. Without `kinds`, all that the desk has; without `is_served`, as its number says."""
    clock = Clock()
    played = Played()
    draws = first // A_DESK % DRAWN == 0
    served = first // A_DESK % 4 in SERVED if is_served is None else is_served
    has_twins = not served and first // A_DESK % 4 == TWINS
    with clocked_loop(clock) as loop, blank_frames(not draws):
        numbers = range(first, first + many)
        loop.run_until_complete(_play(clock, played, seed, numbers, only, kinds, deliberate, draws, served, has_twins))
    return played


async def _play(
    clock: Clock,
    played: Played,
    seed: int,
    numbers: range,
    only: int | None,
    kinds: tuple[str, ...],
    deliberate: float,
    draws: bool,
    served: bool,
    has_twins: bool,
) -> None:
    chance = Random(f"{seed}:{numbers[0]}:desk")
    async with a_hand(clock, chance, draws, served, has_twins) as hand:
        house = hand.house
        set_the_link(house, chance)
        began = clock.at
        for number in numbers:
            await _one(hand, played, number, Random(f"{seed}:{number}"), only, kinds, deliberate)
            if number == only or house.nobody_meant:
                break
        played.seconds = clock.at - began


@asynccontextmanager
async def a_hand(clock: Clock, chance: Random, draws: bool, served: bool, has_twins: bool) -> AsyncIterator[Hand]:
    if served:
        async with open_served_house(clock, chance, draws) as two:
            yield HandOfTwo(two, chance)
    else:
        async with open_house(clock, chance, draws, has_twins) as house:
            yield Hand(house, chance)


def set_the_link(house: House, chance: Random) -> None:
    """A terminal that does not answer stands beside the desk: nothing can tell such a one's hidden stalls."""
    wire = house.wire
    wire.answers = chance.random() < 0.75
    if wire.answers:
        wire.delay = chance.choice((0.002, 0.01, 0.05, 0.15, 0.4))
        wire.hidden = chance.choice(HIDDEN)
    else:
        wire.delay = 0.002


async def _one(
    hand: Hand, played: Played, number: int, chance: Random, only: int | None, kinds: tuple[str, ...], deliberate: float
) -> None:
    house = hand.house
    hand.begins(chance)
    is_confirmed = None
    if chance.random() < deliberate:
        kind = "deliberate"
        with suppress(NoTicketError):
            is_confirmed = await hand.presses_deliberately()
        if is_confirmed is not None:
            played.deliberate += 1
            played.confirmed += is_confirmed
    else:
        try:
            kind = await _happens(hand, chance, kinds)
            played.accidents[kind] += 1
        except NoTicketError:
            kind = "none"
            played.void += 1
        if house.wire.is_still:
            hand.moves_the_link()
    await hand.wait(0.3 + 2 * house.wire.delay)
    await hand.wait(0.3)
    missed = is_confirmed is False
    if house.nobody_meant or number == only or missed:
        played.failures.append(Failure(number, kind, [*house.nobody_meant], hand.events))


async def _happens(hand: Hand, chance: Random, kinds: tuple[str, ...]) -> str:
    """One accident of those kinds, or of all that this desk has; which it was."""
    two = [kind for kind in kinds or TWO if kind in TWO]
    known = KINDS if hand.house.has_twins else KINDS.keys() - {word_of_a_twin.__name__}
    one = [kind for kind in kinds or KINDS if kind in known]
    if isinstance(hand, HandOfTwo) and two and (not one or chance.random() < OF_TWO):
        kind = chance.choice(two)
        await TWO[kind](hand)
    else:
        kind = chance.choice(one)
        await KINDS[kind](hand)
    return kind
