"""Two desks on one engine, seen from the first: whose key it is, what a hand-over closes, and how it is taken."""

from __future__ import annotations

from core.facts import KeyTaken, OrderCreated
from core.messages.commands import Command, Resume
from core.messages.desk_commands import AttachDesk, TakeKey
from core.model.desk import DeskNumber, Seat
from tests.desk.desk_house import House, open_desk

EVE = Seat("/dev/pts/4", "eve", "10.0.0.7")
LINK = "eve's"


def says(house: House, command: Command, desk: DeskNumber | None = None) -> None:
    """At another desk of the same engine."""
    house.runtime.send(house.port.through(command, house.runtime.account, desk))


async def eve(house: House) -> DeskNumber:
    """She attaches, and watches."""
    await house.until(lambda: house.desk.handle.desk is not None)
    says(house, AttachDesk(EVE, LINK))
    await house.until(lambda: house.runtime.desk_of(LINK) is not None)
    number = house.runtime.desk_of(LINK)
    assert number is not None
    return number


async def eve_takes(house: House, desk: DeskNumber) -> None:
    hold = house.runtime.engine.state.desks.hold
    says(house, TakeKey("TAKE", hold), desk)
    await house.until(lambda: house.desk.view and not house.desk.view.status.key.is_held_by(house.desk.handle.desk))


async def test_losing_the_key_closes_the_ticket() -> None:
    """OP-13"""
    async with open_desk() as house:
        await house.opens_the_ticket()
        other = await eve(house)

        await eve_takes(house, other)
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        await house.sees("eve on pts/4 from 10.0.0.7 holds the key now: what was open here is closed")
        await house.sees("control: eve on pts/4 from 10.0.0.7 since", "T takes it")
        await house.press("B")
        await house.wait(0.4)
        assert house.facts(OrderCreated) == []


async def test_a_watchers_kill_screen_cannot_resume() -> None:
    """OP-07, OP-13: its banner names who can"""
    async with open_desk() as house:
        await eve_takes(house, await eve(house))

        await house.press("ctrl+k")
        await house.sees("it resumes and re-arms")
        await house.until(lambda: house.runtime.engine.state.control.halts)
        await house.press("U")
        await house.wait(0.6)
        assert house.runtime.engine.state.control.halts

        await house.press("escape")
        await house.sees("HALTED since", "eve on pts/4 from 10.0.0.7 resumes")
        assert not house.shows("then U resumes")
        await house.press("U")
        await house.sees("eve on pts/4 from 10.0.0.7 holds the key: it resumes")

        await house.press("ctrl+k")
        await house.wait(0.6)
        await house.press("K")
        await house.until(lambda: house.runtime.engine.state.control.killed_by == "key")


async def test_an_active_holders_key_takes_a_word() -> None:
    """OP-13: the status line names who holds it, and keys without it say why"""
    async with open_desk() as house:
        await house.sees("control: this desk")
        await house.press("T")
        await house.sees("this desk holds the key")
        assert len(house.facts(KeyTaken)) == 1
        other = await eve(house)
        await house.sees("control: this desk, 1 more watches")
        await house.sees("1 waiting")
        await eve_takes(house, other)

        for key in ("enter", "n", "F", "x", "p"):
            house.desk.say("")
            await house.press(key)
            await house.sees("eve on pts/4 from 10.0.0.7 holds the key; T takes it")
            assert len(house.desk.screen_stack) == 1

        await house.press("T")
        await house.sees("Take the key?", "eve on pts/4 from 10.0.0.7 holds it", "type TAKE")
        await house.press(*"TAKE")

        await house.until(lambda: house.facts(KeyTaken)[-1].desk == house.desk.handle.desk)
        await house.sees("control: this desk, 1 more watches")
        await house.opens_the_ticket()


async def test_another_desks_refusal_is_not_shown() -> None:
    """OP-13: of two that take the key at once, the quicker one read the other's refusal on its last line"""
    async with open_desk(size=(160, 40)) as house:
        other = await eve(house)
        assert house.desk.view is not None
        house.desk.following.wait_for_word(house.desk.view, "key")

        says(house, Resume(), other)
        await house.sees(f"desk {other}: resume refused: ")

        assert "refused" not in house.footer()
