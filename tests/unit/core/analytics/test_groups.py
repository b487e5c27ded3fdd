"""Trades by what they have in common, against sums of numpy (AN-01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.desk_measures import (
    HELD,
    OVERNIGHT,
    by_groups,
    r_multiple,
    rows_of,
    time_held,
)
from core.analytics.groups import NOT_KNOWN, half_hour
from core.model.order import StopHolder
from core.model.position import Trade
from core.model.signal import ExitReason
from core.model.sizing import RegimeLabels, VixLevel
from core.model.staging import StopPlan
from core.model.values import ClientOrderId, Money, Price, Quantity, Symbol
from tests.kit.rows import table

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def a_trade(profit: str, *, minutes: int = 10, **parts: object) -> Trade:
    """One of 10 shares bought at 100, opened ten minutes after the open."""
    begun = OPEN + timedelta(minutes=10)
    trade = Trade(
        Symbol("SPY"), "vwap", ClientOrderId(f"entry{profit}"), ClientOrderId("exit"), begun, Price(Decimal(100)),
        Quantity(Decimal(10)), begun + timedelta(minutes=minutes), Price(Decimal(101)), ExitReason.STOP_LOSS, None,
        None, None, Money(Decimal(profit)), Money(Decimal(0)),
    )  # fmt: skip
    return replace(trade, **parts)  # type: ignore[arg-type]


def a_stop(price: int | str, behind: int | None = None) -> StopPlan:
    trails = None if behind is None else Price(Decimal(behind))
    return StopPlan(Price(Decimal(price)), StopHolder.BROKER, trails)


def at_98(_entry: ClientOrderId) -> StopPlan:
    return a_stop(98)


def new_york(at: datetime) -> time:
    return (at - timedelta(hours=5)).time()


def test_each_group_has_figures_of_its_own_trades() -> None:
    profits = np.array([12.5, -20.0, 7.25, 40.0, -3.0])
    trades = [
        a_trade(str(profit), strategy="manual" if number % 2 else "vwap") for number, profit in enumerate(profits)
    ]

    groups = by_groups(rows_of(trades, at_98, new_york))

    mine = profits[0::2]
    assert groups["strategy"]["vwap"] == {
        "trades": 3,
        "profit": pytest.approx(mine.sum()),
        "win_rate": pytest.approx((mine > 0).mean()),
        "expectancy": pytest.approx(mine.mean()),
        "mean_gain": pytest.approx(mine[mine > 0].mean()),
        "mean_loss": pytest.approx(mine[mine < 0].mean()),
        "profit_factor": pytest.approx(mine[mine > 0].sum() / -mine[mine < 0].sum()),
        "mean_r": pytest.approx((mine / 20).mean()),
        "total_r": pytest.approx((mine / 20).sum()),
        "without_r": 0,
    }
    assert set(groups["by"]) == {"manual", "strategies"}
    assert set(groups["half_hour"]) == {"09:30"}
    assert groups["regime"][NOT_KNOWN]["trades"] == 5
    for each in groups.values():
        assert sum(figures["profit"] for figures in each.values()) == pytest.approx(profits.sum())  # type: ignore[misc]


def test_a_regime_is_named_by_its_known_labels() -> None:
    labels = RegimeLabels(VixLevel.LOW, None, None)
    (row,) = rows_of([a_trade("1", regime=labels)], at_98, new_york)
    assert row.regime == "VIX low"


@table(
    "minutes words", (4, "under 5 min"), (5, "under 30 min"), (119, "under 2 h"), (390, "under 7 h"), (421, OVERNIGHT)
)
def test_holding_times_fall_in_five_groups(minutes: int, words: str) -> None:
    assert time_held(timedelta(minutes=minutes)) == words


def test_a_half_hour_is_named_by_its_beginning() -> None:
    assert [half_hour(time(*clock)) for clock in ((9, 30), (9, 59), (10, 0), (15, 59))] == [
        "09:30",
        "09:30",
        "10:00",
        "15:30",
    ]


def test_r_is_profit_over_loss_at_the_stop() -> None:
    """AN-01: of a stop that trails, what it trails by"""
    assert r_multiple(a_trade("30"), a_stop(97)) == pytest.approx(1.0)
    assert r_multiple(a_trade("-60"), a_stop(97)) == pytest.approx(-2.0)
    assert r_multiple(a_trade("30"), a_stop(97, behind=6)) == pytest.approx(0.5)
    assert r_multiple(a_trade("30"), None) is None
    assert r_multiple(a_trade("30"), a_stop(100)) is None


def test_a_trade_without_a_stop_has_no_r() -> None:
    """AN-01: missing, not zero"""
    stops = {ClientOrderId("entry30"): a_stop(97)}
    (figures,) = by_groups(rows_of([a_trade("30"), a_trade("-12")], stops.get, new_york))["symbol"].values()

    assert (figures["trades"], figures["mean_r"], figures["total_r"], figures["without_r"]) == (2, 1.0, 1.0, 1)
    assert figures["expectancy"] == 9.0


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(-900_000, 900_000), st.integers(0, 600)), min_size=1, max_size=30))
def test_groups_add_up_to_the_cent(made: list[tuple[int, int]]) -> None:
    """AN-01: results of fractions of shares, whose cents are rounded"""
    exact = [Decimal(amount) / 10_000 for amount, _ in made]
    trades = [
        a_trade(str(amount), minutes=minutes, strategy=f"s{minutes % 4}", entry_time=OPEN + timedelta(minutes=minutes))
        for amount, (_, minutes) in zip(exact, made, strict=True)
    ]
    whole = sum(exact, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)

    for groups in by_groups(rows_of(trades, at_98, new_york)).values():
        assert sum((Decimal(str(each["profit"])) for each in groups.values()), Decimal(0)) == whole
        assert sum(int(each["trades"] or 0) for each in groups.values()) == len(made)


def test_holding_times_are_sorted_ascending() -> None:
    """AN-01"""
    trades = [a_trade(str(minutes), minutes=minutes) for minutes in (900, 10, 60, 1, 400)]

    assert list(by_groups(rows_of(trades, at_98, new_york))["held"]) == [*(words for _, words in HELD), OVERNIGHT]


def test_no_trades_are_no_groups() -> None:
    assert all(groups == {} for groups in by_groups([]).values())
