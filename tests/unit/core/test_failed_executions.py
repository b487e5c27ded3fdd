"""Trades that failed in execution, in every figure of strategies, against sums of pandas over drawn months."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pandas as pd
import pytest

from core.analytics.desk_measures import DeskMeasures, desk_measures
from core.analytics.measures_page import as_json, lines_of
from core.facts import FillReversed, OrderFilled, TradeClosed
from core.facts.orders import Source
from core.model.order import Side
from core.model.position import Trade
from core.model.session import HOME
from core.model.signal import FAILED_WORDS, ExitReason
from core.model.values import ExecutionId, Money, Quantity
from core.ports import Recorded
from core.research.sweeps.report import figures_of
from core.research.sweeps.results import RunResult
from core.risk.thesis_book import ThesisBook
from core.trading_state.account_history import DayResults
from core.views import DayRow
from core.views.builders.strategies import day_rows
from core.views.sums import by_strategy, together
from tests.kit.drawn_months import DAYS, Months, drawn_months, fee_days

ZERO, CENT = Decimal(0), Decimal("0.01")
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def months(request: pytest.FixtureRequest) -> Months:
    return drawn_months(request.param)


def rows_of(results: DayResults) -> tuple[DayRow, ...]:
    return day_rows(results.state, fee_days())


def measured(months: Months) -> DeskMeasures:
    fees = fee_days()
    return desk_measures(months.records, DAYS[0], DAYS[-1], DAYS, HOME.day_of, lambda at: HOME.local(at).time(), fees)


def exact(amounts: pd.Series) -> Decimal:
    return sum(amounts, ZERO)


def test_days_have_failed_trades_in_a_line_of_their_own(months: Months) -> None:
    """EX-18, AN-01: exact, by the day of each fill; all lines together are what the account made"""
    trades, fills, _ = months.frames()

    rows = rows_of(months.results())

    found = {(row.day, each.strategy): each for row in rows for each in row.closed}
    assert trades["failed"].sum() > 10
    for (day, strategy), its in fills.groupby(["day", "strategy"]):
        row, ended = found[day, strategy], trades[(trades["day"] == day) & (trades["strategy"] == strategy)]
        good = ended[~ended["failed"]]
        assert (row.profit, row.failed_profit) == tuple(
            exact(its.loc[its["failed"] == is_, "profit"]) for is_ in (0, 1)
        )
        assert (row.trades, row.wins, row.failed) == (len(good), (good["profit"] > 0).sum(), ended["failed"].sum())
    for row in rows:
        assert row.profit == exact(fills.loc[fills["day"] == row.day, "profit"])
    every = together(by_strategy(rows))
    assert every.failed_profit == exact(trades.loc[trades["failed"], "profit"])
    assert every.made == exact(fills["profit"])


def test_measures_leave_failed_trades_out_and_count_them(months: Months) -> None:
    """EX-18, AN-01: groups add up to the cent with the failed line, also by exit reason"""
    trades, _, _ = months.frames()
    good, failed = trades[~trades["failed"]], trades[trades["failed"]]
    floats = good.assign(profit=good["profit"].astype(float))

    found = measured(months)

    assert found.trades["trades"] == len(good)
    assert found.measures["win_rate"] == (good["profit"] > 0).mean()
    assert found.measures["expectancy"] == pytest.approx(floats["profit"].mean(), rel=1e-12)
    assert found.measures["profit"] == float(exact(good["profit"]).quantize(CENT, ROUND_HALF_EVEN))
    told: Any = as_json(found)["failed"]
    whole, made = (exact(each["profit"]).quantize(CENT, ROUND_HALF_EVEN) for each in (trades, good))
    assert told == {"trades": len(failed), "profit": float(whole - made)}
    for by in ("strategy", "symbol", "half_hour", "regime", "reason"):
        groups = found.groups[by]
        for name, its in floats.groupby(by)["profit"]:
            figures = groups[str(name)]
            assert (figures["trades"], figures["win_rate"]) == (len(its), (its > 0).mean())
            assert figures["expectancy"] == pytest.approx(its.mean(), rel=1e-12)
            assert figures["mean_gain"] == pytest.approx(its[its > 0].mean(), rel=1e-12)
            assert figures["mean_loss"] == pytest.approx(its[its < 0].mean(), rel=1e-12)
            lost = -its[its < 0].sum()
            assert figures["profit_factor"] == pytest.approx(its[its > 0].sum() / lost, rel=1e-12)
        apart = {*map(str, failed["reason"])} if by == "reason" else {FAILED_WORDS}
        assert groups.keys() == {*map(str, good[by])} | apart
        assert sum(int(groups[name]["trades"] or 0) for name in apart) == len(failed)
        assert {groups[name]["win_rate"] for name in apart} == {None}
        whole = sum((Decimal(str(each["profit"])) for each in groups.values()), ZERO)
        assert whole == exact(trades["profit"]).quantize(CENT, ROUND_HALF_EVEN)
    assert any(FAILED_WORDS in line for line in lines_of(found))


def test_theses_are_judged_without_failed_trades(months: Months) -> None:
    """EX-18, AN-07"""
    trades, _, _ = months.frames()
    book = ThesisBook(HOME.day_of, dict)
    for record in months.records:
        if isinstance(record.fact, TradeClosed):
            book.folds[TradeClosed](record.at, record.fact)

    in_order = trades[~trades["failed"]].sort_values("closed_at", kind="stable")
    for strategy, its in in_order.groupby("strategy"):
        assert [each.profit for each in book.state.closed[str(strategy)].trades] == [*its["profit"]]


def reversal(trade: Trade, realised: Decimal, corrected: Trade | None) -> FillReversed:
    one = Quantity(Decimal(1))
    return FillReversed(
        trade.exit_order, trade.symbol, trade.strategy, Side.SELL, one, Money(ZERO), one, Source.STREAM,
        Money(realised), trade, corrected,
    )  # fmt: skip


def test_a_failed_trade_that_is_open_again_is_no_failure() -> None:
    """EX-18, EX-09: the broker took its exit back; the day's money stays, and it may fail again"""
    months = drawn_months(1)
    results = months.results()
    closed = next(r for r in months.records if isinstance(r.fact, TradeClosed) and r.fact.trade.is_failed)
    assert isinstance(closed.fact, TradeClosed)
    trade, day = closed.fact.trade, HOME.day_of(closed.fact.trade.exit_time)
    before = results.state.days[day].closed[trade.strategy]
    failed, realised, apart = before.failed, before.realised, before.failed_realised

    results.folds[FillReversed](closed.at, reversal(trade, Decimal(-3), None))

    after = results.state.days[day].closed[trade.strategy]
    assert (after.failed, after.failed_realised) == (failed - 1, apart - trade.profit)
    assert after.realised == realised + trade.profit - 3
    results.folds[TradeClosed](closed.at, TradeClosed(replace(trade, profit=Money(trade.profit - 3))))
    assert (after.failed, after.realised, after.failed_realised) == (failed, realised, apart - 3)
    results.folds[FillReversed](closed.at, reversal(trade, Decimal(2), replace(trade, profit=Money(trade.profit + 2))))
    assert (after.failed, after.realised, after.failed_realised) == (failed, realised, apart - 1)


