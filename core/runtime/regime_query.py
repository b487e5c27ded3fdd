"""Regime queries from outside a desk, on files or on the source of the VIX."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from core.files.daily_file import read_daily_bars, read_daily_values
from core.market.csv_source import symbol_of
from core.market.vix.service import VixService
from core.model.regime import MarketMeasure, NoMarket, NoVix, Regime, VixReading
from core.model.venues import XNYS
from core.risk.regime.changes import RegimeChange, market_changes, vix_changes
from core.risk.regime.frequency import entries_allowed
from core.risk.regime.market import market_of
from core.risk.regime.report import Look
from core.risk.regime.vix import by_levels, last_reading, levels_of
from core.runtime.regime_watch import NOT_ASKED, SPY
from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class RegimeQuery:
    """Files of daily figures instead of the source, and the range of the wanted changes.

    `vix` None uses the source or its cached values; `bars` None leaves the market unknown.
    """

    vix: Path | None = None
    bars: Path | None = None
    since: date | None = None
    until: date | None = None


def look(query: RegimeQuery, settings: Settings, vix: VixService | None, now: datetime) -> Look:
    """Return the regime at the end of the files, its changes, and the entries allowed on the next day (RK-19, RK-12).

    Raises
    ------
    TableError
        A file cannot be trusted.
    """
    changes: list[RegimeChange] = []
    failure = ""
    age: int | None = None
    today = XNYS.day_of(now)
    levels = levels_of(settings.regime)
    reading: VixReading | NoVix = NOT_ASKED
    if query.vix is not None:
        history = [value for value in read_daily_values(query.vix) if _is_by(value.day, query.until)]
        changes += vix_changes(history, levels)
        reading = last_reading(history, levels) or NoVix("the file begins later")
    elif vix is not None:
        kept = vix.last()
        reading, failure = kept.reading, kept.failure
        if isinstance(reading, VixReading):
            reading = by_levels(reading, levels)
            age = (today - reading.measured_on).days
    market: MarketMeasure | NoMarket = NoMarket("name a file of daily bars with --bars")
    if query.bars is not None:
        symbol = symbol_of(query.bars) or SPY
        bars = [bar for bar in read_daily_bars(query.bars) if _is_by(bar.day, query.until)]
        changes += market_changes(symbol, bars)
        market = market_of(symbol, bars)
    regime = Regime(reading, market)
    day = market.bars_to + timedelta(days=1) if isinstance(market, MarketMeasure) else today
    allowance = entries_allowed(settings.risk.entries_a_day, market, day, settings.risk.frequency)
    wanted = (change for change in changes if query.since is None or change.day >= query.since)
    return Look(regime, tuple(sorted(wanted, key=lambda change: (change.day, change.what))), allowance, failure, age)


def _is_by(day: date, until: date | None) -> bool:
    return until is None or day <= until
