"""Pane 5 after a night: what it measured, what it shut, and the operator's word on it (ST-10)."""

from __future__ import annotations

from typing import Any

from core.messages.commands import DecidePromotion, ReinstateStrategy
from core.messages.desk_commands import DecidePause
from core.views import LogRow, StrategyRow
from tests.desk.still_house import StillHouse, a_strategy, a_view, open_still

FIGURES = "31 trades, won 25.8%, Sharpe -0.13 a session, profit factor 0.61, 3 losses in a row"
WHY = "it won 25.8% of 31 trades, under 40%"


def retired(**parts: Any) -> StrategyRow:
    terms: dict[str, Any] = {
        "shut": f"is RETIRED: no entries until you resume it: {WHY}",
        "may_be_resumed": True,
        "evaluation": (
            ("evaluated", FIGURES),
            ("verdict", f"retired, {WHY}"),
            ("shut", f"is RETIRED: no entries until you resume it: {WHY}"),
        ),
    }
    return a_strategy(**{**terms, **parts})


async def answers(house: StillHouse, key: str) -> None:
    await house.until(house.is_armed)
    await house.press(key)


async def test_a_retired_strategy_shows_its_figures_and_space_asks_to_resume_it() -> None:
    """ST-10: re-enabling is the operator's."""
    async with open_still(a_view(strategies=(retired(), a_strategy("IBM"))), (80, 24)) as house:
        await house.press("5", "home")

        await house.sees("5 Strategies ─ 1 running, 1 RETIRED", "RETIRED, Enter says why")
        await house.press("enter")
        await house.sees("won 25.8%", "0.61, 3 losses in a row", "under 40%", "its exits go on")
        await house.press("escape", "space")
        await house.sees("Resume VWAP?", "under 40%", "new trades")
        assert house.handle.commands == []

        await answers(house, "D")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [ReinstateStrategy("vwap")]


async def test_proposed_changes_are_adopted_or_declined() -> None:
    """ST-08, ST-10: what is refused, as more than there is, is announced; nobody need look for it in the log."""
    figures = "Sharpe 0.13 a session, 70.0% of 30 trades won, profit factor 2.40"
    row = a_strategy(proposed=f"10% more of its allocation: {figures}")
    view = a_view(strategies=(row, a_strategy("IBM")))
    refused = "vwap: the larger allocation is not adopted: the allocations would be 105 % of equity together"
    async with open_still(view) as house:
        await house.press("5")
        await house.sees("+ proposed")
        await house.press("plus")
        await house.sees("Adopt more for VWAP?", "profit factor 2.40")
        await answers(house, "D")
        await house.until(lambda: house.handle.commands)
        house.handle.show(log=(*view.log, LogRow(99_999, view.status.at, "strategy", refused)))
        await house.until(lambda: refused in " ".join(house.picture().split()))

        await house.press("minus")
        await house.sees("Decline more for VWAP?")
        await answers(house, "D")
        await house.until(lambda: len(house.handle.commands) == 2)
        assert house.handle.commands == [DecidePromotion("vwap", True), DecidePromotion("vwap", False)]
        await house.press("down", "plus")
        await house.sees("nothing more is proposed for VWAP")


REFUTED = "dips is INVALIDATED: win rate < 45 % over 100 trades: MET by 41.00 %, 2026-03-02 to 2026-10-07"


async def test_a_proposed_pause_is_answered_before_a_promotion() -> None:
    """AN-07: the same keys answer both, each by its own command"""
    row = a_strategy(
        proposed="10% more of its allocation", proposed_pause=REFUTED, evaluation=(("invalidated", REFUTED),)
    )
    async with open_still(a_view(strategies=(row,)), (80, 24)) as house:
        await house.press("5")
        await house.sees("+ pause proposed")
        await house.press("enter")
        await house.sees("proposed       a pause, its thesis", "invalidated    dips", "by 41.00 %")
        await house.press("escape", "plus")
        await house.sees("Adopt a pause of VWAP?", "MET by 41.00", "you type RESUME")
        await answers(house, "D")
        await house.until(lambda: house.handle.commands)
        await house.press("minus")
        await house.sees("Decline a pause of VWAP?")
        await answers(house, "D")
        await house.until(lambda: len(house.handle.commands) == 2)
        assert house.handle.commands == [DecidePause("vwap", True), DecidePause("vwap", False)]


async def test_an_invalidated_strategy_is_resumed_by_the_typed_word() -> None:
    """AN-07: D, which resumes a retired one, does not"""
    shut = f"is paused: no entries: {REFUTED}"
    row = retired(shut=shut, needs_word=True, evaluation=(("shut", shut),))
    async with open_still(a_view(strategies=(row, a_strategy("IBM"))), (80, 24)) as house:
        await house.press("5", "home", "space")
        await house.sees("Resume VWAP?", "MET by 41.00 %", "type RESUME")
        await house.press("D", *"RESUM")
        assert house.handle.commands == []
        await house.press("escape", "space")
        await house.sees("Resume VWAP?")
        await house.press(*"RESUME")
        await house.until(lambda: house.handle.commands)
        assert [(each.strategy, each.word) for each in house.handle.commands] == [("vwap", "RESUME")]
