"""The past of many symbols: bars, daily bars, announced corporate actions and news, without refused symbols (RK-19).

A refused request is repeated by halves, until the refused part is one symbol. It is reported and left out for a while.
If every symbol is refused, the symbols are not the reason: then none is left out, and the refusal is raised.

Blocks; called in threads. (MD-04)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from core.market.alpaca.failure import Failure, pause
from core.market.alpaca.minutes import BarCache, hours_of, settled
from core.market.alpaca.parsing import read_article
from core.market.alpaca.requests import Adjustment, AskError, DataRequests, Frame, NullError, Page
from core.market.port import MarketDataError, RefusedSymbolError
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import Bar
from core.model.news import Headline, NewsFound
from core.model.reference_data import FOLLOWED_WITHIN, CorporateAction, told_of
from core.model.session import XNYS
from core.model.sizing import DailyBar
from core.model.values import Symbol

LEFT_OUT = timedelta(hours=1)
"""Then it is requested again: it may have been listed meanwhile, or the refusal may have ended."""
PLACE = "Alpaca's symbols"

Answer = TypeVar("Answer")


class SymbolBlocklist:
    """Thread-safe. `now` is the machine's clock, UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[Symbol, datetime] = {}
        self._lock = threading.Lock()

    def others_of(self, symbols: Sequence[Symbol]) -> list[Symbol]:
        """Return the symbols that may be requested."""
        now = self._now()
        with self._lock:
            return [symbol for symbol in symbols if self._until.get(symbol, now) <= now]

    def ask(
        self, symbols: Sequence[Symbol], question: Callable[[Sequence[Symbol]], list[Answer]]
    ) -> list[Answer | MarketDataBroken]:
        """Return the answers for symbols that are not refused, after a report of each newly refused one.

        Raises
        ------
        AskError
            The request failed, or every symbol of it is refused.
        """
        asked = self.others_of(symbols)
        if not asked:
            return []
        try:
            return [*question(asked)]
        except AskError as error:
            if not error.failure.may_be_a_symbol or len(asked) == 1:
                raise
            found, refused = self._by_halves(asked, question)
            if len(refused) == len(asked):
                raise
        return [*self._leave_out(refused), *found]

    def _by_halves(
        self, symbols: Sequence[Symbol], question: Callable[[Sequence[Symbol]], list[Answer]]
    ) -> tuple[list[Answer], dict[Symbol, str]]:
        """Return the answers, and the symbols that are refused alone with their messages."""
        found: list[Answer] = []
        refused: dict[Symbol, str] = {}
        middle = len(symbols) // 2
        for half in (symbols[:middle], symbols[middle:]):
            try:
                found += question(half)
            except AskError as error:
                if not error.failure.may_be_a_symbol:
                    raise
                if len(half) == 1:
                    refused[half[0]] = str(error)
                    continue
                answers, bad = self._by_halves(half, question)
                found += answers
                refused |= bad
        return found, refused

    def _leave_out(self, refused: dict[Symbol, str]) -> list[MarketDataBroken]:
        """Block the symbols; report each once while it is blocked."""
        now = self._now()
        with self._lock:
            news = [symbol for symbol in refused if self._until.get(symbol, now) <= now]
            self._until |= dict.fromkeys(news, now + LEFT_OUT)
        return [
            MarketDataBroken(
                PLACE, f"{symbol} is left out for an hour, the others go on; take it out of symbols: {refused[symbol]}"
            )
            for symbol in news
        ]


SEASONS = timedelta(days=500)
"""Calendar days with the sessions that every label needs, plus three months for its hysteresis."""
A_QUARTER = timedelta(days=100)
"""Calendar days with the sixty returns that a correlation uses at most."""
HALF_A_YEAR = timedelta(days=190)
"""Calendar days with as many sessions as a wide terminal's chart has room for."""
MOST_PAGES = 20


def daily_bars(requests: DataRequests, symbol: Symbol, now: datetime, back: timedelta = SEASONS) -> list[DailyBar]:
    """Return every session before today's, by the exchange's day, in order, as far back as the labels need, or another
    span.

    Today's own bar is left out, because it is not final.

    Raises
    ------
    MarketDataError
        There is no answer, or an implausible bar in it: a gap would change the averages.
    """
    found = _sessions(requests, symbol, now, back, "raw")
    return [DailyBar(day, bar.high, bar.low, bar.close, bar.volume) for day, bar in found]


