"""Thresholds of VWAP that follow the volatility of the days before (ST-06)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.bar import Bar
from core.model.session import XNYS, Session
from core.model.signal import EntrySignal
from core.model.values import Money, Price, Quantity, Symbol
from core.settings.strategies import VwapAdaptive, VwapSettings
from core.strategies.base import Context
from core.strategies.vwap_mean_reversion import VwapStrategy, bounded, scale_of

OPEN = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
TERMS = VwapAdaptive(enabled=True)


def prices(*texts: float) -> list[Price]:
    return [Price(Decimal(str(text))) for text in texts]


def zigzag(step: float, many: int = 21) -> list[Price]:
    return prices(*(100 + step * (number % 2) for number in range(many)))


def test_the_scale_is_the_relative_deviation() -> None:
    """ST-06"""
    closes = zigzag(1.5)
    measured = pd.Series([float(close) for close in closes]).pct_change().dropna().std(ddof=1)

    assert float(scale_of(closes, TERMS) or 0) == pytest.approx(measured / 0.01)


def test_too_few_days_keep_the_settings() -> None:
    """ST-06"""
    assert scale_of(zigzag(1.5, 20), TERMS) is None


@given(st.decimals(0, 1, places=8))
def test_a_threshold_is_never_out_of_its_bounds(threshold: Decimal) -> None:
    """ST-06"""
    assert Decimal("0.002") <= bounded(threshold, TERMS) <= Decimal("0.006")


def a_session(day: int) -> tuple[Session, Context]:
    opened = OPEN + timedelta(days=day)
    session = Session(date(2024, 1, 2) + timedelta(days=day), opened, opened + timedelta(hours=6, minutes=30))
    return session, Context(
        session=session,
        windows=((session.open, session.close),),
        flat_from=session.close - timedelta(minutes=5),
        entries_allowed=1,
        venue=XNYS,
        risk_per_trade=Money(Decimal("1.50")),
        max_notional=Money(Decimal(50)),
    )


def entry_after(step: float, dip: str, settings: VwapSettings) -> EntrySignal | None:
    """What it says of a close at `dip`, on a day at 100 after 21 days that went up and down by `step`."""
    strategy = VwapStrategy(settings)
    answer: object = None
    for day in range(22):
        session, context = a_session(day)
        level = Decimal(100) if day == 21 else Decimal(str(100 + step * (day % 2)))
        for minute in range(30):
            close = Decimal(dip) if day == 21 and minute == 29 else level
            price = Price(close)
            start = session.open + timedelta(minutes=minute)
            bar = Bar(Symbol("SPY"), start, price, price, price, price, Quantity(Decimal(1000)))
            answer = strategy.on_bar(bar, context)
    return answer if isinstance(answer, EntrySignal) else None


def test_a_wild_market_needs_a_deeper_dip() -> None:
    """ST-06: 3 % a day is three times the usual; 0.009 is bounded to 0.006."""
    settings = VwapSettings(adaptive=TERMS)

    assert entry_after(3, "99.50", settings) is None
    entry = entry_after(3, "99.30", settings)

    assert entry is not None
    assert entry.stop_price == Decimal("98.70")  # 99.30 less 0.6 %


def test_a_quiet_market_needs_a_smaller_dip() -> None:
    """ST-06"""
    assert entry_after(0.2, "99.75", VwapSettings()) is None
    entry = entry_after(0.2, "99.75", VwapSettings(adaptive=TERMS))

    assert entry is not None
    assert entry.stop_price == Decimal("99.55")  # 99.75 less 0.2 %
