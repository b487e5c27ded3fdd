"""The broker's list of tradable assets for symbol searches, fetched once a trading day in a separate thread."""

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
"""The delay after a failed fetch."""

Fetch = Callable[[], Sequence[ListedAsset] | NoAnswer]


class AssetBook:
    """The last list; none before the first fetch. Any thread; never waits."""

    def __init__(self, assets: AssetList | None = None) -> None:
        self._list = assets

    def keep(self, assets: AssetList) -> None:
        self._list = assets

    def has(self, symbol: Symbol) -> bool | None:
        """Whether the broker trades the symbol; None before the first list."""
        known = self._list
        return None if known is None else symbol in known

    def search(self, text: str) -> AssetsFound:
        known = self._list
        return AssetsFound(text, known is not None, () if known is None else known.find(text))


class AssetWatch:
    """Fetch the list when a trading day begins. A failed fetch is retried; the old list stays.

    Parameters
    ----------
    fetch
        Blocks, and raises nothing.
    """

    def __init__(self, fetch: Fetch, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._calendar = copy(calendar)  # a calendar caches its last answer, and the engine uses its own copy
        self._now = now
        self._day: date | None = None
        self.book = AssetBook()

    async def run(self, _hear: Callable[[Any], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            has_it = self.has_todays() or await asyncio.to_thread(self.look)
            await asyncio.sleep((LOOKS_EVERY if has_it else AGAIN).total_seconds())

    def look(self) -> bool:
        """Fetch the list. Return whether it came. Blocks."""
        today, told = self._today(), self._fetch()
        if isinstance(told, NoAnswer):
            return False
        self.book.keep(AssetList(told))
        self._day = today
        return True

    def has_todays(self) -> bool:
        """Whether the current list is from this trading day."""
        return self._day == self._today()

    def _today(self) -> date:
        return self._calendar.trading_day(self._now())
