"""Pane 7 over more than today: periods, sums by strategy, what the account was worth, a calendar of days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syrupy.assertion import SnapshotAssertion

from console.screens.reading import DetailScreen
from core.model.values import Fraction
from core.views import ClosedRow, DayRow, GroupRow, MeasuresView
from tests.desk.nine_days import NINE, NOW, TODAY, usd
from tests.desk.still_house import a_result, a_view, open_still
from tests.kit.rows import each
from widgets.lines import joined
from widgets.results import Period, by_strategy, drawdown, group_lines, lines_of, measure_lines, periods, worths

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


def a_group(by: str, name: str, trades: int, wins: int, made: str, **parts: Any) -> GroupRow:
    gained, lost = (usd(made), usd("0")) if usd(made) > 0 else (usd("0"), usd(made))
    period = parts.pop("period", "today")
    return GroupRow(f"{period}/{by}/{name}", period, by, name, trades, wins, trades - wins, gained, lost, **parts)


def test_groups_say_each_gain_and_loss_and_add_up() -> None:
    """AN-01, EX-18: with what failed in execution, and parts of positions that are no closed trade"""
    rows = (
        GroupRow("k1", "today", "half_hour", "09:30", 4, 3, 1, usd("30"), usd("-6")),
        a_group("half_hour", "10:00", 3, 1, "-9"),
        a_group("half_hour", "10:30", 2, 1, "5"),
        a_group("half_hour", "failed in execution", 1, 0, "-4", is_failed=True),
    )

    lines = [joined(line).split() for line in group_lines("half_hour", rows, "today", usd("17.5"), 78, 20)]

    assert lines == [
        ["ENTERED", "TRADES", "WON", "P&L", "USD", "EACH", "GAIN", "LOSS"],
        ["09:30", "▲", "of", "4", "4", "3", "▲", "+24.00", "+6.00", "+10.00", "−6.00"],
        ["10:00", "▼", "of", "3", "3", "1", "▼", "−9.00", "−3.00", "0.00", "−4.50"],
        ["10:30", "2", "1", "▲", "+5.00", "+2.50", "+5.00", "0.00"],
        ["1", "failed", "in", "execution", "▼", "−4.00"],
        ["of", "positions", "partly", "closed", "▲", "+1.50"],
        ["ALL", "10", "5", "▲", "+17.50"],
    ]


def test_groups_without_room_are_counted() -> None:
    """AN-01"""
    rows = [a_group("symbol", f"S{number}", 1, 1, "1") for number in range(9)]

    for room in (3, 4, 6, 9, 20):
        lines = [joined(line).split() for line in group_lines("symbol", rows, "today", usd("9"), 78, room)]
        assert len(lines) <= room
        named = sum(line[0].startswith("S") and line[0] != "SYMBOL" for line in lines)
        assert ["and", str(9 - named), "more"] in lines or named == 9
        assert all(len(joined(line)) <= 78 for line in group_lines("symbol", rows, "today", usd("9"), 78, room))


def test_measures_say_what_is_known_or_missing() -> None:
    """AN-01: under 63 sessions nothing is annualised, and an account at its watermark is not under it"""
    known = MeasuresView(
        63, 63, Fraction(Decimal("0.0412")), Decimal("1.371"), None, Decimal("-4.9"), Fraction(Decimal("0.0351")),
        usd("101234.5"), date(2013, 9, 18), datetime(2013, 9, 18, 18, 31, tzinfo=UTC), usd("1200.07"), 14,
    )  # fmt: skip

    ratios, mark = (joined(line).strip() for line in measure_lines(known, NOW, 78))
    assert ratios == "63 sessions +4.12 %, Sharpe 1.37, Sortino –, Calmar -4.90, drawdown 3.51 %"
    assert mark == "watermark 101,234.50, 18 Sep 14:31; now −1,200.07 (−1.19 %), 14 sessions"
    assert all(len(joined(line)) <= 66 for line in measure_lines(known, NOW, 66))
    few = replace(known, returns=40, below=usd("0"))
    assert [joined(line).strip() for line in measure_lines(few, NOW, 78)] == [
        "Sharpe, Sortino, Calmar: 40 of 63 sessions known, 23 missing",
        "watermark 101,234.50, 18 Sep 14:31: the account is at it",
    ]
    (_, none) = measure_lines(replace(few, watermark=None), NOW, 78)
    assert joined(none).strip() == "watermark: no account figure yet"
    assert measure_lines(MeasuresView(), NOW, 78) == []


async def test_a_key_turns_the_groups() -> None:
    """AN-01: of each period, with the longest names, and said where nothing closed"""
    groups = (
        a_group("strategy", "vwap", 2, 1, "5"),
        a_group("symbol", "SPY", 2, 1, "5"),
        a_group("half_hour", "10:00", 2, 1, "5"),
        a_group("regime", "VIX low, trend up, volatility calm", 2, 1, "5"),
        a_group("reason", "BROKER_REJECT", 2, 0, "-5", is_failed=True),
        a_group("symbol", "IBM", 1, 1, "7", period="this week"),
        a_group("strategy", "vwap", 2, 1, "7", period="this week"),
    )
    view = a_view(days=NINE, results=(a_result(),), groups=groups, status={"at": NOW})
    async with open_still(view, SIZES[0]) as house:
        for size in (*SIZES, (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.press("7", "z", "g")
            await house.sees(", by symbol", "SYMBOL TRADES WON", "SPY 2 1 ▲ +5.00 +2.50 +5.00")
            await house.press("g")
            await house.sees(", by half-hour of entry", "10:00 2 1")
            await house.press("g")
            await house.sees(", by regime at entry", "VIX low, up, calm 2 1")
            await house.press("g")
            await house.sees(", by exit reason", "2 failed in execution, reject ▼ −5.00")
            await house.press("g")
            await house.sees("STRATEGY TRADES WON REALISED")
            await house.press(">", "g")
            await house.sees("7 Results ─ this week, 3 closed, +45.10 USD, by symbol", "IBM 1 1 ▲ +7.00")
            await house.press("g")
            await house.sees("No trade closed this week. Each adds to its half-hour of entry.")
            await house.press("g", "g", "g")
            await house.sees("STRATEGY TRADES WON P&L USD EACH GAIN LOSS", "VWAP 2 1 ▲ +22.55 +3.50 +7.00")
            await house.press("<", "z")