def chart_days(requests: DataRequests, symbol: Symbol, now: datetime) -> list[Bar]:
    """Return the same sessions whole, adjusted for splits, for a chart. Each begins at its midnight."""
    found = _sessions(requests, symbol, now, HALF_A_YEAR, "split")
    return [replace(bar, start=XNYS.start_of(day)) for day, bar in found]


def _sessions(
    requests: DataRequests, symbol: Symbol, now: datetime, back: timedelta, adjustment: Adjustment
) -> list[tuple[date, Bar]]:
    midnight = XNYS.start_of(XNYS.day_of(now))
    found: dict[date, Bar] = {}
    token: str | None = None
    for _ in range(MOST_PAGES):
        try:
            page = requests.bars_page(
                [symbol], midnight - back, midnight, token, believes_null=True, frame="1Day", adjustment=adjustment
            )
        except AskError as error:
            raise MarketDataError(str(error)) from error
        for told in page.bars:
            if not isinstance(told, BarArrived):
                raise MarketDataError(f"a daily bar is not read: {told.reason}")
            _keep(found, told)
        token = page.token
        if token is None:
            return [(day, bar) for day, bar in sorted(found.items()) if day < XNYS.day_of(midnight)]
    raise MarketDataError(f"Alpaca's daily bars of {symbol} have more than {MOST_PAGES} pages")


def _keep(found: dict[date, Bar], told: BarArrived) -> None:
    bar, day = told.bar, XNYS.day_of(told.bar.start)
    if not 0 < bar.low <= bar.close <= bar.high:
        raise MarketDataError(f"{bar.symbol} of {day}: close {bar.close} is not within {bar.low} to {bar.high}")
    if day in found:
        raise MarketDataError(f"{bar.symbol} of {day} was told twice")
    found[day] = bar


PROCESSED_WITHIN = timedelta(days=120)
"""Days from today: a dividend is processed when it is paid, up to three months after its ex date."""
BATCH = 100
"""Symbols per request: their names must fit into a URL."""


def announced(
    requests: DataRequests, symbols: Sequence[Symbol], today: date
) -> list[CorporateAction | MarketDataBroken]:
    """Return actions as `told_of` names them, and unreadable ones. Raises `MarketDataError`."""
    found: list[CorporateAction | MarketDataBroken] = []
    try:
        for first in range(0, len(symbols), BATCH):
            found += _all_pages(requests, symbols[first : first + BATCH], today)
    except AskError as error:
        raise MarketDataError(str(error)) from error
    broken = [each for each in found if isinstance(each, MarketDataBroken)]
    return [*broken, *told_of((each for each in found if isinstance(each, CorporateAction)), today)]


def _all_pages(
    requests: DataRequests, symbols: Sequence[Symbol], today: date
) -> list[CorporateAction | MarketDataBroken]:
    found: list[CorporateAction | MarketDataBroken] = []
    token: str | None = None
    for _ in range(MOST_PAGES):
        read, token = requests.corporate_actions(symbols, today - FOLLOWED_WITHIN, today + PROCESSED_WITHIN, token)
        found += read
        if token is None:
            return found
    raise MarketDataError(f"Alpaca's corporate actions have more than {MOST_PAGES} pages")


MOST_NEWS_PAGES = 20
"""For one question; what is older is left out."""
NO_NEWS = "check the keys, and whether your plan has news; `news.enabled = false` asks no more"


def headlines(requests: DataRequests, symbols: Sequence[Symbol], start: datetime, now: datetime) -> NewsFound:
    """Return the articles that were written since `start`, each once. Raises `MarketDataError`."""
    found: dict[str, Headline] = {}
    unread: list[str] = []
    is_whole = True
    try:
        for first in range(0, len(symbols), BATCH):
            pages = NewsPages(requests, symbols[first : first + BATCH], start)
            for raw in pages:
                read = read_article(raw, pages.symbols, now)
                if isinstance(read, str):
                    unread.append(read)
                elif read is not None and read.at >= start:
                    known = found.get(read.id, read).symbols
                    found[read.id] = replace(read, symbols=tuple(dict.fromkeys((*known, *read.symbols))))
            is_whole &= pages.is_whole
    except AskError as error:
        words, failure = str(error), error.failure
        if failure.is_refused and not failure.may_be_a_symbol:
            words = f"{words.partition(': check')[0]}: {NO_NEWS}"
        raise MarketDataError(words) from error
    since = start if is_whole else now
    return NewsFound(tuple(symbols), since, tuple(found.values()), len(unread), unread[0] if unread else "")


