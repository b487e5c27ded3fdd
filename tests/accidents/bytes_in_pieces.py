"""Accidents of bytes: each kind of the table of ways, whole, cut by the link, or joined with what stood beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.terminal.keys import is_nobodys
from tests.accidents.hand import Hand
from tests.kit.key_sequences import BEGINNINGS, Way, ways

SLOWEST = 3.0
"""Seconds in which a link brings the rest."""
A_CUT_ARROW = 0.15
"""Seconds in which a beginning and a letter are one whole arrow, after which the same letter is a key that is meant."""
STARVES = 0.3
"""Of all parts, those behind which a busy machine keeps the rest unread for a while."""
NEIGHBOURS = (b"j", b"x\x1b", b"\x1b[A", b"\x1b[I", b"\x1b[O", b"\xc3\xa9", b"\r", b"\x1b[<0;3;3M")


def kind_of(name: str) -> Callable[[Hand], Awaitable[None]]:
    """An accident in which something of this kind of the table reaches an armed ticket."""

    async def accident(hand: Hand) -> None:
        chance = hand.chance
        await hand.has_an_armed_ticket()
        way = chance.choice([way for way in ways(hand.house.right_key) if way.kind == name])
        match chance.choice(("whole", "cut", "cut", "cut in three", "joined", "again")):
            case "whole":
                hand.type(way.data)
            case "cut":
                await comes(hand, way, 1)
            case "cut in three":
                await comes(hand, way, 2)
            case "joined":
                neighbour = chance.choice(NEIGHBOURS)
                hand.type(neighbour + way.data if chance.random() < 0.5 else way.data + neighbour)
            case _:
                hand.type(way.data)
                await hand.wait(chance.uniform(0.0, 0.09))
                hand.type(way.data)

    accident.__name__ = named(name)
    return accident


def named(kind: str) -> str:
    return "bytes_" + "_".join("".join(it if it.isalnum() else " " for it in kind).lower().split())


async def comes(hand: Hand, way: Way, cuts: int) -> None:
    places = sorted(hand.chance.sample(range(1, len(way.data)), min(cuts, len(way.data) - 1)))
    parts = [way.data[start:end] for start, end in zip((0, *places), (*places, len(way.data)), strict=True)]
    for number, part in enumerate(parts):
        if number:
            await hand.wait(hand.chance.uniform(0.0, SLOWEST))
        hand.type(part)
        if hand.chance.random() < STARVES:
            hand.starves_the_keyboard(hand.chance.uniform(0.05, 1.0))


async def escape_joined(hand: Hand) -> None:
    """Esc and the confirming key by one hand, which the terminal or a multiplexer on the way makes Alt of."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key.encode()
    if chance.random() < 0.5:
        hand.type(b"\x1b" + key)
    else:
        hand.type(b"\x1b")
        if chance.random() < STARVES:
            hand.starves_the_keyboard(chance.uniform(0.05, 1.0))
        await hand.wait(chance.uniform(0.0, 0.09))
        hand.type(key)


async def letters_behind_a_beginning(hand: Hand) -> None:
    """Something begins, and no end of it comes: the letters behind it, each alone, may be that end."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    beginning = chance.choice(BEGINNINGS)
    hand.type(beginning)
    is_arrow = beginning.startswith((b"\x1b[", b"\x1bO")) and not is_nobodys(beginning + key.encode())
    for number in range(chance.randint(1, 3)):
        await hand.wait(chance.uniform(A_CUT_ARROW if is_arrow and number == 0 else 0.0, SLOWEST))
        hand.type(key)


NAMES = tuple(dict.fromkeys(way.kind for way in ways("B")))
BYTES = (escape_joined, letters_behind_a_beginning, *(kind_of(name) for name in NAMES))
