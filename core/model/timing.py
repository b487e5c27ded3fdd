"""How long parts of an order's way took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class LatencySpan:
    """One part of the way, over the orders of a day: `percentiles` are those of `PERCENTILES`, in that order."""

    name: str
    orders: int
    percentiles: tuple[timedelta, ...]
