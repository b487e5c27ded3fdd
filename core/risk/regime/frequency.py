"""Entries a day of a strategy, by SPY's range against its average (RK-12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from core.model.regime import MarketMeasure, NoMarket
from core.settings.regime import FrequencySettings

OLDEST = timedelta(days=7)
"""Bars that ended earlier say nothing about a day. Our choice: the longest recent closure, in 2001, was shorter."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Allowed entries per day and strategy, with the reason."""

    entries: int
    reason: str
    is_shut: bool = False


def entries_allowed(profile: int, market: MarketMeasure | NoMarket, day: date, terms: FrequencySettings) -> Allowance:
    """Return the profile's entries a day; none if the range is wide, one more if it is narrow.

    Only sessions before `day` count. Without them the profile's figure applies; a profile of none stays at none.
    """
    if not terms.enabled:
        return Allowance(profile, "the profile's")
    if isinstance(market, NoMarket):
        return _of_the_profile(profile, market.reason)
    if not timedelta(0) < day - market.bars_to <= OLDEST:
        return Allowance(profile, f"the profile's: the daily bars of {market.symbol} end {market.bars_to:%d %B %Y}")
    ratio = market.atr_ratio
    if ratio is None:
        return Allowance(profile, f"the profile's: {market.symbol} has too few daily bars for an average range")
    measured = f"{market.symbol}'s range is {ratio:.2f} × its average"
    if ratio > terms.none_over:
        return Allowance(0, f"{measured}, over {terms.none_over}: none today", is_shut=True)
    if ratio < terms.one_more_under and profile > 0:
        return Allowance(profile + 1, f"{measured}, under {terms.one_more_under}: one more")
    return Allowance(profile, f"{measured}: the profile's")


@lru_cache(maxsize=8)
def _of_the_profile(profile: int, why: str) -> Allowance:
    """Until there is a measure: cached, because it is the same for each order of a day."""
    return Allowance(profile, f"the profile's: {why}")
