"""The live runtime: real time and a real broker.

One thread with one loop owns the engine; everything that waits is elsewhere.

Requests leave in threads, one lane per kind (`pending_requests.py`), so exits, cancels and queries never wait behind an
entry. Streams and answers come back through one inbox, in the order of the virtual runtime: a kill first, then broker
messages, market messages, deadlines, and commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from core.brokers.port import Broker, OrderStream
from core.engine import Engine
from core.execution.gateway import Withheld
from core.io.http_requests import backoff
from core.io.wall_clock import utc_now
from core.market.port import MarketData
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import BarArrived, DeadlineReached, Input, Priority, Start, SubmissionKept
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.values import ClientOrderId, Symbol
from core.ports import KillSwitch
from core.runtime.clock_guard import ClockGuard
from core.runtime.inbox import Inbox
from core.runtime.market_history import PastWatch, RegimeWatch
from core.runtime.news_watch import NewsWatch
from core.runtime.pending_requests import PendingRequests, RequestExecutor
from core.runtime.reference_data import Announcements, AssetWatch, ChartWatch, followed
from core.runtime.runtime import Carrier, Keeping, Runtime
from core.runtime.shutdown import is_filling, kept, left_behind, not_sent
from core.workflows.orders.position_close import PositionClose
from core.workflows.staging.confirmation import LEFT

# ── tasks that feed the desk ─────────────────────────────────────────────────────────────────────────────────────────
# The tasks that feed a live desk, and a delayed call on its loop.


UPDATES, DATA = "order updates", "market data"
CHANNELS = {UPDATES: Channel.TRADES, DATA: Channel.DATA}
"""Those whose state the connections show."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a stream that failed is begun again, doubling."""


class _Stream(Protocol):
    async def run(self, hear: Callable[[Any], None], show: Callable[[ConnectionStatus], None], /) -> None: ...


