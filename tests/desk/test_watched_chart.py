"""The console names the symbol that it shows a chart of; the next picture has it."""

from __future__ import annotations

from core.views import DeskView
from tests.desk.desk_house import SPY, House, open_desk


def view_of(house: House) -> DeskView:
    view = house.desk.handle.view
    assert isinstance(view, DeskView)
    return view


async def test_a_watched_symbols_chart_comes_and_goes() -> None:
    """OP-03: the bars that the proposal came from, up to its own."""
    async with open_desk() as house:
        (row,) = view_of(house).proposals
        before = view_of(house).chart

        house.desk.handle.watch(SPY)
        await house.until(lambda: view_of(house).chart is not None)
        chart = view_of(house).chart
        house.desk.handle.watch(None)
        await house.until(lambda: view_of(house).chart is None)

        assert before is None
        assert chart is not None
        assert chart.symbol == SPY
        assert row.limit_price in {bar.close for bar in chart.bars}
        assert house.runtime.engine.state.journal.sequence > len(chart.bars) > 20
