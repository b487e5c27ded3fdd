"""Fees that the broker takes days later count on the day that they name, in every figure of that day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from core.analytics.account_days import AccountFacts, account_days, months_of
from core.analytics.equity import OPENING, equity_days
from core.execution.fee_days import FeeDays
from core.facts import ActivitiesCompared, CashMoved, DayStarted, Fact
from core.market.calendar import load_calendar
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.session import HOME
from core.model.values import Money
from core.ports import Recorded
from core.post_mortem.post_mortem import Read, post_mortem
from core.reports.report import week_figures

CALENDAR = load_calendar(date(2025, 11, 3), date(2026, 2, 27))
SESSIONS = [session.day for session in CALENDAR.sessions()]
NEW_YEARS_EVE, SECOND_OF_JANUARY = date(2025, 12, 31), date(2026, 1, 2)
THURSDAY, FRIDAY = date(2026, 1, 8), date(2026, 1, 9)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 12), date(2026, 1, 13), date(2026, 1, 14)
DAY_AFTER_THANKSGIVING, MONDAY_AFTER = date(2025, 11, 28), date(2025, 12, 1)
SATURDAY, SUNDAY = date(2026, 1, 10), date(2026, 1, 11)
MORNING, EVENING = time(9), time(20, 15)


def usd(amount: str | Decimal) -> Money:
    return Money(Decimal(amount))


@dataclass(frozen=True)
class Fee:
    """A fee in the evening's list of a day."""

    listed: date
    names: date
    amount: str = "-0.35"


def records_of(closes: Mapping[date, str], fees: Sequence[Fee]) -> list[Recorded]:
    """The broker's figures of each close, by hand: the next morning reports them, and each evening has a list.

    The first list is of the first morning.
    """
    told: list[tuple[datetime, Fact]] = []
    cash, before = Decimal(500), "1000"
    previous = SESSIONS[SESSIONS.index(min(closes)) - 1]
    for number, (day, close) in enumerate(closes.items()):
        morning, evening = HOME.at(day, MORNING), HOME.at(day, EVENING)
        told.append((morning, DayStarted(day, usd(before), previous)))
        if not number:
            told.append((morning, ActivitiesCompared(morning, day, usd(before), usd(cash), morning)))
        for fee in fees:
            if fee.listed == day:
                cash += Decimal(fee.amount)
                name = ActivityId(f"{fee.names}{fee.amount}")
                told.append((evening, CashMoved(name, fee.names, ActivityKind.FEE, usd(fee.amount), None, "FEE SEC")))
        told.append((evening, ActivitiesCompared(evening, day, usd(close), usd(cash), evening)))
        previous, before = day, close
    after = SESSIONS[SESSIONS.index(previous) + 1]
    told.append((HOME.at(after, MORNING), DayStarted(after, usd(before), previous)))
    return [Recorded(number, at, fact) for number, (at, fact) in enumerate(told)]


def by_measures(records: Sequence[Recorded]) -> dict[date, Decimal]:
    """The profit of each session, as in the calendar of months."""
    account = AccountFacts(SESSIONS, FeeDays(CALENDAR.session_on))
    for record in records:
        account.take(record)
    closes = account_days(account, SESSIONS[0], SESSIONS[-1])
    return {day: made for month in months_of(closes) for day, made in month.days if made is not None}


def by_activities(records: Sequence[Recorded]) -> dict[date, Decimal]:
    """The change of equity of each day, as `keyturn activities` has it, without a rest."""
    days = list(equity_days(((each.at, each.fact) for each in records), CALENDAR))
    assert [day.change.rest for day in days] == [0] * len(days)
    return {
        day.day: sum((part.amount for part in day.change.parts if part.name != OPENING), Decimal(0)) for day in days
    }


def by_explain(records: Sequence[Recorded]) -> dict[date, Decimal]:
    days = sorted({HOME.day_of(each.at) for each in records})
    found = post_mortem(Read(records), days, HOME.day_of, CALENDAR.session_at)
    return {day.day: day.change for day in found.days if day.change is not None}