class LiveStreams:
    """The streams of a live desk, in the engine's thread and loop; `LiveRuntime` documents its parts."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        clock: Callable[[], datetime],
        orders: OrderStream,
        market: MarketData,
        regime: RegimeWatch | None,
        past: PastWatch | None,
        announcements: Announcements | None,
        assets: AssetWatch | None = None,
        charts: ChartWatch | None = None,
        news: NewsWatch | None = None,
    ) -> None:
        self.engine = engine
        self.inbox = inbox
        self.clock = clock
        self.orders = orders
        self.market = market
        self.regime = regime
        self.past = past
        self.announcements = announcements
        self.assets = assets
        self.charts = charts
        self.news = news
        self._followed: tuple[int, tuple[Symbol, ...]] = (-1, ())

    def begin(self) -> list[asyncio.Task[None]]:
        """Start the tasks, which run until cancelled; the order updates come first."""
        hear = self.inbox.hear_news
        found: dict[str, tuple[_Stream | None, Callable[[Any], None]]] = {
            UPDATES: (self.orders, self.inbox.hear_update),
            DATA: (self.market, self.inbox.hear_market),
            "regime": (self.regime, hear),
            "days before today's": (self.past, hear),
            "corporate actions": (self.announcements, hear),
            "assets": (self.assets, hear),
            "charts": (self.charts, hear),
            "news": (self.news, hear),
        }
        return [
            asyncio.create_task(self._keep_up(name, stream, hear), name=name)
            for name, (stream, hear) in found.items()
            if stream is not None
        ]

    async def _keep_up(self, name: str, stream: _Stream, hear: Callable[[Any], None]) -> None:
        """Run a stream; if it raises, which is a bug in it or in a library, show it and restart it ever later."""
        loop, tries = asyncio.get_running_loop(), 0
        while True:
            began, why = loop.time(), "it ended"
            try:
                await stream.run(hear, self.inbox.show)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            tries = 1 if loop.time() - began > LONGEST_PAUSE else tries + 1
            pause = backoff(tries, 1.0, FIRST_PAUSE, LONGEST_PAUSE)
            words = f"{name}: an error of the program ({why}); begun again in {pause:.0f} s, see `keyturn doctor`"
            if name in CHANNELS:
                status = ConnectionStatus(CHANNELS[name], ConnectionState.DOWN, self.clock(), None, tries, words)
                self.inbox.show(status)
            self.engine.say(words)
            await asyncio.sleep(pause)

    def follow(self) -> None:
        """Follow every symbol that is held or on order, even if the settings do not name it."""
        sequence, before = self.engine.state.journal.sequence, self._followed[1]
        if sequence == self._followed[0]:
            return
        symbols = followed(self.engine.state)
        self._followed = (sequence, symbols)
        if symbols != before:
            self.market.follow(symbols)
            if self.past is not None:
                self.past.follow(symbols)
            if self.announcements is not None:
                self.announcements.follow(symbols)
            if self.news is not None:
                self.news.follow(symbols)


class LaterCall:
    """`act` is the function to call."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def unless_waiting(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Schedule the call; a pending one is kept."""
        if self._handle is None:
            self._handle = loop.call_later(seconds, self._run)

    def drop(self) -> None:
        """Cancel the pending call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        self._handle = None
        self._act()


# ── the runtime ──────────────────────────────────────────────────────────────────────────────────────────────────────

ROUNDS = 3
"""Rounds in which the remaining tasks are cancelled, because cancelling one may reveal another."""
SOON = 0.005
"""Seconds until the next beat after news that came too soon after the last view."""
FAREWELL = 0.5
"""Seconds for the streams to close; an unreachable peer never answers."""
LAST_ANSWERS = 1.5
"""Seconds that a leaving desk waits for answers to its requests; the next start looks up the rest."""
LAST_STOPS = 0.3
"""Extra seconds while a reducing order is due, such as the stop of a fill reported at the last moment."""


class LiveRuntime(Runtime):
    """One engine on a real broker.

    Parameters
    ----------
    now
        The machine's clock, UTC.
    regime
        Measures the market; without it the regime stays unknown.
    past
        Fetches the earlier days; without it measures with a long memory start empty.
    assets
        Fetches the list for symbol searches; None without a search.
    charts
        Fetches chart history; without it a chart begins with the first bar received.
    news
        Fetches headlines; None without a source of them.
    steady
        A monotonic clock, in seconds: it reveals a jump of the machine's clock, and measures strategies that are too
        slow for a bar (ST-07). None if there is none.
    guard
        The desk's time compared with the broker's; None starts one that trusts this machine's clock.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        orders: OrderStream,
        market: MarketData,
        *,
        switch: KillSwitch,
        now: Callable[[], datetime] = utc_now,
        regime: RegimeWatch | None = None,
        past: PastWatch | None = None,
        announcements: Announcements | None = None,
        assets: AssetWatch | None = None,
        charts: ChartWatch | None = None,
        news: NewsWatch | None = None,
        steady: Callable[[], float] | None = None,
        guard: ClockGuard | None = None,
        keeper: Keeping | None = None,
        notifier: Carrier | None = None,
    ) -> None:
        listed, history = None if assets is None else assets.book, None if charts is None else charts.book
        begun = max(now() if guard is None else guard.read(), engine.state.at)
        super().__init__(engine, switch, begun, keeper, listed, history, notifier)
        engine.ports.stand_at_a_real_broker()
        engine.state.orchestrator.measure(steady)
        self._guard = guard or (None if steady is None else ClockGuard(now, steady, self.at))
        engine.state.sightings.has_own_clock = self._guard is not None
        self.now = now
        self.inbox = Inbox(self.wake)
        self.streams = LiveStreams(
            engine, self.inbox, self.clock, orders, market, regime, past, announcements, assets, charts, news
        )
        self.sending = PendingRequests(
            self.gateway,
            RequestExecutor(broker, market, self._guard),
            lambda: engine.state.control.settings,
            self.clock,
            self._put_answer,
            self._put_quietly,
            self._tell_call,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._at_deadline, self._soon = LaterCall(self._empty_inbox), LaterCall(self._empty_inbox)
        self._beat_again = LaterCall(self._beat_unless_left)
        self._left, self._heard = asyncio.Event(), asyncio.Event()
        self._is_hurried = False
        self._failure: Exception | None = None

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def clock(self) -> datetime:
        """Return the current time, never before the last input: a machine's clock may be set back."""
        return max(self.now() if self._guard is None else self._guard.read(), self.at)

    def _look_at_the_clock(self) -> bool:
        """Handle a jump of the clock before anything that is measured by it. Return whether there was one."""
        if self._guard is None:
            return False
        self._guard.limit = float(self.engine.state.control.settings.risk.clock_jump_seconds)
        self._guard.read()
        told = self._guard.news()
        if told is not None:
            self._take_now(told)
        return told is not None

    def wake(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._empty_inbox)

    def hurry(self) -> None:
        """Beat once more after the current input, so that a fill is shown without delay."""
        self._is_hurried = True

    @property
    def rate(self) -> float:
        return 1.0

    def attend(self, attended: bool) -> None:
        """Do nothing: real time cannot be slowed."""

    def depths(self) -> Mapping[str, int]:
        return {"inbox": self.inbox.depth() + len(self._commands) + len(self._from_agents), **self.sending.depths()}

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Connect, reconcile and trade until told to leave.

        The loop is closed without waiting for its threads: one may wait for an answer that never comes.
        """
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._live())
        finally:
            for _ in range(ROUNDS):
                loop.run_until_complete(_cancel_all())
            loop.close()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, what: self._fail(what.get("exception"), str(what["message"])))
        self.at = self.clock()
        self.take(self.at, Start())
        for line in (Channel.TRADES, Channel.DATA):
            self.inbox.show(
                ConnectionStatus(line, ConnectionState.CONNECTING, self.at)
            )  # nothing was received on it yet, so no entry is sent (OP-04)
        self._plan()
        streams = self.streams.begin()
        beating = asyncio.create_task(self._beat())
        beating.add_done_callback(self._has_stopped_beating)
        self._empty_inbox()
        await self._left.wait()
        updates, *others = streams
        for task in (*others, beating):
            task.cancel()
        if self._failure is None:
            await self._finish_what_is_owed()
        updates.cancel()
        await asyncio.wait([*streams, beating], timeout=FAREWELL)
        if self._failure is None:
            self._close_lanes()
            return
        with suppress(Exception):  # closing may need the part that failed; the failure itself is raised below
            self._close_lanes()
        self.end()
        raise self._failure

    def _begin_to_leave(self) -> None:
        self._is_leaving = True
        self._left.set()

    def _fail(self, error: BaseException | None, words: str) -> None:
        """End the run after an exception in the engine's thread: waiters are notified, and trading stops."""
        self._failure = self._failure or (error if isinstance(error, Exception) else RuntimeError(words))
        self._begin_to_leave()

    def _has_stopped_beating(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception(), "the heartbeat ended")

    async def _beat(self) -> None:
        while True:
            self.beat()
            if not self._left.is_set() and self._look_at_the_clock():
                self._plan()
            await asyncio.sleep(self.beat_seconds())

    async def _finish_what_is_owed(self) -> None:
        """Wait for the answers to requests already sent, and send what follows from them, within a time limit.

        Answers go into the journal. Sent are the stop of a fill and the answers to the cancels of a kill that arrives
        meanwhile. A stop that makes way for an exit is waited for, and the exit is sent; one that was confirmed does
        not wait for fresh figures. An entry that the current quote would fill is waited for too, and its stop is sent.
        Queued entries do not leave.
        """
        assert self._loop is not None
        self.at = self.clock()
        self.last_words += tuple(map(not_sent, self.sending.refuse_entries(LEFT)))
        ends = self._loop.time() + LAST_ANSWERS
        while True:
            self._heard.clear()
            self._take_from(Priority.BROKER)
            self._decide_keys()
            makes_way = bool(self.engine.the(PositionClose).under_way())
            left = ends + (LAST_STOPS if makes_way or self.sending.awaits_exits else 0) - self._loop.time()
            if left <= 0 or not (makes_way or self.sending.awaits or is_filling(self.engine.state, self.at)):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), left)

    def _close_lanes(self) -> None:
        """Keep unsent requests for the next start; report them and all unknown outcomes."""
        self._is_shut = True
        effects, asked = self.sending.close()
        for effect in effects:
            self._keep(effect)
        self.last_words += tuple(left_behind(self.engine, asked))

    # ── the inbox ────────────────────────────────────────────────────────────────────────────────────────────────

    def _empty_inbox(self) -> None:
        """Process all waiting inputs in the order given in the module's docstring."""
        if self._left.is_set():
            if self._failure is None:
                self._obey_kills()  # while the desk leaves, its cancels are still sent
                self._heard.set()
            return
        self._obey_kills()
        self._look_at_the_clock()
        self._take_all()
        self._take_deadline()
        self._obey_commands()
        self._hear_agents()
        self._plan()
        if not self.is_running:
            self._begin_to_leave()
        elif self._is_hurried:
            # Beat out of turn, and again if news comes too soon after the last view.
            self._is_hurried = False
            self.beat()
            if self.has_news() and self._loop is not None:
                self._beat_again.unless_waiting(self._loop, SOON)

    def _beat_unless_left(self) -> None:
        if not self._left.is_set():
            self.beat()

    def _take_all(self) -> None:
        for priority in (Priority.BROKER, Priority.MARKET):
            self._take_from(priority)
        for quote in self.inbox.take_quotes():
            self._is_quoted = True
            self._take_now(quote)

    def _take_from(self, priority: Priority) -> None:
        for message in self.inbox.take_from(priority):
            self._is_quoted |= isinstance(message, BarArrived)
            self._take_now(message)
            self._obey_kills()

    def _take_now(self, message: Input) -> None:
        self.sending.settle(message)
        self.at = self.clock()
        self.take(self.at, message)

    # ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self) -> None:
        """Schedule the engine's next deadline, and follow the symbols that it now needs."""
        self.streams.follow()
        self._at_deadline.drop()
        due = self.engine.next_deadline
        if due is not None and self._loop is not None:
            self._at_deadline.unless_waiting(self._loop, max(0.0, (due - self.clock()).total_seconds()))

    def _take_deadline(self) -> None:
        due = self.engine.next_deadline
        if due is not None and due <= self.clock():
            self._take_now(DeadlineReached())

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _queue(self, effect: Effect) -> None:
        if isinstance(effect, SubmitOrder | ReplaceOrder):
            self.sending.send(effect, self.at)
        else:
            self.sending.ask(effect)

    def _refuse(self, effect: SubmitOrder | ReplaceOrder, why: Withheld) -> None:
        self.sending.refuse(effect, why)

    def _withdraw(self, order_id: ClientOrderId) -> bool:
        return self.sending.take_back(order_id)

    def _keep(self, effect: SubmitOrder | ReplaceOrder) -> None:
        """Keep an order that never left; the next start knows that if the record could be written."""
        order = effect.order
        with suppress(Exception):  # a failed desk may fail again
            self._take_now(SubmissionKept(order.client_order_id, effect.approval))
        written = self.engine.state.ledger.order(order.client_order_id)
        is_kept = written is not None and written.kept is not None and self.engine.disk_trouble is None
        self.last_words += (kept(order, is_kept),)

    def _put_notified(self, message: Input) -> None:
        """Queue a delivery result behind the broker's and the market's messages."""
        self.inbox.put(Priority.MARKET, message)

    def _put_answer(self, message: Input) -> None:
        self.inbox.put(Priority.BROKER, message)

    def _put_quietly(self, message: Input) -> None:
        """Queue a message to be processed a moment later. Any thread."""
        self.inbox.put_quietly(Priority.BROKER, message)
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._look_soon)

    def _look_soon(self) -> None:
        if self._loop is not None:
            self._soon.unless_waiting(self._loop, SOON)


async def _cancel_all() -> None:
    """Cancel the remaining tasks so that streams close their connections; wait 0.1 s at most."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=0.1)
