"""The regime as it is asked for from outside of a desk: out of files, or of the source of the VIX."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from core.files.daily_file import read_daily_bars, read_daily_values
from core.market.csv_source import symbol_of
from core.market.vix.service import VixService
from core.model.regime import MarketMeasure, NoMarket, NoVix, Regime, VixReading
from core.model.venues import XNYS
from core.ports import RegimeRequest
from core.risk.regime.changes import RegimeChange, market_changes, vix_changes
from core.risk.regime.frequency import entries_allowed
from core.risk.regime.market import market_of
from core.risk.regime.report import Look
from core.risk.regime.vix import last_reading
from core.runtime.regime_watch import NOT_ASKED, SPY
from core.settings.settings import Settings


def look(request: RegimeRequest, settings: Settings, vix: VixService | None, now: datetime) -> Look:
    """The regime at the end of the files, its changes, and the entries that the day after would have (RK-19, RK-12).

    Raises
    ------
    TableError
        A file cannot be believed.
    """
    changes: list[RegimeChange] = []
    failure = ""
    age: int | None = None
    today = XNYS.day_of(now)
    reading: VixReading | NoVix = NOT_ASKED
    if request.vix is not None:
        history = [value for value in read_daily_values(request.vix) if _is_by(value.day, request.until)]
        changes += vix_changes(history)
        reading = last_reading(history) or NoVix("the file begins later")
    elif vix is not None:
        kept = vix.last()
        reading, failure = kept.reading, kept.failure
        if isinstance(reading, VixReading):
            age = (today - reading.measured_on).days
    market: MarketMeasure | NoMarket = NoMarket("name a file of daily bars with --bars")
    if request.bars is not None:
        symbol = symbol_of(request.bars) or SPY
        bars = [bar for bar in read_daily_bars(request.bars) if _is_by(bar.day, request.until)]
        changes += market_changes(symbol, bars)
        market = market_of(symbol, bars)
    regime = Regime(reading, market)
    day = market.bars_to + timedelta(days=1) if isinstance(market, MarketMeasure) else today
    allowance = entries_allowed(settings.risk.entries_a_day, market, day, settings.risk.frequency)
    wanted = (change for change in changes if request.since is None or change.day >= request.since)
    return Look(regime, tuple(sorted(wanted, key=lambda change: (change.day, change.what))), allowance, failure, age)


def _is_by(day: date, until: date | None) -> bool:
    return until is None or day <= until
