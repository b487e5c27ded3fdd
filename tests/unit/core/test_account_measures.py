"""Pane 7's measures and groups, from what the desk keeps by day, against pandas over drawn months (AN-01)."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pandas as pd
import pytest

from core.analytics.account_days import AccountDay, growth
from core.analytics.groups import KEPT, mark_of
from core.analytics.metrics import framed, rolling
from core.analytics.windows import DayOfEquity, Window, window_of
from core.facts import DayStarted
from core.model.signal import FAILED, FAILED_WORDS
from core.model.values import Money
from core.trading_state.account_history import RESULTS_KEPT
from core.trading_state.watermark import DAYS_KEPT, High, Highs
from core.views.builders.measures import closes_of, days_of, measures_of, rows_of, sessions_of, watermark_of
from core.views.builders.strategies import day_rows
from core.views.export import value_of
from core.views.results import GroupRow
from core.views.sums import periods
from tests.kit.drawn_months import CALENDAR, DAYS, Months, at, drawn_months, fee_days
from tests.kit.rows import table

ZERO = Decimal(0)
YEAR = np.sqrt(252)
FAILURES = {each.value for each in FAILED}


@pytest.fixture(scope="module", params=(1, 2, 3))
def months(request: pytest.FixtureRequest) -> Months:
    return drawn_months(request.param)


def known(months: Months) -> tuple[tuple[AccountDay, ...], list[DayOfEquity], list[date]]:
    state = months.results().state
    today = max(state.days)
    sessions = sessions_of(state, {}, CALENDAR, today)
    closes = closes_of(state, fee_days(), sessions)
    return closes, growth(closes), sessions


def returns_of(closes: pd.DataFrame) -> pd.Series:
    equity, moved = closes["equity"].astype(float), closes["moved"].astype(float)
    return ((equity - moved) / equity.shift() - 1).iloc[1:]


def expected(returns: pd.Series) -> Window:
    """The measures of these 63 returns."""
    worth = pd.concat([pd.Series([1.0]), (1 + returns).cumprod()])
    fall = (1 - worth / worth.cummax()).max()
    total = worth.iloc[-1] - 1
    return Window(
        len(returns),
        total,
        returns.mean() / returns.std() * YEAR,
        returns.mean() / np.sqrt((returns.clip(upper=0) ** 2).mean()) * YEAR,
        ((1 + total) ** (252 / 63) - 1) / fall,
        fall,
    )


def figures(window: Window) -> list[float | None]:
    return [window.total_return, window.sharpe, window.sortino, window.calmar, window.max_drawdown]


def test_rolling_measures_match_pandas_on_each_day(months: Months) -> None:
    """AN-01: of the last 63 returns, without what was paid in and out"""
    _, _, table = months.frames()
    returns, (closes, course, _) = returns_of(table), known(months)

    assert [each.day for each in closes] == [*table["day"]]
    assert (table["moved"] != 0).sum() > 1
    for end in range(63, len(returns) + 1):
        assert figures(window_of(course[: end + 1])) == pytest.approx(
            figures(expected(returns[end - 63 : end])), rel=1e-9
        )


def test_the_desk_and_the_journal_have_the_same_rolling_measures(months: Months) -> None:
    """AN-01: pane 7 without pandas, `keyturn measures` with it"""
    _, course, _ = known(months)
    frame = framed(course)

    rows = rolling(frame["equity"], cent=frame["cent"])

    names = ["total_return", "sharpe", "sortino", "calmar", "max_drawdown"]
    for end, (_, row) in enumerate(rows.iterrows(), 64):
        assert figures(window_of(course[:end])) == pytest.approx([row[name] for name in names], rel=1e-9)


@table("sessions", 0, 1, 30, 62)
def test_under_63_sessions_nothing_is_measured(sessions: int) -> None:
    """AN-01: and the number of those that are known is said"""
    months = drawn_months(4, sessions) if sessions else Months()
    if not sessions:
        months.add(at(DAYS[1], time(8)), DayStarted(DAYS[1], Money(Decimal(100)), DAYS[0]))
    closes, course, days = known(months)

    found = measures_of(closes, course, {}, {}, None, days[-1], days)

    assert (found.sessions, found.returns) == (63, sessions)
    assert (found.total_return, found.sharpe, found.sortino, found.calmar, found.max_drawdown) == (None,) * 5


def test_a_close_that_no_engine_recorded_makes_no_return() -> None:
    """AN-01: two returns are missing, until the window has left them behind"""
    months = drawn_months(5, 100)
    gone = DAYS[60]
    months.records = [r for r in months.records if not (isinstance(r.fact, DayStarted) and r.fact.close_of == gone)]
    _, course, _ = known(months)

    assert window_of(course[:80]) == Window(61)
    assert window_of(course).returns == 61
    assert window_of(course[-40:]) == Window(39)


def test_constant_growth_has_no_ratios() -> None:
    """AN-01: what a rounding to cents makes is no deviation"""
    course = [DayOfEquity(DAYS[n], round(100_000 * 1.0001**n, 2)) for n in range(80)]

    found = window_of(course)

    assert (found.sharpe, found.sortino, found.calmar, found.max_drawdown) == (None, None, None, 0.0)


def test_groups_of_each_period_match_pandas(months: Months) -> None:
    """AN-01, EX-18: exact, by strategy, symbol, half-hour, regime and exit reason, with failed ones apart"""
    trades, _, _ = months.frames()
    state = months.results().state
    today = max(trades["day"])
    spans = periods(day_rows(state, fee_days()), today)

    every = [row for span in spans for row in rows_of(span, days_of(state.tallies, span))]
    rows = {(row.period, row.by, row.name): row for row in every}

    assert len(spans) > 7
    seen = 0
    for span in spans:
        inside = trades[(trades["day"] >= span.first) & (trades["day"] <= span.last)]
        for by in KEPT:
            name = inside[by] if by == "reason" else inside[by].mask(inside["failed"], FAILED_WORDS)
            for group, profits in inside.groupby(name)["profit"]:
                row, gains, losses = rows[span.name, by, str(group)], profits[profits > 0], profits[profits < 0]
                assert (row.trades, row.wins, row.losses) == (len(profits), len(gains), len(losses))
                assert (row.gained, row.lost, row.profit) == (sum(gains, ZERO), sum(losses, ZERO), sum(profits, ZERO))
                assert row.is_failed is (group == FAILED_WORDS or group in FAILURES)
                if not row.is_failed:
                    assert row.win_rate == Decimal(len(gains)) / len(profits)
                    assert row.expectancy == sum(profits, ZERO) / len(profits)
                    assert row.mean_gain == (sum(gains, ZERO) / len(gains) if len(gains) else None)
                    assert row.mean_loss == (sum(losses, ZERO) / len(losses) if len(losses) else None)
                else:
                    assert (row.win_rate, row.expectancy, row.mean_gain, row.mean_loss) == (None,) * 4
                seen += 1
    assert seen == len(rows)


def drawn_highs(months: Months, seed: int) -> tuple[Highs, pd.DataFrame]:
    """Account figures within each day, some above both closes."""
    chance, highs, rows = Random(seed), Highs(), []
    for before, day in zip(months.closes, months.closes[1:], strict=False):
        for minute in sorted(chance.sample(range(390), 8)):
            paid = max(day["moved"], ZERO) if minute > 30 else ZERO
            amount = ((before["equity"] + paid) * Decimal(str(round(1 + chance.gauss(0, 0.012), 6)))).quantize(
                Decimal("0.01")
            )
            moment = at(day["day"], time(9, 30)) + timedelta(minutes=minute)
            highs.take(day["day"], Money(amount), moment)
            rows.append({"day": day["day"], "at": moment, "amount": amount})
    return highs, pd.DataFrame(rows)


def test_the_watermark_is_the_highest_of_every_account_figure(months: Months) -> None:
    """AN-01: of all figures, not only of closes; what was paid in or out is no gain and no loss"""
    _, _, table = months.frames()
    highs, account = drawn_highs(months, 9)
    closes, course, sessions = known(months)
    equity = Money(closes[-1].equity or ZERO)

    found = watermark_of(closes, course, highs.days, months.results().state.moved, equity, sessions[-1], sessions)

    index = (1 + returns_of(table)).cumprod()
    index = pd.Series([1.0, *index], index=table["day"])
    close, moved = table.set_index("day")["equity"].astype(float), table.set_index("day")["moved"].astype(float)
    before = account["day"].map(dict(zip(table["day"][1:], table["day"], strict=False)))
    made = (account["amount"].astype(float) - account["day"].map(moved).clip(lower=0)) / before.map(close)
    worth = before.map(index) * made
    highest = max(worth.max(), index.max())
    assert found is not None
    assert float(found.equity) == pytest.approx(highest / index.iloc[-1] * close.iloc[-1], abs=0.01)
    assert worth.max() > index.max(), "an account figure was above every close"
    assert found.at == account["at"][worth.idxmax()]
    assert found.day == account["day"][worth.idxmax()]
    assert found.below == found.equity - equity
    assert found.sessions == (np.array(sessions) > found.day).sum()


def test_without_transfers_the_watermark_is_exact() -> None:
    """AN-01: to the cent, the later of two equal ones; and the account at it is not below it"""
    highs = Highs()
    for hour, amount in ((10, "100000.01"), (11, "123456.78"), (12, "123456.78"), (13, "99999.99")):
        highs.take(DAYS[3], Money(Decimal(amount)), at(DAYS[3], time(hour)))

    for equity, below in (("123000.78", "456"), ("123456.78", "0"), (None, None)):
        now = None if equity is None else Money(Decimal(equity))
        found = watermark_of((), (), highs.days, {}, now, DAYS[5], DAYS[:9])
        assert found is not None
        assert (found.equity, found.day, found.at) == (Decimal("123456.78"), DAYS[3], at(DAYS[3], time(11)))
        assert (found.below, found.sessions) == (None if below is None else Decimal(below), 2)
    assert watermark_of((), (), {}, {}, None, DAYS[5], DAYS[:9]) is None


@table(
    "moved, below",
    ("0", "1000"),
    ("50000", "1000"),
    ("-40000", "1000"),
)
def test_money_paid_since_moves_the_watermark_with_it(moved: str, below: str) -> None:
    """AN-01: a deposit hides no fall, and a withdrawal is none"""
    highs = {DAYS[3]: High(Money(Decimal(100_000)), at(DAYS[3], time(11)))}
    equity = Money(Decimal(99_000) + Decimal(moved))

    found = watermark_of((), (), highs, {DAYS[4]: Money(Decimal(moved))}, equity, DAYS[5], DAYS[:9])

    assert found is not None
    assert (found.equity, found.below) == (100_000 + Decimal(moved), Decimal(below))


def test_the_days_of_the_account_are_bounded() -> None:
    """AN-01"""
    highs = Highs()
    for number in range(DAYS_KEPT + 9):
        day = date(2020, 1, 1) + timedelta(days=number)
        highs.take(day, Money(Decimal(1)), at(day, time(10)))

    assert (len(highs.days), DAYS_KEPT) == (RESULTS_KEPT, RESULTS_KEPT)


@table("wins mark", (0.61, "▲"), (0.6, ""), (0.4, ""), (0.39, "▼"), (None, ""))
def test_a_half_hour_of_many_or_few_wins_is_marked(wins: float | None, mark: str) -> None:
    """AN-01: over 60 % and under 40 %"""
    assert mark_of(wins) == mark


@table("wins mark", (61, "▲"), (60, ""), (40, ""), (39, "▼"))
def test_a_half_hour_of_the_desk_is_marked_by_its_exact_rate(wins: int, mark: str) -> None:
    """AN-01: over 60 % and under 40 %, as in `keyturn measures`"""
    row = GroupRow("", "today", "half_hour", "11:00", 100, wins, 100 - wins, Money(Decimal(wins)), Money(Decimal(-1)))

    assert row.mark == mark


def test_the_desk_measures_without_pandas() -> None:
    """AN-01: its process loads none for pane 7"""
    code = "import sys, core.views.builders.desk; sys.exit(int(bool({'pandas', 'numpy'} & set(sys.modules))))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_exported_mean_is_a_zero_below_zero() -> None:
    """AN-01, SY-08"""
    assert [value_of(Decimal(text), 2) for text in ("-0.0035", "0.0035", "-0.005", "-0.0149")] == [
        "0",
        "0",
        "-0.01",
        "-0.01",
    ]
