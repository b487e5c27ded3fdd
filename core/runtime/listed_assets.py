"""The broker's list of what it trades, for whoever searches it: fetched once a trading day by a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any

from core.model.broker import NoAnswer
from core.model.calendar import Calendar
from core.model.connection import ConnectionStatus
from core.model.listed_asset import AssetList, AssetsFound, ListedAsset
from core.model.values import Symbol

LOOKS_EVERY = timedelta(seconds=10)
AGAIN = timedelta(seconds=60)
"""After a list that could not be had."""

Fetch = Callable[[], Sequence[ListedAsset] | NoAnswer]


class AssetBook:
    """The list as it came last, and none before. Any thread; nothing waits."""

    def __init__(self, assets: AssetList | None = None) -> None:
        self._list = assets

    def keep(self, assets: AssetList) -> None:
        self._list = assets

    def has(self, symbol: Symbol) -> bool | None:
        """Whether the broker trades it; None before there is a list."""
        known = self._list
        return None if known is None else symbol in known

    def search(self, text: str) -> AssetsFound:
        known = self._list
        return AssetsFound(text, known is not None, () if known is None else known.find(text))


class AssetWatch:
    """Fetches the list when a trading day begins. One that could not be had is asked for again; the old one stays.

    Parameters
    ----------
    fetch
        Blocks, and raises nothing.
    """

    def __init__(self, fetch: Fetch, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._calendar = copy(calendar)  # it remembers its last answer, and the engine asks its own
        self._now = now
        self._day: date | None = None
        self.book = AssetBook()

    async def run(self, _hear: Callable[[Any], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Runs until it is cancelled."""
        while True:
            has_it = self.has_todays() or await asyncio.to_thread(self.look)
            await asyncio.sleep((LOOKS_EVERY if has_it else AGAIN).total_seconds())

    def look(self) -> bool:
        """Ask for the list; whether it came. Blocks."""
        today, told = self._today(), self._fetch()
        if isinstance(told, NoAnswer):
            return False
        self.book.keep(AssetList(told))
        self._day = today
        return True

    def has_todays(self) -> bool:
        """Whether the list that there is came on this trading day."""
        return self._day == self._today()

    def _today(self) -> date:
        return self._calendar.trading_day(self._now())
