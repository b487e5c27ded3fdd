"""Accidents of the word that an entry like another has typed before its key.

The key comes without it, at once behind it, behind a part of it, behind one that was pasted, or in small letters; or
it was typed before its ticket could be read, or before another picture of it.

Each of them ends in the ticket's key, and where it comes alone and late the word is what keeps it from counting.
"""

from __future__ import annotations

from core.messages.commands import ProposeOrder
from core.model.order import OrderRequest, StopHolder
from core.model.staging import StopPlan
from core.risk.recent_entries import WORD
from tests.accidents.hand import ESCAPE, Hand, NoTicketError

SOONEST = 0.17
"""Seconds after what brought a ticket in which nobody has read it: under every silence."""
IN_A_ROW = 0.12
"""Seconds between two keys of a row, at most."""
READ_AND_ALONE = (0.9, 2.5)
"""Seconds before a key that is as late and as alone as one that is meant."""
SLIPS = ("TWI", "TWINN", "TWIN ", "TWINE", "TWUN", "WIN", "T WIN", "TWIINN", "TWINTWI", "twin", "Twin", "NIWT", "T", "")


async def word_of_a_twin(hand: Hand) -> None:
    """The key of an entry that is like the last one, without the word that it asks for, or too soon behind it."""
    chance = hand.chance
    await opens_a_twin(hand)
    kind = chance.choice(("slip", "slip", "row", "paste", "ahead", "anew", "help", "too soon"))
    hand.note(f"the word of a twin: {kind}")
    match kind:
        case "slip":
            await types(hand, chance.choice(SLIPS))
        case "row":
            hand.type(WORD + hand.house.right_key)
            return  # the word stands: another key, late and alone, would be one that is meant
        case "paste":
            hand.type(f"\x1b[200~{WORD}\x1b[201~")
        case "ahead":
            await types_before_it_is_painted(hand)
        case "anew":
            await types(hand, WORD)
            await hand.wait(chance.uniform(*READ_AND_ALONE))
            hand.type("r")
        case "help":
            await types(hand, WORD)
            await hand.wait(chance.uniform(0.1, 0.9))
            hand.type("?")
            await hand.wait(0.3 + 2 * hand.house.wire.delay)
            hand.type(ESCAPE)
        case _:
            await types(hand, WORD)
            await hand.wait(chance.uniform(0, SOONEST))
            hand.type(hand.house.right_key)
            return
    await hand.wait(chance.uniform(*READ_AND_ALONE) + 2 * hand.house.wire.delay)
    if asks_for_the_word(hand):
        hand.type(hand.house.right_key)


async def types_before_it_is_painted(hand: Hand) -> None:
    """The picture goes to the terminal and its answer comes back, and the word was on its way sooner."""
    house, screen = hand.house, hand.house.ticket_screen
    assert screen is not None
    hand.type(ESCAPE)
    await hand.wait(0.4 + 2 * house.wire.delay)
    house.desk.call_later(house.desk.open_ticket, screen.proposal_id)
    await hand.wait(hand.chance.uniform(0, 0.9) * house.wire.delay)
    hand.type(WORD)


async def types(hand: Hand, letters: str) -> None:
    for letter in letters:
        hand.type(letter)
        await hand.wait(hand.chance.uniform(0.02, IN_A_ROW))


async def opens_a_twin(hand: Hand) -> None:
    """An entry is confirmed on purpose, and another one like it opened and read; nothing of its word was typed."""
    house = hand.house
    for _ in range(4):
        await hand.presses_deliberately()
        await hand.goes_home()
        known = proposals_of(hand)
        if (again := like_the_last_entry(hand)) is None:
            continue
        hand.note("an entry like the last one is staged by another way")
        house.world.say(again)
        await hand.wait(0.3 + 2 * house.wire.delay)
        if not (new := proposals_of(hand) - known):
            continue
        house.desk.call_later(house.desk.open_ticket, new.pop())
        for _ in range(20):
            await hand.wait(0.1 + house.wire.delay)
            if asks_for_the_word(hand):
                await hand.wait(0.7)
                return
    raise NoTicketError


def asks_for_the_word(hand: Hand) -> bool:
    """By the engine's word, whatever the desk makes of it."""
    screen = hand.house.ticket_screen
    return (
        hand.house.shown is not None and screen is not None and screen._shown is not None and bool(screen._shown.word)
    )


def like_the_last_entry(hand: Hand) -> ProposeOrder | None:
    """That somebody confirmed; None where there was none."""
    for ticket in reversed(hand.house.sent):
        order, stop = ticket.order, ticket.stop
        if isinstance(order, OrderRequest) and not order.effect.only_reduces and isinstance(stop, StopPlan):
            return ProposeOrder(
                order.symbol, order.effect, order.quantity, order.type, order.limit_price, stop.price, StopHolder.BROKER
            )
    return None


def proposals_of(hand: Hand) -> set[str]:
    view = hand.house.desk.view
    return {row.id for row in view.proposals} if view is not None else set()
