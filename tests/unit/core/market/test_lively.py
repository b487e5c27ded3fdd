"""The demo's lively market: the same for ever from one seed, whole minutes of slices, and never still."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

import pytest

from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.normaliser import COMPLETE, Normaliser
from core.market.synthetic import SLICE, SLICES, lively_day, minutes_of, whole_day
from core.model.bar import ONE_MINUTE
from core.model.values import Symbol
from core.runtime.demo_history import DAYS, MONTH, daily_files
from core.runtime.demo_market import CALM, LIVELY
from tests.kit.rows import table

SEEDS = (7, 2026, 9)
SHARES = (Symbol("SPY"), Symbol("BAC"), Symbol("ZZZ"))


@pytest.fixture(scope="module")
def calendar() -> ExchangeCalendar:
    return load_calendar(date(2026, 11, 2), date(2026, 11, 6))


@table("seed symbol", *zip(SEEDS, SHARES, strict=True))
def test_slices_add_up_to_complete_minutes(calendar: ExchangeCalendar, seed: int, symbol: Symbol) -> None:
    """MD-03, MD-05: what the engine is told is what the exchange traded by."""
    session = calendar.sessions()[0]
    slices, normaliser = lively_day(seed, symbol, session), Normaliser(calendar)

    assert [bar.start for bar in slices] == [
        session.open + number * SLICE for number in range((session.close - session.open) // SLICE)
    ]
    assert all(before.close == after.open for before, after in itertools.pairwise(slices))
    minutes = [*minutes_of(slices)]
    assert len(minutes) == (session.close - session.open) // ONE_MINUTE
    for number, bar in enumerate(minutes):
        part = slices[number * SLICES : (number + 1) * SLICES]
        assert (bar.open, bar.close) == (part[0].open, part[-1].close)
        assert (bar.high, bar.low) == (max(b.high for b in part), min(b.low for b in part))
        assert bar.volume == sum(b.volume for b in part)
        assert normaliser.judge(bar, bar.end) is COMPLETE
        normaliser.fold(bar)


def test_a_day_follows_from_seed_and_symbol(calendar: ExchangeCalendar) -> None:
    """MD-05"""
    first, second = calendar.sessions()[:2]
    whole = lively_day(7, SHARES[0], first)
    lively_day.cache_clear()

    assert lively_day(7, SHARES[0], first) == whole
    others = (lively_day(8, SHARES[0], first), lively_day(7, SHARES[1], first), lively_day(7, SHARES[0], second))
    assert all([bar.close for bar in other] != [bar.close for bar in whole] for other in others)


@table("seed symbol", *zip(SEEDS, SHARES, strict=True))
def test_a_lively_market_moves_and_stays_near(calendar: ExchangeCalendar, seed: int, symbol: Symbol) -> None:
    """Within any half hour a share goes a third of a percent; within a day not a twentieth."""
    for session in calendar.sessions()[:1]:
        minutes = [*minutes_of(lively_day(seed, symbol, session))]
        for first in range(0, len(minutes), 30):
            part = minutes[first : first + 30]
            assert max(b.high for b in part) / min(b.low for b in part) - 1 > Decimal("0.003")
        opened = minutes[0].open
        assert all(abs(bar.close / opened - 1) < Decimal("0.05") for bar in minutes)


def test_a_whole_day_is_that_of_its_slices(calendar: ExchangeCalendar) -> None:
    """AN-02: the daily bar of a demo is of the trades that its exchange made"""
    session = calendar.sessions()[0]
    for market in (CALM, LIVELY):
        for symbol in SHARES:
            found = market.whole_day(7, symbol, session)
            assert found == whole_day(market.day(7, symbol, session))
            assert found.close == market.minutes(7, symbol, session)[-1].close


def test_a_demos_daily_files_end_before_its_day() -> None:
    """AN-02: the VIX is the volatility of its SPY, from the first month on"""
    files = dict(daily_files(CALM, 7, [Symbol("SPY"), Symbol("VIX")], date(2026, 1, 6)))

    spy, vix = (files[name].splitlines()[1:] for name in ("SPY_daily.csv", "VIX_daily.csv"))
    assert len(files) == 2
    assert (len(spy), len(vix)) == (DAYS, DAYS - MONTH)
    assert spy[-1].split(",")[0] == vix[-1].split(",")[0] == "2026-01-05"
    assert all(0 < float(line.split(",")[1]) < 100 for line in vix)
