"""One desk and its accidents, from a seed; and what came of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.accidents.clock import Clock, clocked_loop
from tests.accidents.hand import Hand
from tests.accidents.house import House, open_house
from tests.accidents.kinds import KINDS

A_DESK = 250
"""Accidents a desk."""
DELIBERATE = 0.06
"""Of all events, those in which a key is meant."""
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
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    """Of the desk's own time."""

    def add(self, other: Played) -> None:
        self.accidents += other.accidents
        self.deliberate += other.deliberate
        self.confirmed += other.confirmed
        self.failures += other.failures
        self.seconds += other.seconds

    @property
    def many(self) -> int:
        return self.accidents.total()


def play_desk(
    seed: int, first: int, many: int = A_DESK, only: int | None = None, kinds: tuple[str, ...] = tuple(KINDS)
) -> Played:
    """Accidents `first` to `first + many - 1` of a seed, on one desk. With `only`, as far as that one, and its events
    are kept whatever came of it."""
    clock = Clock()
    played = Played()
    with clocked_loop(clock) as loop:
        loop.run_until_complete(_play(clock, played, seed, range(first, first + many), only, kinds))
    return played


async def _play(
    clock: Clock, played: Played, seed: int, numbers: range, only: int | None, kinds: tuple[str, ...]
) -> None:
    chance = Random(f"{seed}:{numbers[0]}:desk")
    async with open_house(clock, chance) as house:
        set_the_link(house, chance)
        hand = Hand(house, chance)
        began = clock.at
        for number in numbers:
            await _one(hand, played, number, Random(f"{seed}:{number}"), only, kinds)
            if number == only or house.nobody_meant:
                break
        played.seconds = clock.at - began


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
    hand: Hand, played: Played, number: int, chance: Random, only: int | None, kinds: tuple[str, ...]
) -> None:
    house = hand.house
    hand.begins(chance)
    is_confirmed = None
    if chance.random() < DELIBERATE:
        kind = "deliberate"
        is_confirmed = await hand.presses_deliberately()
        if is_confirmed is not None:
            played.deliberate += 1
            played.confirmed += is_confirmed
    else:
        kind = chance.choice(kinds)
        await KINDS[kind](hand)
        played.accidents[kind] += 1
        if house.wire.is_still:
            hand.moves_the_link()
    await hand.wait(0.3 + 2 * house.wire.delay)
    await hand.rest(0.3)
    missed = is_confirmed is False
    if house.nobody_meant or number == only or missed:
        played.failures.append(Failure(number, kind, [*house.nobody_meant], hand.events))
