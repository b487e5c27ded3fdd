"""The room for requests to the broker that is reserved for exits and the cancels of a kill (RK-24).

An exit that must cancel its stop first begins only with room for all its requests: each cancel, a look-up of it, and
the order. Until then the stop stays in force. It leaves the reserve alone, except for half of it if others than exits
used the rest: neither queries nor entries delay an exit (EX-22). The other half is left to a kill's cancels and to
exits that have begun, whose room no query takes. After a stated 429 no exit begins until the time that the broker
named, a minute at the most. Without a limit of the broker none waits.

Queries leave room for a cancel of each working entry, of which the reserve may be too small. While killed no entry
leaves, and exits may use all that the kill's cancels of our own orders leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.execution.gateway import requests_of
from core.execution.order import Order
from core.messages.effects import CancelOrder, Effect, FetchClock, FetchFigures, ReplaceOrder, SubmitOrder
from core.model.lazy_dataclass import dataclass
from core.model.position import Position
from core.model.staging import AuthorizationKind, Proposal, Ticket
from core.model.values import ClientOrderId
from core.risk.message_counts import MINUTE, for_entries
from core.staging.stage_state import AuthorizationUse
from core.trading_state.state import TradingState

A_CANCEL = 2
"""Requests of a cancel and the look-up after it."""
AN_ORDER = 1
TOO_LONG = timedelta(minutes=1)
"""Wait for room after which a person is notified: every request before the confirmation has left the minute."""
SPARE = 6
"""Requests of a minute that a kill leaves unused, because the adapter may repeat a query before it is counted here."""
A_MOMENT = timedelta(seconds=1)
"""Time until the next check while requests under way take the room."""
AT_ONCE = (SubmitOrder, ReplaceOrder, CancelOrder, FetchClock)


@dataclass(frozen=True, slots=True)
class HeldExit:
    """A confirmed exit that has not sold, and its stops that still work: since its key, or since they were to go."""

    use: AuthorizationUse
    ticket: Ticket
    proposal: Proposal
    since: datetime
    stops: tuple[Order, ...]

    @property
    def requests(self) -> int:
        return A_CANCEL * len(self.stops) + AN_ORDER


class RequestRoom:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._begun: list[tuple[datetime, int]] = []

    @property
    def limit(self) -> int | None:
        return self.state.sightings.capabilities.messages_a_minute

    @property
    def is_refused(self) -> bool:
        """Whether the broker has said that it accepts no requests yet."""
        until = self.state.sightings.limited_until
        return until is not None and self.state.at < until

    def promised(self) -> int:
        """Return the requests that exits under way need: a look-up per cancel of the last minute, and the order."""
        total, since = 0, self.state.at - MINUTE
        for _, stops in _closes(self.state):
            going = [o for o in stops if o.is_working and o.cancel_requested_at and o.cancel_requested_at > since]
            total += len(going) + AN_ORDER if going else 0
        return total

    def of_a_kill(self) -> int:
        """Return the requests of a kill now: a cancel for each working entry."""
        entries = self.state.ledger.working_entries
        return self.state.of_records("of a kill", lambda: sum(not order.is_cancelling for order in entries()))

    def beside_closes(self, limit: int) -> int:
        """Return the limit on all requests for a kill's cancels of external orders, and for what it waits for long.

        It leaves room for a close of each position, at most the reserve.
        """
        ledger = self.state.ledger
        stops = sum(order.only_reduces for order in ledger.working())
        closes = A_CANCEL * stops + AN_ORDER * len(ledger.positions())
        left = min(max(SPARE, closes), limit - for_entries(limit, self._reserve))
        return max(1, limit - left - self.of_a_kill())

    @property
    def _reserve(self) -> Decimal:
        return self.state.control.settings.risk.messages.reserve

    def promised_to(self) -> set[ClientOrderId]:
        """Return the stops of which such a look-up is expected."""
        return self.state.of_records(
            "promised to",
            lambda: {stop.id for _, stops in _closes(self.state) for stop in stops if stop.is_cancelling},
        )

    def begin(self, requests: int) -> None:
        """Count an exit that begins."""
        self._begun = [*self._of_the_minute(), (self.state.at, requests)]

    def has(self, requests: int, asked: Iterable[Effect] = ()) -> bool:
        """Whether an exit may use so many requests now; `asked` holds the other effects of this act."""
        return self.limit is None or self.free_at(requests, asked) <= self.state.at

    def free_at(self, requests: int, asked: Iterable[Effect] = ()) -> datetime:
        """Return when an exit may use so many requests, as far as is known now."""
        at, limit = self.state.at, self.limit
        if limit is None:
            return at
        if self.is_refused:
            return self.state.sightings.limited_until or at
        beside = requests + self.promised() + sum(map(_at_once, asked))
        if self.state.control.killed_by is not None:
            return self._room_at(beside, limit - self.of_a_kill())
        allowed = for_entries(limit, self._reserve)
        room_at = self._room_at(beside, allowed)
        half = (limit - allowed) // 2
        if requests <= half:
            room_at = min(room_at, max(self._turn_at(requests, half), self._room_at(beside, allowed + half)))
        return room_at

    def _room_at(self, requests: int, allowed: int) -> datetime:
        """Return when so many have room; more than the limit allows go in a minute without others."""
        at, used = self.state.at, self.state.messages.requests(self.state.at)
        if used + requests <= allowed or not (used or self.promised()):
            return at
        room_at = self.state.messages.room_from(at, requests, allowed)
        return room_at if room_at > at else at + A_MOMENT

    def _turn_at(self, requests: int, most: int) -> datetime:
        """Return when the exits of the last minute leave so many requests to another one."""
        at, begun = self.state.at, self._of_the_minute()
        total = sum(count for _, count in begun)
        for begun_at, count in begun:
            if total + requests <= most:
                break
            at, total = begun_at + MINUTE, total - count
        return at

    def _of_the_minute(self) -> list[tuple[datetime, int]]:
        since = self.state.at - MINUTE
        return [(at, count) for at, count in self._begun if at > since]


def held_exits(state: TradingState) -> list[HeldExit]:
    """Return confirmed exits whose stops were not asked to cancel yet, oldest confirmation first."""
    if state.sightings.capabilities.messages_a_minute is None:
        return []
    return state.of_records("held exits", partial(_held_exits, state))


def _held_exits(state: TradingState) -> list[HeldExit]:
    found = []
    for use, stops in _closes(state):
        confirmation = state.stage.state.confirmations[use.authorization.ticket_id]
        since = confirmation.received_at
        unasked = tuple(stop for stop in stops if stop.is_working and _was_never_asked(stop, since))
        if unasked:
            found.append(HeldExit(use, confirmation.ticket, confirmation.proposal, since, unasked))
    return sorted(found, key=lambda held: held.since)


def held_exit_of(state: TradingState, position: Position) -> HeldExit | None:
    return _of(position, held_exits(state))


def begun_exits(state: TradingState) -> list[HeldExit]:
    """Return confirmed exits whose stops were asked to cancel and still work."""
    return state.of_records("begun exits", partial(_begun_exits, state))


def late_exit_of(state: TradingState, position: Position) -> HeldExit | None:
    """Return the exit of a position whose stops are not gone after the time-out of a close; None if there is none."""
    return _of(position, (begun for begun in begun_exits(state) if state.at >= late_at(state, begun)))


def late_at(state: TradingState, begun: HeldExit) -> datetime:
    """Return when a person is to know that the stops of a begun exit are not gone (EX-22)."""
    return begun.since + timedelta(seconds=float(state.control.settings.staging.close_seconds))


def _of(position: Position, exits: Iterable[HeldExit]) -> HeldExit | None:
    mine = (position.symbol, position.strategy)
    return next((held for held in exits if (held.proposal.symbol, held.proposal.strategy) == mine), None)


def _begun_exits(state: TradingState) -> list[HeldExit]:
    found = []
    for use, stops in _closes(state):
        confirmation = state.stage.state.confirmations[use.authorization.ticket_id]
        working = [stop for stop in stops if stop.is_working]
        asked = [at for stop in working if (at := stop.cancel_requested_at or stop.let_go_at) is not None]
        if asked and not any(_was_never_asked(stop, confirmation.received_at) for stop in working):
            since = max(min(asked), confirmation.received_at)  # a cancel may be older than the key
            found.append(HeldExit(use, confirmation.ticket, confirmation.proposal, since, tuple(working)))
    return found


def _closes(state: TradingState) -> list[tuple[AuthorizationUse, list[Order]]]:
    """Return decided closes that have not sold, with the orders that they cancel."""

    def found() -> Iterator[tuple[AuthorizationUse, list[Order]]]:
        for use in state.stage.authorizations(AuthorizationKind.CLOSE):
            confirmation = state.stage.state.confirmations.get(use.authorization.ticket_id)
            if use.is_unused and confirmation is not None and confirmation.is_decided:
                orders = (state.ledger.order(order_id) for order_id in confirmation.ticket.cancels)
                yield use, [order for order in orders if order is not None]

    return state.of_records("closes", lambda: list(found()))


def _was_never_asked(stop: Order, since: datetime) -> bool:
    return stop.cancel_requested_at is None and (stop.let_go_at is None or stop.let_go_at < since)


def _at_once(effect: Effect) -> int:
    """Return the requests of an effect that does not wait for room."""
    is_at_once = isinstance(effect, AT_ONCE) or (isinstance(effect, FetchFigures) and effect.proposal_id)
    return (requests_of(effect) or 0) if is_at_once else 0
