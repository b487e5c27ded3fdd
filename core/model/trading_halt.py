"""A trading halt of one symbol: its exchange trades it no longer, and says why (MD-06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.model.values import Symbol


@dataclass(frozen=True, slots=True)
class TradingHalt:
    """`since` is the exchange's time, UTC; `reason` its words, as `Trading Halt, News Pending`."""

    symbol: Symbol
    since: datetime
    reason: str
