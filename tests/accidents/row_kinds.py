"""Accidents of the keys on a row: the row goes or moves under the key, the confirming key comes before what the first
one opens, another exit comes at the same instant, a question is answered before it can be read.

Beside what was confirmed, they look at which ticket came up by itself: one of another row, or of more than was asked
for, is as bad as a key that counts, for the next key is typed for the row.
"""

from __future__ import annotations

from core.messages.commands import ProposeClose
from core.model.signal import ExitReason
from core.views import PositionRow
from tests.accidents.hand import ESCAPE, Hand, NoTicketError

SOONEST = 0.17
"""Seconds after a key in which nobody has read what it brought: under every silence."""
DOWN, UP = "j", "k"


async def has_positions(hand: Hand) -> tuple[PositionRow, ...]:
    """Bought or sold on purpose, where nothing is held; the keyboard is in Positions."""
    house = hand.house
    for _ in range(4):
        view = house.desk.view
        if view is not None and any(not row.is_closing for row in view.positions):
            await hand.goes_home()
            hand.type("2")
            await hand.wait(0.15 + house.wire.delay)
            hand.type(DOWN)
            await hand.wait(0.15 + house.wire.delay)
            return view.positions
        await hand.presses_deliberately()
        await hand.wait(0.5)
    raise NoTicketError


async def key_of_a_position(hand: Hand) -> None:
    """`h`, `b` or `v` on a position, and the confirming key at once, again, or held: before the ticket can be read."""
    chance = hand.chance
    await has_positions(hand)
    known, mine = tickets_of(hand), hand.house.desk.board.positions.grid.selected
    hand.type(chance.choice("hbhbv"))
    for _ in range(chance.randint(1, 4)):
        await hand.wait(chance.uniform(0, SOONEST))
        hand.type(chance.choice("SCRRSCBHP"))
    await hand.wait(chance.uniform(0, SOONEST))
    see_what_opened(hand, known, mine)


async def row_changes_under_the_key(hand: Hand) -> None:
    """Another exit is staged, or the selection moves, in the instant of `h` or `b`: what opens is of the row that was
    selected when the key came, and no more than half of it; the key behind it comes too early."""
    chance, house = hand.chance, hand.house
    rows = [row for row in await has_positions(hand) if not row.is_closing]
    if not rows:
        raise NoTicketError
    known = tickets_of(hand)
    key, mine = chance.choice("hhb"), house.desk.board.positions.grid.selected
    if chance.random() < 0.6:
        hand.note("a close of all is staged by another way, in the same instant: the desk's picture is a little older")
        house.stages_an_order(can_fill=False)
        await hand.wait(0.03)
        house.world.say(ProposeClose(chance.choice(rows).symbol))
    hand.type(key)
    if chance.random() < 0.5:
        hand.type(chance.choice((DOWN, UP)))
    await hand.wait(chance.uniform(0, SOONEST))
    hand.type(chance.choice("SCR"))
    await hand.wait(0.3 + 2 * house.wire.delay)
    see_what_opened(hand, known, mine, half=key == "h")


async def has_an_entry(hand: Hand) -> None:
    """One that rests far from the market, confirmed on purpose, where none works; the keyboard is in Orders."""
    house = hand.house
    for _ in range(4):
        view = house.desk.view
        if view is not None and any(row.can_be_cancelled_as_entry for row in view.orders):
            await hand.goes_home()
            hand.type("3")
            await hand.wait(0.1 + house.wire.delay)
            return
        await hand.goes_home()
        house.stages_an_order(can_fill=False)
        await hand.wait(0.3)
        await hand.presses_deliberately()
        await hand.wait(0.3)
    raise NoTicketError


async def entries_question(hand: Hand) -> None:
    """`x` or `X`, and `D` before the question can be read, among others, or held: nothing is cancelled."""
    chance, house = hand.chance, hand.house
    await has_an_entry(hand)
    hand.type(chance.choice((DOWN, UP)))
    await hand.wait(0.3)
    before = len(house.cancels)
    hand.type(chance.choice("xX"))
    for _ in range(chance.randint(1, 5)):
        await hand.wait(chance.uniform(0, SOONEST))
        hand.type(chance.choice("DDDxXy\r "))
    await hand.wait(chance.uniform(0, SOONEST))
    hand.type(ESCAPE)
    await hand.wait(0.4 + 2 * house.wire.delay)
    house.nobody_meant += [f"{name} was cancelled, and no key was meant for it" for name in house.cancels[before:]]


def tickets_of(hand: Hand) -> frozenset[str]:
    view = hand.house.desk.view
    return frozenset(row.id for row in view.proposals) if view is not None else frozenset()


def see_what_opened(hand: Hand, known: frozenset[str], mine: str | None, *, half: bool = False) -> None:
    """A ticket that came up by itself is of what a hand asked for: of that row, of its kind, and of no more than half
    where half was asked for."""
    screen, view = hand.house.ticket_screen, hand.house.desk.view
    if screen is None or view is None or screen.proposal_id in known:
        return
    row = next((row for row in view.proposals if row.id == screen.proposal_id), None)
    if row is None:
        return
    held = next((p for p in view.positions if (p.symbol, p.strategy) == (row.symbol, row.strategy)), None)
    is_by_hand = row.is_guard or row.exit_reason is ExitReason.MANUAL
    is_too_much = half and row.is_urgent and held is not None and 2 * row.quantity > abs(held.quantity)
    if not is_by_hand or is_too_much or mine != f"{row.symbol}/{row.strategy}":
        hand.house.nobody_meant.append(f"the ticket of {row.quantity} {row.symbol} came up, and nobody asked for it")


ROWS = (key_of_a_position, row_changes_under_the_key, entries_question)