def test_a_position_that_ended_elsewhere_is_no_part_of_a_later_failure() -> None:
    """EX-18, AN-01: it has fills and no trade, as where its shares were sold with the broker's own app"""
    months = drawn_months(1)
    closed = next(r for r in months.records if isinstance(r.fact, TradeClosed) and r.fact.trade.is_failed)
    assert isinstance(closed.fact, TradeClosed)
    trade = closed.fact.trade
    first = next(r for r in months.records if isinstance(r.fact, OrderFilled))
    assert isinstance(first.fact, OrderFilled)
    before = trade.entry_time - timedelta(days=1)
    fill = replace(first.fact.fill, execution_id=ExecutionId("of the one before"), at=before)
    months.made[fill.execution_id] = trade.strategy, trade.symbol, Money(Decimal(-7))
    failed = together(by_strategy(rows_of(months.results()))).failed_profit

    months.records.insert(months.records.index(closed), Recorded(0, before, replace(first.fact, fill=fill)))

    found = together(by_strategy(rows_of(months.results())))
    assert found.failed_profit == failed
    assert found.made == exact(months.frames()[1]["profit"]) - 7


def test_parts_of_positions_long_gone_are_forgotten() -> None:
    """EX-18: the state is bounded"""
    months = drawn_months(2)
    results = months.results()

    assert results.state.unclosed == {}
    open_ = {f"{trade['symbol']}/{trade['strategy']}" for trade in months.trades}
    assert len(open_) > 1


def test_a_sweep_counts_failed_trades_apart() -> None:
    """EX-18, AN-05: in the profit, in no win rate"""
    days = (date(2024, 1, 2), date(2024, 1, 3))
    run = RunResult(
        Decimal(1), "3 -1", "", None, array("i", [3]), (), days, array("d", [100.0, 101.0]), failed_profits="-1"
    )

    found = figures_of(run)

    assert (found["trades"], found["win_rate"], found["failed"], found["profit"]) == (2, 0.5, 1, "1")
    assert run.closed_profits == [3, -1, -1]


def test_reasons_that_fail_are_known_by_one_definition() -> None:
    """EX-18"""
    trade = next(r.fact.trade for r in drawn_months(3, 20).records if isinstance(r.fact, TradeClosed))

    failed = {reason for reason in ExitReason if replace(trade, exit_reason=reason).is_failed}

    assert failed == {ExitReason.EXECUTION_ERROR, ExitReason.BROKER_REJECT}
