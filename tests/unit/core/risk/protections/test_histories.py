"""Random histories: each incremental protection equals a plain rescan of all closed trades at every step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.model.signal import ExitReason
from core.model.values import Fraction, Money, Symbol
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.protections.frequency import business_days
from core.risk.protections.protection_registry import NAMES, BookState, ProtectionBook
from core.settings.protections import ProtectionsSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import NewYorkHours
from tests.unit.core.risk.protections.rescans import RESCANS

BEGINS = datetime(2026, 10, 26, 13, 30, tzinfo=UTC)
STATE = TypeAdapter(BookState)

ratios = st.integers(-60, 60).map(lambda thousandths: Fraction(Decimal(thousandths) / 1000))
steps = st.tuples(
    st.one_of(st.integers(0, 240), st.just(1300)),  # minutes since the close before
    st.sampled_from(["SPY", "IBM", "BAC"]),
    st.sampled_from(list(Direction)),
    ratios,
    st.sampled_from([ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP, ExitReason.TAKE_PROFIT, ExitReason.MANUAL]),
    st.sampled_from(["", "vwap", "sma"]),
    st.sampled_from([1, 30, 1000]),  # minutes that it was held
)
short = st.integers(1, 600)
terms = st.fixed_dictionaries(
    {
        "stop_loss_guard": st.fixed_dictionaries(
            {
                "per": st.sampled_from(["symbol", "global", "both"]),
                "per_side": st.booleans(),
                "consecutive": st.booleans(),
                "trade_limit": st.integers(1, 4),
                "required_profit": st.sampled_from(["0", "0.01", "-0.005"]),
                "lookback_minutes": short,
                "stop_minutes": short,
            }
        ),
        "cooldown": st.fixed_dictionaries({"loss": st.sampled_from(["0", "0.01"]), "stop_minutes": short}),
        "low_profit": st.fixed_dictionaries(
            {
                "trade_limit": st.integers(1, 4),
                "required_profit": st.sampled_from(["0", "-0.01", "0.02"]),
                "per_side": st.booleans(),
                "lookback_minutes": short,
                "stop_minutes": short,
            }
        ),
        "day_trades": st.fixed_dictionaries(
            {"enabled": st.just(value=True), "trade_limit": st.integers(2, 6), "days": st.integers(1, 6)}
        ),
        "loss_streak": st.fixed_dictionaries({"trade_limit": st.integers(1, 4), "stop_minutes": short}),
        "max_drawdown": st.fixed_dictionaries(
            {
                "method": st.sampled_from(["current", "within"]),
                "limit": st.sampled_from(["0", "0.15", "0.5"]),
                "trade_limit": st.integers(1, 4),
                "lookback_minutes": short,
                "stop_minutes": short,
            }
        ),
    }
)


def history(found: list[tuple[Any, ...]]) -> list[ClosedTrade]:
    at, trades = BEGINS, []
    for minutes, symbol, direction, ratio, reason, strategy, held in found:
        at += timedelta(minutes=minutes)
        opened = at - timedelta(minutes=held)
        trades.append(ClosedTrade(Symbol(symbol), direction, opened, at, ratio, reason, strategy=strategy))
    return trades


def holding(made: list[tuple[str, datetime]], at: datetime) -> dict[str, datetime]:
    """Of every lock that was ever made, the latest end of each scope that is shut now."""
    ends: dict[str, datetime] = {}
    for scope, until in made:
        if at < until:
            ends[scope] = max(until, ends.get(scope, until))
    return ends


@settings(max_examples=24)
@given(st.lists(steps, min_size=1, max_size=30), terms, st.integers(0, 29), st.integers(0, 400))
def test_each_protection_equals_a_rescan(
    found: list[tuple[Any, ...]], values: dict[str, Any], restart: int, later: int
) -> None:
    """RK-04, RK-05, RK-06, RK-08, RK-09, RK-15"""
    chosen = ProtectionsSettings.model_validate(values)
    book = ProtectionBook(lambda: chosen, business_days(NewYorkHours()))
    book.begin_day(BEGINS - timedelta(days=400), Money(Decimal(1)))
    made: dict[str, list[tuple[str, datetime]]] = {name: [] for name in RESCANS}
    trades = history(found)
    for number, trade in enumerate(trades):
        if number == restart:
            kept = STATE.dump_json(book.state)
            book = ProtectionBook(lambda: chosen, business_days(NewYorkHours()))
            book.restore(STATE.validate_json(kept))
        book.take(trade)
        for name in RESCANS:
            made[name] += RESCANS[name](trades[: number + 1], getattr(chosen, name))
        for at in (trade.closed_at, trade.closed_at + timedelta(minutes=later)):
            for name in RESCANS:
                locks = {str(lock.scope): lock.until for lock in book.by_name[name].locks.holding(at)}
                assert locks == holding(made[name], at), name


@table("name", *NAMES)
def test_a_disabled_protection_answers_nothing(name: str) -> None:
    """RK-09"""
    on = {other: {"enabled": True} for other in NAMES}
    chosen = ProtectionsSettings.model_validate({**on, name: {"enabled": False}})
    book = ProtectionBook(lambda: chosen, business_days(NewYorkHours()))
    assert name not in {answer.name for answer in book.answers(BEGINS)}
    assert {answer.name for answer in book.answers(BEGINS)} == set(NAMES) - {name}
