"""Daily bars of one symbol from Alpaca's history, for long measures (RK-19) and charts. Blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from core.market.alpaca.requests import Adjustment, AskError, DataRequests
from core.market.port import MarketDataError
from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.session import XNYS
from core.model.sizing import DailyBar
from core.model.values import Symbol

SEASONS = timedelta(days=500)
"""Calendar days with the sessions that every label needs, plus three months for its hysteresis."""
A_QUARTER = timedelta(days=100)
"""Calendar days with the sixty returns that a correlation uses at most."""
HALF_A_YEAR = timedelta(days=190)
"""Calendar days with as many sessions as a wide terminal's chart has room for."""
MOST_PAGES = 20


def daily_bars(requests: DataRequests, symbol: Symbol, now: datetime, back: timedelta = SEASONS) -> list[DailyBar]:
    """Return every session before today's, by the exchange's day, in order, as far back as the labels need, or another
    span.

    Today's own bar is left out, because it is not final.

    Raises
    ------
    MarketDataError
        There is no answer, or an implausible bar in it: a gap would change the averages.
    """
    found = _sessions(requests, symbol, now, back, "raw")
    return [DailyBar(day, bar.high, bar.low, bar.close, bar.volume) for day, bar in found]


def chart_days(requests: DataRequests, symbol: Symbol, now: datetime) -> list[Bar]:
    """Return the same sessions whole, adjusted for splits, for a chart. Each begins at its midnight."""
    found = _sessions(requests, symbol, now, HALF_A_YEAR, "split")
    return [replace(bar, start=XNYS.start_of(day)) for day, bar in found]


def _sessions(
    requests: DataRequests, symbol: Symbol, now: datetime, back: timedelta, adjustment: Adjustment
) -> list[tuple[date, Bar]]:
    midnight = XNYS.start_of(XNYS.day_of(now))
    found: dict[date, Bar] = {}
    token: str | None = None
    for _ in range(MOST_PAGES):
        try:
            page = requests.bars_page(
                [symbol], midnight - back, midnight, token, believes_null=True, frame="1Day", adjustment=adjustment
            )
        except AskError as error:
            raise MarketDataError(str(error)) from error
        for told in page.bars:
            if not isinstance(told, BarArrived):
                raise MarketDataError(f"a daily bar is not read: {told.reason}")
            _keep(found, told)
        token = page.token
        if token is None:
            return [(day, bar) for day, bar in sorted(found.items()) if day < XNYS.day_of(midnight)]
    raise MarketDataError(f"Alpaca's daily bars of {symbol} have more than {MOST_PAGES} pages")


def _keep(found: dict[date, Bar], told: BarArrived) -> None:
    bar, day = told.bar, XNYS.day_of(told.bar.start)
    if not 0 < bar.low <= bar.close <= bar.high:
        raise MarketDataError(f"{bar.symbol} of {day}: close {bar.close} is not within {bar.low} to {bar.high}")
    if day in found:
        raise MarketDataError(f"{bar.symbol} of {day} was told twice")
    found[day] = bar
