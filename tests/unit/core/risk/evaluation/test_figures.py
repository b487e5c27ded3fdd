"""The figures of a night, kept trade by trade, are those of a plain rescan of every trade that ever was."""

from __future__ import annotations

import statistics
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.analytics.presentation import ROLLING
from core.facts import DayStarted, PositionChanged, RegimeMeasured
from core.model.position import Trade
from core.model.session import Session
from core.model.signal import ExitReason, NoFigure
from core.model.sizing import UNKNOWN, MarketMeasure, NoVix, Regime, Trend, Volatility
from core.model.values import ClientOrderId, Money, Price, Quantity
from core.risk.strategy_evaluation import (
    EvaluationBook,
    Keep,
    Promote,
    Result,
    Retire,
    a_year,
    bad_regimes,
    figures_of,
    judged,
    of_a_session,
    profit_factor_of,
    sharpe_of,
    win_rate_of,
)
from core.settings.strategies import EvaluationSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, NewYorkHours, new_york

HOURS = NewYorkHours()
FIRST = date(2026, 9, 1)
TERMS = EvaluationSettings()


def a_trade(day: date, profit: Decimal) -> Trade:
    ended = new_york(day, time(11))
    one, price = Quantity(Decimal(1)), Price(Decimal(100))
    return Trade(
        symbol=SPY, strategy="vwap", entry_order=ClientOrderId("in"), exit_order=ClientOrderId("out"),
        entry_time=ended - timedelta(minutes=5), entry_price=price, quantity=one, exit_time=ended, exit_price=price,
        exit_reason=ExitReason.SIGNAL, intended_entry=None, intended_exit=None, reference=None, profit=Money(profit),
        slippage=Money(Decimal(0)),
    )  # fmt: skip


def sessions_to(day: date) -> list[date]:
    days = (FIRST + timedelta(days=n) for n in range((day - FIRST).days + 1))
    return [each for each in days if isinstance(HOURS.session_on(each), Session)]


PROFITS = st.decimals("-50", "50", places=2)
COURSES = st.lists(st.tuples(st.integers(0, 4), PROFITS), min_size=1, max_size=120)
"""Days since the trade before, and what this one made."""


@settings(max_examples=24)
@given(COURSES, st.integers(0, 20))
def test_nightly_figures_equal_a_rescan(course: list[tuple[int, Decimal]], quiet: int) -> None:
    """ST-10"""
    book = EvaluationBook(lambda: TERMS, lambda: UNKNOWN, HOURS.trading_day)
    day, all_of_them = FIRST, []
    for gap, profit in course:
        day += timedelta(days=gap)
        book.take(a_trade(day, profit))
        all_of_them.append((day, profit))
    night = day + timedelta(days=quiet)
    for session in sessions_to(night):
        book.folds[DayStarted](new_york(session, time(9, 31)), DayStarted(session, Money(Decimal(200))))  # type: ignore[operator]

    found = book.figures("vwap", night)

    oldest = max(all_of_them[0][0], night - timedelta(days=29))
    counted = [profit for ended, profit in all_of_them if ended >= oldest]
    wins, gained = [p for p in counted if p > 0], sum(p for p in counted if p > 0)
    lost = -sum(p for p in counted if p < 0)
    streak = 0
    for _, profit in all_of_them:
        streak = streak + 1 if profit < 0 else 0
    assert (found.trades, found.wins, found.losses_in_a_row, found.since) == (len(counted), len(wins), streak, oldest)
    assert isinstance(found.win_rate, NoFigure) == (len(counted) < 10)
    if not isinstance(found.win_rate, NoFigure):
        assert found.win_rate == pytest.approx(Decimal(len(wins)) / len(counted), abs=Decimal("0.0001"))
    assert isinstance(found.profit_factor, NoFigure) == (lost == 0)
    if not isinstance(found.profit_factor, NoFigure):
        assert found.profit_factor == pytest.approx(Decimal(gained) / Decimal(lost), abs=Decimal("0.0001"))
    by_day = {each: Decimal(0) for each in sessions_to(night) if each >= oldest}
    for ended, profit in all_of_them:
        if ended >= oldest:
            by_day[ended] = by_day.get(ended, Decimal(0)) + profit
    results = list(by_day.values())
    is_known = len([d for d in sessions_to(night) if d >= oldest]) >= 2 and len(set(results)) > 1
    assert isinstance(found.daily_sharpe, NoFigure) != is_known
    assert isinstance(found.sharpe, NoFigure), "30 days are under 63 sessions"
    if isinstance(found.daily_sharpe, Decimal):
        ratio = float(statistics.mean(results)) / float(statistics.stdev(results))
        assert float(found.daily_sharpe) == pytest.approx(ratio, abs=1e-5)


