"""The slice of the attendance: since when no one is at a desk, and the events since then (RK-27).

If no desk was ever served, as in a replay, a script or a test operates the desk and there is no absence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.execution.order import Order
from core.facts import (
    AbsenceEnded,
    AlertRang,
    BasketSigned,
    CancelRequested,
    ConfirmationReceived,
    DeskAttached,
    DeskLeft,
    DeskLost,
    DesksServed,
    EngineStarted,
    Halted,
    Killed,
    OrderCreated,
    OrderFilled,
    ProposalSkipped,
    Rearmed,
    Resumed,
)
from core.model.codes import CancelCode, HaltCause
from core.model.values import ClientOrderId, plain, priced
from core.trading_state.desks import Desks

KEPT = 100
"""The maximum of events of an absence kept with their times; more are only counted."""
ATTENDANCE = "attendance"
"""The name used as a check for a proposal that is only followed."""


class AwayKind(StrEnum):
    """An event while no one was at a desk."""

    FILL = "fill"
    EXIT = "exit sent"
    CANCELLED = "entry cancelled"
    SHADOW = "only followed"
    HALT = "halt"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class AwayEvent:
    at: datetime
    kind: AwayKind
    words: str


@dataclass(slots=True)
class Absence:
    """`until` is None during the absence; `events` are the first of them, `counts` all, by kind."""

    since: datetime
    until: datetime | None = None
    events: list[AwayEvent] = field(default_factory=list)
    counts: dict[AwayKind, int] = field(default_factory=dict)

    def count(self, kind: AwayKind) -> int:
        return self.counts.get(kind, 0)


@dataclass(slots=True)
class AttendanceState:
    """The current absence, the last one, and when a person was last at a key.

    `now` is the current absence, `last` the one before a desk attached again; `key_at` is the last proof of a person at
    a key.
    """

    is_served: bool = False
    now: Absence | None = None
    last: Absence | None = None
    key_at: datetime | None = None


class Attendance:
    """`order` returns the order of an execution or a cancel."""

    name = "attendance"

    def __init__(self, desks: Desks, order: Callable[[ClientOrderId], Order | None]) -> None:
        self.desks = desks
        self._order = order
        self.state = AttendanceState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            EngineStarted: self._started,
            DesksServed: self._served,
            DeskAttached: self._attached,
            DeskLeft: self._gone,
            DeskLost: self._gone,
            AbsenceEnded: self._ended,
            ConfirmationReceived: self._confirmed,
            BasketSigned: self._confirmed,
            Resumed: self._resumed,
            Rearmed: self._key,
            OrderFilled: self._filled,
            OrderCreated: self._created,
            CancelRequested: self._cancelled,
            ProposalSkipped: self._skipped,
            Halted: self._halted,
            Killed: self._killed,
            AlertRang: self._rang,
        }

    def restore(self, state: AttendanceState) -> None:
        self.state = state

    @property
    def absence(self) -> Absence | None:
        """The current absence; None while a desk is attached, and if no desks are served."""
        return self.state.now if self.state.is_served else None

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _started(self, _at: datetime, _fact: EngineStarted) -> None:
        """Keep an absence across a restart; whether desks are served is recorded again."""
        self.state.is_served = False

    def _served(self, at: datetime, _fact: DesksServed) -> None:
        self.state.is_served = True
        self.state.key_at = self.state.key_at or at
        if self.state.now is None and not self.desks.has_somebody:
            self.state.now = Absence(at)

    def _attached(self, at: datetime, fact: DeskAttached) -> None:
        self.state.is_served = True
        if fact.seat.terminal and not (fact.is_back or fact.by_itself):
            self.state.key_at = at

    def _gone(self, at: datetime, _fact: DeskLeft | DeskLost) -> None:
        if self.state.is_served and not self.desks.has_somebody and self.state.now is None:
            self.state.now = Absence(at)

    def _ended(self, at: datetime, _fact: AbsenceEnded) -> None:
        self.state.last, self.state.now = self.state.now, None
        if self.state.last is not None:
            self.state.last.until = at

    def _key(self, at: datetime, _fact: Rearmed) -> None:
        self.state.key_at = at

    def _confirmed(self, at: datetime, fact: ConfirmationReceived | BasketSigned) -> None:
        if fact.turn is not None:
            self.state.key_at = at

    def _resumed(self, at: datetime, fact: Resumed) -> None:
        if fact.cause is HaltCause.UNATTENDED:
            self.state.key_at = at

    def _filled(self, at: datetime, fact: OrderFilled) -> None:
        fill = fact.fill
        order = self._order(fill.client_order_id)
        what = "" if order is None else f"{order.request.side.value} {plain(fill.quantity)} {order.request.symbol} "
        self._note(at, AwayKind.FILL, f"{what}at {priced(fill.price)}")

    def _created(self, at: datetime, fact: OrderCreated) -> None:
        order = self._order(fact.order.client_order_id)
        if order is not None and order.only_reduces and not order.is_protective:
            self._note(at, AwayKind.EXIT, f"{fact.order.side.value} {plain(fact.order.quantity)} {fact.order.symbol}")

    def _cancelled(self, at: datetime, fact: CancelRequested) -> None:
        order = self._order(fact.client_order_id)
        if fact.code is CancelCode.UNATTENDED and order is not None:
            request = order.request
            self._note(at, AwayKind.CANCELLED, f"{request.side.value} {plain(request.quantity)} {request.symbol}")

    def _skipped(self, at: datetime, fact: ProposalSkipped) -> None:
        if ATTENDANCE in fact.checks:
            self._note(at, AwayKind.SHADOW, f"{fact.strategy} {fact.symbol}")

    def _halted(self, at: datetime, fact: Halted) -> None:
        self._note(at, AwayKind.HALT, f"{fact.cause.value}: {fact.reason}")

    def _killed(self, at: datetime, fact: Killed) -> None:
        self._note(at, AwayKind.HALT, f"killed by {fact.by}")

    def _rang(self, at: datetime, fact: AlertRang) -> None:
        self._note(at, AwayKind.ALERT, f"{fact.alert.terms.symbol} {fact.seen}")

    def _note(self, at: datetime, kind: AwayKind, words: str) -> None:
        now = self.state.now
        if now is None:
            return
        now.counts[kind] = now.count(kind) + 1
        if len(now.events) < KEPT:
            now.events.append(AwayEvent(at, kind, words))
