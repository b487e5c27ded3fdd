"""Headlines of the followed symbols, fetched in separate threads (MD-06).

They are asked for once a minute. A stream would be a second connection with its own limit and repairs, and would not
have what was written while it was down: that has to be asked for all the same. Nobody trades by a headline here, so a
minute is soon enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from core.market.port import MarketDataError, NewsSource
from core.messages.inputs import NewsArrived
from core.model.account import ConnectionStatus
from core.model.instrument import SHARE
from core.model.news import WITHIN
from core.model.text_sanitizer import SaidOnce
from core.model.values import Symbol

EVERY = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=15)
"""Between two questions while each fails: news is the first that a request limit can do without."""
LOOKS_EVERY = timedelta(seconds=1)
OVERLAP = timedelta(minutes=30)
"""Each question begins so long before the last answer: some plans are told an article 15 minutes late."""

FAILURE = "failure"


class NewsWatch:
    """Ask for the headlines of each followed symbol, first those of a day.

    Parameters
    ----------
    source
        Blocks, and raises `MarketDataError`.
    is_on
        Whether `news.enabled` is set now. Called in the loop.
    say
        Adds a line to the log. Called in the loop.
    """

    def __init__(
        self, source: NewsSource, now: Callable[[], datetime], is_on: Callable[[], bool], say: Callable[[str], None]
    ) -> None:
        self._source = source
        self._now = now
        self._is_on = is_on
        self._say = say
        self._wanted: tuple[Symbol, ...] = ()
        self._answered: dict[Symbol, datetime] = {}
        self._next_at: datetime | None = None
        self._fails = 0
        self._said = SaidOnce()
        self._has_said_unread = False

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Replace the followed symbols. Any thread."""
        self._wanted = tuple(symbol for symbol in symbols if SHARE.fullmatch(symbol))

    async def run(self, hear: Callable[[NewsArrived], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            if (symbols := self.due()) and self._is_on():
                found = await asyncio.to_thread(self.look, symbols)
                for words in self._troubles(found):
                    self._say(words)
                for each in found:
                    hear(each)
            await asyncio.sleep(LOOKS_EVERY.total_seconds())

    def due(self) -> tuple[Symbol, ...]:
        """Return the symbols to ask for now: a new one at once, unless the last question failed."""
        pause = None if self._next_at is None else self._next_at - self._now()
        if pause is None or not timedelta(0) < pause <= LONGEST_PAUSE:  # a longer one: the clock was set back
            return self._wanted
        return () if self._fails else tuple(symbol for symbol in self._wanted if symbol not in self._answered)

    def look(self, symbols: Sequence[Symbol]) -> list[NewsArrived]:
        """Ask for these symbols. Blocks."""
        now = self._now()
        new = tuple(symbol for symbol in symbols if now - self._answered.get(symbol, now - WITHIN) >= WITHIN)
        known = tuple(symbol for symbol in symbols if symbol not in new)
        since = min((now, *(self._answered[symbol] for symbol in known))) - OVERLAP
        found: list[NewsArrived] = []
        try:
            for asked, start in ((new, now - WITHIN), (known, max(since, now - WITHIN))):
                if asked:
                    found.append(NewsArrived(self._source.news(asked, start)))
                    self._answered |= dict.fromkeys(asked, now)
        except MarketDataError as error:
            self._fails += 1
            self._next_at = now + min(EVERY * 2 ** min(self._fails - 1, 4), LONGEST_PAUSE)
            return [*found, NewsArrived(str(error))]
        self._fails = 0
        if known or not self._next_at:
            self._next_at = now + EVERY
        return found

    def _troubles(self, found: Sequence[NewsArrived]) -> list[str]:
        """Return what to say: a failure once until an answer comes, unreadable articles once, as the first of them."""
        said: list[str] = []
        for each in found:
            if isinstance(each.found, str):
                words = f"no new headlines: {each.found}"
                said += [words] if self._said.is_new(words, FAILURE) else []
                continue
            self._said.forget(FAILURE)
            if each.found.unread and not self._has_said_unread:
                self._has_said_unread = True
                said.append(f"articles that cannot be read are left out: {each.found.why_unread}")
        return said
