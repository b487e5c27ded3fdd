"""In which lane a request goes: what waits for what on its way out, and what never does (EX-22).

| lane | waits for |
| --- | --- |
| entries, and what takes an entry's place | the entry before it: one at a time, each looked at just before it leaves |
| what only reduces: stops, exits, what takes their place | the one before it of the same symbol |
| cancels | nothing but earlier cancels of the same order |
| look-ups | nothing but earlier look-ups of the same order |
| a ticket's figures | nothing but earlier ones of the same ticket |
| the books, the account, its activities, the clock, history | earlier questions of their own kind |

No lane waits for another. One request that hangs holds one place of its own lane, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchClock,
    FetchFigures,
    FetchHistory,
    FetchPicture,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)


class LaneKind(Enum):
    """What goes in a lane; `width` says how many requests of one lane may be on the wire at once."""

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
    """Two requests may wait for one another only where their lanes are equal.

    Attributes
    ----------
    key
        The symbol, the order, the proposal or nothing: what keeps lanes of one kind apart.
    """

    kind: LaneKind
    key: str = ""

    @property
    def width(self) -> int:
        """Requests of this lane on the wire at once; of one more than that hangs, the next waits."""
        return self.kind.width


def lane_of(effect: Effect) -> Lane:
    """Raises TypeError for what is no request to a broker."""
    match effect:
        case SubmitOrder() | ReplaceOrder():
            if effect.order.effect.only_reduces:
                return Lane(LaneKind.EXITS, effect.order.symbol)
            return Lane(LaneKind.ENTRIES)
        case CancelOrder():
            return Lane(LaneKind.CANCELS, effect.client_order_id or effect.broker_order_id or "")
        case LookUpOrder():
            return Lane(LaneKind.LOOK_UPS, effect.client_order_id)
        case FetchFigures():
            return Lane(LaneKind.FIGURES, effect.proposal_id)
        case FetchPicture():
            return Lane(LaneKind.BOOKS)
        case FetchAccount():
            return Lane(LaneKind.ACCOUNT)
        case FetchActivities():
            return Lane(LaneKind.ACTIVITIES)
        case FetchClock():
            return Lane(LaneKind.CLOCK)
        case FetchHistory() | LookUpSymbols():
            return Lane(LaneKind.HISTORY)
    raise TypeError(f"{type(effect).__name__} is no request to a broker")


def waiting_by_kind(waiting: Iterable[tuple[Lane, int]]) -> Counter[str]:
    """The sum over all lanes of a kind, by its word; every kind is in it."""
    total = Counter({kind.word: 0 for kind in LaneKind})
    for lane, count in waiting:
        total[lane.kind.word] += count
    return total
