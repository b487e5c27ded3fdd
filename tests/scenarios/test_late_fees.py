"""A fee that the broker takes on Monday for Friday: the desk, the loss limit and the report, from the account on."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import CashMoved
from core.messages.desk_commands import CompareActivities
from core.messages.effects import Effect
from core.messages.inputs import ActivitiesFetched, Input
from core.model.reconciliation import Activity, ActivityKind, DropCopy
from core.model.values import Money
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.builders.strategies import DayRows
from state.files import AccountFolder
from state.journal import FileJournal
from state.past_days import explained, measured, reported
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes

THURSDAY, FRIDAY, MONDAY, TUESDAY = (date(2026, 11, day) for day in (12, 13, 16, 17))
DAYS = (THURSDAY, FRIDAY, MONDAY, TUESDAY, date(2026, 11, 18))
FEE = Decimal("-40.35")


def a_house(events: str) -> House:
    """Cash alone: what changes the account is a fee."""
    table = {
        "symbols": ["SPY"],
        "strategies": {"vwap": {"enabled": False}},
        "exchange": {"events": events, "cash": "5000"},
        "risk": {"daily_loss": {"usd": "40"}, "weekly_loss": {"usd": "40"}},
        "reconciliation": {"every_seconds": 3600, "again_seconds": 600},
    }
    bars = [bar for day in DAYS for bar in minutes("09:30", "09:40", "100", day=day)]
    return House(bars, Settings.model_validate(table), cash=Decimal(5000), events=events).opens()


class Broker:
    """Lists its fees with other days or amounts than its exchange booked them with, by their place in the list."""

    def __init__(self, house: House, alter: dict[str, dict[str, object] | None]) -> None:
        self._ask, self.alter = house.line.ask, alter
        house.line.ask = self.ask  # type: ignore[method-assign]

    def ask(self, effect: Effect) -> Input:
        reply = self._ask(effect)
        if not (isinstance(reply, ActivitiesFetched) and isinstance(reply.answer, DropCopy)):
            return reply
        told = [one for each in reply.answer.activities if (one := self._altered(each)) is not None]
        return ActivitiesFetched(replace(reply.answer, activities=tuple(told)))

    def _altered(self, one: Activity) -> Activity | None:
        changes = self.alter.get(one.id, {})
        return None if changes is None else replace(one, **changes)  # type: ignore[arg-type]


FIRST, SECOND = "sim-activity-000001", "sim-activity-000002"


def a_fee_of_friday_on_monday() -> House:
    house = a_house(f"2026-11-16 fee {FEE}")
    Broker(house, {FIRST: {"day": FRIDAY}})
    return house


def on_disk(house: House, folder: Path) -> Path:
    kept = AccountFolder(folder / "DEMO")
    with closing(FileJournal(kept)) as journal:
        for record in house.journal.records():
            journal.append(record.at, record.fact)
        journal.sync()
    return kept.journal


def fees_of(house: House) -> list[tuple[date, Decimal]]:
    return [(fact.day, fact.amount) for fact in house.facts(CashMoved) if fact.kind is ActivityKind.FEE]


def test_a_fee_of_an_earlier_day_is_no_loss_of_today() -> None:
    """RK-03: 5,000 USD at Friday's close, of which 40.35 were owed; the account has 4,959.65 on Monday."""
    house = a_fee_of_friday_on_monday().until("19:00", MONDAY)
    before = ViewBuilder(house.engine).draw(house.line.at).status.day_change

    house.until("20:30", MONDAY)

    assert before == FEE  # nobody has said yet what it is
    view = ViewBuilder(house.engine).draw(house.line.at)
    assert (view.status.equity, view.status.day_change) == (Decimal("4959.65"), 0)
    opening = house.desk.opening
    assert (opening.opening_equity(MONDAY), opening.opening_equity_of_week(MONDAY)) == (Decimal("4959.65"),) * 2
    assert opening.loss(MONDAY, Decimal("4959.65")) == 0
    house.until("09:35", TUESDAY)
    assert (opening.opening_equity(TUESDAY), opening.opening_equity_of_week(TUESDAY)) == (Decimal("4959.65"),) * 2
    assert_can_be_rebuilt(house)


def test_a_fee_of_the_same_week_is_a_loss_of_the_week() -> None:
    """RK-03: of Monday, taken on Tuesday: no loss of Tuesday, and not gone from the week."""
    house = a_house(f"2026-11-17 fee {FEE}")
    Broker(house, {FIRST: {"day": MONDAY}})

    house.until("20:30", TUESDAY)

    opening = house.desk.opening
    assert opening.opening_equity(TUESDAY) == Decimal("4959.65")
    assert opening.opening_equity_of_week(TUESDAY) == 5000


