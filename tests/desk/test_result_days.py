"""Pane 7 over more than today: periods, sums by strategy, what the account was worth, a calendar of days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.screens.reading import DetailScreen
from core.views import ClosedRow, DayRow
from tests.desk.nine_days import NINE, NOW, TODAY, usd
from tests.desk.still_house import a_result, a_view, open_still
from tests.kit.rows import each
from widgets.lines import joined
from widgets.results import Period, by_strategy, drawdown, lines_of, periods, worths

SIZES = [(80, 24), (120, 40)]
OCTOBER = Period("October 2013", date(2013, 10, 1), TODAY, is_month=True)


def test_periods_are_day_week_and_months() -> None:
    found = periods(NINE, TODAY)
    assert [period.name for period in found] == ["today", "this week", "October 2013", "September 2013"]
    assert [(period.first.day, period.last.day) for period in found] == [(8, 8), (7, 8), (1, 8), (1, 30)]
    assert [len(period.of(NINE)) for period in found] == [1, 2, 6, 3]
    assert [period.name for period in periods((), TODAY)] == ["today", "this week", "October 2013"]


def test_sums_are_by_strategy_and_hand() -> None:
    assert by_strategy(OCTOBER.of(NINE)) == [
        ClosedRow("vwap", 8, 4, usd("-529.375")),
        ClosedRow("manual", 4, 3, usd("-529.375")),
    ]


def test_worth_ends_with_the_next_day_or_now() -> None:
    september = periods(NINE, TODAY)[3]
    assert worths(september, NINE, usd("1")) == [usd("10000"), usd("10000"), usd("9879.5"), usd("10219.5")]
    assert worths(OCTOBER, NINE, usd("9200"))[-2:] == [usd("9160.75"), usd("9200")]
    assert worths(OCTOBER, NINE, None)[-1] == usd("9160.75")
    assert worths(OCTOBER, (), usd("9200")) == []


@each(
    ("worth", "deepest"),
    [(("100", "110", "99", "120", "90"), "0.25"), (("100", "101"), "0"), ((), "0"), (("0", "0"), "0")],
)
def test_drawdown_is_the_deepest_fall(worth: tuple[str, ...], deepest: str) -> None:
    assert drawdown([usd(each) for each in worth]) == Decimal(deepest)


def picture(period: Period, room: int, width: int = 78) -> list[str]:
    return [joined(line) for line in lines_of(period, NINE, usd("9200"), width, room)]


def test_a_month_shows_sums_calendar_and_equity(snapshot: SnapshotAssertion) -> None:
    lines = picture(OCTOBER, 40)

    assert lines[1].split() == ["VWAP", "8", "4", "▼", "−529.38"]
    assert lines[3].split() == ["ALL", "12", "7", "▼", "−1,058.75"]
    assert lines[4] == snapshot
    calendar = next(n for n, line in enumerate(lines) if "Mon" in line)
    assert lines[calendar + 1].split() == ["1", "▲", "+12.25", "2", "·", "3", "▼", "−1,204", "4", "▲", "+88.00"]
    assert lines[calendar + 2].split() == ["7", "▲", "+45.10", "8", "·", "9", "10", "11"]
    assert lines[-4].endswith("10,231.75")
    assert lines[-1].endswith("9,027.65")
    assert all(len(line) <= 78 for line in lines)


def test_what_has_no_room_is_left_out_whole(snapshot: SnapshotAssertion) -> None:
    assert len(picture(OCTOBER, 12)) == 12
    assert not any("Mon" in line for line in picture(OCTOBER, 9))
    assert "equity" in picture(OCTOBER, 5)[-1]
    many = tuple(DayRow(TODAY, None, tuple(ClosedRow(f"s{n}", 1, 0, usd("1")) for n in range(9))) for _ in range(1))
    lines = [joined(line) for line in lines_of(OCTOBER, many, None, 78, 6)]
    assert lines[4] == snapshot
    assert lines[5].split() == ["ALL", "9", "0", "▲", "+9.00"]


async def test_keys_turn_the_periods() -> None:
    async with open_still(a_view(days=NINE, results=(a_result(),), status={"at": NOW}), SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.press("7")
            await house.sees("7 Results ─ 0 closed")
            await house.press(">")
            await house.sees("7 Results ─ this week, 3 closed, +45.10 USD", "Tue 08 Oct", "Mon 07 Oct", "VWAP 2 1")
            await house.press(">", ">", ">", ">")
            await house.sees("7 Results ─ September 2013, 6 closed, +219.50 USD", "Mon 30 Sep")
            await house.press("home", "enter")
            await house.until(lambda: isinstance(house.desk.screen, DetailScreen))
            await house.sees("Monday 30 September 2013", "2 closed, 1 won, ▲ +170.00 USD")
            await house.press("escape")
            await house.until(lambda: len(house.desk.screen_stack) == 1)
            await house.press("<", "<", "<", "<", "<")
            await house.sees("7 Results ─ 0 closed", "No closed trades today.")
        await house.shows_next(days=())
        await house.press(">")
        await house.sees("7 Results ─ this week, 0 closed", "No day of this period is known.")
