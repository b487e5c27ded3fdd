"""Alpaca's market data for one desk: connects sockets, threads and time to StreamFailover.

Four tasks: the stream, the requests for bars, the requests for quotes, and time. Each asks `StreamFailover` for due
work, does it, and reports the result. No decisions are made here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from pydantic import SecretStr

from core.io.wall_clock import utc_now
from core.market.alpaca.failure import Counts, Failure, pause
from core.market.alpaca.history import A_QUARTER, History, SymbolBlocklist, announced, chart_days, daily_bars, headlines
from core.market.alpaca.minutes import SETTLE, BarCache, Quotes, Timetable, quote_of, settled
from core.market.alpaca.requests import Adjustment, AskError, DataRequests, Frame
from core.market.alpaca.socket import PLACE, DataSocket, StreamLostError, StreamMessages, StreamRefusedError
from core.market.alpaca.stream_failover import StreamFailover, after_a_refusal
from core.market.bar_folder import Period, Prices
from core.market.port import Heard
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.account import ConnectionStatus
from core.model.bar import ONE_MINUTE, Bar, Feed, NoQuote, Quote
from core.model.news import NewsFound
from core.model.reference_data import CorporateAction
from core.model.session import Calendar
from core.model.sizing import DailyBar
from core.model.text_sanitizer import is_news
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings

Result = TypeVar("Result")

LONGEST = timedelta(seconds=30)
"""Longest wait, so that a machine that slept, or whose clock was set, checks again."""
SHORTEST = timedelta(milliseconds=10)
FRAMES: Mapping[Period, Frame] = {Period.MINUTE: "1Min", Period.DAY: "1Day"}
ADJUSTMENTS: Mapping[Prices, Adjustment] = {Prices.ADJUSTED: "split", Prices.RAW: "raw"}


class Naps:
    """Waiters in one loop, by one clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Wake all waiters after a change, so that they check for due work."""
        for nap in self._waiting:
            if not nap.done():
                nap.set_result(None)

    async def until(self, at: datetime | None) -> None:
        """Wait until a time, until a change, or for a while.

        `asyncio.wait_for` would lose a cancellation that coincides with the change.
        """
        span = LONGEST if at is None else min(max(at - self._now(), SHORTEST), LONGEST)
        nap: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(nap)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(span.total_seconds()):
                    await nap
        finally:
            self._waiting.discard(nap)


async def together(*acts: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends or this is cancelled; then cancel the rest. Raises the exception of the one that ended."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def in_thread(pool: ThreadPoolExecutor, seconds: float, act: Callable[[], Result]) -> Result:
    """Run in a pool's thread, so that a hanging call never keeps the loop from ending. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(pool, act)


THREADS = 8
QUOTES_EVERY = timedelta(seconds=1)
PING_EVERY = 2.0
"""Seconds between pings: a quiet market answers them, a dead link does not (OP-04)."""
SHOWN_AGAIN = timedelta(seconds=1)
"""A status with only a newer message time is shown no more often."""
TIMEOUT = 60.0
"""Time-out for all pages of one request, in seconds."""
POLLED = "their bars are asked for after each minute and their quotes every second; their trading halts are not heard"
LOOK_BACK = 3 * ONE_MINUTE
UNANSWERED = "Alpaca's stream fell silent and did not answer a ping"
MUTE = "Alpaca's stream was open but mute: a question found bars that it had not brought"


