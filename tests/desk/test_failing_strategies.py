"""What the operator sees of a strategy that raises, is slow, is missing, and of two that contradict each other."""

from __future__ import annotations

import pytest

from core.views import LogRow
from tests.desk.still_house import a_strategy, a_view, open_still

SIZES = [(120, 40), (80, 24)]
RAISED = "3 bars in a row it raised ZeroDivisionError: no volume; mend it, then resume it"
GONE = "dips.py, line 3: it imports os, which a strategy may not: take it out"


@pytest.mark.parametrize("size", SIZES)
async def test_a_strategy_that_cannot_load_says_why(size: tuple[int, int]) -> None:
    """ST-01"""
    rows = (a_strategy(), a_strategy("IBM", strategy="dips", key="dips/IBM", trouble=GONE, is_missing=True))
    async with open_still(a_view(strategies=rows), size) as house:
        await house.press("5", "down")

        await house.sees("5 Strategies ─ 1 MISSING, 1", "DIPS", "! dips.py, line 3")

        await house.press("enter")
        await house.sees("missing: it proposes nothing", "it imports os, which a strategy may not")


async def test_a_paused_strategy_names_its_key() -> None:
    """ST-07"""
    rows = (a_strategy(strategy="mine", key="mine/SPY", is_paused=True, trouble=RAISED),)
    async with open_still(a_view(strategies=rows), (120, 40)) as house:
        await house.press("5")

        await house.sees("5 Strategies ─ 0 running, 1 PAUSED", "PAUSED, ! 3 bars in", "Space pause or resume")
        await house.press("enter")
        await house.sees("3 bars in a row it raised ZeroDivisionError: no volume;", "then resume it")


async def test_a_strategy_that_failed_once_is_marked() -> None:
    """ST-07"""
    rows = (a_strategy(trouble="took 120 ms for a bar, more than 50"),)
    async with open_still(a_view(strategies=rows), (120, 40)) as house:
        await house.press("5")

        await house.sees("5 Strategies ─ 1 running", "! took 120 ms")


async def test_conflicting_strategies_are_logged() -> None:
    """ST-07"""
    view = a_view()
    told = "SPY: momentum would buy and vwap would sell on the same bar; neither is staged"
    async with open_still(a_view(log=(LogRow(7, view.status.at, "strategy", told),)), (120, 40)) as house:
        await house.sees(told)