class NewsPages:
    """The articles of one question, the last updated first; `is_whole` is false if there were too many."""

    def __init__(self, requests: DataRequests, symbols: Sequence[Symbol], start: datetime) -> None:
        self.symbols = symbols
        self.is_whole = True
        self._requests = requests
        self._start = start

    def __iter__(self) -> Iterator[object]:
        """Yield each as it came. Raises `AskError`."""
        token: str | None = None
        for _ in range(MOST_NEWS_PAGES):
            articles, token = self._requests.news(self.symbols, self._start, token)
            yield from articles
            if token is None:
                return
        self.is_whole = False


STRETCH = timedelta(days=7)
"""Longer spans are split, so that their parts run in parallel."""
SIDE_BY_SIDE = 4
NULLS = 3
"""After this many consecutive `null` in place of bars it is believed: there are none."""
TRIES = 4
"""Per request."""
MOST_BAR_PAGES = 200
"""Per part; an endless server is not followed further."""
A_YEAR = timedelta(days=365)
"""The part of a long history: a year of minutes has under 40 pages."""
PACE = 1.0
"""Seconds between the requests of a long history. The free plan allows 200 a minute for all programs of an account, and
an engine beside this one needs up to 100 of them while its stream fails.
"""

Minutes = list[BarArrived | MarketDataBroken]


