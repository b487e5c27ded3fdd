"""Orders and trades of any day: its days turn, its filter finds, the worst trade stands first, and Enter explains."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.ticket import TicketScreen
from console.screens.why import ExplainScreen, WhyScreen
from core.model.values import ClientOrderId, Money, Symbol
from core.ports import OperatorError
from core.views.builders.history import history_of
from core.views.history import HistoryDay, HistoryKind, HistoryRow
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import the_engines_view
from widgets.grid_picture import widths_of
from widgets.history import History
from widgets.history import _columns as columns_for
from widgets.history import _row as row_of

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


class Past(Disk):
    """A disk with two days of a journal."""

    def history(self, day: date | None) -> HistoryDay:
        if self.fails:
            raise OperatorError(self.fails)
        chosen = day or TUESDAY
        return HistoryDay(chosen, tuple(PAST), PAST[chosen])


def history(house: House) -> History:
    return house.desk.board.history


def symbols(house: House) -> list[str]:
    return [row.cells[1].text for row in history(house).grid.window.rows]


async def test_the_history_explains_the_worst_trade() -> None:
    async with open_desk((80, 24), surroundings=Past()) as house:
        await house.press("0")
        await house.until(lambda: house.shows("0 History ─ Tue 6 Jan 2026, 0 trades 0.00 USD, 1 order"))
        await house.press("<")
        await house.until(lambda: house.shows("0 History ─ Mon 5 Jan 2026, 3 trades +31.33 USD, 1 order"))
        assert symbols(house) == ["BAC", "IBM", "AIG", "AIG"]
        await house.press("w")
        await house.until(lambda: symbols(house) == ["AIG", "BAC", "IBM", "AIG"])
        await house.until(lambda: house.shows("worst first", "▼ −22.00"))

        await house.press("home", "enter")
        await house.until(lambda: isinstance(house.desk.screen, ExplainScreen))
        assert isinstance(house.desk.screen, ExplainScreen)
        assert house.desk.screen.what == PAST[MONDAY][1].order


async def test_enter_explains_a_past_order() -> None:
    async with open_desk((80, 24), surroundings=Past()) as house:
        await house.press("0")
        await house.until(lambda: house.shows("Tue 6 Jan"))
        await house.press("home", "enter")
        await house.until(lambda: isinstance(house.desk.screen, WhyScreen))
        assert isinstance(house.desk.screen, WhyScreen)
        assert house.desk.screen.order_id == PAST[TUESDAY][0].order


async def test_e_explains_the_day_that_is_shown() -> None:
    """AN-06"""
    async with open_desk((80, 24), surroundings=Past()) as house:
        await house.press("0", "<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press("e")
        await house.until(lambda: isinstance(house.desk.screen, ExplainScreen))
        assert isinstance(house.desk.screen, ExplainScreen)
        assert house.desk.screen.what == "2026-01-05"


async def test_a_trade_is_explained_from_its_own_journal() -> None:
    """AN-03, AN-06: bought and sold at the desk, then opened in the history."""
    disk = Disk()
    async with open_desk((80, 24), surroundings=disk) as house:
        disk.house = house
        await house.buys()
        await house.press("2", "c", "enter")
        await house.until(house.is_armed)
        await house.press("S")
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        await house.press("0")
        await house.until(lambda: house.shows("1 trade"))
        await house.press("w")
        await house.until(lambda: history(house).grid.window.rows[0].key.startswith("trade:"))
        await house.press("home")
        await house.until(lambda: str(history(house).grid.selected).startswith("trade:"))
        await house.press("enter")
        await house.until(lambda: house.shows("Explained ─", "signal", "waiting for the key", "in all"))
        await house.press("escape", "e")
        await house.until(lambda: house.shows("Explained ─ Monday 05 January 2026", "SPY vwap"))


async def test_days_end_where_the_journal_does() -> None:
    async with open_desk((120, 40), surroundings=Past()) as house:
        await house.press("0", ">", "<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press("<", "<")
        await house.until(lambda: house.shows("this is the first day of the journal"))
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press(">")
        await house.until(lambda: house.shows("Tue 6 Jan"))


@pytest.mark.parametrize("width", [100, 78, 64, 46])
async def test_no_price_of_the_history_is_cut(width: int) -> None:
    """OP-12: by and order give way first; then whole words are left out"""
    text = "BUY 2.5 IBM limit 200.00 to open, FILLED 2.5 at 108.77"
    row = HistoryRow(HistoryKind.ORDER, ClientOrderId("0" * 16), AT, Symbol("IBM"), "momentum", text)

    columns = columns_for(len(text), width)
    cell = row_of(row, widths_of(columns, width)[3]).cells[3].text

    assert cell == text if width >= 86 else set(cell.rstrip("…").split()) <= {*text.split(), "open,"}
    assert len(cell) <= widths_of(columns, width)[3]


async def test_a_filter_finds_words_in_any_order() -> None:
    async with open_desk((120, 40), surroundings=Past()) as house:
        await house.press("0", "<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press("slash", *"aig vwap trade")
        await house.until(lambda: house.shows("/ aig vwap trade▏", "1 of 4"))
        assert symbols(house) == ["AIG"]
        assert not history(house).worst_first
        await house.press("enter")
        await house.until(lambda: house.shows("/ aig vwap trade  Esc clears it"))
        await house.press("escape")
        await house.until(lambda: len(symbols(house)) == 4)


async def test_an_unreadable_day_keeps_the_shown_one() -> None:
    disk = Past()
    async with open_desk((120, 40), surroundings=disk) as house:
        await house.press("0")
        await house.until(lambda: house.shows("Tue 6 Jan"))
        disk.fails = "journal of 5 January, line 7: the chain is broken"
        await house.press("<")
        await house.until(lambda: disk.fails in house.footer())
        assert symbols(house) == ["SPY"]
        disk.fails = ""
        await house.press("<")
        await house.until(lambda: house.shows("Mon 5 Jan"))


async def test_a_real_days_orders_and_trade_are_told(snapshot: SnapshotAssertion) -> None:
    async with open_desk((120, 40)) as house:
        await house.buys()
        records = list(house.runtime.engine.state.journal.records())
        rows = history_of(records)
        bought = next(row for row in rows if row.text.startswith("BUY"))
        assert bought.text == snapshot
        assert {row.kind for row in rows} == {HistoryKind.ORDER}
        assert [row.at for row in rows] == sorted(row.at for row in rows)


async def test_enter_after_a_filter_opens_a_seen_row() -> None:
    """The row that was selected before is filtered away"""
    async with open_desk((120, 40), surroundings=Past()) as house:
        await house.press("0", "<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press("home", "slash", *"aig trade", "enter", "enter")
        await house.until(lambda: isinstance(house.desk.screen, ExplainScreen))
        assert isinstance(house.desk.screen, ExplainScreen)
        assert house.desk.screen.what == PAST[MONDAY][1].order


async def test_o_writes_rows_and_f_goes_to_the_last_day(snapshot: SnapshotAssertion) -> None:
    disk = Past()
    async with open_desk((120, 40), surroundings=disk) as house:
        await house.press("0", "<")
        await house.until(lambda: house.shows("Mon 5 Jan"))
        await house.press("slash", *"aig", "enter", "o")
        await house.until(lambda: "written to /state/demo/history-2026-01-05-of-20260105-" in house.footer())
        (written,) = disk.files.values()
        assert written.splitlines() == snapshot
        await house.press("f")
        await house.until(lambda: house.shows("Tue 6 Jan 2026"))
