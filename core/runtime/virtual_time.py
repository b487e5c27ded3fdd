"""Virtual time: its speed, its lanes of requests, and the simulated exchange's answers (EX-22)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.brokers.simulated.exchange import SimulatedExchange
from core.brokers.simulated.order_entry import is_taken
from core.execution.gateway import Lane, LaneQueue, lane_of
from core.messages import inputs
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchBooks,
    FetchClock,
    FetchFigures,
    FetchSessions,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
)
from core.model.account import NoAccount
from core.model.broker import Accepted, FreshFigures, NoAnswer, Refused
from core.model.instrument import BrokerInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.values import Symbol

BEAT = 0.02
"""Seconds of wall time between two beats."""
RESTING_BEAT = 0.1
"""The same while no desk looks or nothing changes; a request to the engine, but for one to leave, wakes it at once."""
DEAD_HOURS = timedelta(minutes=5)
"""A wait this long with nothing due is skipped, such as a night."""


class Pace:
    """Wait until a virtual time, at most one beat long; a command ends the wait early.

    Parameters
    ----------
    speed
        Virtual seconds per second of wall time; None runs without waiting.
    wall
        The wall clock, in seconds.

    Attributes
    ----------
    free_until
        Times before this are not waited for: the demo's morning.
    rate
        The current virtual seconds per second of wall time.
    """

    def __init__(self, speed: float | None, wall: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self.wall = wall
        self.free_until: datetime | None = None
        self.rate = 1.0
        self.wake = threading.Event()
        self._attended = False
        self._base_wall = self.wall()
        self._base: datetime | None = None
        self._last_beat = 0.0
        self._beat: Callable[[], float] = lambda: BEAT

    def beat_by(self, beat: Callable[[], float]) -> None:
        """Take the beat interval from `beat`, which knows whether a desk looks."""
        self._beat = beat

    def attend(self, attended: bool) -> None:
        """Set whether a person has a ticket or the kill screen open: ×1 while they do.

        Called from the console's thread.
        """
        self._attended = attended
        self.wake.set()

    def now(self, last: datetime) -> datetime:
        """Return the virtual time at this wall time, never before `last`."""
        if self._base is None or self.speed is None:
            return last
        passed = (self.wall() - self._base_wall) * self.rate
        return max(last, self._base + timedelta(seconds=passed))

    def wait_until(self, at: datetime, last: datetime) -> bool:
        """Return True when `at` is reached, False when an input may have to be processed first."""
        if self.speed is None or (self.free_until is not None and at <= self.free_until):
            return not self.wake.is_set()
        if self._base is None:
            self._rebase(max(last, self.free_until) if self.free_until is not None else last)
        attended = self._attended
        rate = 1.0 if attended else (self.speed or 1.0)
        if rate != self.rate:
            here = self.now(last)
            self.rate = rate
            self._rebase(here)
        if at - self.now(last) > DEAD_HOURS:
            self._rebase(at)
        left = (at - self.now(last)).total_seconds() / self.rate
        if left <= 0:
            return not self.wake.is_set()
        self.wake.wait(min(left, self._beat()))
        return False

    def is_beat_due(self) -> bool:
        """Whether a beat is due, with a tolerance for waits that ended slightly early."""
        now = self.wall()
        if now - self._last_beat < self._beat() * 0.8:
            return False
        self._last_beat = now
        return True

    def hurry(self) -> None:
        """Make the next beat due at once: a person may be waiting for a change."""
        self._last_beat = 0.0

    def _rebase(self, at: datetime) -> None:
        self._base = at
        self._base_wall = self.wall()


HAS_ID = "the broker has this id already"
NOT_ASKED = "it is asked for beside this quote"


class ExchangeAnswers:
    def __init__(self, exchange: SimulatedExchange) -> None:
        self._exchange = exchange

    def answer(self, effect: Effect, at: datetime) -> inputs.Input:
        """Return the answer to a request. Raises TypeError if the effect is not a request to a broker."""
        exchange = self._exchange
        match effect:
            case SubmitOrder() | ReplaceOrder():
                return inputs.SubmissionAnswered(effect.order.client_order_id, self._submitted(effect, at))
            case CancelOrder():
                return inputs.CancelAnswered(effect.client_order_id, exchange.cancel(at, effect.client_order_id))
            case LookUpOrder():
                return inputs.LookUpAnswered(effect.client_order_id, exchange.order(at, effect.client_order_id))
            case FetchFigures():
                figures = self._figures(effect.symbol, at)
                if effect.is_quote_alone:
                    figures = replace(figures, broker_time=NoAnswer(NOT_ASKED), account=NoAccount(NOT_ASKED))
                return inputs.FiguresFetched(effect.proposal_id, effect.ticket_id, figures, effect.is_quote_alone)
            case FetchAccount():
                return inputs.AccountFetched(exchange.account(at))
            case FetchClock():
                return inputs.ClockFetched(at, hours=exchange.hours(at))
            case FetchSessions():
                return inputs.SessionsFetched(exchange.sessions(effect.first, effect.last))
            case FetchActivities():
                return inputs.ActivitiesFetched(exchange.activities(at, effect.since))
            case FetchBooks():
                books = exchange.books(at)
                if effect.instruments:
                    books = replace(books, instruments=self.instruments(effect.instruments))
                return inputs.BooksFetched(books)
        raise TypeError(f"{type(effect).__name__} is no request to a broker")

    def _submitted(self, effect: SubmitOrder | ReplaceOrder, at: datetime) -> Accepted | Refused | NoAnswer:
        """Submit an order. If the exchange cannot log it, the outcome counts as unknown."""
        ask = self._exchange.replace if isinstance(effect, ReplaceOrder) else self._exchange.submit
        try:
            answer = ask(at, effect.order)
        except OSError as error:
            return NoAnswer(f"the exchange's own disk fails, fix it: {error.strerror}")
        return NoAnswer(HAS_ID) if isinstance(answer, Refused) and is_taken(answer) else answer

    def _figures(self, symbol: Symbol, at: datetime) -> FreshFigures:
        exchange = self._exchange
        return FreshFigures(at, exchange.account(at), exchange.quote(at, symbol), exchange.instrument(symbol))

    def instruments(self, symbols: Iterable[Symbol]) -> tuple[BrokerInstrument, ...]:
        found = map(self._exchange.instrument, symbols)
        return tuple(instrument for instrument in found if isinstance(instrument, BrokerInstrument))


LAST_ANSWERS, LAST_STOPS = timedelta(seconds=1.5), timedelta(seconds=0.3)
"""How long a leaving desk waits for answers, and the extra time while a reducing order is due."""


@dataclass(slots=True, eq=False)
class Request:
    """A request that has been sent.

    Attributes
    ----------
    is_over
        It was answered or given up: its place in its lane is free.
    is_given_up
        It timed out; a later answer is ignored.
    """

    effect: Effect
    lane: Lane
    sent_at: datetime
    is_over: bool = False
    is_given_up: bool = False


class VirtualLanes:
    """`leave` is called with the head of a lane and its queuing time; it returns the sent request, or None."""

    def __init__(self, leave: Callable[[Effect, Lane, datetime], Request | None]) -> None:
        self._leave = leave
        self._lanes = LaneQueue[tuple[Effect, datetime]]()
        self._out: dict[Lane, list[Request]] = {}

    def take(self, effect: Effect, at: datetime) -> None:
        """Send an effect at once if its lane has a free place, otherwise when one is free."""
        lane = lane_of(effect)
        if self._lanes.enter(lane, (effect, at)):
            self._go(lane, (effect, at))

    def free(self, request: Request) -> None:
        """Free a request's place; the next one leaves, and another one if that is kept back."""
        lane = request.lane
        self._out[lane].remove(request)
        self._go(lane, self._lanes.leave(lane))
        if not self._out[lane]:
            del self._out[lane]

    def _go(self, lane: Lane, queued: tuple[Effect, datetime] | None) -> None:
        while queued is not None:
            effect, at = queued
            if (request := self._leave(effect, lane, at)) is not None:
                self._out.setdefault(lane, []).append(request)
                return
            queued = self._lanes.leave(lane)

    def waiting(self) -> Iterator[Effect]:
        """Yield the queued effects, in order within each lane."""
        yield from (effect for effect, _ in self._lanes.waiting())

    def depths(self) -> Counter[str]:
        """Return the number of queued effects, by the kind of their lane."""
        return self._lanes.depths()

    def orders_waiting(self) -> list[SubmitOrder | ReplaceOrder]:
        return [effect for effect in self.waiting() if isinstance(effect, SubmitOrder | ReplaceOrder)]

    def out(self) -> Iterator[Request]:
        """Yield the sent requests without an answer."""
        for requests in self._out.values():
            yield from requests

    def orders_out(self) -> list[OrderRequest]:
        """Return the sent orders without an answer."""
        effects = (request.effect for request in self.out())
        return [effect.order for effect in effects if isinstance(effect, SubmitOrder | ReplaceOrder)]

    @property
    def awaits(self) -> bool:
        """Whether an answer to an order or a cancel is outstanding."""
        return any(isinstance(effect, SubmitOrder | ReplaceOrder | CancelOrder) for effect in self._all())

    @property
    def awaits_exits(self) -> bool:
        orders = (effect for effect in self._all() if isinstance(effect, SubmitOrder | ReplaceOrder))
        return any(effect.order.effect.only_reduces for effect in orders)

    def _all(self) -> Iterator[Effect]:
        yield from (request.effect for request in self.out())
        yield from self.waiting()
