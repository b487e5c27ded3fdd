"""Daily bars of a demo's market from before its day, as files for the risk of its positions (AN-02)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import pstdev

from core.market.bar_folder import HEADERS, VIX, Period, row_of
from core.market.calendar import load_calendar
from core.market.synthetic import SPY
from core.model.bar import Bar
from core.model.session import Session
from core.model.values import Symbol
from core.runtime.demo_market import DemoMarket

DAYS = 300
"""Sessions: the least that a history needs, and the days over which the first volatilities are measured."""
THEIR_SPAN = timedelta(days=2 * DAYS)
MONTH = 21
"""Returns of which a volatility is measured."""
YEAR = 252


def daily_files(market: DemoMarket, seed: int, symbols: Iterable[Symbol], before: date) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of a daily file of each symbol, and of the VIX.

    A demo has no options. Its VIX is the volatility of its SPY over the last month, in percent a year.
    """
    sessions = [each for each in load_calendar(before - THEIR_SPAN, before).sessions() if each.day < before][-DAYS:]
    bars = {
        symbol: [market.whole_day(seed, symbol, session) for session in sessions]
        for symbol in dict.fromkeys((Symbol(SPY), *symbols))
        if symbol != VIX
    }
    for symbol, days in bars.items():
        yield f"{symbol}_daily.csv", _text(HEADERS[Period.DAY], (row_of(bar, Period.DAY) for bar in days))
    yield f"{VIX}_daily.csv", _text("date,close", _volatilities(sessions, bars[Symbol(SPY)]))


def _text(header: str, rows: Iterable[str]) -> str:
    return "\n".join((header, *rows, ""))


def _volatilities(sessions: Sequence[Session], bars: Sequence[Bar]) -> Iterator[str]:
    closes = [float(bar.close) for bar in bars]
    returns = [math.log(after / before) for before, after in pairwise(closes)]
    for number in range(MONTH, len(returns) + 1):
        yield f"{sessions[number].day},{100 * math.sqrt(YEAR) * pstdev(returns[number - MONTH : number]):.2f}"