CLOSES = {THURSDAY: "1000", FRIDAY: "1010", MONDAY: "1014.65", TUESDAY: "1014.65", WEDNESDAY: "1016.65"}
"""The market makes 10 on Friday, 5 on Monday and 2 on Wednesday; the broker takes 0.35 on Monday."""
ON_FRIDAY = {THURSDAY: "0", FRIDAY: "9.65", MONDAY: "5", TUESDAY: "0", WEDNESDAY: "2"}
AT_NEW_YEAR = {
    date(2025, 12, 30): "1000", NEW_YEARS_EVE: "1010", SECOND_OF_JANUARY: "1014.65", date(2026, 1, 5): "1014.65",
}  # fmt: skip
A_HALF_DAY = {date(2025, 11, 26): "1000", DAY_AFTER_THANKSGIVING: "1010", MONDAY_AFTER: "1014.65"}
CASES = {
    "of Friday on Monday": (CLOSES, [Fee(MONDAY, FRIDAY)], ON_FRIDAY),
    "of a half day": (
        A_HALF_DAY,
        [Fee(MONDAY_AFTER, DAY_AFTER_THANKSGIVING)],
        {date(2025, 11, 26): "0", DAY_AFTER_THANKSGIVING: "9.65", MONDAY_AFTER: "5"},
    ),
    "of the year before": (
        AT_NEW_YEAR,
        [Fee(SECOND_OF_JANUARY, NEW_YEARS_EVE)],
        {date(2025, 12, 30): "0", NEW_YEARS_EVE: "9.65", SECOND_OF_JANUARY: "5", date(2026, 1, 5): "0"},
    ),
    "of before the journal": (
        {MONDAY: "1000", TUESDAY: "999.65", WEDNESDAY: "1001.65"},
        [Fee(TUESDAY, THURSDAY)],
        {MONDAY: "0", TUESDAY: "0", WEDNESDAY: "2"},
    ),
    "in time": (
        {THURSDAY: "1000", FRIDAY: "1009.65", MONDAY: "1014.65"},
        [Fee(FRIDAY, FRIDAY)],
        {THURSDAY: "0", FRIDAY: "9.65", MONDAY: "5"},
    ),
    "two, and one given back": (
        CLOSES | {TUESDAY: "1014.85", WEDNESDAY: "1016.85"},
        [Fee(MONDAY, FRIDAY), Fee(TUESDAY, FRIDAY, "0.30"), Fee(TUESDAY, MONDAY, "-0.10")],
        {THURSDAY: "0", FRIDAY: "9.95", MONDAY: "4.90", TUESDAY: "0", WEDNESDAY: "2"},
    ),
    "of a later day": (
        CLOSES | {FRIDAY: "1009.65"},
        [Fee(FRIDAY, MONDAY)],
        {THURSDAY: "0", FRIDAY: "9.65", MONDAY: "5", TUESDAY: "0", WEDNESDAY: "2"},
    ),
    "of the weekend, before it": (CLOSES | {FRIDAY: "1009.65"}, [Fee(FRIDAY, SATURDAY)], ON_FRIDAY),
    "of another century": (CLOSES | {FRIDAY: "1009.65"}, [Fee(FRIDAY, date(2062, 1, 9))], ON_FRIDAY),
    "of a day without a session": (
        {FRIDAY: "1000", MONDAY: "1004.65", TUESDAY: "1004.65"},
        [Fee(MONDAY, SATURDAY)],
        {FRIDAY: "0", MONDAY: "4.65", TUESDAY: "0"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fee_counts_on_the_day_that_it_names(case: str) -> None:
    """AN-01, AN-06, AN-09"""
    closes, fees, by_hand = CASES[case]
    records = records_of(closes, fees)
    expected = {day: Decimal(made) for day, made in by_hand.items()}

    assert by_measures(records) == expected
    assert by_activities(records) == expected
    assert by_explain(records) == expected


def test_explain_names_the_fee_on_its_day() -> None:
    """AN-06: what the market made has no record here, so it is the rest; the fee is not."""
    records = records_of(CLOSES, [Fee(MONDAY, FRIDAY)])

    found = post_mortem(Read(records), [FRIDAY, MONDAY], HOME.day_of, CALENDAR.session_at)

    friday, monday = found.days
    assert [(part.name, part.amount) for part in friday.parts] == [("fee", usd("-0.35"))]
    assert (friday.opening, friday.closing, friday.rest) == (usd("1000"), usd("1009.65"), usd("10"))
    assert (monday.opening, monday.closing, monday.rest) == (usd("1009.65"), usd("1014.65"), usd("5"))
    assert (monday.parts, friday.charged, monday.charged) == ((), usd("-0.35"), 0)


def test_weeks_and_years_add_up_by_the_named_day() -> None:
    """AN-06, AN-09: 9.65 in the week and in the year of the fee, 5 in the one after."""
    by_week = week_of(records_of(CLOSES, [Fee(MONDAY, FRIDAY)]), [THURSDAY, FRIDAY], later=[MONDAY, TUESDAY])
    by_year = by_measures(records_of(AT_NEW_YEAR, [Fee(SECOND_OF_JANUARY, NEW_YEARS_EVE)]))

    assert by_week == (usd("9.65"), usd("-0.35"))
    assert week_of(records_of(CLOSES, [Fee(MONDAY, FRIDAY)]), [MONDAY, TUESDAY], later=[WEDNESDAY]) == (usd("5"), 0)
    years = {year: sum(made for day, made in by_year.items() if day.year == year) for year in (2025, 2026)}
    assert years == {2025: Decimal("9.65"), 2026: Decimal(5)}


def week_of(records: Sequence[Recorded], days: Sequence[date], later: Sequence[date]) -> tuple[Money | None, Money]:
    earlier, of_day = FeeDays(CALENDAR.session_on), lambda record: HOME.day_of(record.at)
    for record in records:
        if of_day(record) < days[0]:
            earlier.take(record.at, record.fact)
    of_days, of_later = ([r for r in records if of_day(r) in wanted] for wanted in (days, later))
    figures = week_figures(days, of_days, of_later, HOME.day_of, earlier)
    return figures.change, figures.charged


def test_a_fee_of_the_first_list_changes_no_day() -> None:
    """AN-06: the account had paid it before the journal's first figure."""
    records = records_of({MONDAY: "1005", TUESDAY: "1005", WEDNESDAY: "1005"}, [])
    first_list = next(n for n, record in enumerate(records) if isinstance(record.fact, ActivitiesCompared))
    fee = CashMoved(ActivityId("f"), FRIDAY, ActivityKind.FEE, usd("-0.35"), None, "FEE SEC")
    records.insert(first_list, Recorded(99, records[first_list].at, fee))

    assert by_measures(records) == {MONDAY: 5, TUESDAY: 0, WEDNESDAY: 0}
    assert by_activities(records) == {MONDAY: 5, TUESDAY: 0, WEDNESDAY: 0}


def test_a_fee_of_missed_evenings_was_taken_on_its_day() -> None:
    """AN-06: no list says when it moved, and the close that the broker reports has it as a rule."""
    records = [
        record
        for record in records_of({THURSDAY: "1000", FRIDAY: "1009.65", MONDAY: "1014.65"}, [Fee(MONDAY, FRIDAY)])
        if not (HOME.day_of(record.at) == FRIDAY and isinstance(record.fact, ActivitiesCompared))
    ]

    assert by_measures(records) == {THURSDAY: 0, FRIDAY: Decimal("9.65"), MONDAY: 5}


def test_days_that_are_over_are_forgotten() -> None:
    """AN-06: a desk keeps what it shows, also where the broker writes a day of decades later."""
    fees = FeeDays(CALENDAR.session_on, HOME, timedelta(days=3))

    for record in records_of(CLOSES, [Fee(MONDAY, FRIDAY), Fee(WEDNESDAY, TUESDAY), Fee(WEDNESDAY, date(2062, 1, 9))]):
        fees.take(record.at, record.fact)

    assert fees.state.charged == {TUESDAY: usd("-0.35"), WEDNESDAY: usd("-0.35")}
    assert min(fees.state.owed) == SUNDAY
