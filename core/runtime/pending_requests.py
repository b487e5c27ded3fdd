"""The requests of a live desk to broker and market: one queue with lanes, and what has no outcome yet.

Each lane runs its requests in order, as many at once as its width; a hanging request delays no other lane. Everything
here is called in the engine's thread, except for code that runs in a lane. An order that waits in its lane can be
withdrawn; right before the request the gateway checks once more. The engine learns of a sent request slightly later, so
that nothing comes between the check and the request.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from core.brokers.port import Broker
from core.execution.gateway import TAKEN_BACK, Gateway, Lane, LaneQueue, Withheld, lane_of
from core.market.port import MarketData, MarketDataError
from core.messages import effects, inputs
from core.model.account import Account, NoAccount
from core.model.bar import Bar, NoQuote
from core.model.broker import BrokerBooks, FreshFigures, NoAnswer
from core.model.codes import BlockCode
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.values import ClientOrderId, Symbol
from core.runtime.call_record import CallListener, call_made, counted
from core.runtime.clock_guard import ClockGuard
from core.runtime.inbox import Act, NoThreadError, Threads
from core.settings.settings import Settings

Dated = TypeVar("Dated", Account, Account | NoAnswer)
TO_BE_HEARD = 0.1
"""Seconds of a confirmation's time-out that are reserved for processing the answers."""
NOT_ASKED = "it is asked for beside this quote"
AT_ONCE = 8
"""Symbols fetched at the same time for one comparison."""


class RequestExecutor:
    """Blocks: called in threads, never in the engine's. `settings` are those in force when the request was made.

    Parameters
    ----------
    guard
        Notified of each reading of the broker's clock; None if the desk's clock is the broker's.
    """

    def __init__(self, broker: Broker, market: MarketData, guard: ClockGuard | None = None) -> None:
        self.broker = broker
        self.market = market
        self.guard = guard
        self._threads = Threads("figures")

    def close(self) -> None:
        self._threads.close()

    def ask(self, effect: effects.Effect, settings: Settings) -> inputs.Input:
        """Send a request and return its outcome."""
        broker = self.broker
        match effect:
            case effects.SubmitOrder():
                return inputs.SubmissionAnswered(effect.order.client_order_id, broker.submit(effect.order))
            case effects.ReplaceOrder():
                answer = broker.replace(effect.order, effect.broker_order_id)
                return inputs.SubmissionAnswered(effect.order.client_order_id, answer)
            case effects.CancelOrder():
                cancelled = broker.cancel(effect.client_order_id, effect.broker_order_id)
                return inputs.CancelAnswered(effect.client_order_id, cancelled)
            case effects.LookUpOrder():
                found = broker.look_up(effect.client_order_id, with_legs=effect.with_legs)
                return inputs.LookUpAnswered(effect.client_order_id, found)
            case effects.FetchFigures():
                figures = self._figures(effect, settings)
                return inputs.FiguresFetched(effect.proposal_id, effect.ticket_id, figures, effect.is_quote_alone)
            case effects.FetchAccount():
                asked_at = self._desk_time()
                return inputs.AccountFetched(_dated(broker.account(), asked_at))
            case effects.FetchBooks():
                return inputs.BooksFetched(self._books(effect))
            case effects.FetchClock():
                return self._clock()
            case effects.FetchSessions():
                return inputs.SessionsFetched(broker.sessions(effect.first, effect.last))
            case effects.FetchActivities():
                return inputs.ActivitiesFetched(broker.activities(effect.since))
            case effects.FetchHistory():
                return inputs.HistoryFetched(effect.symbols, effect.start, effect.end, self._history(effect))
            case effects.LookUpSymbols():
                return inputs.SymbolsLookedUp(effect.symbols, self._instruments(effect.symbols), self._history(effect))
        raise TypeError(f"{type(effect).__name__} is no request to a broker")

    def _desk_time(self) -> datetime | None:
        return None if self.guard is None else self.guard.read()

    def _clock(self) -> inputs.ClockFetched:
        if self.guard is None:
            told = self.broker.time()
            return (
                inputs.ClockFetched(told)
                if isinstance(told, NoAnswer)
                else inputs.ClockFetched(told.at, hours=told.hours)
            )
        asked = self.guard.steady()
        told = self.broker.time(is_once=True)  # the time of a first try that failed would blur the reading
        if isinstance(told, NoAnswer):
            return inputs.ClockFetched(told)
        found = self.guard.hear(told.at, asked, self.guard.steady())
        return inputs.ClockFetched(told.at, found.ahead, found.is_near, found.step, told.hours)

    def _history(self, effect: effects.FetchHistory | effects.LookUpSymbols) -> tuple[Bar, ...] | NoAnswer:
        try:
            found = self.market.history(effect.symbols, effect.start, effect.end)
        except MarketDataError as error:
            return NoAnswer(str(error))
        return tuple(minute.bar for minute in found if isinstance(minute, inputs.BarArrived))

    def _figures(self, effect: effects.FetchFigures, settings: Settings) -> FreshFigures:
        """Fetch clock, account, quote and asset in parallel, each within the confirmation's time-out.

        A missing one is reported as missing and does not delay the others (OP-03).
        """
        symbol = effect.symbol
        asked: list[Callable[[], Any]] = [
            _nothing if effect.is_quote_alone else self.broker.time,
            _nothing if effect.is_quote_alone else self.broker.account,
            lambda: self.market.quote(symbol),
            lambda: self.broker.instrument(symbol),
        ]
        seconds = float(settings.staging.review_seconds)
        futures = [self._threads.ask(act) for act in asked]
        wait(futures, timeout=max(seconds - TO_BE_HEARD, seconds / 2))
        time, account, quote, instrument = (_come(future, seconds) for future in futures)
        return FreshFigures(
            time if isinstance(time, NoAnswer) else time.at,
            NoAccount(account.reason) if isinstance(account, NoAnswer) else account,
            NoQuote(quote.reason) if isinstance(quote, NoAnswer) else quote,
            NoInstrument(instrument.reason) if isinstance(instrument, NoAnswer) else instrument,
        )

    def _books(self, effect: effects.FetchBooks) -> BrokerBooks | NoAnswer:
        """Fetch the broker's books, and its data on the requested instruments."""
        asked_at = self._desk_time()
        books = self.broker.books()
        if isinstance(books, NoAnswer):
            return books
        account = _dated(books.account, asked_at)
        return replace(books, account=account, instruments=self._instruments(effect.instruments))

    def _instruments(self, symbols: Iterable[Symbol]) -> tuple[BrokerInstrument, ...]:
        asked = [lambda s=s: self.broker.instrument(s) for s in sorted(symbols)]
        found = self._threads.all_of(asked, AT_ONCE)
        return tuple(each for each in found if isinstance(each, BrokerInstrument))


