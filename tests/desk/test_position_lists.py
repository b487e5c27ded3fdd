"""Positions in more columns where there is room, in another order, and what they come to together (OP-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from syrupy.assertion import SnapshotAssertion

from core.model.order import StopHolder
from core.model.values import Money, Price, Quantity, Symbol
from core.views import PositionRow, WatchRow, WatchView
from tests.desk.still_house import StillHouse, a_position, a_view, open_still
from widgets.lines import NO_ROOM, Column, widths_of
from widgets.positions import sum_line


def held(symbol: str, quantity: str, average: str, last: str | None, **parts: Any) -> PositionRow:
    count, paid = Decimal(quantity), Decimal(average)
    price = None if last is None else Decimal(last)
    return a_position(
        symbol, quantity=Quantity(count), average_price=Price(paid), last=None if price is None else Price(price),
        profit=None if price is None else Money((price - paid) * count), covered=Quantity(abs(count)), **parts,
    )  # fmt: skip


THREE = (held("IBM", "27", "180.02", "182.11"), held("AIG", "100", "48.63", "48.41"), held("SPY", "5", "160", "166"))
A_DAY = WatchView(rows=(WatchRow(Symbol("IBM"), last=Price(Decimal("182.11")), before=Price(Decimal("181"))),))


def symbols(house: StillHouse) -> list[str]:
    return [row.cells[1].text for row in house.desk.board.positions.grid.window.rows]


async def test_greater_than_sorts_by_the_next_column() -> None:
    async with open_still(a_view(positions=THREE), (120, 40)) as house:
        await house.press("2", "down")
        assert symbols(house) == ["IBM", "AIG", "SPY"]
        assert house.desk.board.selected("positions") == "AIG/vwap"
        for title, order in (
            ("SYM▾", ["AIG", "IBM", "SPY"]),
            ("QTY▾", ["AIG", "IBM", "SPY"]),
            ("LAST▾", ["IBM", "SPY", "AIG"]),
            ("P&L USD▾", ["IBM", "SPY", "AIG"]),
        ):
            await house.press(">")
            await house.sees(title)
            assert symbols(house) == order
            assert house.desk.board.selected("positions") == "AIG/vwap"
        changed = (THREE[0], held("AIG", "100", "48.63", None), held("SPY", "5", "160", "200"))
        await house.shows_next(positions=changed)
        assert symbols(house) == ["SPY", "IBM", "AIG"]
        await house.shows_next(positions=THREE)
        await house.press(*"<<<<")
        await house.until(lambda: symbols(house) == ["IBM", "AIG", "SPY"])
        assert not house.shows("▾")
        assert house.handle.commands == []

        half = replace(THREE[2], covered=Quantity(Decimal(2)))
        bare = replace(THREE[1], covered=Quantity(Decimal(0)), holder=StopHolder.YOU)
        await house.shows_next(positions=(THREE[0], half, bare))
        await house.press("<")
        await house.sees("HELD BY▾")
        assert symbols(house) == ["AIG", "SPY", "IBM"], "what is unguarded comes first"


async def test_a_wide_pane_shows_value_and_sum() -> None:
    async with open_still(a_view(positions=THREE, watch=A_DAY), (120, 40)) as house:
        await house.press("2")
        await house.sees("P&L USD", "value 10,587.97 USD;  P&L +64.43 USD, +0.61 %")
        assert not house.shows("DAY")
        await house.press("z")
        await house.sees("VALUE", "P&L %", "DAY", "4,916.97", "▲ +56.43", "+1.16 %", "+0.61 %")


def test_long_short_and_net_are_summed(snapshot: SnapshotAssertion) -> None:
    rows = (held("IBM", "10", "100", "110"), held("AIG", "-4", "50", "45"), held("SPY", "5", "160", None))
    assert "".join(cell.text for cell in sum_line(rows)) == snapshot


def test_columns_of_low_rank_make_way_first() -> None:
    columns = (Column("A", 5), Column("B", 5, rank=1), Column("C", 5, rank=2), Column("D", 5, stretches=True))
    assert widths_of(columns, 30) == [5, 5, 5, 10]
    assert widths_of(columns, 24) == [5, 5, NO_ROOM, 10]
    assert widths_of(columns, 14) == [5, NO_ROOM, NO_ROOM, 6]
    assert widths_of(columns, 4) == [5, NO_ROOM, NO_ROOM, 5]