class AlpacaData:
    """`core.market.port.MarketData`, from Alpaca.

    Parameters
    ----------
    calendar
        Of the sessions, for silence and polling.
    known
        Start of the last bar of each symbol in the desk's journal: nothing up to it is delivered again.
    now, chance
        The machine's clock (UTC), and a random number from 0 to 1 for the backoff.

    Attributes
    ----------
    counts
        Requests by endpoint, and unusual messages.
    """

    def __init__(
        self,
        settings: AlpacaSettings,
        key: SecretStr,
        secret: SecretStr,
        symbols: Sequence[Symbol],
        calendar: Calendar,
        *,
        known: Mapping[Symbol, datetime] | None = None,
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.counts = Counts()
        self._settings = settings
        self._keys = key, secret
        self._symbols = tuple(dict.fromkeys(symbols))
        self._wanted = frozenset(self._symbols)
        self._ranked = self._symbols
        self._polled: tuple[Symbol, ...] = ()
        self._placed_lately: tuple[Symbol, ...] = ()
        self._wants_quotes = False
        self._known = known or {}
        self._now = now
        self._chance = chance
        self._timetable = Timetable(calendar)
        self._requests = DataRequests(settings, key, secret, self.counts)
        self._refused = SymbolBlocklist(now)
        self._history = History(self._requests, BarCache(), now, chance, self._refused)
        self._quotes = Quotes(Feed(settings.feed), self.counts)
        self._pool = ThreadPoolExecutor(THREADS, "market data")
        self._switch: StreamFailover | None = None
        self._socket: DataSocket | None = None
        self._naps = Naps(now)
        self._acts: set[asyncio.Future[None]] = set()
        self._hear: Callable[[Heard], None] = _ignore
        self._show: Callable[[ConnectionStatus], None] = _ignore
        self._shown: ConnectionStatus | None = None

    def __repr__(self) -> str:
        return "AlpacaData()"

    def close(self) -> None:
        """Start no further request; running ones end by their time-outs."""
        self._history.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Follow these symbols first, in their order, then the earlier ones.

        Call it in the loop of `run`, or before it.
        """
        ranked = tuple(dict.fromkeys((*symbols, *self._symbols)))
        if ranked == self._ranked:
            return
        self._ranked = ranked
        news = tuple(symbol for symbol in ranked if symbol not in self._wanted)
        if news:
            self._symbols = (*self._symbols, *news)
            self._wanted = frozenset(self._symbols)
            self._wants_quotes = True
        if self._socket is not None and (news or self._socket.is_full):
            self._after(self._socket.follow(self._for_the_stream()))
        self._naps.wake()

    def _for_the_stream(self) -> tuple[Symbol, ...]:
        return tuple(self._refused.others_of(self._ranked)) or self._ranked

    # ── called by the desk, from any thread ──────────────────────────────────────────────────────────────────────

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        """Return a fresh quote; blocks for at most its time-outs, and never raises (OP-03)."""
        try:
            asked = self._pool.submit(self._requests.latest_quotes, [symbol])
            found = asked.result(float(self._settings.connect_seconds + self._settings.read_seconds))
        except AskError as error:
            return NoQuote(str(error))
        except TimeoutError:
            return NoQuote("Alpaca's data service did not answer in time")
        except (RuntimeError, CancelledError):
            return NoQuote("the desk is leaving")
        return quote_of(found, symbol, self._now())

    def history(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        """Return complete one-minute bars from `start` to before `end`, in order of time; blocks.

        Raises `MarketDataError`.
        """
        return self._history.bars(symbols, start, end)

    def daily_bars(self, symbol: Symbol) -> list[DailyBar]:
        """Return the sessions before today's, for the regime; blocks. Raises `MarketDataError`."""
        return daily_bars(self._requests, symbol, self._now())

    def recent_days(self, symbol: Symbol) -> list[DailyBar]:
        """Return the last sessions before today's, for correlation; blocks. Raises `MarketDataError`."""
        return daily_bars(self._requests, symbol, self._now(), A_QUARTER)

    def chart_days(self, symbol: Symbol) -> list[Bar]:
        """Return half a year of sessions before today's, for a chart; blocks. Raises `MarketDataError`."""
        return chart_days(self._requests, symbol, self._now())

    @property
    def feed(self) -> str:
        return self._settings.feed

    def past_bars(
        self, symbol: Symbol, start: datetime, end: datetime, period: Period, prices: Prices
    ) -> Iterator[list[BarArrived | MarketDataBroken]]:
        """Yield bars that begin from `start` to before `end`, page by page; blocks. Raises `MarketDataError`."""
        return self._history.pages(symbol, start, end, FRAMES[period], ADJUSTMENTS[prices])

    def corporate_actions(self, symbols: Sequence[Symbol], today: date) -> list[CorporateAction | MarketDataBroken]:
        """Return announced corporate actions as `told_of` names them; blocks. Raises `MarketDataError`."""
        return announced(self._requests, symbols, today)

    def news(self, symbols: Sequence[Symbol], start: datetime) -> NewsFound:
        """Return the articles written since `start`; blocks. Raises `MarketDataError`."""
        return headlines(self._requests, self._refused.others_of(symbols), start, self._now())

    # ── run by the desk, in its loop ─────────────────────────────────────────────────────────────────────────────

    async def run(self, hear: Callable[[Heard], None], show: Callable[[ConnectionStatus], None]) -> None:
        """Stream first, polling when it fails, and back; gaps are filled. Runs until it is cancelled (MD-02)."""
        self._hear, self._show = hear, show
        switch = self._begun()
        self._look()
        while not self._symbols:
            await self._naps.until(None)
        await together(
            self._keep_streaming(switch),
            self._keep_asking(switch),
            self._keep_asking_beside(switch),
            self._keep_quoting(switch),
            self._keep_time(switch),
        )

    def _begun(self) -> StreamFailover:
        """Return the failover state, which outlives a failed run."""
        if self._switch is None:
            silence = timedelta(seconds=float(self._settings.silence_seconds))
            self._switch = StreamFailover(self._timetable, silence, self._chance, self._known, self.counts, self._now())
        else:
            self._switch.lost(self._now(), "market data is begun again")
        return self._switch

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep_streaming(self, switch: StreamFailover) -> None:
        while True:
            now, at = self._now(), switch.line.connect_at
            if at is None or at > now:
                await self._naps.until(at)
                continue
            switch.line.connecting(now)
            self._look()
            await self._stream(switch)
            self._look()

    async def _stream(self, switch: StreamFailover) -> None:
        """Run one connection to its end."""
        self._socket = socket = DataSocket(self._settings, *self._keys, self._for_the_stream())
        try:
            beside = await socket.open()
            switch.opened(self._now())
            self._note_places(socket)
            self._look()
            said = StreamMessages(switch, self._quotes, self.counts, self._now, self._hear, self._look, self._naps.wake)
            said.take(beside, self._wanted)
            await together(self._listen(said, socket), self._watch(switch, socket), self._keep_pinging(switch, socket))
        except StreamRefusedError as error:
            switch.refused(self._now(), error.code, self._requests.hide(error.message))
        except StreamLostError as error:
            switch.lost(self._now(), str(error))
        finally:
            self._socket = None
            await socket.shut()

    def _note_places(self, socket: DataSocket) -> None:
        """Note the symbols beyond the stream's limit: they are polled, and reported if they changed."""
        streamed = frozenset(socket.streamed)
        polled = tuple(symbol for symbol in self._ranked if symbol not in streamed) if socket.is_full else ()
        if set(polled) == set(self._polled):
            return
        self._placed_lately = tuple(symbol for symbol in self._polled if symbol not in polled)
        self._polled = polled
        self._naps.wake()
        if polled:
            room = f"your plan has room for {len(streamed)} of {len(self._ranked)} symbols"
            self._hear(MarketDataBroken(PLACE, f"{room}; not streamed: {', '.join(polled)}; {POLLED}"))

    async def _listen(self, said: StreamMessages, socket: DataSocket) -> None:
        while True:
            said.take(await socket.receive(), self._wanted)
            if not socket.is_placing:
                self._note_places(socket)

    async def _watch(self, switch: StreamFailover, socket: DataSocket) -> None:
        """After a long silence, ping to check whether the stream is still there."""
        while True:
            now = self._now()
            timeout = switch.line.timeout(now)
            if timeout > timedelta(0):
                await self._naps.until(now + timeout)
                continue
            if not await socket.is_there():
                raise StreamLostError(socket.cut_because or UNANSWERED)
            switch.ponged(self._now())
            self._look()

    async def _keep_pinging(self, switch: StreamFailover, socket: DataSocket) -> None:
        """Ping regularly: a pong shows that the link is up; `_watch` checks for missing data."""
        while True:
            await asyncio.sleep(PING_EVERY)
            if await socket.is_there():
                switch.line.alive(self._now())
                self._look()

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep_asking(self, switch: StreamFailover) -> None:
        """Request missing minutes, one request for all symbols."""
        while True:
            now = self._now()
            at = switch.catch_up.ask_at(now)
            span = switch.catch_up.question(now) if at is not None and at <= now else None
            if span is None:
                await self._naps.until(at)
                continue
            try:
                found = await in_thread(
                    self._pool, TIMEOUT, partial(self._history.recent, self._symbols, span.start, span.end)
                )
            except AskError as error:
                switch.failed(self._now(), error.failure)
            except TimeoutError:
                switch.failed(self._now(), Failure(f"Alpaca's data service took over {TIMEOUT:.0f} s"))
            else:
                minutes = switch.answered(span, found, self._now())
                self._hand_on(minutes)
                if self._socket is not None and switch.is_proved_mute(minutes):
                    self._socket.cut(MUTE)
            self._look()

    async def _keep_asking_beside(self, switch: StreamFailover) -> None:
        """Request the last minutes of symbols beyond the stream's limit; the next minute repairs a failure.

        A symbol that has just moved to the stream is requested once more, because its last minute may have ended in
        between.
        """
        known = settled(self._now())
        while True:
            last, beside = settled(self._now()), (*self._polled, *self._placed_lately)
            if beside and last > known and switch.is_up and self._timetable.is_open(last):
                with suppress(AskError, TimeoutError):
                    found = await in_thread(
                        self._pool, TIMEOUT, partial(self._history.recent, beside, last - LOOK_BACK, last)
                    )
                    self._hand_on(switch.found_beside(found, self._now()))
                    self._placed_lately = tuple(symbol for symbol in self._placed_lately if symbol not in beside)
            known = last
            await self._naps.until(known + ONE_MINUTE + SETTLE if self._polled or self._placed_lately else None)

    async def _keep_quoting(self, switch: StreamFailover) -> None:
        """Request the latest quotes of all symbols: once at the start, then while no stream delivers them."""
        fails, self._wants_quotes = 0, True
        while True:
            asked = self._symbols if self._wants_quotes or switch.wants_quotes(self._now()) else self._polled
            if not asked or (asked is self._polled and not self._timetable.is_open(self._now())):
                await self._naps.until(None)
                continue
            try:
                found = await in_thread(
                    self._pool, TIMEOUT, partial(self._refused.ask, asked, self._requests.latest_quotes)
                )
            except (AskError, TimeoutError) as error:
                fails += 1
                await asyncio.sleep(self._before_the_next_quotes(error, fails).total_seconds())
                continue
            finally:
                self._wants_quotes = self._wants_quotes and asked is not self._symbols
            fails = 0
            switch.line.alive(self._now())
            for sighting in self._quotes.found(found, self._now()):
                self._hear(sighting)
            self._look()
            await asyncio.sleep(QUOTES_EVERY.total_seconds())

    def _before_the_next_quotes(self, error: Exception, fails: int) -> timedelta:
        """Return the growing pause before the next request; long at once after a refusal."""
        is_refused = isinstance(error, AskError) and error.failure.is_refused
        return after_a_refusal(self._chance()) if is_refused else pause(fails, self._chance())

    def _after(self, act: Coroutine[Any, Any, None]) -> None:
        """Run in the background; a failure ends its connection."""
        task = asyncio.ensure_future(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    # ── time and status ──────────────────────────────────────────────────────────────────────────────────────────

    async def _keep_time(self, switch: StreamFailover) -> None:
        while True:
            at = switch.next_due()
            if at is not None and at <= self._now():
                self._hand_on(switch.due(self._now()))
            else:
                await self._naps.until(at)

    def _hand_on(self, minutes: Sequence[BarArrived | MarketDataBroken]) -> None:
        for minute in minutes:
            self._hear(minute)

    def _look(self) -> None:
        """Show the status if it changed, and wake every task to check for due work."""
        assert self._switch is not None
        connection = replace(self._switch.line.connection(), polled=self._polled)
        before = self._shown
        is_another = before is None or _is_another(connection, before)
        if is_another or _is_much_newer(connection, before):
            self._shown = connection
            self._show(replace(connection, odd=self.counts.odd()))
        if is_another:
            self._naps.wake()


def _is_another(connection: ConnectionStatus, before: ConnectionStatus) -> bool:
    stands = connection.state, connection.since, connection.tries, connection.polled
    stood = before.state, before.since, before.tries, before.polled
    return stands != stood or is_news(connection.words, before.words)


def _is_much_newer(connection: ConnectionStatus, before: ConnectionStatus | None) -> bool:
    at, known = connection.heard_at, before.heard_at if before is not None else None
    return at is not None and (known is None or at - known >= SHOWN_AGAIN)


def _ignore(_heard: object) -> None:
    """Ignore data before the first run."""
