"""The cancels of a kill: those of our own orders at once, then those of external orders as room allows (OP-07, RK-24).

Cancels of our own orders leave at once up to the broker's limit, those of opening orders first. Beyond it, where other
requests used the room, one leaves each second, so that none waits for a whole minute.

Cancels of external orders follow, the most valuable order first. They stay under the broker's limit in any minute and
leave room for a close of each position. Few of them are under way at a time, so that a stated 429 stops the others
until the time that the broker named; a refused one leaves again. One that was accepted is repeated after a minute if
the broker still lists the order.

No request cancels all orders at once: the broker would choose which, and take the stops of entries that fill in that
moment, and orders of others that are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.external_orders import OtherOrder
from core.facts import OtherTakenBack
from core.messages.effects import CancelOrder, Effect
from core.messages.inputs import CancelAnswered
from core.model.broker import Accepted, CancelTaken, NoAnswer
from core.model.codes import CancelCode
from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, ClientOrderId
from core.risk.message_counts import MINUTE
from core.trading_state.state import TradingState
from core.workflows.orders.request_reserve import A_MOMENT, RequestRoom

UNDER_WAY = 16
"""External cancels without an answer at a time: as many as there are connections."""
UNANSWERED = timedelta(seconds=20)
"""Time after which no answer is awaited any more; every request ends sooner."""
A_LOOK_UP_IN = 25
"""They leave one request in so many of a minute's limit to look-ups of orders in doubt: 8 of Alpaca's 200."""
A_WINDOW = MINUTE + A_MOMENT
"""Time in which they are counted: a request may reach the broker a moment after it is counted here."""


@dataclass(slots=True)
class ExternalCancel:
    """The cancel of an external order.

    Attributes
    ----------
    next_at
        When it may leave, again if it is wanted again.
    is_wanted
        Whether it waits to leave.
    is_under_way
        Whether its answer is awaited, until `next_at` at the latest.
    is_recorded
        Whether the first request of this run is in the journal. It counts as a message there (RK-24).
    """

    effect: CancelOrder
    next_at: datetime
    is_wanted: bool = True
    is_under_way: bool = False
    is_recorded: bool = False


class KillCancels:
    """A kill's cancels that have not left, and the answers to external ones."""

    def __init__(self, state: TradingState, room: RequestRoom) -> None:
        self.state = state
        self.room = room
        self._ours: dict[ClientOrderId, CancelOrder] = {}
        self._next_of_ours: datetime | None = None
        self._external: dict[str, ExternalCancel] = {}

    def __bool__(self) -> bool:
        return bool(self._ours) or self.are_external_wanted

    @property
    def are_external_wanted(self) -> bool:
        return any(each.is_wanted for each in self._external.values())

    def take(self, effect: Effect) -> bool:
        """Hold the effect if it is a kill's cancel, once for each order; return whether it was taken."""
        if not isinstance(effect, CancelOrder) or self.state.control.killed_by is None:
            return False
        order = self.state.ledger.order(effect.client_order_id)
        if order is None:
            self._take_external(effect)
            return True
        if order.cancel_code is CancelCode.KILLED:
            self._ours[order.id] = effect
        return order.cancel_code is CancelCode.KILLED

    def _take_external(self, effect: CancelOrder) -> None:
        known = self._external.setdefault(_key(effect), ExternalCancel(effect, self.state.at))
        if not known.is_wanted and known.next_at <= self.state.at:
            known.is_wanted, known.is_under_way = True, False

    def answered(self, reply: CancelAnswered) -> None:
        """Note the answer to an external cancel. Without one, or refused, it leaves again; after a 429 when allowed."""
        external = self._external.get(reply.client_order_id)
        if external is None:
            return
        external.is_under_way = False
        if isinstance(reply.answer, Accepted | CancelTaken):
            external.next_at = self.state.at + MINUTE
            return
        limits, pause = self.state.control.settings.execution, ZERO
        if not isinstance(reply.answer, NoAnswer):
            pause = limits.cancel_longest_seconds
        elif reply.answer.limited_seconds is None:
            pause = limits.cancel_retry_seconds
        external.is_wanted, external.next_at = True, self.state.at + timedelta(seconds=float(pause))

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def of_ours(self) -> Iterator[CancelOrder]:
        """Yield the cancels of our orders that leave now, none of an ended order; count each before the next."""
        limit = self.room.limit
        for order_id in sorted(self._ours, key=self._reduces):
            order = self.state.ledger.order(order_id)
            if order is None or not order.is_working:
                del self._ours[order_id]
                continue
            if limit is not None and self.state.messages.requests(self.state.at) >= limit:
                if self._next_of_ours is not None and self.state.at < self._next_of_ours:
                    return
                self._next_of_ours = self.state.at + A_MOMENT
            yield self._ours.pop(order_id)

    def of_external(self) -> Iterator[CancelOrder]:
        """Yield the cancels of external orders that leave now; count each before the next."""
        if self.state.control.killed_by is None:
            self._external.clear()
        if not self._external:
            return
        working = {_key_of(other): other for other in self.state.sightings.all_others}
        self._external = {key: each for key, each in self._external.items() if key in working}
        for key in sorted(self._ready(), key=lambda key: self._rank(working[key])):
            if not self._has_room():
                return
            external, other = self._external[key], working[key]
            if not external.is_recorded and self.state.sightings.disk.trouble is None:
                external.is_recorded = True
                why = f"killed by {self.state.control.killed_by}"
                self.state.record(OtherTakenBack(other.broker_order_id, other.words, why))
            external.is_wanted, external.is_under_way = False, True
            external.next_at = self.state.at + UNANSWERED
            yield external.effect

    def _ready(self) -> list[str]:
        return [key for key, each in self._external.items() if each.is_wanted and each.next_at <= self.state.at]

    def _has_room(self) -> bool:
        if self.room.limit is None:
            return True
        if self.room.is_refused or self._ours or len(self._under_way()) >= UNDER_WAY:
            return False
        return self.state.messages.requests(self.state.at, A_WINDOW) < self._allowed(self.room.limit)

    def _allowed(self, limit: int) -> int:
        """Return the limit for external cancels. It leaves look-ups of orders in doubt a few requests of the minute."""
        return max(1, self.room.beside_closes(limit) - limit // A_LOOK_UP_IN)

    def _under_way(self) -> list[ExternalCancel]:
        return [each for each in self._external.values() if each.is_under_way and each.next_at > self.state.at]

    def _rank(self, other: OtherOrder) -> tuple[bool, Decimal]:
        """Order by the value that could open, the largest first; an unknown value counts as the largest."""
        price = other.price
        if price is None and other.symbol is not None and (known := self.state.last_price(other.symbol)) is not None:
            price = known[1]
        if other.opens is None or price is None:
            return False, ZERO
        return True, -other.opens * price

    def _reduces(self, order_id: ClientOrderId) -> bool:
        order = self.state.ledger.order(order_id)
        return order is not None and order.only_reduces

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._ours and self._next_of_ours is not None:
            yield self._next_of_ours
        yield from self._next_of_external()

    def _next_of_external(self) -> Iterable[datetime]:
        at, limit = self.state.at, self.room.limit
        if self.state.control.killed_by is None or not self.are_external_wanted:
            return ()
        first = min(each.next_at for each in self._external.values() if each.is_wanted)
        if limit is None or first > at:
            return (first,)
        if self.room.is_refused:
            return (self.state.sightings.limited_until or at,)
        if len(under_way := self._under_way()) >= UNDER_WAY:
            return (min(each.next_at for each in under_way),)
        room_at = self.state.messages.room_from(at, 1, self._allowed(limit), A_WINDOW)
        return (room_at if room_at > at else at + A_MOMENT,)


def _key(effect: CancelOrder) -> str:
    return effect.client_order_id or effect.broker_order_id or ""


def _key_of(other: OtherOrder) -> str:
    return other.client_order_id or other.broker_order_id
