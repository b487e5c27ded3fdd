"""The virtual runtime: bars, replies, deadlines and keys in one order of time, in one thread.

It runs replays, backtests, the demo and simulations. The same market, settings and keys give the same journal, byte for
byte, at any speed (MD-05): the speed only sets the pace. At equal times the exchange moves first, followed by broker
messages, market messages, deadlines and commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import NOTHING, Engine
from core.execution.gateway import TAKEN_BACK, Lane, Withheld
from core.messages import inputs
from core.messages.command_ports import CommandPort, PortKind, addressed
from core.messages.commands import Command
from core.messages.effects import Effect, FetchHistory, LookUpSymbols, ReplaceOrder, SubmitOrder
from core.model.bar import ONE_MINUTE, Bar
from core.model.codes import BlockCode
from core.model.values import ClientOrderId
from core.ports import KillSwitch
from core.runtime.call_record import call_made
from core.runtime.demo import OpeningScript
from core.runtime.feed import BAR, SliceTraded, Timed
from core.runtime.inbox import Link, Operator
from core.runtime.pending_requests import no_answer
from core.runtime.reference_data import AssetBook, ChartBook
from core.runtime.runtime import Carrier, Keeping, Runtime
from core.runtime.shutdown import is_filling, kept, left_behind, not_sent
from core.runtime.simulated_exchange import HeardFromOutside, QuoteRounds, RunLeft, RunRecorder, Said
from core.runtime.stress_market import StressScript
from core.runtime.virtual_time import LAST_ANSWERS, LAST_STOPS, ExchangeAnswers, Pace, Request, VirtualLanes
from core.workflows.orders.position_close import PositionClose
from core.workflows.staging.confirmation import LEFT

FOR_EVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
AFTER_THE_END = timedelta(hours=1)
"""How long the answers in flight, expiries and the session's close are processed after the market's end."""


class VirtualRuntime(Runtime):
    """One engine, one exchange, one order of time.

    `steady` measures the duration of strategies, in seconds (ST-07); without it none is too slow, and every run is the
    same. `history` answers the desk's requests for earlier bars; without it there are none. `recorder` receives the
    inputs from outside.

    Attributes
    ----------
    events
        The number of events since the start, which gives the place of an input from outside in the run.
    """

    def __init__(
        self,
        engine: Engine,
        exchange: SimulatedExchange,
        feed: Iterable[Timed],
        *,
        start: datetime,
        switch: KillSwitch,
        link: Link = Link(),
        pace: Pace | None = None,
        operator: Operator | None = None,
        steady: Callable[[], float] | None = None,
        keeper: Keeping | None = None,
        quotes: QuoteRounds | None = None,
        assets: AssetBook | None = None,
        charts: ChartBook | None = None,
        history: Callable[[FetchHistory | LookUpSymbols], tuple[Bar, ...]] = lambda _asked: (),
        notifier: Carrier | None = None,
        recorder: RunRecorder | None = None,
    ) -> None:
        super().__init__(engine, switch, start, keeper, assets, charts, notifier)
        self.events = 0
        self._recorder = recorder
        self._notified: deque[inputs.FromNotifier] = deque()
        engine.state.orchestrator.measure(steady)
        self.exchange = exchange
        self._answers = ExchangeAnswers(exchange)
        self.link = link
        self.pace = pace or Pace(None)
        self.pace.beat_by(self.beat_seconds)
        self.operator = operator
        self._by_script = _script_port(engine) if operator is not None else None
        self._quotes = quotes
        self._feed: Iterator[Timed] = iter(feed)
        self._next: Timed | None = next(self._feed, None)
        self._arriving: deque[inputs.BarArrived] = deque()
        self._heap: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._ends_at: datetime | None = None
        self.lanes = VirtualLanes(self._leave_lane)
        self.history = history
        engine.state.sightings.has_frictions = exchange.has_frictions

    def _beat_if_due(self) -> None:
        if self.pace.is_beat_due():
            self.beat()

    def preparing(self) -> str | None:
        return self.operator.in_words() if isinstance(self.operator, StressScript | OpeningScript) else None

    def clock(self) -> datetime:
        return self.pace.now(self.at)

    @property
    def rate(self) -> float:
        return self.pace.rate

    def wake(self) -> None:
        self.pace.wake.set()

    def leave(self) -> None:
        """Finish the current act and stop, at the latest after a beat.

        It wakes nobody, because that takes a lock, and a signal handler may have interrupted the thread that holds it.
        """
        self.is_running = False

    def hurry(self) -> None:
        self.pace.hurry()

    def depths(self) -> Mapping[str, int]:
        return {"inbox": len(self._heap) + len(self._commands) + len(self._from_agents), **self.lanes.depths()}

    def attend(self, attended: bool) -> None:
        """Set ×1 while a person has a ticket or the kill screen open."""
        self.pace.attend(attended)

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, until: datetime | None = None) -> None:
        """Run to the end of the feed and its consequences, to `until`, or until told to leave."""
        self.take(self.at, inputs.Start())
        self.play(until)

    def play(self, until: datetime | None = None) -> None:
        """Continue after the start, to the end or to `until` (inclusive)."""
        while self.is_running and self.step(until):
            if self.pace.speed is None:
                self._play_quiet_bars(until or FOR_EVER)
        if not self.is_running:
            if self._recorder is not None:
                self._recorder.left(RunLeft(self.events, self.at))
            self.finish_what_is_owed()

    def _play_quiet_bars(self, until: datetime) -> None:
        """Do the same as `step` while only bars are due, without checking every source each time.

        Nothing else can become due while the engine requests nothing, records nothing but the bar, and keeps its next
        deadline. Feed items of the same instant come first, as in `step`.
        """
        if not self._is_quiet():
            return
        handle, exchange, arriving, feed = self.engine.handle, self.exchange, self._arriving, self._feed
        item, at, deadline = self._next, self.at, self.engine.next_deadline
        wake, heard_at = self.pace.wake.is_set, arriving[0].heard_at
        while item is not None and item[1] == BAR and item[0] == heard_at and self.is_running and not wake():
            if item[0] > until or (deadline is not None and deadline <= item[0]):
                return
            if not at.minute:  # at full hours: reading the wall clock costs a tenth of a bar
                self._beat_if_due()
            self.at = at = item[0]
            message: inputs.BarArrived = item[2]  # type: ignore[assignment]
            bar, whole = message.bar, message.whole
            if whole is None:  # inlined: two calls are a twentieth of a bar
                heard_at = bar.start + ONE_MINUTE
                exchange.begin_bar(bar)
            else:
                heard_at = whole.heard_at
                exchange.begin_bar(bar, whole.lasts)
            arriving.append(message)
            self.events += 1  # it began
            self._next = item = next(feed, None)
            if item is not None and item[0] <= at:
                return  # further feed items of this instant come before what the engine hears
            ended = arriving.popleft()
            self.events += 1
            if (effects := handle(at, ended)) is not NOTHING:
                for effect in effects:
                    self._perform(effect)
                return

    def _is_quiet(self) -> bool:
        """Whether nothing is in progress except for the one bar being traded."""
        return (
            len(self._arriving) == 1
            and not self._heap
            and self.exchange.next_at is None
            and (self.operator is None or self.operator.next_at() is None)
            and self._quotes is None
        )

    def step(self, until: datetime | None = None) -> bool:
        """Process one event. Return False if none is left before `until`."""
        if self.pace.wake.is_set():
            self._look_around()
        at = self._earliest()
        if at is None or (until is not None and at > until):
            return False
        self._beat_if_due()
        if self.pace.wait_until(at, self.at):
            self._happen(max(at, self.at))
        return True

    def _earliest(self) -> datetime | None:
        """Return the time of the next event; None if only deadlines of an ended market are left."""
        at = self._next[0] if self._next is not None else None
        if self._arriving and (at is None or self._arriving[0].heard_at < at):
            at = self._arriving[0].heard_at
        if self._heap and (at is None or self._heap[0][0] < at):
            at = self._heap[0][0]
        walk = self.exchange.next_at
        if walk is not None and (at is None or walk < at):
            at = walk
        deadline = self.engine.next_deadline
        if deadline is not None and (at is None or deadline < at):
            at = deadline
        if self._quotes is not None and at is not None and self._quotes.next_at < at:
            at = self._quotes.next_at
        if self.operator is not None:
            key = self.operator.next_at()
            if key is not None and (at is None or key < at):
                at = key
        return None if self._is_over(at) else at

    def _is_over(self, at: datetime | None) -> bool:
        """Whether the market has ended and `at` is more than an hour after it."""
        if self._next is not None:
            return False
        if self._ends_at is None:
            still_to_be_heard = [bar.heard_at for bar in self._arriving if bar.whole is not None]
            self._ends_at = max([self.at, *still_to_be_heard]) + AFTER_THE_END
        return at is None or at > self._ends_at

    def _happen(self, at: datetime) -> None:
        """Process what is due first at `at`, in the order given in the module's docstring."""
        self.at = at
        self.events += 1
        if self._next is not None and self._next[0] <= at:
            self._market_moves()
            return
        walk = self.exchange.next_at
        if walk is not None and walk <= at:
            self.exchange.advance(at)
            self._pass_updates_on()
        if self._heap and self._heap[0][0] <= at:
            heappop(self._heap)[3]()
        elif self._arriving and self._arriving[0].heard_at <= at:
            self.take(at, self._arriving.popleft())
        elif self._quotes is not None and self._quotes.next_at <= at:
            for quote in self._quotes.look(at):
                self._is_quoted = True
                self.take(at, quote)
        elif self.engine.next_deadline is not None and self.engine.next_deadline <= at:
            self.take(at, inputs.DeadlineReached())
        elif self.operator is not None and (key := self.operator.next_at()) is not None and key <= at:
            for command in self.operator.press(at):
                said = addressed(command, self.engine.state.account_name)
                self.obey(said if self._by_script is None else self._by_script(said))

    def _market_moves(self) -> None:
        """Give a bar to the exchange at its start, and to the engine at its end."""
        item = self._next
        self._next = next(self._feed, None)
        if item is None:
            return
        _, kind, message = item
        if isinstance(message, SliceTraded):
            self.exchange.begin_bar(message.bar, message.lasts)
            return
        if kind == BAR:
            assert isinstance(message, inputs.BarArrived)
            self.exchange.begin_bar(message.bar, message.lasts)
            self._arriving.append(message)
            return
        if isinstance(message, inputs.QuoteArrived):
            self._quotes_move(message)
            return
        self._later(self.at, inputs.Priority.MARKET, lambda: self.take(self.at, message))

    def _quotes_move(self, first: inputs.QuoteArrived) -> None:
        """Process a quote with all following quotes of the same instant."""
        told = [first]
        while (
            (follows := self._next) is not None
            and follows[0] <= self.at
            and isinstance(follows[2], inputs.QuoteArrived)
        ):
            told.append(follows[2])
            self._next = next(self._feed, None)
        for message in told:
            self.exchange.take_quote(message.quote)
        self._is_quoted = True
        self._later(self.at, inputs.Priority.MARKET, lambda: self._take_all(told))

    def _take_all(self, told: list[inputs.QuoteArrived]) -> None:
        for message in told:
            self.take(self.at, message)

    def _look_around(self) -> None:
        """Process what waits: commands, delivery results and messages of agents."""
        self.pace.wake.clear()
        self._obey_commands()
        while self._notified:
            self.at = max(self.at, self.clock())
            message = self._notified.popleft()
            self._note_from_outside(message)
            self.take(self.at, message)
        self._hear_agents()

    def _note_from_outside(self, message: Said) -> None:
        if self._recorder is not None:
            sender = getattr(message, "sender", None)
            seat = () if sender is None else (sender.terminal, sender.user)
            self._recorder.heard(HeardFromOutside(self.events, self.at, message, *seat))

    def _put_notified(self, message: inputs.FromNotifier) -> None:
        """Queue a delivery result; when no message left the machine, it is part of this one order of time."""
        if self._notifier is None:
            self._later(self.at, inputs.Priority.BROKER, lambda: self.take(self.at, message))
            return
        self._notified.append(message)
        self.wake()

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────

    def _queue(self, effect: Effect) -> None:
        self.lanes.take(effect, self.at)

    def _withdraw(self, order_id: ClientOrderId) -> bool:
        """Withdraw an order that waits in its lane. Return whether it was there."""
        found = [effect for effect in self.lanes.orders_waiting() if effect.order.client_order_id == order_id]
        if not found or not self.gateway.take_back(order_id):
            return False
        self._refuse(found[0], TAKEN_BACK)
        return True

    def _refuse(self, effect: SubmitOrder | ReplaceOrder, why: Withheld) -> None:
        stopped = inputs.SubmissionStopped(effect.order.client_order_id, why.words, effect.approval, why.code)
        self._later(self.at, inputs.Priority.BROKER, lambda: self.take(self.at, stopped))

    def _leave_lane(self, effect: Effect, lane: Lane, queued_at: datetime) -> Request | None:
        """Check an effect at the head of its lane with the gateway, and send it or keep it back."""
        if isinstance(effect, SubmitOrder | ReplaceOrder):
            withheld = self.gateway.refusal(effect, self.at, queued_at)
            if withheld is not None:
                if withheld.code is not BlockCode.TAKEN_BACK:  # whoever withdrew it has already reported that
                    self._refuse(effect, withheld)
                return None
            began = inputs.SubmissionBegan(effect.order.client_order_id)
            self._later(self.at, inputs.Priority.BROKER, lambda: self.take(self.at, began))
        request = Request(effect, lane, self.at)
        self._send(request)
        return request

    # ── shutdown, as in the live runtime ─────────────────────────────────────────────────────────────────────────

    def finish_what_is_owed(self) -> None:
        """Wait shortly for outstanding answers, and send what follows from them if it reduces a position.

        An exit that was confirmed no longer waits for fresh figures. A stop that makes way for an exit is waited for,
        and the fill of an entry that the current quote would fill. Unsent requests are kept for the next start, and
        everything left is reported.
        """
        self._is_leaving = True
        for effect in self.lanes.orders_waiting():
            if not effect.order.effect.only_reduces and self.gateway.take_back(effect.order.client_order_id):
                self._refuse(effect, Withheld(LEFT))
                self.last_words += (not_sent(effect.order),)
        self._decide_keys()
        ends = self.at + LAST_ANSWERS
        while (at := self._next_of_the_broker()) is not None and at <= self._waits_until(ends):
            self.at = max(self.at, at)
            if self.exchange.next_at is not None and self.exchange.next_at <= self.at:
                self.exchange.advance(self.at)
                self._pass_updates_on()
            else:
                heappop(self._heap)[3]()
            self._decide_keys()
        self._is_shut = True
        for effect in self.lanes.orders_waiting():
            if self.gateway.take_back(effect.order.client_order_id):
                self._keep(effect)
        self.last_words += tuple(left_behind(self.engine, self.lanes.orders_out()))

    def _waits_until(self, ends: datetime) -> datetime:
        """Return the time until which outstanding work is waited for; `LONG_AGO` if there is none."""
        makes_way = bool(self.engine.the(PositionClose).under_way())
        if not (makes_way or self.lanes.awaits or is_filling(self.engine.state, self.at)):
            return LONG_AGO
        return ends + (LAST_STOPS if makes_way or self.lanes.awaits_exits else timedelta(0))

    def _next_of_the_broker(self) -> datetime | None:
        due = [self._heap[0][0]] if self._heap else []
        due += [self.exchange.next_at] if self.exchange.next_at is not None else []
        return min(due, default=None)

    def _keep(self, effect: SubmitOrder | ReplaceOrder) -> None:
        """Keep an order that never left, for the next start."""
        self.take(self.at, inputs.SubmissionKept(effect.order.client_order_id, effect.approval))
        self.last_words += (kept(effect.order, True),)

    # ── the exchange ─────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, request: Request) -> None:
        """Send a request; without an answer in time it is given up, as by any client."""
        delays = self._carried(request)
        for delay in delays:
            self._later(self.at + delay, inputs.Priority.KILL, lambda: self._reach(request))
        if not any(delay < self.link.timeout for delay in delays):
            self._later(self.at + self.link.timeout, inputs.Priority.BROKER, lambda: self._give_up(request))

    def _carried(self, request: Request) -> tuple[timedelta, ...]:
        return tuple(self.link.carry(request.effect))

    def _reach(self, request: Request) -> None:
        """Deliver a request to the exchange, and send its answer back."""
        ends, is_in_time = request.sent_at + self.link.timeout, False
        for delay, told in self.link.bring(request.effect, self.ask(request.effect)):
            is_in_time |= self.at + delay < ends
            self._later(self.at + delay, inputs.Priority.BROKER, lambda told=told: self._hear(request, told))  # type: ignore[misc]
        if not is_in_time and not request.is_given_up:
            self._later(max(ends, self.at), inputs.Priority.BROKER, lambda: self._give_up(request))
        self._pass_updates_on()

    def _hear(self, request: Request, answer: inputs.Input) -> None:
        """Process an answer; that to an order gives the time at which its request passed the gateway (EX-16)."""
        if request.is_given_up:
            return
        if isinstance(answer, inputs.SubmissionAnswered):
            assert isinstance(request.effect, SubmitOrder | ReplaceOrder)
            given_back = self.gateway.given_back(request.effect, answer.answer)
            answer = replace(answer, sent_at=request.sent_at, approval=given_back)
        self._end(request)
        self._tell_of(request, answer)
        self.take(self.at, answer)

    def _give_up(self, request: Request) -> None:
        """Give up a request at its time-out; it may have arrived all the same."""
        if request.is_over:
            return
        request.is_given_up = True
        said = no_answer(request.effect, f"no answer in {self.link.timeout.total_seconds():g} s")
        if isinstance(said, inputs.SubmissionAnswered):
            said = replace(said, sent_at=request.sent_at)
        self._end(request)
        self._tell_of(request, said)
        self.take(self.at, said)

    def _tell_of(self, request: Request, answer: inputs.Input) -> None:
        if self._call_listeners:
            took = (self.at - request.sent_at).total_seconds()
            self._tell_call(call_made(request.effect, answer, self.at, took))

    def _end(self, request: Request) -> None:
        """Free the lane: the next request leaves before the answer is processed, as it would from a thread."""
        if not request.is_over:
            request.is_over = True
            self.lanes.free(request)

    def ask(self, effect: Effect) -> inputs.Input:
        """Return the exchange's immediate answer."""
        if isinstance(effect, FetchHistory):
            return inputs.HistoryFetched(effect.symbols, effect.start, effect.end, self.history(effect))
        if isinstance(effect, LookUpSymbols):
            listed = self._answers.instruments(effect.symbols)
            return inputs.SymbolsLookedUp(effect.symbols, listed, self.history(effect))
        return self._answers.answer(effect, self.at)

    def _pass_updates_on(self) -> None:
        for update in self.exchange.take_updates():
            heard = inputs.BrokerUpdated(update)
            for delay in self.link.tell(update):
                self._later(
                    max(update.at + delay, self.at),
                    inputs.Priority.BROKER,
                    lambda heard=heard: self.take(self.at, heard),  # type: ignore[misc]
                )

    def _later(self, at: datetime, priority: inputs.Priority, act: Callable[[], None]) -> None:
        heappush(self._heap, (at, priority.value, next(self._numbers), act))


def _script_port(engine: Engine) -> Callable[[Command], Command]:
    """Return the port of scripted keys; only allowed here, because the broker is the simulated exchange."""
    port = CommandPort(PortKind.SCRIPT)
    engine.ports.admit(port.known)
    return port.through
