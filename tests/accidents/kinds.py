"""The kinds of accidents. In each of them a key that confirms reaches the desk, and nobody meant it:

it was typed before its ticket could be read (`BLIND` seconds after what brought it, at most), by a key that is still
held, in a row with others (`ROW` seconds apart, at most), into a link that stood still, at a picture that was not the
ticket's, or it is another key, a click, a paste, or bytes of something else (`bytes_in_pieces`). A key that comes
alone, on a ticket that stands there armed, is the same as one that is meant: no accident here ends in one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.arming import OPENS_AFTER, REDUCES_AFTER
from core.model.order import CONFIRMING_KEYS
from tests.accidents.bytes_in_pieces import BYTES
from tests.accidents.hand import CTRL_K, ENTER, ESCAPE, Hand
from tests.accidents.house import SIZES
from tests.accidents.row_kinds import ROWS
from tests.accidents.word_kinds import word_of_a_twin

Kind = Callable[[Hand], Awaitable[None]]

CONFIRMING = sorted(set(CONFIRMING_KEYS.values()))
OTHERS = "xrjkncdfqy?!]1234567890 bshze/L<>+vwa"
ARROWS = ("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\t", "\x1b[Z")
FORM = (*"bamlsh+-%/ 1.5$", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\t", "\x1b[B", "\x1b[15~", "\x1bOQ", "\x15")
"""Keys of a new order: prices, ticks, ways, choices, presets."""
WORDS = ("Buy more", "SELL", "Bob says hi", "BBC", "Hold it", "Cover Short Buy", "echo S\r", "git commit -m B\r", "Sb")
ROW = 0.12
"""Seconds between two keys that come in a row, at most: what a word typed elsewhere, a paste or a link's burst does."""
OPENING, REDUCING = 0.4, 0.2
"""The silences of the requirement (OP-04), whatever the desk under test makes of them."""
assert (OPENS_AFTER, REDUCES_AFTER) == (OPENING, REDUCING)


def blind(hand: Hand) -> float:
    """Seconds after something that nobody can have read yet: under every silence."""
    return hand.chance.uniform(0.0, REDUCING - 0.03)


def confirming(hand: Hand) -> str:
    """The open ticket's key as a rule, another one else."""
    return hand.house.right_key if hand.chance.random() < 0.8 else hand.chance.choice(CONFIRMING)


async def type_ahead(hand: Hand) -> None:
    """The ticket's key is typed before the ticket is there, by a hand that knows what comes."""
    chance = hand.chance
    await hand.goes_home()
    hand.house.stages_an_order()
    await hand.wait(0.3)
    key = chance.choice(CONFIRMING)
    hand.type(b"1" if chance.random() < 0.5 else key)
    await hand.wait(chance.uniform(0, 0.3))
    hand.type(ENTER)
    for _ in range(chance.randint(1, 4)):
        await hand.wait(blind(hand))
        hand.type(chance.choice((key, *CONFIRMING)))
    await hand.wait(blind(hand))
    hand.type(key)


async def held_key(hand: Hand) -> None:
    """A key is held from before its ticket could be read, over every screen that comes."""
    chance = hand.chance
    if chance.random() < 0.5:
        await hand.goes_home()
        hand.house.stages_an_order()
        await hand.wait(0.3)
        hand.type(ENTER)
        key = chance.choice(CONFIRMING) if hand.house.shown is None else hand.house.right_key
    else:
        await hand.has_a_ticket()
        hand.type(chance.choice(("\t", "!", "r")))
        key = hand.house.right_key
    if chance.random() < 0.2:
        key = chance.choice(("\r", " ", "y", *OTHERS))
    await hand.wait(blind(hand))
    await holds(hand, key, ends_armed=False)


async def holds(hand: Hand, key: str, ends_armed: bool) -> None:
    """As a keyboard does it: once, a wait, then at its rate, and the link carries it unevenly."""
    chance = hand.chance
    hand.type(key)
    await hand.wait(chance.uniform(0.25, 1.0))
    rate = chance.choice((2, 3, 5, 10, 15, 30))
    for _ in range(chance.randint(1, 3 if rate < 5 else 12)):
        hand.type(key)
        await hand.wait(1 / rate)


