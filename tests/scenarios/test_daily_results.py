"""What each day closed, by strategy and hand, and what the account was worth: kept over days and restarts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.facts import DayCorrected, DayStarted, TradeClosed
from core.model.values import Money
from core.trading_state.day_results import KEPT, DayResults
from core.views.builders.day_results import DayRows
from tests.scenarios.weeks import AUTUMN, Minute, Weeks, settings_with

NOON = datetime(2013, 1, 1, 17, tzinfo=UTC)


def a_week_of_trades() -> Weeks:
    """Two losses on the days before, and one on the day itself."""
    days = [*AUTUMN.before[:2], AUTUMN.day]
    told = [Minute(day, "10:05") for day in days]
    house = Weeks(AUTUMN, told, settings_with()).opens()
    for minute in told:
        house.trades_at(minute.clock, minute.day)
    return house


def test_each_day_has_what_was_closed_on_it() -> None:
    """EX-18, RK-03"""
    house = a_week_of_trades()
    rows = {row.day: row for row in DayRows(house.desk).rows()}
    closed: dict[date, list[Money]] = {}
    for fact in house.facts(TradeClosed):
        closed.setdefault(house.calendar.trading_day(fact.trade.exit_time), []).append(fact.trade.profit)

    assert [*closed] == [*AUTUMN.before[:2], AUTUMN.day]
    for day, profits in closed.items():
        assert (rows[day].trades, rows[day].profit) == (len(profits), sum(profits))
    told = {fact.day: fact.equity for fact in house.facts(DayStarted)}
    told |= {fact.day: fact.equity for fact in house.facts(DayCorrected)}
    assert {day: row.equity for day, row in rows.items() if day in told} == told


def test_daily_results_survive_a_restart() -> None:
    """EX-20: the ledger forgets trades of earlier days, this does not."""
    house = a_week_of_trades()
    before = DayRows(house.desk).rows()
    house.restarted()

    assert DayRows(house.desk).rows()[: len(before) - 1] == before[:-1]
    assert DayRows(house.desk).rows()[-1].profit == before[-1].profit


def test_rows_are_reused_until_a_day_changes() -> None:
    house = a_week_of_trades()
    rows = DayRows(house.desk)

    first = rows.rows()
    assert rows.rows() is first
    house.desk.record(DayStarted(AUTUMN.day, Money(Decimal(5))))
    assert rows.rows()[-1].equity == Decimal(5)


def test_a_year_of_sessions_is_kept_and_no_more() -> None:
    results = DayResults(lambda at: at.date())
    for number in range(KEPT + 30):
        day = date(2012, 1, 1) + timedelta(days=number)
        results.folds[DayStarted](NOON, DayStarted(day, Money(Decimal(number))))

    assert len(results.state.days) == KEPT
    assert min(results.state.days) == date(2012, 1, 1) + timedelta(days=30)
