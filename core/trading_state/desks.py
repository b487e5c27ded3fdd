"""The slices of the desks, of who has control, and of the time without anyone at a desk (RK-27).

The slice of the desks: the attached ones, and which of them has control (OP-13).
It is empty after a restart: each desk attaches again, with a new number, and control gets a new number too; it is
reserved for the seat that had it.

If no desk was ever served, as in a replay, a script or a test operates the desk and there is no absence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core import facts
from core.execution.order import Order
from core.model.codes import CancelCode, HaltCause
from core.model.desk import DeskNumber, Seat
from core.model.lazy_dataclass import dataclass
from core.model.values import ClientOrderId, plain, priced

Lasts = Callable[[], timedelta]
"""How long control is reserved after the holder's connection, or its engine, was lost (OP-13)."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An attached desk."""

    number: DeskNumber
    seat: Seat
    since: datetime


@dataclass(slots=True)
class KeyHolder:
    """The desk that has control, and since when.

    `away_until` is the end of its reservation while its connection is lost.
    """

    desk: Desk
    since: datetime
    away_until: datetime | None = None

    @property
    def number(self) -> DeskNumber:
        return self.desk.number


@dataclass(frozen=True, slots=True)
class KeptSeat:
    """The seat that had control when an engine ended.

    Until then the next engine gives control automatically to no other seat.
    """

    seat: Seat
    until: datetime


@dataclass(slots=True)
class DesksState:
    """The attached desks, the one with control, and the reserved seat.

    `counted` is the last number given, `hold` the number of the last change of control; `kept` is from the previous
    engine, or the one that just ended. `is_served`: a desk may outlive this engine; otherwise it ends with it.
    """

    attached: dict[DeskNumber, Desk] = field(default_factory=dict)
    holder: KeyHolder | None = None
    counted: int = 0
    hold: int = 0
    kept: KeptSeat | None = None
    is_served: bool = False