def test_results_have_the_fee_on_its_day() -> None:
    """AN-01: the equities at the start of each day, and the fee that no trade has."""
    house = a_fee_of_friday_on_monday().until("09:35", TUESDAY)

    rows = {row.day: (row.equity, row.charged) for row in DayRows(house.desk).rows()}

    assert rows == {
        THURSDAY: (Decimal(5000), 0),
        FRIDAY: (Decimal(5000), FEE),
        MONDAY: (Decimal("4959.65"), 0),
        TUESDAY: (Decimal("4959.65"), 0),
    }


def test_report_explain_and_measures_agree(tmp_path: Path) -> None:
    """AN-01, AN-06: the week of the fee lost 40.35, the week in which it came nothing."""
    journal = on_disk(a_fee_of_friday_on_monday().until("09:35", DAYS[-1]), tmp_path)

    friday, monday, week = (reported(journal, day, of) for day, of in _asked())
    assert (friday.whole.change, friday.whole.charged, friday.rest) == (FEE, FEE, 0)
    assert (monday.whole.change, monday.whole.charged, monday.rest) == (0, 0, 0)
    assert (week.whole.opening, week.whole.charged) == (Decimal("4959.65"), 0)
    assert week.week_before is not None
    assert (week.week_before.change, week.week_before.charged) == (FEE, FEE)
    days = explained(journal, f"{FRIDAY}..{TUESDAY}")[0].days
    assert [(day.change, day.rest) for day in days] == [(FEE, 0), (0, 0), (0, 0)]
    closes = {day.day: day.equity for day in measured(journal, None).days}
    assert closes[THURSDAY] == 5000
    assert [closes[day] for day in (FRIDAY, MONDAY, TUESDAY)] == [Decimal("4959.65")] * 3
    of_friday, of_monday = (measured(journal, f"{day}").measures["charged"] for day in (FRIDAY, MONDAY))
    assert (of_friday, of_monday) == (float(FEE), 0)


def _asked() -> tuple[tuple[str | None, str | None], ...]:
    return (f"{FRIDAY}", None), (f"{MONDAY}", None), (None, f"{MONDAY}")


def test_the_same_fee_listed_twice_counts_once() -> None:
    """EX-09"""
    house = a_fee_of_friday_on_monday().until("20:30", MONDAY)
    house.presses(CompareActivities())

    house.until("20:30", TUESDAY)

    assert fees_of(house) == [(FRIDAY, FEE)]
    assert house.desk.fee_days.charged_on(FRIDAY) == FEE


@pytest.mark.parametrize(
    ("then", "day", "recorded", "charged"),
    [
        ({"amount": Money(Decimal(0))}, "40.35", [(FRIDAY, FEE), (FRIDAY, -FEE)], {FRIDAY: 0}),
        ({"amount": Money(Decimal(-30))}, "10.35", [(FRIDAY, FEE), (FRIDAY, Decimal("10.35"))], {FRIDAY: -30}),
        (
            {"day": THURSDAY},
            "0.00",
            [(FRIDAY, FEE), (FRIDAY, -FEE), (THURSDAY, FEE)],
            {THURSDAY: FEE, FRIDAY: 0},
        ),
    ],
    ids=["cancelled", "corrected", "dated otherwise"],
)
def test_a_changed_fee_changes_its_day(
    then: dict[str, object], day: str, recorded: list[tuple[date, Decimal]], charged: dict[date, Decimal]
) -> None:
    """AN-06, EX-09: the broker changes the row on Monday, and gives cash back."""
    back = "" if day == "0.00" else f"; 2026-11-16 fee {day}"
    house = a_house(f"2026-11-13 fee {FEE}{back}")
    broker = Broker(house, {SECOND: None})
    house.until("20:30", FRIDAY)
    broker.alter = {FIRST: then, SECOND: None}

    house.until("09:35", TUESDAY)

    assert fees_of(house) == recorded
    assert {each: house.desk.fee_days.charged_on(each) for each in charged} == charged
    closes = {row.day: row.equity for row in DayRows(house.desk).rows()}
    left = 5000 + sum(amount for _, amount in recorded)
    assert closes[MONDAY] == closes[TUESDAY] == left  # Friday's close has it, whenever the cash came
    assert closes[FRIDAY] == (5000 if THURSDAY not in charged else left)
