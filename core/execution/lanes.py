"""Lanes of requests: which request waits for which, and how many requests each effect costs (EX-22, RK-24).

| lane | waits for |
| --- | --- |
| entries, and their replacements | the entry before it: one at a time, each checked just before it leaves |
| reducing orders: stops, exits, their replacements | the one before it of the same symbol |
| cancels | only earlier cancels of the same order |
| look-ups | only earlier look-ups of the same order |
| a ticket's figures | only earlier ones of the same ticket |
| the books, the account, its activities, the clock, history | earlier requests of their own kind |

No lane waits for another. A request that hangs occupies one place of its lane, and nothing else.

Properties of assets are counted separately: they are cached (`core/workflows/orders/request_pacing.py`). An adapter
reports its additional requests, such as retries and further pages (`CallsCounted.beyond`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from core.messages import effects


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
    HISTORY = "history", 2

    def __init__(self, word: str, width: int) -> None:
        self.word = word
        self.width = width


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
        case effects.FetchPicture():
            return Lane(LaneKind.BOOKS)
        case effects.FetchAccount():
            return Lane(LaneKind.ACCOUNT)
        case effects.FetchActivities():
            return Lane(LaneKind.ACTIVITIES)
        case effects.FetchClock():
            return Lane(LaneKind.CLOCK)
        case effects.FetchHistory() | effects.LookUpSymbols():
            return Lane(LaneKind.HISTORY)
    raise TypeError(f"{type(effect).__name__} is no request to a broker")


Item = TypeVar("Item")


class LaneQueue(Generic[Item]):
    """The taken places of each lane, and what waits for one, in order."""

    def __init__(self) -> None:
        self._taken: Counter[Lane] = Counter()
        self._waiting: dict[Lane, deque[Item]] = {}

    def enter(self, lane: Lane, item: Item) -> bool:
        """Take a place for the item; return False if none is free, and queue the item."""
        if self._taken[lane] >= lane.width:
            self._waiting.setdefault(lane, deque()).append(item)
            return False
        self._taken[lane] += 1
        return True

    def leave(self, lane: Lane) -> Item | None:
        """Pass a place on to the next item of the lane; without one it is free."""
        if waiting := self._waiting.get(lane):
            return waiting.popleft()
        self._waiting.pop(lane, None)
        self._taken[lane] -= 1
        if not self._taken[lane]:
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
    effects.FetchPicture: BOOKS,
    effects.FetchActivities: ACTIVITIES,
    effects.LookUpSymbols: 0,
}


def requests_of(effect: effects.Effect) -> int | None:
    """Return the number of requests; None if the effect is not a request to the broker."""
    if isinstance(effect, effects.FetchFigures) and effect.is_quote_alone:
        return 0
    return COSTS.get(type(effect))
