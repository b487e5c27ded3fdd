"""Orders and trades of any day: its days turn, its filter finds, the worst trade stands first, and Enter explains."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from syrupy.assertion import SnapshotAssertion

from console.screens.reading import ExplainScreen, WhyScreen
from console.screens.ticket import TicketScreen
from core.model.values import ClientOrderId, Money, Symbol
from core.ports import OperatorError
from core.views.builders.history import history_of
from core.views.results import HistoryDay, HistoryKind, HistoryRow
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import StillHouse, a_view, open_still, the_engines_view
from tests.kit.rows import each
from widgets.history import History
from widgets.history import _columns as columns_for
from widgets.history import _history_row as row_of
from widgets.lines import widths_of

Explained = TypeVar("Explained", WhyScreen, ExplainScreen)
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
AT = the_engines_view().status.at


def a_trade(number: int, symbol: str, made: str) -> HistoryRow:
    id = ClientOrderId(f"{number:016x}")
    at = AT + timedelta(minutes=number)
    text = f"10 at 100.00 → 101.00, signal turned, held 0:0{number}:00"
    return HistoryRow(HistoryKind.TRADE, id, at, Symbol(symbol), "vwap", text, Money(Decimal(made)))


def an_order(number: int, symbol: str) -> HistoryRow:
    id = ClientOrderId(f"{number:016x}")
    text = f"BUY 10 {symbol} limit 100.00 to open, FILLED 10 at 100.00"
    return HistoryRow(HistoryKind.ORDER, id, AT + timedelta(minutes=number), Symbol(symbol), "vwap", text)


PAST = {
    MONDAY: (an_order(1, "AIG"), a_trade(2, "AIG", "-22.00"), a_trade(3, "IBM", "56.43"), a_trade(4, "BAC", "-3.10")),
    TUESDAY: (an_order(5, "SPY"),),
}
MADE = {MONDAY: Money(Decimal("31.33")), TUESDAY: Money(Decimal(0))}


class Past(Disk):
    """A disk with two days of a journal."""

    def history(self, day: date | None) -> HistoryDay:
        if self.fails:
            raise OperatorError(self.fails)
        chosen = day or TUESDAY
        return HistoryDay(chosen, tuple(PAST), PAST[chosen], MADE[chosen])


def history(house: House) -> History:
    return house.desk.board.history


def symbols(house: House) -> list[str]:
    return [row.cells[1].text for row in history(house).grid.window.rows]


async def looks_back(house: StillHouse, *keys: str) -> None:
    """The day is asked for with the next picture."""
    await house.press("0", *keys)
    await house.shows_next()


async def test_the_history_explains_a_trade_an_order_and_a_day() -> None:
    """AN-06: the worst trade stands first"""
    async with open_still(a_view(), (80, 24), surroundings=Past()) as house:
        await looks_back(house)
        await house.sees("0 History ─ Tue 6 Jan 2026, 0 trades 0.00 USD, 1 order")
        await house.press("home", "enter")
        assert (await explained(house, WhyScreen)).order_id == PAST[TUESDAY][0].order
        await house.press("<")
        await house.sees("0 History ─ Mon 5 Jan 2026, 3 trades +31.33 USD, 1 order")
        assert symbols(house) == ["BAC", "IBM", "AIG", "AIG"]
        await house.press("e")
        assert (await explained(house, ExplainScreen)).what == "2026-01-05"
        await house.press("w")
        await house.until(lambda: symbols(house) == ["AIG", "BAC", "IBM", "AIG"])
        await house.sees("worst first", "▼ −22.00")

        await house.press("home", "enter")
        assert (await explained(house, ExplainScreen)).what == PAST[MONDAY][1].order


class BusyPast(Past):
    """A disk with a day of forty trades, the oldest is the worst."""

    ROWS = tuple(a_trade(number, "IBM", f"{number - 30}") for number in range(1, 41))
    WORST = ROWS[0]

    def history(self, day: date | None) -> HistoryDay:
        return HistoryDay(MONDAY, (MONDAY,), self.ROWS, Money(Decimal(0)))


async def test_the_worst_trade_is_in_view_whatever_row_was_selected() -> None:
    """AN-06: also back in the order of time, the newest is"""
    async with open_still(a_view(), (100, 30), surroundings=BusyPast()) as house:
        await looks_back(house, "home")
        window = history(house).grid.window
        await house.press("pagedown", "w")
        await house.until(lambda: window.rows[0].key == BusyPast.WORST.key)
        assert window.selected == window.in_view()[0].key == BusyPast.WORST.key

        await house.press("pagedown", "w")
        await house.until(lambda: window.rows[0].key == BusyPast.ROWS[-1].key)
        assert window.selected == window.in_view()[0].key == BusyPast.ROWS[-1].key


async def explained(house: House, kind: type[Explained]) -> Explained:
    await house.until(lambda: isinstance(house.desk.screen, kind))
    screen = house.desk.screen
    assert isinstance(screen, kind)
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)
    return screen


async def test_a_trade_is_explained_from_its_own_journal(snapshot: SnapshotAssertion) -> None:
    """AN-03, AN-06: bought and sold at the desk, then opened in the history."""
    disk = Disk()
    async with open_desk((80, 24), surroundings=disk) as house:
        disk.house = house
        await house.buys()
        rows, _ = history_of(list(house.runtime.engine.state.journal.records()))
        assert next(row for row in rows if row.text.startswith("BUY")).text == snapshot
        assert {row.kind for row in rows} == {HistoryKind.ORDER}
        assert [row.at for row in rows] == sorted(row.at for row in rows)

        await house.press("2", "c", "enter")
        await house.until(house.is_armed)
        await house.press("S")
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        await house.until(lambda: house.desk.view is not None and house.desk.view.trades)
        await house.press("0")
        await house.press("w")
        grid = history(house).grid
        await house.until(lambda: [row for row in grid.window.rows if row.key.startswith("trade:")])
        assert grid.window.rows[0].key.startswith("trade:")
        await house.press("home")
        await house.until(lambda: str(history(house).grid.selected).startswith("trade:"))
        await house.press("enter")
        await house.until(lambda: house.shows("Explained ─", "signal", "confirmation delay", "in all"))
        await house.press("escape", "e")
        await house.until(lambda: house.shows("Explained ─ Monday 05 January 2026", "SPY vwap"))


async def test_days_end_where_the_journal_does_or_stay_where_it_fails() -> None:
    disk = Past()
    async with open_still(a_view(), (120, 40), surroundings=disk) as house:
        await looks_back(house, ">", "<")  # typed before the day was read
        await house.sees("Mon 5 Jan")
        await house.press("<", "<")
        await house.sees("this is the first day of the journal")
        await house.sees("Mon 5 Jan")
        await house.press(">")
        await house.sees("Tue 6 Jan")
        disk.fails = "journal of 5 January, line 7: the chain is broken"
        await house.press("<")
        await house.until(lambda: disk.fails in house.footer())
        assert symbols(house) == ["SPY"]
        disk.fails = ""
        await house.press("<")
        await house.sees("Mon 5 Jan")


@each("width", [100, 78, 64, 46])
def test_no_price_of_the_history_is_cut(width: int) -> None:
    """OP-12: by and order give way first; then whole words are left out"""
    text = "BUY 2.5 IBM limit 200.00 to open, FILLED 2.5 at 108.77"
    row = HistoryRow(HistoryKind.ORDER, ClientOrderId("0" * 16), AT, Symbol("IBM"), "momentum", text)

    columns = columns_for(len(text), 0, width)
    cell = row_of(row, widths_of(columns, width)[3]).cells[3].text

    assert cell == text if width >= 86 else set(cell.rstrip("…").split()) <= {*text.split(), "open,"}
    assert len(cell) <= widths_of(columns, width)[3]


async def test_a_filter_finds_words_in_any_order(snapshot: SnapshotAssertion) -> None:
    """Enter after it opens a row that is seen: the one selected before is filtered away; `o` writes what it left"""
    disk = Past()
    async with open_still(a_view(), (120, 40), surroundings=disk) as house:
        await looks_back(house, "<")
        await house.sees("Mon 5 Jan")
        await house.press("home", "slash", *"aig vwap trade")
        await house.sees("/ aig vwap trade▏", "1 of 4")
        assert symbols(house) == ["AIG"]
        assert not history(house).worst_first
        await house.press("enter")
        await house.sees("/ aig vwap trade  Esc clears it  1 of 4")
        await house.press("enter")
        assert (await explained(house, ExplainScreen)).what == PAST[MONDAY][1].order
        await house.press("escape")
        await house.until(lambda: len(symbols(house)) == 4)

        await house.press("slash", *"aig", "enter", "o")
        await house.until(lambda: "written to /state/demo/history-2026-01-05-of-20260105-" in house.footer())
        (written,) = disk.files.values()
        assert written.splitlines() == snapshot
        await house.press("f")
        await house.sees("Tue 6 Jan 2026")
