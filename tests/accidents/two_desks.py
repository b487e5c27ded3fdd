"""Accidents of a key that changes hands, a link that breaks, and an engine that is lost, with keys typed all the while.

A key that was alone on an armed ticket counts as meant until the engine writes down what makes it void: that another
desk has the key, that this desk's link is lost, that it began anew. Whatever is typed behind that is nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.arming import ALONE_FOR
from console.client.access import GAP
from core.model.order import CONFIRMING_KEYS
from tests.accidents.hand import CTRL_K, ENTER, ESCAPE
from tests.accidents.hand_of_two import HandOfTwo
from tests.accidents.kinds import OTHERS, blind

KindOfTwo = Callable[[HandOfTwo], Awaitable[None]]
CONFIRMING = sorted(set(CONFIRMING_KEYS.values()))


async def types_blindly(hand: HandOfTwo, key: str, most: int = 4) -> None:
    """Each without the silence that a key needs, at whatever stands there by now."""
    chance = hand.chance
    for _ in range(chance.randint(1, most)):
        await hand.wait(blind(hand))
        hand.type(chance.choice((key, key, key, chance.choice(CONFIRMING), "\r", "r", "1\r", chance.choice(OTHERS))))
        hand.house.looks_at_the_ticket()


async def comes_to_an_end(hand: HandOfTwo) -> None:
    """All that is on its way has arrived; from here on nothing is meant."""
    await hand.wait(0.4 + 2 * hand.house.wire.delay + hand.house.slowest)
    hand.house.looks_at_the_ticket()
    hand.house.meant = None


async def a_hand_over(hand: HandOfTwo) -> None:
    """The other desk takes the key as this one's is pressed: just before, just after, or at the same instant."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    together = house.wire.delay + house.line.delay + ALONE_FOR - house.other.line.delay + chance.uniform(-0.1, 0.1)
    between = chance.choice((0.0, chance.uniform(-0.5, 0), chance.uniform(0, 0.5), together))
    if chance.random() < 0.3:
        hand.later(0, "takes")
        await hand.wait(0.3 + house.slowest)
    elif between > 0:
        hand.means_and_types()
        hand.later(between, "takes")
        await hand.wait(between)
    else:
        hand.later(0, "takes")
        await hand.wait(-between)
        if house.shown is not None:
            hand.means_and_types()
    await hand.wait(house.slowest + house.wire.delay)
    for _ in range(chance.randint(1, 3)):
        await hand.wait(chance.uniform(0.0, 1.5))
        house.looks_at_the_ticket()
        hand.type(chance.choice((key, key, chance.choice(CONFIRMING))))
    await comes_to_an_end(hand)


async def the_key_goes_back(hand: HandOfTwo) -> None:
    """It goes and comes again under a hand that had its ticket armed, and types its key as it comes."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    await hand.gives_the_key_away()
    if chance.random() < 0.5:
        hand.later(0, "leaves")
        await hand.wait(0.3 + house.slowest)
    await hand.asks_for_the_key()
    house.looks_at_the_ticket()
    hand.type(ENTER)
    await types_blindly(hand, key)
    hand.later(0, "comes")
    await comes_to_an_end(hand)


async def a_key_as_the_key_arrives(hand: HandOfTwo) -> None:
    """The hand knows what comes: it types the word, Enter and the ticket's key in one go."""
    chance, house = hand.chance, hand.house
    await hand.goes_home()
    house.stages_an_order()
    await hand.wait(0.3)
    key = chance.choice(CONFIRMING)
    await hand.gives_the_key_away()
    hand.type("T")
    await hand.wait(0.25 + 2 * house.wire.delay)
    hand.type("TAKE" if chance.random() < 0.5 else "T")
    if chance.random() < 0.5:
        await hand.wait(house.slowest + chance.uniform(0, 0.3))
    hand.type(ENTER)
    for _ in range(chance.randint(1, 5)):
        await hand.wait(blind(hand))
        hand.type(chance.choice((key, key, "TAKE", *CONFIRMING)))
    await comes_to_an_end(hand)


async def a_watchers_key(hand: HandOfTwo) -> None:
    """This desk watches, and its hand types at the ticket that it sees the other one open."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    shown = house.shown
    await hand.gives_the_key_away()
    if shown is not None:
        house.other.opens(shown.proposal_id)
        await hand.wait(0.3 + house.slowest)
    for _ in range(chance.randint(1, 4)):
        hand.type(chance.choice((ENTER, b"1\r", b"r", b"\t", b"!", ESCAPE)))
        await hand.wait(chance.uniform(0, 0.9))
        hand.type(key)
        house.looks_at_the_ticket()
        await hand.wait(chance.uniform(0, 0.9))
    await comes_to_an_end(hand)


async def a_key_of_a_watcher(hand: HandOfTwo) -> None:
    """The other desk watches, and says that its key was pressed at the ticket that is open here."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    for _ in range(chance.randint(1, 3)):
        for shown in house.other.tickets:
            hand.note("the other desk says that it confirms")
            house.other.confirms(shown, shown.hold - chance.choice((0, 0, 1)))
        await hand.wait(chance.uniform(0.0, 0.4) + house.slowest)
    await comes_to_an_end(hand)


