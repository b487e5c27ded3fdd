"""Fetch the corporate actions of the followed symbols: at the start, for each new symbol, and once a trading day.

A separate thread asks. A failure is reported once and retried; no decision depends on the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, timedelta

from core.market.port import MarketDataError
from core.messages.inputs import CorporateActionsArrived, MarketDataBroken
from core.model.calendar import Calendar
from core.model.connection import ConnectionStatus
from core.model.corporate_action import CorporateAction
from core.model.said_once import SaidOnce
from core.model.values import Symbol

PLACE = "corporate actions"
LOOKS_EVERY = timedelta(seconds=1)
AGAIN = timedelta(minutes=5)

Told = CorporateActionsArrived | MarketDataBroken
Ask = Callable[[Sequence[Symbol], date], Sequence[CorporateAction | MarketDataBroken]]


class Announcements:
    """Fetch the announced corporate actions of the followed symbols.

    Parameters
    ----------
    ask
        The market data source; blocks, and raises `MarketDataError`.
    """

    def __init__(self, ask: Ask, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._calendar = copy(calendar)  # a calendar caches its last answer, and the engine uses its own copy
        self._now = now
        self._wanted: tuple[Symbol, ...] = ()
        self._told: dict[Symbol, date] = {}
        self._said = SaidOnce()

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Replace the followed symbols. Safe to call from any thread."""
        self._wanted = tuple(symbols)

    async def run(self, hear: Callable[[Told], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            lacking = self._lacking()
            if lacking:
                for told in await asyncio.to_thread(self.look, lacking):
                    hear(told)
            has_failed = set(lacking) & set(self._lacking())
            await asyncio.sleep((AGAIN if has_failed else LOOKS_EVERY).total_seconds())

    def look(self, symbols: Sequence[Symbol]) -> list[Told]:
        """Fetch the corporate actions of these symbols. Blocks."""
        today = self._calendar.trading_day(self._now())
        try:
            found = self._ask(symbols, today)
        except MarketDataError as error:
            words = f"dividends and splits that come are not known until they are told: {error}"
            return [MarketDataBroken(PLACE, words)] if self._said.is_new(str(error)) else []
        self._told |= dict.fromkeys(symbols, today)
        actions = tuple(each for each in found if isinstance(each, CorporateAction))
        broken = [each for each in found if isinstance(each, MarketDataBroken)]
        return [CorporateActionsArrived(tuple(symbols), actions), *broken]

    def _lacking(self) -> tuple[Symbol, ...]:
        today = self._calendar.trading_day(self._now())
        return tuple(symbol for symbol in self._wanted if self._told.get(symbol) != today)