def _dated(account: Dated, asked_at: datetime | None) -> Dated:
    """Return the account as of the desk's time: its adapter knows only the machine's clock (EX-23)."""
    return replace(account, at=asked_at) if isinstance(account, Account) and asked_at is not None else account


def _nothing() -> NoAnswer:
    return NoAnswer(NOT_ASKED)


def _come(future: Future[Any], seconds: float) -> Any:
    """Return the result of one request so far."""
    if not future.done():
        return NoAnswer(f"no answer in {seconds:g} s")
    return future.result()


def no_answer(effect: effects.Effect, reason: str) -> inputs.Input:
    """Return the outcome of a request that failed before it was sent."""
    nothing = NoAnswer(reason)
    match effect:
        case effects.SubmitOrder() | effects.ReplaceOrder():
            return inputs.SubmissionAnswered(effect.order.client_order_id, nothing)
        case effects.CancelOrder():
            return inputs.CancelAnswered(effect.client_order_id, nothing)
        case effects.LookUpOrder():
            return inputs.LookUpAnswered(effect.client_order_id, nothing)
        case effects.FetchFigures():
            return inputs.FiguresFetched(effect.proposal_id, effect.ticket_id, nothing, effect.is_quote_alone)
        case effects.FetchAccount():
            return inputs.AccountFetched(nothing)
        case effects.FetchBooks():
            return inputs.BooksFetched(nothing)
        case effects.FetchActivities():
            return inputs.ActivitiesFetched(nothing)
        case effects.FetchClock():
            return inputs.ClockFetched(nothing)
        case effects.FetchSessions():
            return inputs.SessionsFetched(nothing)
        case effects.FetchHistory():
            return inputs.HistoryFetched(effect.symbols, effect.start, effect.end, nothing)
        case effects.LookUpSymbols():
            return inputs.SymbolsLookedUp(effect.symbols, (), nothing)
    raise TypeError(f"{type(effect).__name__} is no request to a broker")


