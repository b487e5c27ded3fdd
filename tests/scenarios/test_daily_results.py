"""What each day closed, by strategy and hand, and what the account was worth: kept over days and restarts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.analytics.equity import to_the_cent
from core.facts import DayCorrected, DayStarted, OrderFilled, TradeClosed
from core.messages.commands import ProposeClose
from core.model.session import HOME
from core.model.staging import MANUAL
from core.model.values import NO_MONEY, Money, Quantity, priced
from core.ports import Recorded
from core.post_mortem.post_mortem import Read
from core.reports.report import report_of
from core.trading_state.account_history import RESULTS_KEPT, DayResults
from core.views.builders.desk import ViewBuilder
from core.views.builders.history import history_of
from core.views.builders.strategies import DayRows
from core.views.export import TABLES, row_of
from core.views.results import HistoryKind
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House
from tests.scenarios.test_account_activities import SESSIONS, a_house, buys, price_on
from tests.scenarios.weeks import AUTUMN, Minute, Weeks, settings_with
from tests.unit.core.brokers.trading_floor import SPY

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
    results = DayResults(lambda at: at.date(), lambda _fact: ("", "", NO_MONEY), lambda _order: None, HOME.local)
    for number in range(RESULTS_KEPT + 30):
        day = date(2012, 1, 1) + timedelta(days=number)
        results.folds[DayStarted](NOON, DayStarted(day, Money(Decimal(number))))

    assert len(results.state.days) == RESULTS_KEPT
    assert min(results.state.days) == date(2012, 1, 1) + timedelta(days=30)


def sells(house: House, quantity: str, day: date) -> None:
    house.until("09:35", day)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(quantity)), strategy=MANUAL))
    confirms_now(house)
    passes(house, 1)


@pytest.fixture(scope="module")
def in_two_parts() -> House:
    """Ten shares bought on one day, four sold on the next one and six on the third."""
    house = a_house(events="", fee_per_share=Decimal("0.01"))
    buys(house, "10", "09:35", SESSIONS[0])
    sells(house, "4", SESSIONS[1])
    sells(house, "6", SESSIONS[2])
    return house


def of_day(house: House, day: date) -> list[Recorded]:
    return [record for record in house.journal.records() if HOME.day_of(record.at) == day]


def realised_by_hand(house: House) -> dict[date, Decimal]:
    """Each fill against the one entry, less its own fee."""
    entry, *exits = [fact.fill for fact in house.facts(OrderFilled)]
    made = {HOME.day_of(entry.at): -entry.fee}
    return made | {HOME.day_of(f.at): f.quantity * (f.price - entry.price) - f.fee for f in exits}


def test_a_partial_exit_is_realised_when_it_fills(in_two_parts: House) -> None:
    """AN-01: in the results of its day, in the history and in the report; the trade's profit is their sum."""
    house, made = in_two_parts, realised_by_hand(in_two_parts)
    rows = {row.day: row.profit for row in DayRows(house.desk).rows() if row.profit}
    (trade,) = [fact.trade for fact in house.facts(TradeClosed)]

    assert rows == made
    assert sum(made.values()) == trade.profit
    for day, kind in ((SESSIONS[1], HistoryKind.PART), (SESSIONS[2], HistoryKind.TRADE)):
        rows_of_day, realised = history_of(of_day(house, day))
        assert ([row.kind for row in rows_of_day if row.kind is not HistoryKind.ORDER], realised) == ([kind], made[day])
    reads = Read(list(house.journal.records()))
    told = report_of(reads, list(made), HOME.day_of, house.calendar.session_at, is_week=True)
    assert [day.realised for day in told.days] == [to_the_cent(Money(made[day])) for day in made]
    assert told.whole.realised == sum(day.realised for day in told.days if day.realised is not None)


def test_results_show_what_half_a_close_made() -> None:
    """AN-01, OP-12: listed and in the CSV while the rest is held, also after a restart; the trade takes its place"""
    house = a_house(events="", fee_per_share=Decimal("0.01"))
    buys(house, "10", "09:35", SESSIONS[0])
    sells(house, "5", SESSIONS[1])

    (row,) = [row for row in house.line.view().results if row.strategy == MANUAL]

    made = realised_by_hand(house)[SESSIONS[1]]
    assert made > 0
    assert (row.trades, row.in_part, row.realised) == (0, 1, made)
    parts = house.line.view().trades
    fill = house.facts(OrderFilled)[-1].fill
    assert [(t.quantity, t.exit_price, t.profit, t.is_part) for t in parts] == [(5, fill.price, made, True)]
    assert TABLES["trades"].rows(house.line.view()) == parts
    assert row_of(parts[0])["part_of_open_position"] is True
    assert ViewBuilder(house.engine).draw(house.line.at).trades == parts
    (held,) = house.desk.ledger.positions()
    assert row.unrealised == held.profit(Decimal(price_on(SESSIONS[1])))
    sells(house, "5", SESSIONS[1])
    assert [t.is_part for t in house.line.view().trades] == [False]


def test_parts_of_earlier_days_are_not_counted() -> None:
    """AN-01: the rest is held; what was closed of it yesterday is no result of today"""
    house = a_house(events="", fee_per_share=Decimal("0.01"))
    buys(house, "10", "09:35", SESSIONS[0])
    sells(house, "5", SESSIONS[1])
    house.until("09:35", SESSIONS[2])
    views = house.line.view(), ViewBuilder(house.restarted().engine).draw(house.line.at)

    for view in views:
        assert [row.in_part for row in view.results if row.strategy == MANUAL] == [0]
        assert view.trades == ()

    house.until("09:36", SESSIONS[2])
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2)), strategy=MANUAL))
    confirms_now(house)
    passes(house, 1)
    assert [row.in_part for row in house.line.view().results if row.strategy == MANUAL] == [1]


def test_an_average_of_two_exits_is_rounded() -> None:
    """AN-01"""
    assert priced(Decimal("175.0914814814814814814815")) == "175.0915"
    assert [priced(Decimal(text)) for text in ("328.2", "0.0123", "0.00001234")] == ["328.20", "0.0123", "0.00001234"]