async def held_across_screens(hand: Hand) -> None:
    """Down on the panes, the form, a ticket: the screens change under the finger by the mouse or by themselves."""
    chance = hand.chance
    await hand.goes_home()
    hand.house.stages_an_order()
    await hand.wait(0.3)
    key = chance.choice(CONFIRMING)
    hand.type(key)
    await hand.wait(chance.uniform(0.25, 1.0))
    rate = chance.choice((2, 5, 10, 30))
    view = hand.house.desk.view
    opens_at = chance.randint(0, 4)
    for number in range(chance.randint(5, 9)):
        hand.type(key)
        if number == opens_at and view is not None and view.proposals:
            hand.note("a ticket opens by itself under the finger")
            hand.house.desk.call_later(hand.house.desk.open_ticket, chance.choice(view.proposals).id)
        await hand.wait(1 / rate)


async def paste(hand: Hand) -> None:
    """With brackets, without them, or with brackets that never close."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    text = "".join(
        chance.choice((*CONFIRMING, hand.house.right_key, *"BUY 100 SPY\r\n")) for _ in range(chance.randint(2, 40))
    )
    match chance.choice(("whole", "bare", "bare in parts", "unfinished", "late end")):
        case "whole":
            hand.type(f"\x1b[200~{text if chance.random() < 0.5 else hand.house.right_key}\x1b[201~")
        case "bare":
            hand.type(text)
        case "bare in parts":
            for start in range(0, len(text), 3):
                hand.type(text[start : start + 3])
                await hand.wait(chance.uniform(0, ROW))
        case "unfinished":
            hand.type(f"\x1b[200~{text}")
            await hand.wait(chance.uniform(0.4, 1.8))
            hand.type(hand.house.right_key)
        case _:
            hand.type(f"\x1b[200~{text}")
            await hand.wait(chance.uniform(0.0, 1.9))
            hand.type(f"{hand.house.right_key}\x1b[201~")


async def burst_after_a_stall(hand: Hand) -> None:
    """What was typed into a link that stood still comes at once when it moves."""
    chance = hand.chance
    is_open = chance.random() < 0.6
    if is_open:
        await hand.has_an_armed_ticket()
    else:
        await hand.goes_home()
        hand.house.stages_an_order()
        await hand.wait(0.3)
    seconds = chance.choice((0.2, 0.5, 1.0, 1.5, 3.0, 5.0, 10.0, 30.0)) * chance.uniform(0.8, 1.2)
    hand.stops_the_link()
    seconds_before = seconds * chance.random()
    await hand.wait(seconds_before)
    if not is_open:
        hand.type(ENTER)
        await hand.wait(chance.uniform(0.05, max(0.05, seconds - seconds_before)))
        hand.type(confirming(hand))
    elif seconds >= 3.0 and chance.random() < 0.6:
        hand.type(hand.house.right_key)
    else:
        for _ in range(chance.randint(2, 6)):
            hand.type(chance.choice((confirming(hand), confirming(hand), chance.choice(OTHERS))))
            await hand.wait(chance.uniform(0, ROW))
        hand.type(hand.house.right_key)
    await hand.wait(max(0.0, seconds - seconds_before))
    hand.moves_the_link()
    await hand.wait(chance.uniform(0.0, 0.5))


async def resize(hand: Hand) -> None:
    """Too small and back again, with keys in between; or larger and smaller under a row of keys."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    if chance.random() < 0.7:
        hand.resizes(chance.randint(10, 79), chance.randint(5, 40))
        await hand.wait(0.02 + chance.uniform(0, 1.0))
        hand.type(key)
        await hand.wait(chance.uniform(0, 0.8))
        hand.resizes(*chance.choice(SIZES))
        await hand.wait(blind(hand))
    else:
        hand.resizes(*chance.choice(SIZES))
        hand.type(chance.choice(OTHERS))
        await hand.wait(chance.uniform(0, ROW))
    hand.type(key)


async def focus(hand: Hand) -> None:
    """The window comes to the front under a hand that types on."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    hand.type("\x1b[O")
    await hand.wait(chance.uniform(0.5, 3.0))
    hand.type("\x1b[I")
    await hand.wait(blind(hand))
    hand.type(key)


async def mouse(hand: Hand) -> None:
    """Clicks, drags and wheels everywhere, on the key line too, and a key under the clicking hand."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    for _ in range(chance.randint(1, 6)):
        width, height = hand.house.desk.size
        column, row = hand.key_line() if chance.random() < 0.5 else (1, 1)
        if chance.random() < 0.5:
            column, row = chance.randint(1, width), chance.randint(1, height)
        column = max(1, min(width, column - chance.randint(0, 40)))
        hand.clicks(column, row, chance.choice((0, 0, 0, 1, 2, 32, 64, 65)), chance.random() < 0.8)
        await hand.wait(chance.uniform(0, 0.3))
    hand.clicks(*hand.key_line())
    await hand.wait(blind(hand))
    hand.type(hand.house.right_key)


