"""Files of daily bars and histories made from returns, for the tests of risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np

from core.market.calendar import load_calendar
from core.model.sizing import DailyValue
from core.model.values import Price, Quantity, Symbol
from core.research.portfolio_risk.history import Closes, History, history_of
from core.research.portfolio_risk.portfolio import Position, Valued

FIRST = date(2019, 7, 1)


def sessions(count: int, first: date = FIRST) -> list[date]:
    return [session.day for session in load_calendar(first, date(2021, 12, 31)).sessions()][:count]


def a_history(
    returns: Mapping[str, Sequence[float]], vix: Sequence[float] = (), first: date = FIRST, missing: str = ""
) -> History:
    """A history whose first close is 100 and whose returns are these; the VIX has a level for each close."""
    read = []
    for symbol, moves in returns.items():
        closes = 100 * np.cumprod([1.0, *(1 + move for move in moves)])
        days = tuple(sessions(len(closes), first))
        read.append(Closes(Symbol(symbol), days, tuple(closes), Price(Decimal(repr(float(closes[-1]))))))
    days_of_vix = sessions(len(vix), first)
    levels = [DailyValue(day, Decimal(repr(float(level)))) for day, level in zip(days_of_vix, vix, strict=True)]
    return history_of(read, levels, {Symbol(missing): "no file"} if missing else {})


def held(symbol: str, quantity: str, price: str | None = None) -> Position:
    return Position(Symbol(symbol), Quantity(Decimal(quantity)), None if price is None else Price(Decimal(price)))


def worth(symbol: str, value: str) -> Valued:
    """A position with this value."""
    return Valued(Symbol(symbol), Quantity(Decimal(value) / 100), Price(Decimal(100)))


def bars_file(path: Path, closes: Sequence[float | str], first: date = FIRST, opens: Mapping[int, float] = {}) -> Path:
    """Write daily bars; a bar opens at the close before it, or at that of `opens` by its number."""
    rows = ["date,open,high,low,close,volume"]
    before: float | str = closes[0]
    for number, (day, close) in enumerate(zip(sessions(len(closes), first), closes, strict=True)):
        opened = opens.get(number, before)
        both = [float(each) for each in (opened, close)] if not isinstance(close, str) else [float(opened)] * 2
        rows.append(f"{day},{opened},{max(both)},{min(both)},{close},1000")
        before = close if not isinstance(close, str) else before
    path.write_text("\n".join(rows) + "\n")
    return path