class Desks:
    name = "desks"

    def __init__(self, kept_for: Lasts) -> None:
        self.kept_for = kept_for
        self.state = DesksState()
        self.folds = {
            facts.DesksServed: self._served,
            facts.EngineStarted: self._started,
            facts.EngineStopped: self._stopped,
            facts.DeskAttached: self._attached,
            facts.DeskLeft: self._left,
            facts.DeskLost: self._lost,
            facts.KeyTaken: self._taken,
            facts.KeyFreed: self._freed,
        }

    def restore(self, state: DesksState) -> None:
        self.state = state

    @property
    def holder(self) -> KeyHolder | None:
        """The desk that has control, also while its connection is lost and control is reserved."""
        return self.state.holder

    @property
    def hold(self) -> int:
        return self.state.hold

    def desk(self, number: DeskNumber) -> Desk | None:
        return self.state.attached.get(number)

    def seat(self, number: DeskNumber) -> Seat:
        """Return the seat of an attached desk, or of the one with reserved control."""
        desk = self.desk(number) or (self.holder.desk if self.holder and self.holder.number == number else None)
        return Seat() if desk is None else desk.seat

    @property
    def has_somebody(self) -> bool:
        """Whether a desk that a person can use is attached: a desk without a terminal only watches."""
        return any(desk.seat.terminal for desk in self.state.attached.values())

    def is_holder(self, number: DeskNumber) -> bool:
        """Whether it has control and is attached."""
        return self.holder is not None and self.holder.number == number and number in self.state.attached

    def comes_by_itself_to(self, desk: DeskNumber, at: datetime, *, is_new: bool) -> bool:
        """Whether a desk that just attached gets control automatically (OP-13).

        No desk has control, and it is at the seat that had control when the last engine ended; or it is new and alone,
        and control is not reserved.
        """
        seat, kept = self.seat(desk), self.state.kept
        if self.holder is not None or not seat.terminal:
            return False
        if kept is not None and at < kept.until:
            return seat == kept.seat
        return is_new and not any(each.seat.terminal for each in self.state.attached.values() if each.number != desk)

    def may_loosen(self, desk: DeskNumber | None) -> bool:
        """Whether its commands may open positions or loosen limits; None is inside the engine's process."""
        return desk is None or self.is_holder(desk)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stopped(self, at: datetime, _fact: facts.EngineStopped) -> None:
        self._forget(at)

    def _served(self, _at: datetime, _fact: facts.DesksServed) -> None:
        self.state.is_served = True

    def _started(self, at: datetime, _fact: facts.EngineStarted) -> None:
        """Reserve control for the holder of an engine that crashed; a reservation that expired long ago ends."""
        self._forget(at)
        self.state.is_served = False
        kept = self.state.kept
        self.state.kept = None if kept is None or at > kept.until else KeptSeat(kept.seat, at + self.kept_for())

    def _forget(self, at: datetime) -> None:
        if self.holder is not None and self.state.is_served:
            self.state.kept = KeptSeat(self.holder.desk.seat, at + self.kept_for())
        self.state.attached = {}
        self.state.holder = None

    def _attached(self, at: datetime, fact: facts.DeskAttached) -> None:
        desk = Desk(fact.desk, fact.seat, at)
        self.state.attached[fact.desk] = desk
        self.state.counted = max(self.state.counted, fact.desk)
        if self.holder is not None and self.holder.number == fact.desk:
            self.state.holder = KeyHolder(desk, self.holder.since)

    def _left(self, _at: datetime, fact: facts.DeskLeft) -> None:
        self.state.attached.pop(fact.desk, None)

    def _lost(self, _at: datetime, fact: facts.DeskLost) -> None:
        self.state.attached.pop(fact.desk, None)
        if self.holder is not None and self.holder.number == fact.desk:
            self.holder.away_until = fact.key_until

    def _taken(self, at: datetime, fact: facts.KeyTaken) -> None:
        self.state.hold = fact.hold
        desk = self.desk(fact.desk)
        self.state.holder = None if desk is None else KeyHolder(desk, at)
        self.state.kept = None

    def _freed(self, _at: datetime, _fact: facts.KeyFreed) -> None:
        self.state.holder = None


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
            facts.EngineStarted: self._started,
            facts.DesksServed: self._served,
            facts.DeskAttached: self._attached,
            facts.DeskLeft: self._gone,
            facts.DeskLost: self._gone,
            facts.AbsenceEnded: self._ended,
            facts.ConfirmationReceived: self._confirmed,
            facts.BasketSigned: self._confirmed,
            facts.Resumed: self._resumed,
            facts.Rearmed: self._key,
            facts.OrderFilled: self._filled,
            facts.OrderCreated: self._created,
            facts.CancelRequested: self._cancelled,
            facts.ProposalSkipped: self._skipped,
            facts.Halted: self._halted,
            facts.Killed: self._killed,
            facts.AlertRang: self._rang,
        }

    def restore(self, state: AttendanceState) -> None:
        self.state = state

    @property
    def absence(self) -> Absence | None:
        """The current absence; None while a desk is attached, and if no desks are served."""
        return self.state.now if self.state.is_served else None

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _started(self, _at: datetime, _fact: facts.EngineStarted) -> None:
        """Keep an absence across a restart; whether desks are served is recorded again."""
        self.state.is_served = False

    def _served(self, at: datetime, _fact: facts.DesksServed) -> None:
        self.state.is_served = True
        self.state.key_at = self.state.key_at or at
        if self.state.now is None and not self.desks.has_somebody:
            self.state.now = Absence(at)

    def _attached(self, at: datetime, fact: facts.DeskAttached) -> None:
        self.state.is_served = True
        if fact.seat.terminal and not (fact.is_back or fact.by_itself):
            self.state.key_at = at

    def _gone(self, at: datetime, _fact: facts.DeskLeft | facts.DeskLost) -> None:
        if self.state.is_served and not self.desks.has_somebody and self.state.now is None:
            self.state.now = Absence(at)

    def _ended(self, at: datetime, _fact: facts.AbsenceEnded) -> None:
        self.state.last, self.state.now = self.state.now, None
        if self.state.last is not None:
            self.state.last.until = at

    def _key(self, at: datetime, _fact: facts.Rearmed) -> None:
        self.state.key_at = at

    def _confirmed(self, at: datetime, fact: facts.ConfirmationReceived | facts.BasketSigned) -> None:
        if fact.turn is not None:
            self.state.key_at = at

    def _resumed(self, at: datetime, fact: facts.Resumed) -> None:
        if fact.cause is HaltCause.UNATTENDED:
            self.state.key_at = at

    def _filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        fill = fact.fill
        order = self._order(fill.client_order_id)
        what = "" if order is None else f"{order.request.side.value} {plain(fill.quantity)} {order.request.symbol} "
        self._note(at, AwayKind.FILL, f"{what}at {priced(fill.price)}")

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        order = self._order(fact.order.client_order_id)
        if order is not None and order.only_reduces and not order.is_protective:
            self._note(at, AwayKind.EXIT, f"{fact.order.side.value} {plain(fact.order.quantity)} {fact.order.symbol}")

    def _cancelled(self, at: datetime, fact: facts.CancelRequested) -> None:
        order = self._order(fact.client_order_id)
        if fact.code is CancelCode.UNATTENDED and order is not None:
            request = order.request
            self._note(at, AwayKind.CANCELLED, f"{request.side.value} {plain(request.quantity)} {request.symbol}")

    def _skipped(self, at: datetime, fact: facts.ProposalSkipped) -> None:
        if ATTENDANCE in fact.checks:
            self._note(at, AwayKind.SHADOW, f"{fact.strategy} {fact.symbol}")

    def _halted(self, at: datetime, fact: facts.Halted) -> None:
        self._note(at, AwayKind.HALT, f"{fact.cause.value}: {fact.reason}")

    def _killed(self, at: datetime, fact: facts.Killed) -> None:
        self._note(at, AwayKind.HALT, f"killed by {fact.by}")

    def _rang(self, at: datetime, fact: facts.AlertRang) -> None:
        self._note(at, AwayKind.ALERT, f"{fact.alert.terms.symbol} {fact.seen}")

    def _note(self, at: datetime, kind: AwayKind, words: str) -> None:
        now = self.state.now
        if now is None:
            return
        now.counts[kind] = now.count(kind) + 1
        if len(now.events) < KEPT:
            now.events.append(AwayEvent(at, kind, words))