async def clock_jump(hand: Hand) -> None:
    """The engine's clock jumps: the ticket's time or the proposal's is over, and the key comes all the same."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    await hand.jumps_the_clock(chance.choice((61, 90, 200, 310)))
    await hand.wait(0.25 + 2 * hand.house.wire.delay)
    if hand.house.shown is not None:
        hand.type(chance.choice(OTHERS))
    hand.type(key)
    await hand.wait(blind(hand))
    if chance.random() < 0.6:
        hand.type("r")
        await hand.wait(blind(hand))
        hand.type(key)


async def price_jump(hand: Hand) -> None:
    """A quote moves so far that the order must be read again; the key comes with the reading."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    await hand.moves_the_price(chance.uniform(-0.03, 0.03))
    hand.type("r")
    await hand.wait(blind(hand))
    hand.type(key)
    await hand.moves_the_price(chance.uniform(-0.03, 0.03))
    hand.type("r")
    await hand.wait(blind(hand))
    hand.type(key)


async def swap(hand: Hand) -> None:
    """Another ticket comes under the hand, and the key was on its way."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    house = hand.house
    if chance.random() < 0.5:
        hand.note("an exit comes" if house.stages_an_exit() else "a proposal comes")
        house.stages_an_order()
        await hand.wait(0.25)
    key = hand.house.right_key
    for _ in range(chance.randint(1, 3)):
        hand.type(chance.choice(("\t", "\t", "!", "r", "\x1b\r")))
        await hand.wait(blind(hand))
        hand.type(chance.choice((key, house.right_key, chance.choice(CONFIRMING))))
        await hand.wait(chance.uniform(0, 0.4))
    hand.type(chance.choice(("\t", "!")))
    await hand.wait(blind(hand))
    hand.type(house.right_key)


async def new_figures(hand: Hand) -> None:
    """Another door asks for this ticket's figures anew: it changes under a hand that was about to press."""
    await hand.has_an_armed_ticket()
    house = hand.house
    before, key = house.shown, house.right_key
    hand.note("another door opens this ticket again")
    house.opens_it_again()
    for _ in range(20):
        await hand.wait(0.02)
        if house.shown != before:
            break
    await hand.wait(blind(hand))
    if house.shown == before:
        hand.type(hand.chance.choice(OTHERS))
    hand.type(key)


async def other_keys(hand: Hand) -> None:
    """Keys of other panes and other effects, Enter, space, y: each alone on an armed ticket."""
    chance = hand.chance
    for _ in range(chance.randint(1, 3)):
        await hand.has_an_armed_ticket()
        key = hand.house.right_key
        wrong = [k for k in (*CONFIRMING, "\r", " ", "y", "Y", key.lower(), "P", "R", "U", "E", *OTHERS) if k != key]
        usual = ("\r", "\r", " ", "y")  # what confirms elsewhere
        pressed = chance.choice(usual if chance.random() < 0.5 else (*wrong, *ARROWS, "\r\n"))
        hand.type(pressed)
        await hand.wait(chance.uniform(0.15, 0.8))


