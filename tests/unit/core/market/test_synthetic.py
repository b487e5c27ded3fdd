"""The demo's market: the same for ever from one seed, and with something to do each morning."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, islice, repeat

import pytest

from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.normaliser import COMPLETE, Normaliser
from core.market.synthetic import synthetic_day, synthetic_sessions
from core.model.bar import Bar
from core.model.session import Session
from core.model.values import Symbol
from tests.kit.rows import table

SPY = Symbol("SPY")
SEEDS = (7, 2026)


@pytest.fixture(scope="module")
def calendar() -> ExchangeCalendar:
    return load_calendar(date(2026, 11, 23), date(2026, 12, 4))


def distances(bars: list[Bar]) -> list[Decimal]:
    """Each close against the session's VWAP up to it, as a part of VWAP."""
    weighted = traded = Decimal(0)
    result = []
    for bar in bars:
        weighted += (bar.high + bar.low + bar.close) / 3 * bar.volume
        traded += bar.volume
        result.append(bar.close / (weighted / traded) - 1)
    return result


def test_one_seed_makes_one_market(calendar: ExchangeCalendar) -> None:
    """MD-05"""
    sessions = calendar.sessions()
    whole = list(synthetic_sessions(7, SPY, sessions[:5]))

    later = list(synthetic_sessions(7, SPY, sessions[3:5]))

    assert later == [bar for bar in whole if bar.start >= sessions[3].open]
    assert whole != list(synthetic_sessions(8, SPY, sessions[:5]))
    assert whole[0].open != next(synthetic_sessions(7, Symbol("QQQ"), sessions)).open


def test_the_market_never_ends(calendar: ExchangeCalendar) -> None:
    """MD-05"""
    endless = chain.from_iterable(repeat(calendar.sessions()))

    assert len(list(islice(synthetic_sessions(7, SPY, endless), 1000))) == 1000


@table("seed", *SEEDS)
def test_every_minute_is_a_complete_bar(calendar: ExchangeCalendar, seed: int) -> None:
    """MD-03"""
    normaliser = Normaliser(calendar)
    for bar in synthetic_sessions(seed, SPY, calendar.sessions()):
        assert normaliser.judge(bar, bar.end) is COMPLETE
        assert all(price.as_tuple().exponent == -2 for price in (bar.open, bar.high, bar.low, bar.close))
        assert bar.volume > 0
        normaliser.fold(bar)

    minutes = sum((session.close - session.open) // timedelta(minutes=1) for session in calendar.sessions())
    assert normaliser.state.complete == minutes


@table("seed", *SEEDS)
def test_each_morning_dips_below_vwap(calendar: ExchangeCalendar, seed: int) -> None:
    """ST-02: there is an entry inside of 10:00 to 11:30, and a reversion after it."""
    for session in calendar.sessions():
        away = distances(synthetic_day(seed, SPY, session))
        first = next(minute for minute, distance in enumerate(away) if minute >= 30 and distance < Decimal("-0.003"))

        assert first <= 120
        assert min(away[30:121]) < Decimal("-0.0035")
        assert any(distance >= 0 for distance in away[first:])


def test_some_dips_pass_the_stop(calendar: ExchangeCalendar) -> None:
    """ST-02"""
    deepest = [min(distances(synthetic_day(7, SPY, session))[:121]) for session in calendar.sessions()]

    deep = sum(distance < Decimal("-0.007") for distance in deepest)

    assert 0 < deep < len(deepest)


def test_volume_peaks_at_open_and_close(calendar: ExchangeCalendar) -> None:
    """MD-05"""
    days = [synthetic_day(7, SPY, session) for session in calendar.sessions() if is_whole(session)]

    opening, noon, closing = (
        sum(bar.volume for day in days for bar in day[part])
        for part in (slice(0, 30), slice(180, 210), slice(360, 390))
    )

    assert opening > 2 * noon < closing


def is_whole(session: Session) -> bool:
    return session.close - session.open == timedelta(hours=6, minutes=30)
