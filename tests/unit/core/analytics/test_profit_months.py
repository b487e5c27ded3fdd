"""Profit by month and the calendar of days: sums, missing closes, movements of cash, widths."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.analytics.account_days import AccountDay, calendar_lines, month_rows, months_of, shade_of
from core.model.values import Money


def close(day: str, equity: str | None, moved: str = "0") -> AccountDay:
    return AccountDay(
        date.fromisoformat(day), None if equity is None else Money(Decimal(equity)), moved=Money(Decimal(moved))
    )


CLOSES = [
    close("2026-10-29", "1000"), close("2026-10-30", "1010.50"), close("2026-11-02", "1500.50", moved="500"),
    close("2026-11-03", None), close("2026-11-04", "1480"), close("2026-11-05", "1500"),
]  # fmt: skip


def test_a_month_is_the_sum_of_its_known_days() -> None:
    """AN-01: a deposit is no profit; a missing close leaves its two days out"""
    october, november = months_of(CLOSES)

    assert (october.name, october.profit) == ("2026-10", Decimal("10.50"))
    assert [profit for _, profit in november.days] == [Decimal("-10"), None, None, Decimal("20")]
    assert november.profit == Decimal("10")
    assert month_rows([november])[0][2] == "2 of 4"


def test_one_close_is_no_month() -> None:
    """AN-01"""
    assert months_of(CLOSES[:1]) == ()
    assert months_of([]) == ()


def test_a_shade_is_a_quarter_of_the_largest() -> None:
    """AN-01"""
    largest = Decimal(100)

    shades = [shade_of(Decimal(profit), largest) for profit in ("0", "1", "-24.99", "25", "-50", "75", "-100")]

    assert shades == [0, 1, 1, 2, 3, 4, 4]


def test_a_week_of_millions_fits_in_80_columns() -> None:
    """AN-01"""
    rich = [close("2026-11-02", "1"), *(close(f"2026-11-0{day}", f"{day}234567890.55") for day in range(3, 7))]

    lines = list(calendar_lines(months_of(rich)))

    assert max(map(len, lines)) <= 78
    assert len(lines) == 2
