"""Overriding a protection at the desk: the word in full, on the row that is meant (RK-06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from textual import events

from console.screens.limits import OverrideScreen
from core.messages.commands import OverrideProtection
from core.views import OverrideView, ProtectionRow
from tests.desk.still_house import StillHouse, a_protection, a_view, open_still, the_engines_view
from widgets.format import clock

ENTRIES_PASS = "entries pass it for 30 minutes, then it stands again"


def paused() -> ProtectionRow:
    at = the_engines_view().status.at
    row = a_protection(
        "Cooldown SPY", "1", measure="0.30% of 0.20%", is_tripped=True, reason="a loss of 0.30%",
        since=at - timedelta(minutes=9), until=at + timedelta(minutes=6),
    )  # fmt: skip
    return replace(row, key="cooldown/SPY", override=ENTRIES_PASS)


async def opens_it(house: StillHouse) -> None:
    await house.press("4", "home", "o")
    await house.until(lambda: isinstance(house.desk.screen, OverrideScreen))


async def test_the_word_in_full_alone_overrides_the_row_that_was_meant() -> None:
    """RK-06, OP-04: another word and a pasted one override nothing"""
    async with open_still(a_view(protections=(paused(),)), (80, 24)) as house:
        for keys in ((*"override",), (*"OVER", "space", *"RIDE"), (*"OVERRID",)):
            await opens_it(house)
            await house.press(*keys)
            await house.press("escape")
            await house.wait(0.1)
        await opens_it(house)
        await house.press(*"OVERRID")
        house.desk.screen.post_message(events.Paste("E"))
        await house.wait(0.1)
        await house.press("E")
        await house.wait(0.1)
        await house.press("escape")
        assert house.handle.commands == []

        await opens_it(house)
        await house.sees("Override Cooldown SPY?", "a loss of 0.30%.", f"Overridden, {ENTRIES_PASS}.")
        await house.press(*"OVERRID")
        assert house.handle.commands == []
        await house.until(lambda: house.shows("typed: OVERRID"))
        await house.press("E")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [OverrideProtection("cooldown", "SPY", "OVERRIDE")]
        await house.until(lambda: "Cooldown SPY is overridden" in house.footer())


async def test_o_says_why_it_overrides_nothing_and_what_is_overridden_already() -> None:
    """RK-06, RK-09"""
    at = the_engines_view().status.at
    to_come = OverrideView(at, at + timedelta(minutes=60), at + timedelta(minutes=120))
    word = OverrideView(at - timedelta(minutes=5), at - timedelta(minutes=5), at + timedelta(minutes=25))
    until = clock(word.until)[:5]
    row = replace(paused(), is_tripped=False, override="", overridden=word, until=word.until)
    span = f"is overridden from {clock(to_come.begins)[:5]} until {clock(to_come.until)[:5]} New York"
    async with open_still(a_view(), (80, 24)) as house:
        await house.press("4", "a")
        for shown, said in (
            (a_protection(), "there is nothing to override"),
            (replace(paused(), override=""), "is not overridden: a loss of 0.30%"),
            (replace(paused(), override="", overridden=to_come), span),
            (row, f"Cooldown SPY is overridden until {until} New York"),
        ):
            await house.shows_next(protections=(shown,))
            await house.press("home", "o")
            await house.until(lambda said=said: said in house.footer())
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.sees("Cooldown SPY", "0.30% of 0.20%", f"OVERRIDDEN until {until}")
        await house.press("enter")
        await house.until(lambda: house.shows("OVERRIDDEN: entries pass it by your word alone"))
        await house.sees(f"tripped        {clock(row.since)}", f"overridden     {clock(word.at)}")
        await house.sees(f"until          {clock(word.until)}")
