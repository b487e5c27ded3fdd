"""Every figure on the screen is in a table of `keyturn export` (SY-08).

The panes are walked with everything in them. Each figure with a decimal point that is drawn must be that of a cell, as
it is or as a percentage. Whole numbers say too little: a count of two would be found anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from console.screens.basket import BasketScreen
from core.model.values import Fraction
from core.views import DeskView
from core.views.export import TABLES, row_of
from tests.desk.nine_days import nine_days
from tests.desk.still_house import the_engines_view
from tests.kit.screen import text_of
from tests.snapshots.day import STATUS, full, money, with_legs
from tests.snapshots.planned import plan_that_is_over, plan_that_waits
from tests.snapshots.still import Answer, still_desk, unanswered
from tests.snapshots.tickets import with_ticket

SHOWN = re.compile(r"\d[\d,]*\.\d+")
FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
SIZE = (200, 60)
MARGIN = replace(
    STATUS,
    margin_distance=Fraction(Decimal("0.4217")),
    at_risk=Fraction(Decimal("0.0123")),
    lost_at_stops=money("1230.55"),
    risk_budget=Fraction(Decimal("0.15")),
    unsettled=money("812.34"),
)
WALK: tuple[tuple[str, ...], ...] = (
    *(("1",), ("2",), ("2", "enter"), ("2", "down", "enter"), ("3", "a"), ("3", "enter"), ("4", "a"), ("4", "enter")),
    *(("5",), ("5", "enter"), ("6",), ("6", "enter"), ("8",), ("8", "enter"), ("9",)),
    *(("7",), ("7", "enter"), ("7", ">"), ("7", ">"), ("1", "enter"), ("ctrl+k",)),
)
"""Panes, the details of their rows, a ticket, and the kill screen."""
FACTORS = (Decimal(1), Decimal(100), Decimal("0.000001"), Decimal("0.001"))
"""A figure, its percentage, and volumes in millions and thousands."""


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def exported(view: DeskView) -> set[Decimal]:
    """Every figure of every table, also those within a text."""
    rows = [row_of(row) for table in TABLES.values() for row in table.rows(view)]
    return {number(found) for row in rows for found in FIGURE.findall(str(row))}


def missing(screen: str, known: set[Decimal]) -> Iterator[str]:
    """Yield the shown figures that no cell has, with their line."""
    for line in screen.splitlines():
        for found in SHOWN.findall(line):
            shown, places = number(found), Decimal(1).scaleb(-len(found.partition(".")[2]))
            if not any(abs(each * factor - shown) <= places / 2 for each in known for factor in FACTORS):
                yield f"{found} in {line.strip()}"


def a_full_view() -> DeskView:
    return full(MARGIN, days=nine_days(), orders=with_legs())


async def not_exported(view: DeskView, answer: Answer = unanswered) -> list[str]:
    """Walk the desk, each pane alone on the screen."""
    found = []
    async with still_desk(view, SIZE, answer) as still:
        for pane, *keys in WALK:
            await still.press(pane, *(("z",) if pane.isdigit() else ()), *keys)
            found += [
                f"{pane} {' '.join(keys)}: {words}" for words in missing(text_of(still.desk), exported(still.view))
            ]
            while len(still.desk.screen_stack) > 1:
                await still.press("escape")
            await still.press("z")
    return found


async def test_every_figure_of_every_pane_is_exported() -> None:
    """SY-08"""
    found = await not_exported(a_full_view(), with_ticket(lambda view: view))
    assert not found, "\n".join(found)


def test_a_figure_without_an_export_is_found() -> None:
    """SY-08"""
    (words,) = missing("equity 100,034.43 and 0.03 %, something else 512,031.07", exported(a_full_view()))
    assert words.startswith("512,031.07")


async def test_every_figure_of_a_basket_is_exported() -> None:
    """SY-08: before it is signed, and its report"""
    for view in (plan_that_waits(), plan_that_is_over()):
        async with still_desk(view, SIZE) as still:
            await still.press("p")
            await still.after(2)
            assert isinstance(still.desk.screen, BasketScreen)
            found = [*missing(text_of(still.desk), exported(still.view))]
            assert not found, "\n".join(found)


async def test_every_figure_of_the_engines_own_picture_is_exported() -> None:
    """SY-08: names, measures and reasons as the engine words them"""
    found = await not_exported(the_engines_view())
    assert not found, "\n".join(found)
