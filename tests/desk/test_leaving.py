"""The leave screen: what may fill without a stop while nobody is here is named, all of it, before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.model.order import StopHolder
from core.model.values import Quantity
from core.views import DeskView, KillView, OrderRow
from tests.desk.still_house import a_position, a_view, an_order, open_still

SMALL = (80, 24)
SHARES = Quantity(Decimal("1.5"))


def with_entries(*entries: OrderRow) -> DeskView:
    view = a_view(orders=entries, positions=tuple(a_position(f"HELD{number}") for number in range(8)))
    return replace(view, kill=KillView(entries, (), ()))


async def test_leaving_names_every_entry() -> None:
    """EX-22, OP-06: and which have no stop"""
    holders = {
        StopHolder.BROKER: "May fill, and the stop is not sent while the desk is closed:",
        StopHolder.DESK: "May fill, and nobody keeps the stop while the desk is closed:",
    }
    bare = [an_order(n, f"SYM{n:02}", quantity=SHARES, stop_by_desk=StopHolder.BROKER) for n in range(15)]
    others = [an_order(40 + number, f"LEGS{number}") for number in range(9)]
    async with open_still(a_view(), SMALL) as house:
        for holder, words in holders.items():
            view = with_entries(an_order(quantity=SHARES, stop_by_desk=holder))
            await house.shows_next(orders=view.orders, positions=view.positions, kill=view.kill)
            await house.press("q")
            await house.sees(words, "  BUY to open 1.5 SPY limit 166.76", "Cancel first (d in Orders), or stay.")
            assert not house.shows("stays, and may fill")
            await house.press("escape")

        view = with_entries(*bare, *others)
        await house.shows_next(orders=view.orders, positions=view.positions, kill=view.kill)
        await house.press("q")
        await house.sees("y leave", *(row.symbol for row in bare))
        await house.sees("Cancel first (d in Orders), or stay.", "lines more")
