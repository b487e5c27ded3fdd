"""The symbol of the selected row, in whatever pane: what `n`, `c`, `+` and the chart act on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.screens.new_order import NewOrderScreen
from console.screens.position_exits import CloseScreen
from console.screens.ticket import TicketScreen
from console.screens.watchlist import AlertScreen
from core.messages.desk_commands import KeyPressed, LookAt
from core.model.order import Effect
from core.model.values import Symbol
from core.views import LogRow, WatchlistRow, WatchView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.still_house import a_chart, a_position, a_view, an_exit, an_order, open_still, the_engines_view
from tests.desk.test_history import MONDAY, PAST, Past, looks_back

AT = the_engines_view().status.at
IBM = Symbol("IBM")


def a_log(*symbols: str | None) -> tuple[LogRow, ...]:
    rows = [
        LogRow(number, AT - timedelta(seconds=60 - number), "note", f"of {symbol}", symbol=symbol and Symbol(symbol))
        for number, symbol in enumerate(symbols, 1)
    ]
    return tuple(rows)


async def opens(house: House, key: str, kind: type, said: str) -> None:
    await house.press(key)
    await house.until(lambda: isinstance(house.desk.screen, kind) and house.shows(said))
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)


async def selects(house: House, pane: str, key: str) -> None:
    grid = house.desk.board.panes[pane].grid
    await house.until(lambda: house.desk.focused is grid)
    grid.select(key)
    await house.until(lambda: grid.selected == key)


async def test_c_plus_n_use_the_symbol_of_the_selected_row() -> None:
    """MD-06, OP-01, OP-04: of an order, in the chart, of a proposal"""
    entry = replace(an_exit("AIG"), effect=Effect.OPEN, exit_reason=None)
    orders = (an_order(1, "SPY"), an_order(2, "IBM"), an_order(3, "QQQ"))
    held, proposals = tuple(map(a_position, ("IBM", "AIG", "XOM"))), (an_exit("XOM"), entry)
    async with open_still(a_view(positions=held, proposals=proposals, orders=orders, chart=a_chart("IBM"))) as house:
        await selects(house, "proposals", entry.id)
        await opens(house, "plus", AlertScreen, "AIG")
        await opens(house, "n", NewOrderScreen, "AIG")
        await opens(house, "c", CloseScreen, "Close ─ AIG")

        await house.press("2")
        await selects(house, "positions", a_position("IBM").key)
        await house.press("9")
        await house.until(lambda: house.desk.focused is house.desk.board.chart)
        await opens(house, "plus", AlertScreen, "IBM")
        await opens(house, "c", CloseScreen, "Close ─ IBM")

        await house.press("3")
        await selects(house, "orders", orders[1].id)
        await opens(house, "plus", AlertScreen, "IBM")
        await opens(house, "n", NewOrderScreen, "IBM")
        await opens(house, "c", CloseScreen, "Close ─ IBM")
        await selects(house, "orders", orders[2].id)
        await house.press("c")
        await house.sees("nothing of QQQ is held")
        assert all(isinstance(command, KeyPressed | LookAt) for command in house.handle.commands)

        await house.press("1")
        await selects(house, "proposals", an_exit("XOM").id)
        await house.press("c")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))


async def test_a_log_row_selects_its_symbol() -> None:
    """MD-06: while the end is followed nobody has chosen a row."""
    async with open_still(a_view(log=a_log("IBM", None, "AIG"))) as house:
        await house.press("6")
        await house.is_drawn()
        assert house.desk.watched == SPY, "it follows: its last row is nobody's choice"
        await house.press("home")
        await house.until(lambda: house.desk.watched == IBM)
        await house.press("down")
        await house.is_drawn()
        await house.until(lambda: house.desk.watched == IBM)  # of no symbol: the one before stays
        await opens(house, "n", NewOrderScreen, "IBM")


async def test_a_history_row_feeds_order_and_chart() -> None:
    """MD-06"""
    async with open_still(a_view(), surroundings=Past()) as house:
        await looks_back(house)
        await house.press("<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await selects(house, "history", PAST[MONDAY][2].key)
        await house.until(lambda: house.desk.frames.watching.symbol == IBM)
        await opens(house, "n", NewOrderScreen, "IBM")


async def test_an_orders_events_have_its_symbol() -> None:
    """MD-06: the rows are the engine's"""
    async with open_desk() as house:
        await house.buys()
        await house.until(lambda: house.desk.view is not None and house.desk.view.positions)
        assert house.desk.view is not None
        rows = house.desk.view.log
        told = {row.kind for row in rows if row.symbol == SPY}
        assert {"proposal", "ticket", "order", "fill"} <= told, told
        lines = {row.order: row.symbol for row in rows if row.order is not None}
        assert set(lines.values()) == {SPY}, "its line is its last step"


async def test_keys_without_a_row_or_a_symbol_say_so() -> None:
    view = a_view(orders=(), log=(), watch=WatchView((WatchlistRow("main", ()),)))
    async with open_still(view) as house:
        for pane, name in (("8", "watch"), ("0", "history"), ("3", "orders"), ("6", "log")):
            house.desk.say("")
            await house.press(pane)
            await house.until(lambda name=name: house.desk.focused is house.desk.board.panes[name].grid)
            await house.press("enter")
            await house.sees("there is no row to open")
        await house.shows_next(log=a_log(None))
        await house.press("3", "c")
        await house.sees("no row is selected")
        assert len(house.desk.screen_stack) == 1