@settings(max_examples=24)
@given(COURSES)
def test_trades_are_kept_for_the_window(course: list[tuple[int, Decimal]]) -> None:
    """ST-10"""
    book = EvaluationBook(lambda: TERMS, lambda: UNKNOWN, HOURS.trading_day)
    day = FIRST
    for gap, profit in course:
        day += timedelta(days=gap)
        book.take(a_trade(day, profit))

    kept = book.state.records["vwap"].results
    assert all(day - result.day < timedelta(days=30) for result in kept)


def test_a_late_trade_counts_at_the_newest_day() -> None:
    """ST-10"""
    book = EvaluationBook(lambda: TERMS, lambda: UNKNOWN, HOURS.trading_day)
    for day in (FIRST + timedelta(days=2), FIRST):
        book.take(a_trade(day, Decimal(1)))

    assert [result.day for result in book.state.records["vwap"].results] == [FIRST + timedelta(days=2)] * 2


def test_the_formulas_by_hand() -> None:
    """ST-10, AN-01: annualized from 63 sessions on"""
    days = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2)]
    results = [Result(days[0], Money(Decimal(3))), Result(days[2], Money(Decimal(0)))]

    daily = sharpe_of(results, days)
    assert daily == Decimal("0.577350")  # 1 ÷ √3
    assert isinstance(a_year(daily, ROLLING - 1), NoFigure)
    assert a_year(daily, ROLLING) == Decimal("9.1651")
    assert of_a_session(Decimal("0.5")) == Decimal("0.031497")
    assert profit_factor_of([Decimal(3), Decimal(-2), Decimal(0)]) == Decimal("1.5")
    assert win_rate_of(6, 10, 10) == Decimal("0.6")
    assert isinstance(win_rate_of(6, 9, 10), NoFigure)
    assert isinstance(sharpe_of([], days), NoFigure)
    cents = [Result(day, Money(Decimal(amount))) for day, amount in zip(days, ("5.00", "5.01", "5.00"), strict=True)]
    assert isinstance(sharpe_of(cents, days), NoFigure)


def judgement(profits: list[int], streak: int = 0) -> Retire | Promote | Keep:
    days = sessions_to(FIRST + timedelta(days=29))[: len(profits)]
    results = [Result(day, Money(Decimal(profit))) for day, profit in zip(days, profits, strict=True)]
    return judged(figures_of(results, FIRST, days, streak, 10), TERMS)


@table(
    "profits streak verdict",
    ([5, -1] * 8, 9, Keep("goes on as it is")),
    ([5, -1] * 8, 10, Retire("10 losses in a row, 10 retire it")),
    ([5, -1, 5] * 5, 0, Promote),
    ([5, 5, 6] * 5, 0, Keep("nothing more is proposed: no trade lost, so that there is no profit factor")),
    ([5, 5, 5] * 5, 0, Keep("skipped this time: every session made the same, so that there is no Sharpe ratio")),
    ([1, -1] * 8, 0, Retire),
    ([9, -1, -1] * 5, 0, Retire),
)
def test_what_the_figures_say(profits: list[int], streak: int, verdict: object) -> None:
    """ST-10"""
    found = judgement(profits, streak)
    assert found == verdict or type(found) is verdict


def test_a_trade_belongs_to_its_entrys_regime() -> None:
    """ST-10"""
    now = {"regime": UNKNOWN}
    book = EvaluationBook(lambda: TERMS, lambda: now["regime"], HOURS.trading_day)
    market = MarketMeasure(SPY, FIRST, Trend.DOWN, Volatility.WILD, Decimal(1), Decimal(1))
    at = datetime(2026, 9, 1, 15, tzinfo=new_york(FIRST, time(11)).tzinfo)
    now["regime"] = Regime(NoVix("not asked"), market)
    book.folds[PositionChanged](at, PositionChanged(SPY, "vwap", Quantity(Decimal(1)), Price(Decimal(100))))  # type: ignore[operator]
    now["regime"] = UNKNOWN
    book.folds[RegimeMeasured](at, RegimeMeasured(UNKNOWN))  # type: ignore[operator]

    book.take(a_trade(FIRST, Decimal(-1)))

    assert book.state.records["vwap"].results[0].regime == "down, wild"


def test_a_bad_regime_needs_enough_losing_trades(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    lost = [Result(FIRST, Money(Decimal(-1)), "down, wild")] * 9

    assert not [*bad_regimes(lost, FIRST, TERMS)]
    won_often = [*lost, *[Result(FIRST, Money(Decimal("0.1")), "down, wild")] * 9]
    assert not [*bad_regimes(won_often, FIRST, TERMS)]
    assert [*bad_regimes([*lost, lost[0]], FIRST, TERMS)] == snapshot
    assert not [*bad_regimes([*lost, Result(FIRST, Money(Decimal(50)), "down, wild")], FIRST, TERMS)]