class History:
    """Every request for past bars."""

    def __init__(
        self,
        requests: DataRequests,
        cache: BarCache,
        now: Callable[[], datetime],
        chance: Callable[[], float],
        refused: SymbolBlocklist | None = None,
    ) -> None:
        self._requests = requests
        self._refused = refused or SymbolBlocklist(now)
        self._cache = cache
        self._now = now
        self._chance = chance
        self._nulls = 0
        self._is_paced = False
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, "history")

    def close(self) -> None:
        """End the pauses between attempts; running requests end by their time-outs."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def recent(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> Minutes:
        """Request once, without the cache: for polling and gaps. Raises `AskError`."""

        def in_batches(asked: Sequence[Symbol]) -> Minutes:
            return [minute for batch in _batches(asked) for minute in self._all_pages(batch, start, end, tries=1)]

        return self._refused.ask(symbols, in_batches)

    def bars(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> Minutes:
        """Return complete minutes from `start` to before `end`, in order of time. Raises `MarketDataError`."""
        now = self._now()
        end = min(end, settled(now))
        spans: dict[tuple[datetime, datetime], list[Symbol]] = {}
        for symbol in dict.fromkeys(symbols):
            missing = self._cache.missing(symbol, start, end, now)
            if missing is not None:
                spans.setdefault(missing, []).append(symbol)
        known = {symbol: self._cache.bars(symbol, start, end, now) for symbol in dict.fromkeys(symbols)}
        found = self._fetch(spans)
        # Merge by symbol and minute, new before cached, in order of time; unreadable ones first.
        by_minute = {(arrived.bar.symbol, arrived.bar.start): arrived for bars in known.values() for arrived in bars}
        for minute in found:
            if isinstance(minute, BarArrived) and start <= minute.bar.start < end:
                by_minute[minute.bar.symbol, minute.bar.start] = minute
        order = {symbol: n for n, symbol in enumerate(known)}
        bars = sorted(by_minute.values(), key=lambda arrived: (arrived.bar.start, order[arrived.bar.symbol]))
        return [*(minute for minute in found if isinstance(minute, MarketDataBroken)), *bars]

    def pages(
        self, symbol: Symbol, start: datetime, end: datetime, frame: Frame, adjustment: Adjustment
    ) -> Iterator[Minutes]:
        """Yield one symbol's bars from `start` to before `end` page by page, in order, without the cache; paced.

        Raises `MarketDataError`, as `RefusedSymbolError` if the symbol may be the reason.
        """
        while start < end:
            last = min(start + A_YEAR, end)
            try:
                yield from self._pages([symbol], start, last, frame=frame, adjustment=adjustment, is_paced=True)
            except AskError as error:
                kind = RefusedSymbolError if error.failure.may_be_a_symbol else MarketDataError
                raise kind(str(error)) from error
            start = last

    def _fetch(self, spans: dict[tuple[datetime, datetime], list[Symbol]]) -> Minutes:
        parts = [
            (batch, first, last)
            for (start, end), symbols in spans.items()
            for batch in _batches(symbols)
            for first, last in _stretches(start, end)
        ]
        try:
            futures = [self._pool.submit(self._part, *part) for part in parts]
        except RuntimeError:
            raise MarketDataError("history is closed: the desk is leaving") from None
        try:
            return [minute for future in futures for minute in future.result()]
        except AskError as error:
            raise MarketDataError(str(error)) from error
        finally:
            for future in futures:
                future.cancel()

    def _part(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> Minutes:
        asked = self._refused.others_of(symbols)
        found = self._refused.ask(asked, lambda part: self._all_pages(part, start, end))
        now = self._now()
        by_symbol: dict[Symbol, list[BarArrived]] = {symbol: [] for symbol in asked}
        for minute in found:
            if isinstance(minute, BarArrived):
                by_symbol[minute.bar.symbol].append(minute)
        if not any(isinstance(minute, MarketDataBroken) for minute in found):
            for symbol, bars in by_symbol.items():
                self._cache.keep(symbol, start, end, bars, now)
        return found

    def _all_pages(self, symbols: Sequence[Symbol], start: datetime, end: datetime, tries: int = TRIES) -> Minutes:
        return [minute for page in self._pages(symbols, start, end, tries) for minute in page]

    def _pages(
        self,
        symbols: Sequence[Symbol],
        start: datetime,
        end: datetime,
        tries: int = TRIES,
        *,
        frame: Frame = "1Min",
        adjustment: Adjustment = "raw",
        is_paced: bool = False,
    ) -> Iterator[Minutes]:
        token: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_BAR_PAGES):
            if is_paced:
                self._keep_pace()
            page = self._asking(tries)(self._page, symbols, start, end, token, frame, adjustment)
            yield page.bars
            token = page.token
            if token is None:
                return
            if token in seen:
                raise AskError(Failure("Alpaca's history names the same next page twice; it is asked again"))
            seen.add(token)
        raise AskError(Failure(f"Alpaca's history has more than {MOST_BAR_PAGES} pages; it is asked again"))

    def _keep_pace(self) -> None:
        """Wait before each request but the first. Raises `AskError` if history is closed meanwhile."""
        if self._is_paced and self._leaves_within(PACE):
            raise AskError(Failure("history is closed"))
        self._is_paced = True

    def _page(
        self,
        symbols: Sequence[Symbol],
        start: datetime,
        end: datetime,
        token: str | None,
        frame: Frame,
        adjustment: Adjustment,
    ) -> Page:
        believes_null = self._nulls >= NULLS
        try:
            page = self._requests.bars_page(
                symbols, start, end, token, believes_null=believes_null, frame=frame, adjustment=adjustment
            )
        except NullError:
            self._nulls += 1
            raise
        if not page.has_null:
            self._nulls = 0
        return page

    def _asking(self, tries: int) -> Retrying:
        """Build the retry policy for temporary failures: only for reads, which change nothing at the other side.

        It raises the last `AskError`: refused, out of attempts, or closed.
        """
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, AskError) and not error.failure.is_refused),
            wait=self._pause,
            stop=lambda state: state.attempt_number >= tries or self._leaves_within(state.upcoming_sleep),
            sleep=lambda _seconds: None,  # `stop` has waited: nothing is requested after a pause that closing cut short
            reraise=True,
        )

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome and state.outcome.exception()
        at_least = error.failure.at_least if isinstance(error, AskError) else timedelta(0)
        return max(pause(state.attempt_number, self._chance()), at_least).total_seconds()

    def _leaves_within(self, seconds: float) -> bool:
        """Wait for the time, or until the desk stops; return whether it stops."""
        return self._closing.wait(seconds)


def _batches(symbols: Sequence[Symbol]) -> list[Sequence[Symbol]]:
    return [symbols[n : n + BATCH] for n in range(0, len(symbols), BATCH)]


def _stretches(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    firsts = hours_of(start, end)[:: STRETCH // timedelta(hours=1)]
    return list(zip(firsts, [*firsts[1:], end], strict=True))
