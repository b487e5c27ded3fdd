"""Corporate actions on the screen: on the rows of Watch and Positions, in their details, on the ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from console.screens.reading import DetailScreen
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Price, Symbol
from core.views import ActionRow, WatchlistRow, WatchRow, WatchView
from tests.desk.still_house import a_position, a_view, open_still

SIZES = [(80, 24), (120, 40)]
IBM, XOM = Symbol("IBM"), Symbol("XOM")
DIVIDEND = ActionRow(CorporateAction(XOM, ActionKind.CASH_DIVIDEND, date(2026, 1, 7), Decimal("0.99")), is_near=True)
SPLIT = ActionRow(CorporateAction(XOM, ActionKind.SPLIT, date(2026, 2, 2), None, Decimal(1), Decimal(2)), is_near=False)
WATCHED = WatchView(
    (WatchlistRow("main", (IBM, XOM)),),
    (WatchRow(IBM, last=Price(Decimal("182.10"))), WatchRow(XOM, last=Price(Decimal("116.20")))),
)


async def test_a_row_says_what_comes_soon() -> None:
    view = a_view(watch=WATCHED, actions=(DIVIDEND, SPLIT), positions=(a_position("XOM"), a_position("IBM")))
    async with open_still(view, SIZES[0]) as house:
        await house.press("8", "down")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("ex Wed", "XOM: ex Wed 07 Jan: dividend 0.99")
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, DetailScreen))
        await house.sees("ex Wed 07 Jan: dividend 0.99", "ex Mon 02 Feb: split 2 for 1")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("2", "home")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("XOM: ex Wed 07 Jan: dividend 0.99")
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, DetailScreen))
        await house.sees("comes", "ex Mon 02 Feb: split 2 for 1")
        await house.press("escape")

        await house.pilot.resize_terminal(120, 40)
        await house.shows_next(actions=(replace(DIVIDEND, is_near=False), SPLIT), positions=())
        await house.press("8", "down")
        await house.sees("XOM 116.20")
        assert not house.shows("ex ")  # what is not near is on no row
