"""The leave screen: what may fill without a stop while nobody is here is named, all of it, before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.model.order import StopHolder
from core.model.values import Quantity
from core.views import DeskView, KillView, OrderRow
from tests.desk.still_house import a_position, a_view, an_order, open_still

SMALL = (80, 24)
SHARES = Quantity(Decimal("1.5"))


def with_entries(*entries: OrderRow) -> DeskView:
    view = a_view(orders=entries, positions=tuple(a_position(f"HELD{number}") for number in range(8)))
    return replace(view, kill=KillView(entries, (), ()))


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (StopHolder.BROKER, "May fill, and the stop is not sent while the desk is closed:"),
        (StopHolder.DESK, "May fill, and nobody keeps the stop while the desk is closed:"),
    ],
)
async def test_leaving_names_entries_without_a_stop(holder: StopHolder, words: str) -> None:
    """EX-22, OP-06"""
    async with open_still(with_entries(an_order(quantity=SHARES, stop_by_desk=holder)), SMALL) as house:
        await house.press("q")
        await house.until(lambda: house.shows(words))
        await house.sees("  BUY to open 1.5 SPY limit 166.76")
        await house.sees("Cancel first (d in Orders), or stay.")
        assert not house.shows("stays, and may fill")


async def test_leaving_names_every_entry() -> None:
    """EX-22, OP-06"""
    by_fills = StopHolder.BROKER
    bare = [an_order(number, f"SYM{number:02}", quantity=SHARES, stop_by_desk=by_fills) for number in range(15)]
    others = [an_order(40 + number, f"LEGS{number}") for number in range(9)]
    async with open_still(with_entries(*bare, *others), SMALL) as house:
        await house.press("q")
        await house.until(lambda: house.shows("y leave"))
        for row in bare:
            await house.sees(row.symbol)
        await house.sees("Cancel first (d in Orders), or stay.")
        await house.sees("lines more")
