"""Bars of many symbols over a span: parallel batches, page by page, with known parts from the cache.

Blocks; called in threads. (MD-04)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from tenacity import RetryCallState, Retrying, retry_if_exception

from core.market.alpaca.backoff import pause
from core.market.alpaca.cache import BarCache, hours_of
from core.market.alpaca.failure import Failure
from core.market.alpaca.requests import AskError, DataRequests, NullError, Page
from core.market.alpaca.symbol_blocklist import SymbolBlocklist
from core.market.alpaca.timetable import settled
from core.market.port import MarketDataError
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.values import Symbol

BATCH = 100
"""Symbols per request: their names must fit into a URL."""
STRETCH = timedelta(days=7)
"""Longer spans are split, so that their parts run in parallel."""
SIDE_BY_SIDE = 4
NULLS = 3
"""After this many consecutive `null` in place of bars it is believed: there are none."""
TRIES = 4
"""Per request."""
MOST_PAGES = 200
"""Per part; an endless server is not followed further."""

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
        return _merged(known, found, start, end)

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
        found: Minutes = []
        token: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._asking(tries)(self._page, symbols, start, end, token)
            found += page.bars
            token = page.token
            if token is None:
                return found
            if token in seen:
                raise AskError(Failure("Alpaca's history names the same next page twice; it is asked again"))
            seen.add(token)
        raise AskError(Failure(f"Alpaca's history has more than {MOST_PAGES} pages; it is asked again"))

    def _page(self, symbols: Sequence[Symbol], start: datetime, end: datetime, token: str | None) -> Page:
        try:
            page = self._requests.bars_page(symbols, start, end, token, believes_null=self._nulls >= NULLS)
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


def _merged(known: dict[Symbol, list[BarArrived]], found: Minutes, start: datetime, end: datetime) -> Minutes:
    """Merge by symbol and minute, new before cached, in order of time; unreadable ones first."""
    by_minute = {(arrived.bar.symbol, arrived.bar.start): arrived for bars in known.values() for arrived in bars}
    for minute in found:
        if isinstance(minute, BarArrived) and start <= minute.bar.start < end:
            by_minute[minute.bar.symbol, minute.bar.start] = minute
    order = {symbol: n for n, symbol in enumerate(known)}
    bars = sorted(by_minute.values(), key=lambda arrived: (arrived.bar.start, order[arrived.bar.symbol]))
    return [*(minute for minute in found if isinstance(minute, MarketDataBroken)), *bars]


def _batches(symbols: Sequence[Symbol]) -> list[Sequence[Symbol]]:
    return [symbols[n : n + BATCH] for n in range(0, len(symbols), BATCH)]


def _stretches(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    firsts = hours_of(start, end)[:: STRETCH // timedelta(hours=1)]
    return list(zip(firsts, [*firsts[1:], end], strict=True))