class PendingRequests:
    """The outgoing requests, and the queue of each lane.

    Parameters
    ----------
    settings
        The current settings. Called in the engine's thread: a lane gets the value of the time when its request was
        queued.
    clock
        The current time. Any thread.
    put, put_quietly
        Receive the outcomes. Any thread; the second is processed a moment later.
    tell
        Receives each finished request. Called in its lane; never waits and does not raise.
    """

    def __init__(
        self,
        gateway: Gateway,
        asking: RequestExecutor,
        settings: Callable[[], Settings],
        clock: Callable[[], datetime],
        put: Callable[[inputs.Input], None],
        put_quietly: Callable[[inputs.Input], None],
        tell: CallListener = lambda _: None,
    ) -> None:
        self.gateway = gateway
        self.asking = asking
        self._settings = settings
        self._clock = clock
        self._put = put
        self._put_quietly = put_quietly
        self._tell = tell
        self._unanswered: dict[ClientOrderId, effects.SubmitOrder | effects.ReplaceOrder] = {}
        self._cancels: Counter[ClientOrderId] = Counter()
        self._threads = Threads("request")
        self._lock = threading.Lock()
        self._lanes = LaneQueue[Act]()
        self._beyond, self._before = 0, 0
        with suppress(Exception):  # an adapter that does not count, or breaks
            counts = counted(asking.broker)
            self._before = sum(sent for _, sent in counts.calls) - counts.beyond

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, effect: effects.SubmitOrder | effects.ReplaceOrder, at: datetime) -> None:
        """Queue an order behind its lane's earlier ones; for a reducing order, its permission is measured from `at`."""
        self._unanswered[effect.order.client_order_id] = effect
        settings = self._settings()
        try:
            self.queue(lane_of(effect), lambda: self._send(effect, at, settings))
        except NoThreadError as error:
            self.refuse(effect, Withheld(str(error)))

    def ask(self, effect: effects.Effect) -> None:
        """Queue a query or a cancel."""
        if isinstance(effect, effects.CancelOrder):
            self._cancels[effect.client_order_id] += 1
        settings = self._settings()
        try:
            self.queue(lane_of(effect), lambda: self._ask(effect, settings))
        except NoThreadError as error:
            self._put(no_answer(effect, str(error)))

    def take_back(self, order_id: ClientOrderId, why: Withheld = TAKEN_BACK) -> bool:
        """Withdraw an order that waits here. Return whether it was waiting; then it never leaves."""
        effect = self._unanswered.get(order_id)
        return effect is not None and self.refuse(effect, why)

    def refuse(self, effect: effects.SubmitOrder | effects.ReplaceOrder, why: Withheld) -> bool:
        """Stop an order that has not left. Return whether that was so; then it never leaves."""
        order_id = effect.order.client_order_id
        if not self.gateway.take_back(order_id):
            return False
        self._put(inputs.SubmissionStopped(order_id, why.words, effect.approval, why.code))
        return True

    def settle(self, message: inputs.Input) -> None:
        """Note that a request has its outcome."""
        if isinstance(message, inputs.SubmissionAnswered | inputs.SubmissionStopped | inputs.SubmissionKept):
            self._unanswered.pop(message.client_order_id, None)
        elif isinstance(message, inputs.CancelAnswered):
            self._cancels[message.client_order_id] -= 1
            if self._cancels[message.client_order_id] <= 0:
                del self._cancels[message.client_order_id]

    # ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, lane: Lane, act: Act) -> None:
        """Run `act` when it is at the head of its lane; `act` does not raise.

        Raises NoThreadError: then its place in the lane is free again, and it never runs.
        """
        with self._lock:
            if not self._lanes.enter(lane, act):
                return
        try:
            self._threads.do(lambda: self._drive(lane, act))
        except NoThreadError:
            with self._lock:
                self._lanes.leave(lane)
            raise

    def depths(self) -> Counter[str]:
        """Return the number of queued requests, by the kind of lane. Any thread."""
        with self._lock:
            return self._lanes.depths()

    def _drive(self, lane: Lane, act: Act) -> None:
        """Run `act` and the queue behind it, until the lane is empty."""
        following: Act | None = act
        while following is not None:
            following()
            with self._lock:
                following = self._lanes.leave(lane)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def awaits(self) -> bool:
        """Whether an answer to an order or a cancel is outstanding."""
        return bool(self._unanswered or self._cancels)

    @property
    def awaits_exits(self) -> bool:
        return any(effect.order.effect.only_reduces for effect in self._unanswered.values())

    def refuse_entries(self, why: str) -> list[OrderRequest]:
        """Stop the queued entries, and return them."""
        entries = [e for e in self._unanswered.values() if not e.order.effect.only_reduces]
        return [effect.order for effect in entries if self.refuse(effect, Withheld(why))]

    def close(self) -> tuple[list[effects.SubmitOrder | effects.ReplaceOrder], list[OrderRequest]]:
        """Send nothing from now on; return the orders that never left, and those that were sent and have no answer."""
        unanswered = tuple(self._unanswered.values())
        kept = [effect for effect in unanswered if self.gateway.take_back(effect.order.client_order_id)]
        with self._lock:
            self._lanes.clear()  # running requests continue
        self._threads.close()
        self.asking.close()
        return kept, [effect.order for effect in unanswered if effect not in kept]

    # ── in a lane ────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(
        self, effect: effects.SubmitOrder | effects.ReplaceOrder, queued_at: datetime, settings: Settings
    ) -> None:
        """Send an order at its turn, after a last check of the latch and of the order itself."""
        order_id = effect.order.client_order_id
        sent_at = self._clock()
        withheld = self._withheld(effect, sent_at, queued_at)
        if withheld is not None:
            if withheld.code is not BlockCode.TAKEN_BACK:  # whoever withdrew it has already reported that
                self._put(inputs.SubmissionStopped(order_id, withheld.words, effect.approval, withheld.code))
            return
        self._put_quietly(inputs.SubmissionBegan(order_id))
        answer = self._answer_to(effect, settings)
        if isinstance(answer, inputs.SubmissionAnswered):
            given_back = self.gateway.given_back(effect, answer.answer)
            answer = replace(answer, sent_at=sent_at, approval=given_back)
        self._put(answer)
        self._tell_counts()

    def _withheld(
        self, effect: effects.SubmitOrder | effects.ReplaceOrder, now: datetime, queued_at: datetime
    ) -> Withheld | None:
        """Return why the gateway blocks an order; on an error of the gateway block it too, and free the lane."""
        try:
            return self.gateway.refusal(effect, now, queued_at)
        except Exception as error:
            return Withheld(f"the last look before it failed: {type(error).__name__}: {error}")

    def _ask(self, effect: effects.Effect, settings: Settings) -> None:
        self._put(self._answer_to(effect, settings))
        self._tell_counts(is_told=isinstance(effect, effects.FetchBooks))

    def _tell_counts(self, *, is_told: bool = False) -> None:
        """Report the request counts with each copy of the broker's books, and when more was sent than was counted.

        Requests sent before the engine's first one are included (RK-24).
        """
        with suppress(Exception):  # a failure to count must not stop the lane
            counts = counted(self.asking.broker, self.asking.market)
            counts = replace(counts, beyond=counts.beyond + self._before)
            if is_told or counts.beyond != self._beyond:
                self._beyond = counts.beyond
                self._put(counts)

    def _answer_to(self, effect: effects.Effect, settings: Settings) -> inputs.Input:
        """Return the answer of an adapter. Adapters never raise; if one does, the outcome counts as unknown."""
        begun = time.perf_counter()
        try:
            answer = self.asking.ask(effect, settings)
        except Exception as error:
            answer = no_answer(effect, f"{type(error).__name__}: {error}")
        self._tell(call_made(effect, answer, self._clock(), time.perf_counter() - begun))
        return answer
