"""The measures of a desk from its facts alone, against numpy (AN-01)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from core.analytics.desk_measures import NEEDS, DeskMeasures, desk_measures
from core.analytics.measures_page import account_rows, as_json, day_rows, group_rows, lines_of
from core.execution.fee_days import FeeDays
from core.facts import CashMoved, CorporateActionApplied, DayStarted, Fact, OrderCreated, PositionCorrected, TradeClosed
from core.facts.activities import OwnerQuantity
from core.market.calendar import load_calendar
from core.model.order import Effect, OrderRequest, OrderType, Side, StopHolder
from core.model.position import Trade
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.session import HOME
from core.model.signal import ExitReason
from core.model.staging import StopPlan
from core.model.values import ClientOrderId, Money, Price, ProposalId, Quantity, Symbol
from core.ports import Recorded
from tests.kit.rows import table

SPY = Symbol("SPY")
CALENDAR = load_calendar(date(2024, 1, 2), date(2025, 6, 30))
DAYS = [session.day for session in CALENDAR.sessions()]


def usd(amount: object) -> Money:
    return Money(Decimal(str(amount)))


def measured(*facts: Fact, first: date = DAYS[0], last: date = DAYS[-1]) -> DeskMeasures:
    records = [Recorded(number, noon(DAYS[0]), fact) for number, fact in enumerate(facts)]
    fees = FeeDays(CALENDAR.session_on)
    return desk_measures(records, first, last, DAYS, HOME.day_of, lambda at: HOME.local(at).time(), fees)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(17), UTC)


def closes(equities: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Fact]:
    return [
        DayStarted(day, usd(round(e, 2)), before) for (before, day), e in zip(pairwise(DAYS), equities, strict=False)
    ]


def an_entry(name: str, stop: str | None, *, strategy: str = "vwap") -> OrderCreated:
    order = OrderRequest(ClientOrderId(name), SPY, Side.BUY, Effect.OPEN, Quantity(Decimal(10)), OrderType.MARKET)
    plan = None if stop is None else StopPlan(Price(Decimal(stop)), StopHolder.BROKER)
    return OrderCreated(order, ProposalId(name), strategy, noon(DAYS[0]), plan, None, None, None, None, None)


def a_trade(name: str, profit: str, *, day: date = DAYS[5], price: str = "100", quantity: int = 10) -> TradeClosed:
    """By strategy `vwap`."""
    begun = noon(day)
    trade = Trade(
        SPY, "vwap", ClientOrderId(name), ClientOrderId(f"x{name}"), begun, Price(Decimal(price)),
        Quantity(Decimal(quantity)), begun + timedelta(minutes=9), Price(Decimal(101)), ExitReason.STOP_LOSS, None,
        None, None, usd(profit), usd("0.10"), fees=usd("0.02"),
    )  # fmt: skip
    return TradeClosed(trade)


def by_hand(closed: TradeClosed) -> TradeClosed:
    return TradeClosed(replace(closed.trade, strategy="manual"))


def test_measures_with_transfers_match_numpy() -> None:
    """AN-01: what was paid in is taken off the day on which it came, and the ratios are of the rest"""
    chance = np.random.default_rng(5)
    r = chance.normal(0.0004, 0.01, 299)
    moved = np.where(chance.random(299) < 0.03, chance.integers(-2000, 5000, 299), 0)
    equity = [100_000.0]
    for change, cash in zip(r, moved, strict=True):
        equity.append(round(equity[-1] * (1 + change) + cash, 2))
    cash_facts = [
        CashMoved(ActivityId(f"t{n}"), DAYS[n + 1], ActivityKind.TRANSFER, usd(int(cash)), None, "")
        for n, cash in enumerate(moved)
        if cash
    ]

    found = measured(*closes(np.array(equity)), *cash_facts)

    known = np.array(equity)
    returns = (known[1:] - moved) / known[:-1] - 1
    worth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    below = 1 - worth / np.maximum.accumulate(worth)
    growth = worth[-1] ** (252 / 299) - 1
    expected = {
        "total_return": worth[-1] - 1, "yearly_return": growth,
        "sharpe": returns.mean() / returns.std(ddof=1) * np.sqrt(252),
        "sortino": returns.mean() / np.sqrt(np.square(np.minimum(returns, 0)).mean()) * np.sqrt(252),
        "omega": np.maximum(returns, 0).sum() / np.maximum(-returns, 0).sum(), "calmar": growth / below.max(),
        "max_drawdown": below.max(), "first_equity": known[0], "last_equity": known[-1], "moved": moved.sum(),
    }  # fmt: skip
    assert len(cash_facts) > 3
    assert {name: found.measures[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert found.too_few == {}
    assert found.rolling[-1]["sharpe"] == pytest.approx(
        returns[-63:].mean() / returns[-63:].std(ddof=1) * np.sqrt(252), abs=1e-6
    )


@pytest.mark.parametrize("first", [1, 10, 100_000])
def test_a_small_first_deposit_hides_no_sharpe_ratio(first: int) -> None:
    """AN-01: what a cent is to returns is by the account of their day, and one of 1 USD was tried first"""
    returns = 0.004 * np.sin(np.arange(80)) + 0.0002 * (np.arange(80) > 0)
    equities = np.round(np.concatenate(([first], (first + 100_000) * np.cumprod(1 + returns))), 2)
    paid = CashMoved(ActivityId("t"), DAYS[1], ActivityKind.TRANSFER, usd(100_000), None, "")

    found = measured(paid, *closes(equities))

    made = np.concatenate(([(equities[1] - 100_000) / first - 1], equities[2:] / equities[1:-1] - 1))
    by_hand = made.mean() / made.std(ddof=1) * np.sqrt(252)
    assert found.measures["sharpe"] == pytest.approx(by_hand, rel=1e-9)
    rolls = [made[end - 63 : end] for end in range(63, len(made) + 1)]
    assert [row["sharpe"] for row in found.rolling] == pytest.approx(
        [each.mean() / each.std(ddof=1) * np.sqrt(252) for each in rolls], abs=1e-6
    )


@pytest.mark.parametrize("many", [1, 2, 63, 64, 252, 253])
def test_too_few_days_name_what_is_needed(many: int, snapshot: SnapshotAssertion) -> None:
    """AN-01"""
    found = measured(*closes(100_000 + np.random.default_rng(1).normal(0, 900, many).cumsum()))

    for name, needed in NEEDS.items():
        assert (found.measures[name] is None) is (many - 1 < needed), name
        assert (name in found.too_few) is (many - 1 < needed)
    assert bool(found.rolling) is (many > 63)
    said = [value for _, value in account_rows(found) if "needs" in value]
    assert len(said) == len(found.too_few)
    if many == 64:
        assert said[0] == snapshot


def test_a_gap_makes_no_return_and_is_named(snapshot: SnapshotAssertion) -> None:
    """AN-01"""
    facts = [fact for n, fact in enumerate(closes(np.linspace(100, 140, 80))) if n not in (30, 31)]

    found = measured(*facts)

    assert (found.returns, len(found.missing), found.missing[0]) == (79 - 3, 2, DAYS[30])
    assert list(lines_of(found)) == snapshot
    assert [row[3] for row in day_rows(found)[29:34]].count("–") == 3


def test_an_account_at_nothing_has_no_made_up_number() -> None:
    """AN-01"""
    found = measured(*closes(np.array([100.0, 0.0, 50.0, 60.0])))

    assert not any(isinstance(value, float) and math.isnan(value) for value in found.measures.values())
    assert found.measures["last_equity"] == 60.0
    assert day_rows(found)[-1][3] == "–"


def test_only_trades_in_range_are_measured() -> None:
    """AN-01: sums of numpy; a trade before the range, and one after, is none of it"""
    profits = np.array([12.345, -20.0, 7.25, 40.01])
    trades = [a_trade(f"e{n}", str(profit)) for n, profit in enumerate(profits)]
    entries = [an_entry(f"e{n}", None if n == 3 else "98") for n in range(4)]
    outside = [a_trade("o1", "1000", day=DAYS[1]), a_trade("o2", "1000", day=DAYS[9])]

    found = measured(*entries, *trades[:3], by_hand(trades[3]), *outside, first=DAYS[5], last=DAYS[5])

    assert found.groups["strategy"]["manual"]["trades"] == 1
    assert found.groups["strategy"]["manual"]["mean_r"] is None
    assert found.trades == {
        "trades": 4,
        "profit": float(Decimal("39.605").quantize(Decimal("0.01"), ROUND_HALF_EVEN)),
        "win_rate": 0.75,
        "expectancy": pytest.approx(profits.mean()),
        "mean_gain": pytest.approx(profits[profits > 0].mean()),
        "mean_loss": -20.0,
        "profit_factor": pytest.approx(profits[profits > 0].sum() / 20),
        "mean_r": pytest.approx((profits[:3] / 20).mean()),
        "total_r": pytest.approx((profits[:3] / 20).sum()),
        "without_r": 1,
    }
    for groups in found.groups.values():
        assert sum(Decimal(str(each["profit"])) for each in groups.values()) == Decimal(str(found.trades["profit"]))
    assert (found.measures["slippage"], found.measures["fees"]) == (0.4, 0.08)


@table("won lost named", (2, 3, "12:00"), (3, 2, "12:00"), (1, 2, "12:00 ▼ of 3"), (2, 1, "12:00 ▲ of 3"))
def test_half_hours_of_many_or_few_wins_are_marked(won: int, lost: int, named: str) -> None:
    """AN-01: over 60 % and under 40 %, with their count"""
    made = [*["5"] * won, *["-5"] * lost]
    found = measured(*(a_trade(f"e{n}", profit) for n, profit in enumerate(made)))

    assert [row["name"] for row in group_rows(found, "half_hour")] == [named]
    assert [row["name"] for row in group_rows(found, "symbol")] == ["SPY"]


def split(*owners: str) -> CorporateActionApplied:
    """Two for one, of ten shares."""
    held = tuple(OwnerQuantity(owner, Quantity(Decimal(20))) for owner in owners)
    before, after = Quantity(Decimal(10)), Quantity(Decimal(20))
    return CorporateActionApplied((ActivityId("s"),), DAYS[3], SPY, Decimal(2), before, after, held)


def corrected() -> PositionCorrected:
    return PositionCorrected(SPY, Quantity(Decimal(20)), Price(Decimal(50)), "", is_split=True)


@table(
    "between price quantity r",
    (lambda: split("vwap"), "50", 20, 1.0),
    (lambda: split("other"), "100", 10, 1.0),
    (split, "100", 10, 1.0),
    (corrected, "50", 20, None),
)
def test_r_uses_the_shares_of_the_trade(
    between: Callable[[], Fact], price: str, quantity: int, r: float | None
) -> None:
    """AN-01: ten at 100 with a stop at 98 risk 20 USD, and so do twenty at 50 with one at 49"""
    found = measured(an_entry("e", "98"), between(), a_trade("e", "20", price=price, quantity=quantity))

    assert found.trades["mean_r"] == (None if r is None else pytest.approx(r))


def test_an_empty_journal_is_told_in_words(snapshot: SnapshotAssertion) -> None:
    """AN-01"""
    found = measured()

    lines = list(lines_of(found))
    assert lines == snapshot
    assert all(len(line) <= 80 for line in lines)
    assert as_json(found)["days"] == []
