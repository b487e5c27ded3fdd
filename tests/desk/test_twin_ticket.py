"""The ticket of an entry that is like another: its word first, then its key (RK-25)."""

from __future__ import annotations

from textual import events

from core.facts import ConfirmationRefused, OrderCreated, TwinConfirmed
from core.settings.settings import Settings
from tests.desk.desk_house import House, open_desk

ROOMY = Settings.model_validate(
    {"risk": {"max_open_positions": 5, "entries_a_day": 9, "portfolio": {"max_exposure": "10"}}},
)  # fmt: skip


def entries(house: House) -> int:
    return sum(not fact.order.effect.only_reduces for fact in house.facts(OrderCreated))


async def opens_a_twin(house: House) -> None:
    """One was typed and sent; the ticket of a second one like it is on the screen."""
    for number in range(2):
        house.types_an_order("0.07", "494.50" if number else "494.60")
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) > 1)
        view = house.desk.view
        assert view is not None
        row = next(row for row in view.proposals if row.strategy == "manual")
        house.desk.open_ticket(row.id)
        if number == 0:
            await house.until(house.is_armed)
            await house.press("B")
            await house.until(lambda: entries(house) == 1)
            await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) == 1)
    await house.sees("type TWIN, then B", "not armed")
    await house.wait(0.6)


async def test_a_twins_key_needs_its_word() -> None:
    """RK-25, OP-04: the letters are no keys of the desk, and the ticket says which entry it is like"""
    async with open_desk((80, 24), settings=ROOMY) as house:
        await opens_a_twin(house)
        await house.sees("like ", "BUY 0.07 SPY")
        await house.press("B")
        await house.wait(0.5)
        assert entries(house) == 1
        assert not house.shows("too early"), "its word is what is missing"

        for keys in (("t", "i", "n"), ("T", "W", "X", "N")):
            for key in keys:
                await house.press(key)
            await house.wait(0.6)
            assert not house.is_armed()
        house.desk.screen.post_message(events.Paste("TWIN"))
        await house.wait(0.6)
        assert not house.is_armed()
        assert entries(house) == 1

        await house.press("T", "W", "I")
        await house.sees("typed: TWI")
        await house.press("B")
        await house.wait(0.5)
        assert entries(house) == 1

        await house.press("T", "W", "I", "N")
        await house.until(house.is_armed)
        await house.sees("B  buy to open  typed: TWIN")
        await house.press("B")
        await house.until(lambda: entries(house) == 2)
        assert len(house.facts(TwinConfirmed)) == 1
        assert house.facts(ConfirmationRefused) == []


async def test_a_live_twin_asks_for_both_words() -> None:
    """RK-25, OP-04: one line to type, the word first"""
    async with open_desk(settings=ROOMY) as house:
        await opens_a_twin(house)
        house.goes_live()
        await house.sees("type TWIN SPY, then B")
        await house.wait(0.6)
        await house.press("T", "W", "I", "N")
        await house.wait(0.6)
        assert not house.is_armed()

        await house.press("space", "S", "P", "Y")
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: entries(house) == 2)
