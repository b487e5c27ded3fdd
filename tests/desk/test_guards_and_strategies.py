"""Panes 4 and 5: what guards entries and how far it is used, what each strategy answers, pauses and would have made."""

from __future__ import annotations

from datetime import timedelta

from core.views import ProtectionRow
from tests.desk.desk_house import open_desk
from tests.desk.still_house import (
    a_protection,
    a_result,
    a_strategy,
    a_view,
    dollars,
    open_still,
    the_engines_view,
)


def six_guards() -> tuple[ProtectionRow, ...]:
    at = the_engines_view().status.at
    return (
        a_protection(),
        a_protection("Guard AIG", "0.67", measure="2 of 3", reason="losing trades in a row"),
        a_protection(
            "Cooldown",
            "1",
            measure="1 of 1",
            is_tripped=True,
            reason="AIG was stopped out",
            since=at - timedelta(minutes=9),
            until=at + timedelta(minutes=21),
        ),
        a_protection("Window", None, measure="open until 15:45 New York"),
        a_protection("Max loss", "0.2"),
        a_protection("Drawdown", "0.1"),
    )


async def test_a_guard_says_measure_limit_state_and_what_is_left() -> None:
    """RK-09"""
    async with open_still(a_view(protections=six_guards())) as house:
        await house.press("4")

        assert house.shows("1 TRIPPED", "0.00 of 2,000 USD", "░░░░░", "2 of 3 ▓▓▓░░", "1 of 1", "open until 15:45")
        assert house.shows("TRIPPED, 21:00 left", "Daily loss: equity since the day")
        await house.press("down", "down")
        assert house.shows("Cooldown: AIG was stopped out")


async def test_a_narrow_terminal_shows_what_is_tripped_or_past_half_and_counts_the_rest() -> None:
    """RK-09"""
    async with open_still(a_view(protections=six_guards()), (80, 24)) as house:
        await house.press("4")

        assert house.shows("Guard AIG", "Cooldown", "TRIPPED, 21:00 left", "4 more, clear")
        assert not house.shows("Max loss")
        assert not house.shows("Daily loss")

        await house.shows_next(protections=(a_protection(), a_protection("Window", None)))
        assert house.shows("4 Protections ─ entries, clear", "2 in all, clear")


async def test_what_keeps_entries_shut_stands_in_the_pane_that_guards_them() -> None:
    """RK-09: whoever shut them"""
    async with open_desk() as house:
        await house.press("4", "ctrl+k")

        await house.until(lambda: house.shows("4 Protections ─ 1 TRIPPED, OFF", "ENTRIES OFF: halted"))


async def test_a_paused_strategy_its_reasons_and_the_shadow_are_in_words() -> None:
    """OP-12, ST-03"""
    rows = (a_strategy(), a_strategy("IBM", is_paused=True, last_answer="WARMING_UP", times=7))
    results = (
        a_result(),
        a_result("reversal", declined=1, shadow=dollars("12.50")),
        a_result("new", declined=0, shadow=None),
    )
    async with open_still(a_view(strategies=rows, results=results)) as house:
        await house.press("5")

        assert house.shows("5 Strategies ─ 1 running, 1 PAUSED", "PAUSED, warming up", "price above threshold")
        assert house.shows("shadow declined 3, would be −28.50 USD", "VWAP 167.29", "bars: price above threshold 12,")


async def test_without_anything_declined_there_is_no_shadow() -> None:
    """OP-12"""
    async with open_desk() as house:
        await house.press("5")
        await house.until(lambda: house.shows("5 Strategies ─ 1 running"))
        assert not house.shows("shadow")


async def test_no_measure_of_a_guard_is_cut_beside_the_other_panes() -> None:
    """RK-09"""
    at = the_engines_view().status.at
    guards = (
        a_protection("Session", None, measure="closed until Tue 09:30 New York", is_tripped=True, until=at),
        a_protection("Entries VWAP", "1", measure="1 of 1 filled today", is_tripped=True, since=at),
        a_protection("Loss", "0.3", measure="12.50 of 2,000.00 USD"),
    )
    async with open_still(a_view(protections=guards), (120, 40)) as house:
        assert house.shows("closed until Tue 09:30", "1 of 1 filled today", "TRIPPED since 10:24:00", "2,000.00 USD")


async def test_the_second_line_of_a_tripped_guard_opens_the_same_details() -> None:
    """RK-09"""
    async with open_desk() as house:
        await house.press("ctrl+k", "escape", "ctrl+k", "K")
        await house.until(lambda: house.shows("KILLED since"))
        await house.press("escape", "4", "home", "down", "enter")
        await house.until(lambda: house.shows("Protection", "TRIPPED: no entry is staged"))