async def words(hand: Hand) -> None:
    """A sentence meant for another window, at a typist's speed."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    for letter in chance.choice(WORDS) + chance.choice((" ", ".", "!")):
        hand.type(letter)
        await hand.wait(chance.uniform(0.02, ROW))


async def stop_question(hand: Hand) -> None:
    """The question before a stop is cancelled, and hands that answer it with the wrong key."""
    chance = hand.chance
    await hand.goes_home()
    hand.type(b"3")
    await hand.wait(0.1)
    for _ in range(chance.randint(0, 4)):
        hand.type(chance.choice("jk"))
        await hand.wait(0.05)
    hand.type(b"d")
    await hand.wait(0.2 + hand.house.wire.delay)
    for _ in range(chance.randint(1, 4)):
        hand.type(chance.choice((*CONFIRMING, "\r", " ", "y", "D", "x")))
        await hand.wait(chance.uniform(0, 0.6))
    hand.type(ESCAPE)
    await hand.wait(0.3)
    hand.type(b"1\r")
    await hand.wait(blind(hand))
    hand.type(chance.choice(CONFIRMING))


async def kill_screen(hand: Hand) -> None:
    """It comes over the ticket and goes away, and the ticket's key was typed at it."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    hand.type(chance.choice((CTRL_K, b"\x1b[21~", b"\x1b[107;5u")))
    await hand.wait(chance.uniform(0.05, 0.6) + 2 * hand.house.wire.delay)
    for _ in range(chance.randint(1, 3)):
        hand.type(chance.choice((key, key, *CONFIRMING, "y", "\r", "NAKED"[: chance.randint(1, 4)])))
        await hand.wait(chance.uniform(0, 0.5))
    if chance.random() < 0.2:
        hand.type("K")
        await hand.wait(0.3)
        hand.type(key)
        await hand.wait(0.2)
    hand.type(ESCAPE)
    await hand.wait(max(0.11, blind(hand)))  # the escape is one after a tenth of a second, or when an answer follows it
    hand.type(key)


async def help_over_the_ticket(hand: Hand) -> None:
    """`?`, a look, Esc, and the key at once."""
    chance = hand.chance
    await hand.has_an_armed_ticket()
    key = hand.house.right_key
    hand.type(b"?")
    await hand.wait(blind(hand))
    hand.type(key)
    await hand.wait(chance.uniform(0.1, 0.9))
    hand.type(ESCAPE)
    await hand.wait(max(0.11, blind(hand)))
    hand.type(key)


async def order_form(hand: Hand) -> None:
    """A new order with the keys of its fields, held or in a row; Enter opens its ticket, and what was typed goes on."""
    chance = hand.chance
    await hand.goes_home()
    hand.type(b"n")
    await hand.wait(chance.uniform(0, 0.4))
    for _ in range(chance.randint(0, 12)):
        hand.type(chance.choice((*FORM, *FORM, *CONFIRMING)) * chance.choice((1, 1, 1, 8)))
        await hand.wait(chance.uniform(0, ROW))
    key = chance.choice(CONFIRMING)
    match chance.choice(("enter", "enter", "enter twice", "escape and again", "paste")):
        case "enter":
            hand.type(ENTER)
        case "enter twice":
            hand.type(ENTER * chance.randint(2, 9))
        case "escape and again":
            hand.type(ESCAPE)
            await hand.wait(0.3)
            hand.type(b"n\r")
        case _:
            hand.type(f"\x1b[200~{key}\r\n{key}\x1b[201~\r")
    for _ in range(chance.randint(1, 6)):
        await hand.wait(blind(hand))
        hand.type(chance.choice((key, *CONFIRMING, *FORM)))
    await hand.wait(blind(hand))
    hand.type(hand.house.right_key if hand.house.shown is not None else key)


async def everything(hand: Hand) -> None:
    """Any keys, clicks, pastes and sizes in one row."""
    chance = hand.chance
    await hand.has_a_ticket()
    for _ in range(chance.randint(4, 20)):
        match chance.randint(0, 9):
            case 0:
                hand.clicks(chance.randint(1, 120), chance.randint(1, 40))
            case 1:
                hand.type(f"\x1b[200~{chance.choice(CONFIRMING)}\x1b[201~")
            case 2:
                hand.resizes(*chance.choice(SIZES))
            case 3:
                hand.type(chance.choice(ARROWS))
            case 4:
                hand.type(chance.choice(("\x1b[O", "\x1b[I", "\x1b[999;9", "\x1b]0;x\x07", "\x1b[0n", "\x1bP")))
            case _:
                hand.type(chance.choice((*CONFIRMING, *CONFIRMING, hand.house.right_key, *OTHERS)))
        await hand.wait(chance.uniform(0, ROW))
        hand.type(chance.choice(OTHERS))
        await hand.wait(chance.uniform(0, ROW))


KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        type_ahead,
        held_key,
        held_across_screens,
        paste,
        burst_after_a_stall,
        resize,
        focus,
        mouse,
        clock_jump,
        price_jump,
        swap,
        new_figures,
        other_keys,
        words,
        stop_question,
        kill_screen,
        help_over_the_ticket,
        order_form,
        everything,
        *ROWS,
        *BYTES,
        word_of_a_twin,
    )
}
