"""A live account: what opens has its symbol typed, what closes never waits for a word (OP-04)."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion
from textual import events

from console.screens.ticket import TicketScreen
from console.ticket_status import TypedWord
from core.facts import ConfirmationReceived, OrderCreated
from core.messages.commands import ProposeClose
from tests.desk.desk_house import SPY, House, open_desk


async def opens_a_live_ticket(house: House) -> None:
    house.goes_live()
    await house.until(lambda: house.shows("LIVE"))
    await house.press("enter")
    await house.until(lambda: house.shows("LIVE ─ BUY to open ─ SPY", "type SPY, then B", "LIVE, not armed"))
    await house.wait(0.6)


async def test_the_key_counts_only_after_the_word() -> None:
    """OP-04: letter by letter beside its key, and the whole of it until the key"""
    async with open_desk() as house:
        await opens_a_live_ticket(house)
        await house.press("B")
        await house.wait(0.4)
        assert house.sent_nothing()
        await house.sees("type SPY, then B")

        await house.press("S", "P", "Y", "B")
        await house.wait(0.4)
        assert house.sent_nothing()

        for typed in ("S", "SP", "SPY"):
            await house.press(typed[-1])
            await house.until(lambda typed=typed: house.shows(f"typed: {typed} "))
        await house.until(house.is_armed)
        await house.sees("B  buy to open  typed: SPY")
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))


async def test_what_breaks_the_word_begins_it_again(snapshot: SnapshotAssertion) -> None:
    """OP-04: letters before the paint, a wrong letter, another key, a paste, and `r`, which brings another ticket"""
    async with open_desk() as house:
        await opens_a_live_ticket(house)
        screen = house.desk.screen
        assert isinstance(screen, TicketScreen)
        screen.armed.forget()
        screen.hear("S", screen.behind.now())
        assert screen.armed_in_words() == snapshot
        await house.wait(0.6)

        await house.press("S", "P")
        await house.until(lambda: house.shows("typed: SP"))
        await house.press("y")
        await house.until(lambda: not house.shows("typed:"))
        await house.press("P", "Y")
        await house.wait(0.6)
        await house.press("B")
        await house.wait(0.3)
        assert not house.is_armed()

        for breaks in ("P", "paste", "r"):
            await house.press("S", "P", "Y")
            await house.until(lambda: house.is_armed() and house.shows("typed: SPY"))
            if breaks == "paste":
                house.desk.post_message(events.Paste("SPY"))
            else:
                await house.press(breaks)
            await house.until(lambda: house.shows("type SPY, then B"))
            await house.wait(0.6)
            await house.press("B")
            await house.wait(0.3)
        assert house.sent_nothing()


async def test_an_exit_on_a_live_account_needs_no_word() -> None:
    """OP-04, OP-06"""
    async with open_desk() as house:
        await house.buys()
        house.goes_live()
        house.desk.handle.send(ProposeClose(SPY))
        await house.until(lambda: house.shows("1 EXIT"))

        await house.press("exclamation_mark")
        await house.until(house.is_armed)
        await house.sees("LIVE ─ SELL to close ─ SPY")
        await house.press("S")

        await house.until(lambda: len(house.facts(ConfirmationReceived)) == 2)


def test_a_word_is_its_letters_in_a_row() -> None:
    """OP-04: a letter too many begins it again"""
    word = TypedWord("AAPL")

    for key in "xAAAPL":
        word.hear(key)
    assert not word.stands
    for key in "AAPL":
        word.hear(key)
    assert word.stands

    word.hear(None)
    assert word.typed == ""
