"""Overriding a protection at the desk: the word in full, on the row that is meant (RK-06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events

from console.screens.override import OverrideScreen
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


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_word_in_full_overrides_the_row_that_was_meant(size: tuple[int, int]) -> None:
    """RK-06"""
    async with open_still(a_view(protections=(paused(),)), size) as house:
        await opens_it(house)
        await house.sees("Override Cooldown SPY?", "a loss of 0.30%.", f"Overridden, {ENTRIES_PASS}.")
        await house.press(*"OVERRID")
        assert house.handle.commands == []
        await house.until(lambda: house.shows("typed: OVERRID"))
        await house.press("E")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [OverrideProtection("cooldown", "SPY", "OVERRIDE")]
        await house.until(lambda: "Cooldown SPY is overridden" in house.footer())


@pytest.mark.parametrize("keys", [(*"override",), (*"OVER", "space", *"RIDE"), (*"OVERRID", "escape")])
async def test_another_word_overrides_nothing(keys: tuple[str, ...]) -> None:
    """RK-06"""
    async with open_still(a_view(protections=(paused(),))) as house:
        await opens_it(house)
        await house.press(*keys)
        await house.wait(0.1)
        assert house.handle.commands == []


async def test_a_pasted_word_overrides_nothing() -> None:
    """OP-04"""
    async with open_still(a_view(protections=(paused(),))) as house:
        await opens_it(house)
        await house.press(*"OVERRID")
        house.desk.screen.post_message(events.Paste("E"))
        await house.wait(0.1)
        await house.press("E")
        await house.wait(0.1)
        assert house.handle.commands == []


async def test_what_is_not_shut_has_nothing_to_override() -> None:
    async with open_still(a_view(protections=(a_protection(),))) as house:
        await house.press("4", "a", "home", "o")
        await house.until(lambda: "there is nothing to override" in house.footer())


async def test_what_the_word_cannot_open_says_why() -> None:
    async with open_still(a_view(protections=(replace(paused(), override=""),))) as house:
        await house.press("4", "home", "o")
        await house.until(lambda: "is not overridden: a loss of 0.30%" in house.footer())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_an_override_is_seen_while_it_stands_and_o_says_until_when(size: tuple[int, int]) -> None:
    """RK-06, RK-09"""
    at = the_engines_view().status.at
    word = OverrideView(at - timedelta(minutes=5), at - timedelta(minutes=5), at + timedelta(minutes=25))
    until = clock(word.until)[:5]
    row = replace(paused(), is_tripped=False, override="", overridden=word, until=word.until)
    async with open_still(a_view(protections=(row,)), size) as house:
        await house.press("4")
        await house.until(lambda: house.shows("Cooldown SPY", "0.30% of 0.20%", f"OVERRIDDEN until {until}"))
        await house.press("home", "o")
        await house.until(lambda: f"Cooldown SPY is overridden until {until} New York" in house.footer())
        await house.press("enter")
        await house.until(lambda: house.shows("OVERRIDDEN: entries pass it by your word alone"))
        await house.sees(f"tripped        {clock(row.since)}", f"overridden     {clock(word.at)}")
        await house.sees(f"until          {clock(word.until)}")


async def test_o_on_an_override_that_is_yet_to_begin_says_from_when() -> None:
    """RK-06"""
    at = the_engines_view().status.at
    word = OverrideView(at, at + timedelta(minutes=60), at + timedelta(minutes=120))
    async with open_still(a_view(protections=(replace(paused(), override="", overridden=word),))) as house:
        await house.press("4", "home", "o")
        span = f"is overridden from {clock(word.begins)[:5]} until {clock(word.until)[:5]} New York"
        await house.until(lambda: span in house.footer())
