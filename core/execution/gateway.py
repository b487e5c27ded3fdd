"""The lanes of requests, and the gateway: an order leaves only with its own approval, and no name twice.

The gateway does not know why an order is wanted. It compares, and lets it pass or names the fault (OP-02, OP-08). It
keeps its own set of used approvals, apart from the staging's, so no single mistake sends an order twice. An order in
our own queue can be withdrawn here: a withdrawn order never leaves, and a released one is never withdrawn.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum
from typing import Generic, Protocol, TypeVar

from core.execution.past_orders import KEPT
from core.messages import effects
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.broker import Refused
from core.model.codes import BlockCode, RefusalKind
from core.model.lazy_dataclass import dataclass
from core.model.order import refused_for_its_legs
from core.model.session import HOME, Venue
from core.model.staging import Approval
from core.model.values import ClientOrderId

# ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Lanes of requests: which request waits for which, and how many requests each effect costs (EX-22, RK-24).
#
# | lane | waits for |
# | --- | --- |
# | entries, and their replacements | the entry before it: one at a time, each checked just before it leaves |
# | reducing orders: stops, exits, their replacements | the one before it of the same symbol |
# | cancels | only earlier cancels of the same order |
# | look-ups | only earlier look-ups of the same order |
# | a ticket's figures | only earlier ones of the same ticket |
# | the books, the account, its activities, the clock, history | earlier requests of their own kind |
#
# No lane waits for another. A request that hangs occupies one place of its lane, and nothing else.
#
# Properties of assets are counted separately: they are cached (`core/workflows/orders/query_queue.py`). An adapter
# reports its additional requests, such as retries and further pages (`CallsCounted.beyond`).


class LaneKind(Enum):
    """The kinds of lanes; `width` is the number of concurrent requests in one lane."""

    ENTRIES = "entries", 1
    EXITS = "exits", 1
    CANCELS = "cancels", 2
    LOOK_UPS = "look-ups", 2
    FIGURES = "figures", 2
    BOOKS = "books", 2
    ACCOUNT = "account", 2
    ACTIVITIES = "activities", 1
    CLOCK = "clock", 2
    SESSIONS = "sessions", 1
    HISTORY = "history", 2

    def __init__(self, word: str, width: int) -> None:
        self.word = word
        self.width = width

    __hash__ = object.__hash__
    """A member exists once; the hash of its name costs a call."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Requests wait for each other only if their lanes are equal.

    Attributes
    ----------
    key
        The symbol, the order, the proposal or empty: it separates lanes of one kind.
    """

    kind: LaneKind
    key: str = ""

    @property
    def width(self) -> int:
        """Return the number of concurrent requests in this lane; if all of them hang, the next one waits."""
        return self.kind.width


def lane_of(effect: effects.Effect) -> Lane:
    """Return the lane of a request. Raises TypeError for an effect that is not a request to a broker."""
    match effect:
        case effects.SubmitOrder() | effects.ReplaceOrder():
            if effect.order.effect.only_reduces:
                return Lane(LaneKind.EXITS, effect.order.symbol)
            return Lane(LaneKind.ENTRIES)
        case effects.CancelOrder():
            return Lane(LaneKind.CANCELS, effect.client_order_id or effect.broker_order_id or "")
        case effects.LookUpOrder():
            return Lane(LaneKind.LOOK_UPS, effect.client_order_id)
        case effects.FetchFigures():
            return Lane(LaneKind.FIGURES, effect.proposal_id)
        case effects.FetchBooks():
            return Lane(LaneKind.BOOKS)
        case effects.FetchAccount():
            return Lane(LaneKind.ACCOUNT)
        case effects.FetchActivities():
            return Lane(LaneKind.ACTIVITIES)
        case effects.FetchClock():
            return Lane(LaneKind.CLOCK)
        case effects.FetchSessions():
            return Lane(LaneKind.SESSIONS)
        case effects.FetchHistory() | effects.LookUpSymbols():
            return Lane(LaneKind.HISTORY)
    raise TypeError(f"{type(effect).__name__} is no request to a broker")


Item = TypeVar("Item")


class LaneQueue(Generic[Item]):
    """The taken places of each lane, and what waits for one, in order."""

    def __init__(self) -> None:
        self._taken: dict[Lane, int] = {}
        self._waiting: dict[Lane, deque[Item]] = {}

    def enter(self, lane: Lane, item: Item) -> bool:
        """Take a place for the item; return False if none is free, and queue the item."""
        taken = self._taken.get(lane, 0)
        if taken >= lane.width:
            self._waiting.setdefault(lane, deque()).append(item)
            return False
        self._taken[lane] = taken + 1
        return True

    def leave(self, lane: Lane) -> Item | None:
        """Pass a place on to the next item of the lane; without one it is free."""
        waiting = self._waiting.get(lane)
        if waiting:
            return waiting.popleft()
        if waiting is not None:
            del self._waiting[lane]
        if (taken := self._taken[lane]) > 1:
            self._taken[lane] = taken - 1
        else:
            del self._taken[lane]
        return None

    def waiting(self) -> Iterator[Item]:
        for queue in self._waiting.values():
            yield from queue

    def clear(self) -> None:
        """Drop what waits."""
        self._waiting.clear()

    def depths(self) -> Counter[str]:
        """Return the number of waiting items, by the kind of lane."""
        total = Counter({kind.word: 0 for kind in LaneKind})
        for lane, queue in self._waiting.items():
            total[lane.kind.word] += len(queue)
        return total


BOOKS = 6
"""The account, positions before and after, open orders twice, closed orders."""
ACTIVITIES = 4
"""The account before and after, the activities, the positions."""
FIGURES = 2
"""The clock and the account; quotes come from the data service, which has its own limit."""

COSTS: Mapping[type, int] = {
    effects.SubmitOrder: 1,
    effects.ReplaceOrder: 1,
    effects.CancelOrder: 1,
    effects.LookUpOrder: 1,
    effects.FetchFigures: FIGURES,
    effects.FetchAccount: 1,
    effects.FetchClock: 1,
    effects.FetchSessions: 1,
    effects.FetchBooks: BOOKS,
    effects.FetchActivities: ACTIVITIES,
    effects.LookUpSymbols: 0,
}


def requests_of(effect: effects.Effect) -> int | None:
    """Return the number of requests; None if the effect is not a request to the broker."""
    if isinstance(effect, effects.FetchFigures) and effect.is_quote_alone:
        return 0
    return COSTS.get(type(effect))


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────────────────────────

A_DAY = timedelta(days=1)


class ExpiringNames:
    """Each name is kept as long as the ledger keeps an order, and at most a day beyond that."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._new: set[str] = set()
        self._looked_at: datetime | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._until or name in self._new

    def __len__(self) -> int:
        return len(self._until) + len(self._new)

    def add(self, name: str, until: datetime | None = None) -> None:
        """Add a name; `until`, if given, is the last time at which it could be used."""
        if until is not None:
            self._until[name] = until + KEPT
        else:
            self._new.add(name)

    def discard(self, name: str) -> None:
        """Allow the name again."""
        self._until.pop(name, None)
        self._new.discard(name)

    def forget(self, now: datetime) -> None:
        """Forget old names, at most once a day. A name without a time counts from this call."""
        if self._looked_at is not None and now - self._looked_at < A_DAY:
            return
        self._looked_at = now
        self._until = {name: until for name, until in self._until.items() if now <= until}
        self._until |= dict.fromkeys(self._new, now + KEPT)
        self._new.clear()


