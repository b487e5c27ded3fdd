"""The regime of a live desk, measured at the start and repeatedly by separate threads (RK-19)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from core.market.port import MarketDataError
from core.market.vix.service import VixService
from core.messages.inputs import RegimeArrived
from core.model.connection import ConnectionStatus
from core.model.regime import DailyBar, MarketMeasure, NoMarket, NoVix, Regime
from core.model.values import Symbol
from core.model.venues import XNYS
from core.risk.regime.market import market_of

SPY = Symbol("SPY")
NOT_ASKED = NoVix("regime.vix_url is empty; nobody is asked")
EVERY = timedelta(minutes=5)
"""Between two measurements. Values younger than an hour are not fetched again, so most measurements send no request."""


class RegimeWatch:
    """Ask the service for the VIX, and once an exchange day for the history of SPY.

    Parameters
    ----------
    vix
        None if the settings name no source.
    daily_bars
        SPY's sessions before today's; blocks, and raises `MarketDataError`.
    """

    def __init__(
        self, vix: VixService | None, daily_bars: Callable[[], Sequence[DailyBar]], now: Callable[[], datetime]
    ) -> None:
        self._vix = vix
        self._daily_bars = daily_bars
        self._now = now
        self._asked_on: date | None = None
        self._market: MarketMeasure | NoMarket = NoMarket("the daily bars were not asked for yet")

    async def run(self, hear: Callable[[RegimeArrived], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            hear(RegimeArrived(await asyncio.to_thread(self.measure)))
            await asyncio.sleep(EVERY.total_seconds())

    def measure(self) -> Regime:
        """Measure the regime now. Blocks."""
        vix = self._vix.last().reading if self._vix is not None else NOT_ASKED
        today = XNYS.day_of(self._now())
        if self._asked_on != today:
            self._market = self._measured_market(today)
        return Regime(vix, self._market)

    def _measured_market(self, today: date) -> MarketMeasure | NoMarket:
        try:
            market = market_of(SPY, self._daily_bars())
        except MarketDataError as error:
            return NoMarket(str(error))
        if isinstance(market, MarketMeasure):
            self._asked_on = today
        return market
