"""What the operator sees of a strategy that raises, is slow, is missing, and of two that contradict each other."""

from __future__ import annotations

from core.views import LogRow
from tests.desk.still_house import a_strategy, a_view, open_still

SIZES = [(120, 40), (80, 24)]
RAISED = "3 bars in a row it raised ZeroDivisionError: no volume; fix it, then resume it"
GONE = "dips.py, line 3: it imports os, which a strategy may not: take it out"


async def test_a_strategy_in_trouble_says_which() -> None:
    """ST-01, ST-07"""
    rows = (a_strategy(), a_strategy("IBM", strategy="dips", key="dips/IBM", trouble=GONE, is_missing=True))
    paused = a_strategy(strategy="mine", key="mine/SPY", is_paused=True, trouble=RAISED)
    slow = a_strategy(trouble="took 120 ms for a bar, more than 50")
    async with open_still(a_view(strategies=rows), (120, 40)) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.press("5", "home", "down")
            await house.sees("5 Strategies ─ 1 MISSING, 1", "DIPS", "! dips.py, line 3")
            await house.press("enter")
            await house.sees("missing: it proposes nothing", "it imports os, which a strategy may not")
            await house.press("escape")

        await house.pilot.resize_terminal(120, 40)
        await house.shows_next(strategies=(paused,))
        await house.press("home")
        await house.sees("5 Strategies ─ 0 running, 1 PAUSED", "PAUSED, ! 3 bars in", "Space pause or resume")
        await house.press("enter")
        await house.sees("3 bars in a row it raised ZeroDivisionError: no volume;", "then resume it")
        await house.press("escape")

        await house.shows_next(strategies=(slow,))
        await house.sees("5 Strategies ─ 1 running", "! took 120 ms")

        told = "SPY: momentum would buy and vwap would sell on the same bar; neither is staged"
        await house.shows_next(log=(LogRow(7, a_view().status.at, "strategy", told),))
        await house.sees(told)
