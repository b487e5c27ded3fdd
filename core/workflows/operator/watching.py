"""Keep watchlists or refuse them with a reason, and request the symbols' day so far (MD-06).

Watched data decides nothing: it is only shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

from core.facts import EngineStarted, WatchlistKept, WatchlistRefused
from core.market.day_figures import DayFigures
from core.market.normaliser import COMPLETE, Normaliser
from core.messages.commands import KeepWatchlist, WatchlistFilesSeen
from core.messages.effects import Effect, LookUpSymbols, WriteWatchlist
from core.messages.inputs import CorporateActionsArrived, SymbolsLookedUp, WatchlistWritten
from core.model.bar import Bar
from core.model.broker import NoAnswer
from core.model.session import Session
from core.model.values import Symbol
from core.model.watchlist import LONGEST_NAME, Watchlist, fault_of
from core.trading_state.shown_lists import lists_of
from core.trading_state.state import TradingState
from core.trading_state.traded_symbols import traded_symbols
from core.workflows.base.declarations import answers, follows

AGAIN = timedelta(minutes=1)
"""Time before missing data is requested again."""


class Watching:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._lacking: set[Symbol] = set()
        self._again_at: datetime | None = None

    @answers(KeepWatchlist)
    def on_keep(self, command: KeepWatchlist) -> Iterable[Effect]:
        """Write the list's file first. An unchanged list is ignored."""
        lists = lists_of(self.state)
        fault = fault_of(Watchlist(command.name, command.symbols), lists)
        if fault is not None:
            self.state.record(WatchlistRefused(command.name, fault))
            return ()
        if self.state.watchlists.state.lists.get(command.name, ()) == command.symbols:
            return ()
        known = {symbol for symbols in lists.values() for symbol in symbols}
        new = tuple(symbol for symbol in command.symbols if symbol not in known)
        return (WriteWatchlist(command.name, command.symbols, new),)

    @answers(WatchlistWritten)
    def on_written(self, written: WatchlistWritten) -> Iterable[Effect]:
        if written.fault:
            self.state.record(WatchlistRefused(written.name, written.fault))
            return ()
        return self._keep(Watchlist(written.name, written.symbols), is_filed=written.is_filed)

    @answers(WatchlistFilesSeen)
    def on_files(self, seen: WatchlistFilesSeen) -> Iterator[Effect]:
        """Take over the files' lists; a list whose file was deleted ends. A list without a file gets one.

        If its name is taken, it gets another name: nothing is lost.
        """
        kept = self.state.watchlists.state
        filed, before = set(kept.filed) if seen.has_folder else set(), {**kept.lists}
        said = {each.name for each in seen.lists}
        for name in sorted(filed - said - {*seen.unread}):
            self.state.record(WatchlistKept(name, (), is_filed=True))
        for wanted in seen.lists:
            own = before.get(wanted.name)
            if own is not None and own != wanted.symbols and wanted.name not in filed:
                yield WriteWatchlist(self._free_name(wanted.name, said), own)
            if own != wanted.symbols or wanted.name not in filed:
                yield from self._take_file(wanted)
        for name, symbols in before.items():
            if name not in filed and name not in said and name not in seen.unread:
                yield WriteWatchlist(name, symbols)

    def _take_file(self, wanted: Watchlist) -> Iterable[Effect]:
        if (fault := fault_of(wanted, lists_of(self.state))) is not None:
            self.state.record(WatchlistRefused(wanted.name, f"its file is not taken: {fault}"))
            return ()
        return self._keep(wanted, is_filed=True)

    def _keep(self, wanted: Watchlist, *, is_filed: bool) -> Iterable[Effect]:
        before = self.state.watchlists.symbols
        self.state.record(WatchlistKept(wanted.name, wanted.symbols, is_filed))
        return self.ask(symbol for symbol in wanted.symbols if symbol not in before)

    def _free_name(self, name: str, taken: Iterable[str]) -> str:
        others = {*taken, *lists_of(self.state)}
        return next(free for number in count(2) if (free := f"{name[: LONGEST_NAME - 3]}-{number}") not in others)

    def ask(self, symbols: Iterable[Symbol]) -> Iterator[Effect]:
        """Request today's session so far; outside a session, only the listing of the symbols."""
        wanted, at = tuple(dict.fromkeys(symbols)), self.state.at
        if not wanted:
            return
        session = self.state.calendar.session_on(self.state.calendar.trading_day(at))
        start = min(session.open, at) if isinstance(session, Session) else at
        yield LookUpSymbols(wanted, start, at)

    @follows(EngineStarted)
    def after_start(self, _fact: EngineStarted) -> Iterable[Effect]:
        return self.ask((*traded_symbols(self.state), *self.state.watchlists.symbols))

    @answers(SymbolsLookedUp)
    def on_looked_up(self, reply: SymbolsLookedUp) -> Iterable[Effect]:
        self.state.sightings.instruments.update({each.symbol: each for each in reply.instruments})
        if isinstance(reply.answer, NoAnswer):
            self._lacking |= set(reply.symbols)
            self._again_at = self.state.at + AGAIN
            return ()
        by_symbol: dict[Symbol, list[Bar]] = {}
        for bar in reply.answer:
            by_symbol.setdefault(bar.symbol, []).append(bar)
        for symbol, bars in by_symbol.items():
            self._take(symbol, bars)
        return ()

    @answers(CorporateActionsArrived)
    def on_corporate_actions(self, message: CorporateActionsArrived) -> Iterable[Effect]:
        for symbol in message.symbols:
            found = tuple(each for each in message.actions if each.symbol == symbol)
            self.state.sightings.corporate_actions[symbol] = found
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._again_at is not None:
            yield self._again_at

    def due(self) -> Iterable[Effect]:
        if self._again_at is None or self.state.at < self._again_at:
            return ()
        lacking, self._lacking, self._again_at = self._lacking, set(), None
        return self.ask(sorted(lacking))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, symbol: Symbol, bars: list[Bar]) -> None:
        """Take the complete bars of today's session; count bars received meanwhile only once."""
        calendar, normaliser = self.state.calendar, Normaliser(self.state.calendar)
        today = calendar.trading_day(self.state.at)
        session = calendar.session_on(today)
        if not isinstance(session, Session):
            return
        sound = []
        for bar in bars:
            if bar.symbol == symbol and bar.start >= session.open and normaliser.judge(bar, self.state.at) is COMPLETE:
                normaliser.fold(bar)
                sound.append(bar)
        figures = self.state.sightings.day_figures.get(symbol)
        if figures is None or figures.day != today:
            figures = self.state.sightings.day_figures[symbol] = DayFigures(today, session.close)
        figures.take_earlier(sound)