async def a_cut_link(hand: HandOfTwo) -> None:
    """It breaks under an armed ticket, is away for a while, and comes back: the ticket is gone, whatever was typed."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    if chance.random() < 0.4:
        hand.means_and_types()
        await hand.wait(chance.uniform(0, 0.4))
    told = chance.choice(((True, True), (True, True), (False, True), (True, False)))
    who = {(True, True): "both are", (False, True): "the desk alone is", (True, False): "the engine alone is"}[told]
    hand.note(f"the link is cut, {who} told")
    house.line.cut(*told)
    away = chance.choice((0.05, 0.3, 1.0, 2.5, 5.0, 20.0, 61.0)) * chance.uniform(0.8, 1.2)
    await types_into_a_loss(hand, key, away)
    hand.note("the link is back")
    house.line.mend()
    await types_over_what_comes_back(hand, key)


async def an_engine_lost(hand: HandOfTwo) -> None:
    """It ends under an armed ticket, and another one takes its journal up while keys are typed."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    if chance.random() < 0.4:
        hand.means_and_types()
        await hand.wait(chance.uniform(0, 0.4))
    hand.engine_ends(cleanly=chance.random() < 0.3)
    await types_into_a_loss(hand, key, chance.choice((0.0, 0.1, 0.4, 1.5, 4.0, 12.0)) * chance.uniform(0.8, 1.2))
    hand.engine_begins()
    await types_over_what_comes_back(hand, key)


async def types_into_a_loss(hand: HandOfTwo, key: str, away: float) -> None:
    """A key on its own too: at a desk without an engine none counts."""
    chance, ends_at = hand.chance, hand.house.clock.at + away
    for _ in range(chance.randint(0, 4)):
        await hand.wait(chance.uniform(0, max(0.0, ends_at - hand.house.clock.at)))
        hand.house.looks_at_the_ticket()
        hand.type(chance.choice((key, key, key, "r", "\r", chance.choice(OTHERS))))
    await hand.wait(max(0.0, ends_at - hand.house.clock.at))


async def types_over_what_comes_back(hand: HandOfTwo, key: str) -> None:
    """While it comes, and just behind: the key alone, and the key behind what opens a ticket."""
    chance = hand.chance
    for _ in range(chance.randint(1, 3)):
        await hand.wait(chance.uniform(0, 0.5))
        hand.type(key)
    await types_blindly(hand, key)
    await comes_to_an_end(hand)


async def an_engine_that_stands_still(hand: HandOfTwo) -> None:
    """For over a second it says nothing, and what stands on the screen may have changed: no key counts in that gap."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    key = house.right_key
    if chance.random() < 0.5:
        hand.note("the engine stands still")
        house.served.is_still = True
    else:
        hand.note("the way to the engine stands still")
        house.line.is_still = True
    for _ in range(40):
        if house.silent_for > GAP + 0.01:
            break
        await hand.wait(0.1)
    await hand.wait(chance.choice((0.0, 0.4, 1.0, 2.0, 10.0)) * chance.random())
    for _ in range(chance.randint(1, 3)):
        hand.type(key if chance.random() < 0.8 else chance.choice(OTHERS))
        await hand.wait(chance.choice((0.05, 0.3, 2.5)) * chance.random())
    hand.note("it goes on")
    house.served.is_still = house.line.is_still = False
    if house.desk.handle.link.trouble is None:
        hand.type(chance.choice(OTHERS))
    await types_blindly(hand, key, most=2)
    await comes_to_an_end(hand)


async def the_other_desk_halts(hand: HandOfTwo) -> None:
    """As this one confirms: just before, just after, or at the same instant. From then on nothing that opens leaves."""
    chance, house = hand.chance, hand.house
    await hand.has_an_armed_ticket()
    between = chance.choice((0.0, chance.uniform(0, 0.6), chance.uniform(0.14, 0.2)))
    what = chance.choice(("halts", "halts", "kills"))
    if chance.random() < 0.5:
        await hand.gives_the_key_away()
        await hand.takes_the_key()
        await hand.has_an_armed_ticket()
    if chance.random() < 0.7:
        hand.means_and_types()
        hand.later(between, what)
        await hand.wait(between)
    else:
        hand.later(0, what)
        await hand.wait(between)
        if house.shown is not None:
            hand.means_and_types()
    await hand.wait(0.3 + house.slowest)
    control = house.world.runtime.engine.state.control
    if not (control.killed_by if what == "kills" else control.halts or control.killed_by):
        house.blames(f"the other desk {what}, and nothing is held")
    await comes_to_an_end(hand)
    hand.type(CTRL_K)
    await hand.wait(0.3)
    hand.type(ESCAPE)


TWO: dict[str, KindOfTwo] = {
    kind.__name__: kind
    for kind in (
        a_hand_over,
        the_key_goes_back,
        a_key_as_the_key_arrives,
        a_watchers_key,
        a_key_of_a_watcher,
        a_cut_link,
        an_engine_lost,
        an_engine_that_stands_still,
        the_other_desk_halts,
    )
}
