"""Reference data of the symbols that a desk follows, fetched in separate threads: assets and corporate actions (RK-08,
MD-06).

A separate thread asks. A failure is reported once and retried; no decision depends on the answer.

A followed symbol stays followed until the engine ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from core.market.port import MarketDataError
from core.messages.inputs import CorporateActionsArrived, MarketDataBroken
from core.model.account import ConnectionStatus
from core.model.broker import NoAnswer
from core.model.reference_data import AssetList, AssetsFound, CorporateAction, ListedAsset
from core.model.session import Calendar
from core.model.values import Symbol
from core.runtime.market_history import DailyWatch
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import traded_symbols

PLACE = "corporate actions"

Told = CorporateActionsArrived | MarketDataBroken
Ask = Callable[[Sequence[Symbol], date], Sequence[CorporateAction | MarketDataBroken]]


class Announcements(DailyWatch):
    """Fetch the announced corporate actions of the followed symbols.

    Parameters
    ----------
    ask
        The market data source; blocks, and raises `MarketDataError`.
    """

    AGAIN = timedelta(minutes=5)

    def __init__(self, ask: Ask, calendar: Calendar, now: Callable[[], datetime]) -> None:
        super().__init__(calendar, now)
        self._ask = ask

    def _question(self, symbols: tuple[Symbol, ...]) -> Callable[[], list[Told]]:
        return partial(self.look, symbols)

    def look(self, symbols: Sequence[Symbol]) -> list[Told]:
        """Fetch the corporate actions of these symbols. Blocks."""
        today = self._today()
        try:
            found = self._ask(symbols, today)
        except MarketDataError as error:
            words = f"dividends and splits that come are not known until they are told: {error}"
            return [MarketDataBroken(PLACE, words)] if self._said.is_new(str(error)) else []
        self._told |= dict.fromkeys(symbols, today)
        actions = tuple(each for each in found if isinstance(each, CorporateAction))
        broken = [each for each in found if isinstance(each, MarketDataBroken)]
        return [CorporateActionsArrived(tuple(symbols), actions), *broken]


ASSETS_EVERY = timedelta(seconds=10)
ASSETS_AGAIN = timedelta(seconds=60)
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
            await asyncio.sleep((ASSETS_EVERY if has_it else ASSETS_AGAIN).total_seconds())

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


def followed(state: TradingState) -> tuple[Symbol, ...]:
    """Return the followed symbols, the most important first, because the stream may have too little room for all.

    The order: held, working, proposed, followed by a strategy, in the settings, watched (MD-06).
    """
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    working = {order.request.symbol for order in state.ledger.working()}
    proposed = {proposal.symbol for proposal in state.stage.proposals()}
    traded = traded_symbols(state)
    known = {*traded, *state.alerts.symbols, *state.watchlists.symbols}
    urgent = [*sorted(held), *sorted(working), *sorted(proposed)]
    ranked = [*urgent, *(s for s in traded if state.orchestrator.runners.get(s)), *traded]
    return tuple(dict.fromkeys(s for s in (*ranked, *state.alerts.symbols, *state.watchlists.symbols) if s in known))
