"""Risk less against SPY's trend and in a volatile market (RK-10, RK-19). Off by default.

In a bull market (trend up) a short entry is cut, in a bear market (trend down) a long one. A volatile market cuts both.
Each factor comes from `risk.sizing.trend`; where both apply they are multiplied. Without a measure the risk is not cut,
and the size says so.
"""

from __future__ import annotations

from decimal import Decimal

from core.model.regime import MarketMeasure, NoMarket, Trend, Volatility
from core.model.sizing import LeftOut, Term
from core.risk.size_factors.base import Conditions, WantedEntry, told
from core.settings.size_factors import TrendSettings


class TrendScale:
    name = "trend"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, market = conditions.settings.trend, conditions.market
        if not terms.enabled:
            return None
        if isinstance(market, NoMarket):
            return LeftOut(self.name, market.reason)
        if market.trend is None or market.volatility is None:
            return LeftOut(self.name, f"{market.symbol} has too few daily bars")
        against = market.trend is (Trend.DOWN if wanted.is_long else Trend.UP)
        factor = terms.against if against else Decimal(1)
        factor *= terms.volatile if market.volatility is Volatility.WILD else 1
        words = f"{market.symbol} {market.trend.value}, {market.volatility.value} on {market.bars_to}"
        return Term(self.name, told(factor), words)


def may_cut(market: MarketMeasure | NoMarket, terms: TrendSettings) -> bool:
    """Whether an entry in one direction is cut."""
    if not terms.enabled or isinstance(market, NoMarket):
        return False
    if market.trend is None or market.volatility is None:
        return False
    by_trend = market.trend is not Trend.SIDEWAYS and terms.against < 1
    return by_trend or (market.volatility is Volatility.WILD and terms.volatile < 1)
