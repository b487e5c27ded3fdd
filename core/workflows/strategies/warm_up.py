"""Warm up strategies that lack past bars from the broker's history after a start (ST-01, ST-03).

The request ends where the bars begin that this desk receives, or has received today, so each bar is seen once from
either source. Until the answer arrives a strategy warms up on live bars, and proposes nothing before its windows are
full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.facts import EngineStarted, HistoryLoaded, MarketDataQuarantined
from core.market.calendar import CalendarRangeError
from core.market.normaliser import COMPLETE, Normaliser
from core.messages.effects import Effect, FetchHistory
from core.messages.inputs import HistoryFetched
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import NoAnswer
from core.model.session import Session
from core.model.values import Symbol
from core.strategies.warm_up import first_minute
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers, follows

MOST_SESSIONS = 20
"""Maximum sessions requested: the calendar of a live desk begins a month ago."""
SETTLE = timedelta(seconds=5)
"""Time after a minute's end until history has its bar."""
AGAIN = timedelta(seconds=10)
LONGEST = timedelta(seconds=300)
MOST_TRIES = 40
PLACE = "history"


class WarmUp:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._sessions = 0
        self._tries = 0
        self._again_at: datetime | None = None
        self._given_up: set[Symbol] = set()

    @follows(EngineStarted)
    def after_start(self, _fact: EngineStarted) -> Iterable[Effect]:
        return self.begin()

    def begin(self) -> Iterator[Effect]:
        """Request as much as the longest window needs, for all lacking symbols at once."""
        self._again_at = None
        symbols = self._wanting()
        if not symbols:
            return
        end = max(self._cut(symbol) for symbol in symbols)
        if self.state.at < end + SETTLE and self._heard_today(symbols):
            self._again_at = end + SETTLE
            return
        longest = max(self.state.orchestrator.history_wanted(symbol) for symbol in symbols)
        self._sessions = self._sessions or -(-longest // self.state.calendar.venue.session_minutes) + 1
        yield FetchHistory(symbols, self._start(end), end)

    @answers(HistoryFetched)
    def on_fetched(self, reply: HistoryFetched) -> Iterator[Effect]:
        if isinstance(reply.answer, NoAnswer):
            self._fail(reply.answer.reason)
            return
        is_whole, is_short = True, False
        for symbol in reply.symbols:
            if symbol not in self._wanting():
                continue
            bars = self._sound(symbol, reply.answer)
            last = self.state.normaliser.state.last_starts.get(symbol)
            if not bars:
                self._given_up.add(symbol)
            elif self._cut(symbol) > reply.end or (self._heard_today([symbol]) and bars[-1].start != last):
                is_whole = False
            elif len(bars) < self.state.orchestrator.history_wanted(symbol) and self._sessions < MOST_SESSIONS:
                is_short = True
            else:
                self.state.record(HistoryLoaded(symbol, bars))
        if is_short:
            self._sessions = min(2 * self._sessions, MOST_SESSIONS)
            yield from self.begin()
        elif not is_whole:
            self._later(SETTLE)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._again_at is not None:
            yield self._again_at

    def due(self) -> Iterable[Effect]:
        return self.begin() if self._again_at is not None and self.state.at >= self._again_at else ()

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _wanting(self) -> tuple[Symbol, ...]:
        wanted = self.state.orchestrator.wanting_history()
        return tuple(symbol for symbol in wanted if symbol not in self._given_up)

    def _cut(self, symbol: Symbol) -> datetime:
        """Return the first bar that arrives live and has not arrived yet."""
        begin = first_minute(self.state.calendar, self.state.at)
        last = self.state.normaliser.state.last_starts.get(symbol)
        return begin if last is None else max(begin, last + ONE_MINUTE)

    def _heard_today(self, symbols: Iterable[Symbol]) -> bool:
        begin = first_minute(self.state.calendar, self.state.at)
        return any(self._cut(symbol) > begin for symbol in symbols)

    def _start(self, end: datetime) -> datetime:
        """Return the open of as many sessions before that of `end` as are requested."""
        calendar, found = self.state.calendar, end
        day, left = calendar.trading_day(end), self._sessions
        for _ in range(3 * MOST_SESSIONS):
            try:
                session = calendar.session_on(day)
            except CalendarRangeError:
                break
            if isinstance(session, Session) and session.open < end:
                found, left = session.open, left - 1
            if left < 0:
                break
            day -= timedelta(days=1)
        return found

    def _sound(self, symbol: Symbol, answer: tuple[Bar, ...]) -> tuple[Bar, ...]:
        """Return complete bars of the regular session, each once and in order, up to the live ones."""
        normaliser, cut = Normaliser(self.state.calendar), self._cut(symbol)
        bars = []
        for bar in answer:
            if bar.symbol == symbol and bar.start < cut and normaliser.judge(bar, self.state.at) is COMPLETE:
                normaliser.fold(bar)
                bars.append(bar)
        return tuple(bars)

    def _fail(self, reason: str) -> None:
        if not self._tries:
            self.state.record(MarketDataQuarantined(PLACE, f"strategies warm up without it until it comes: {reason}"))
        self._later(min(AGAIN * 2 ** min(self._tries, 10), LONGEST))

    def _later(self, wait: timedelta) -> None:
        self._tries += 1
        self._again_at = self.state.at + wait if self._tries < MOST_TRIES else None