@dataclass(frozen=True, slots=True)
class Withheld:
    """The reason why an order must not leave."""

    words: str
    code: BlockCode = BlockCode.OTHER


TAKEN_BACK = Withheld("cancelled before submission", BlockCode.TAKEN_BACK)


class Latch(Protocol):
    """The current state of the kill latch, read just before each request."""

    def shut(self) -> str | None:
        """Return why nothing that opens or adds may leave now, or None."""
        ...


@dataclass(slots=True)
class Gateway:
    """Called from several lanes at once. Changes of a queued order are told to it: no lane reads the ledger."""

    account: str
    latch: Latch
    venue: Venue = HOME
    """The venue whose clock formats a time."""
    used: ExpiringNames = field(default_factory=ExpiringNames)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _let_out: ExpiringNames = field(default_factory=ExpiringNames)
    _taken_back: ExpiringNames = field(default_factory=ExpiringNames)
    _queued: dict[ClientOrderId, str | None] = field(default_factory=dict)

    def queue(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """Enter an order into its lane; `why_not` is why it must not be sent although it was recorded, or None."""
        with self._lock:
            self._queued[order_id] = why_not

    def tell(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """Update a queued order from the ledger: it ended meanwhile, or is to be sent again."""
        with self._lock:
            if order_id in self._queued:
                self._queued[order_id] = why_not

    def refusal(
        self, effect: SubmitOrder | ReplaceOrder, now: datetime, queued_at: datetime | None = None
    ) -> Withheld | None:
        """Return why this order must not leave; None uses up its approval.

        The approval of a reducing order is checked as of `queued_at`: it does not lapse in our own queue (EX-22).
        """
        order = effect.order
        reason = None if order.effect.only_reduces else self.latch.shut()
        asked_at = queued_at if queued_at is not None and order.effect.only_reduces else now
        with self._lock:
            for noted in (self.used, self._let_out, self._taken_back):
                noted.forget(now)
            why_not = self._queued.pop(order.client_order_id, None)
            if reason is not None:
                return Withheld(f"{reason}: nothing that opens or adds leaves")
            withheld = self._refusal(effect, asked_at, why_not)
            if withheld is None:
                self.used.add(effect.approval.id, max(now, effect.approval.lapses_at))
                self._let_out.add(order.client_order_id)
            return withheld

    def given_back(self, effect: SubmitOrder | ReplaceOrder, answer: object) -> Approval | None:
        """Return the approval by which a rate-limited reducing order may leave again; None after any other answer.

        The broker itself stated that it accepts no requests for now, so it does not have the order (EX-22).
        """
        is_limited = isinstance(answer, Refused) and answer.kind is RefusalKind.RATE_LIMITED
        if not is_limited or not effect.order.effect.only_reduces:
            return None
        with self._lock:
            self.used.discard(effect.approval.id)
            self._let_out.discard(effect.order.client_order_id)
        return effect.approval

    def let_again(self, effect: SubmitOrder) -> None:
        """Let a reducing order that the broker is proven not to have leave once more by its approval.

        It keeps its id: if it exists after all, the broker itself refuses the second one (EX-06, EX-22).
        """
        if effect.is_absent and effect.order.effect.only_reduces:
            with self._lock:
                self.used.discard(effect.approval.id)
                self._let_out.discard(effect.order.client_order_id)

    def take_back(self, order_id: ClientOrderId) -> bool:
        """Withdraw a queued order: True if it will never leave, False if it has left."""
        with self._lock:
            if order_id in self._let_out:
                return False
            self._taken_back.add(order_id)
            self._queued.pop(order_id, None)
            return True

    def _refusal(self, effect: SubmitOrder | ReplaceOrder, asked_at: datetime, why_not: str | None) -> Withheld | None:
        order, approval = effect.order, effect.approval
        if not order.is_of_one_leg:
            return Withheld(refused_for_its_legs(order))
        if order.client_order_id in self._taken_back:
            return TAKEN_BACK
        if approval.id in self.used:
            return Withheld(f"approval {approval.id} was used already; confirm a new ticket")
        if approval.order_digest != order.digest(self.account):
            return Withheld(f"the order is not the one that approval {approval.id} was given for; confirm a new ticket")
        if asked_at > approval.lapses_at:
            again = (
                "confirm a new ticket" if approval.authorization_id is None else "what was signed permits it no more"
            )
            words = f"approval {approval.id} lapsed at {self.venue.clock(approval.lapses_at)}; {again}"
            return Withheld(words, BlockCode.LAPSED)
        return None if why_not is None else Withheld(why_not)
