"""The slice of the desks: the attached ones, and which of them has control (OP-13).

It is empty after a restart: each desk attaches again, with a new number, and control gets a new number too; it is
reserved for the seat that had it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.facts import DeskAttached, DeskLeft, DeskLost, DesksServed, EngineStarted, EngineStopped, KeyFreed, KeyTaken
from core.model.desk import DeskNumber, Seat

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
            DesksServed: self._served,
            EngineStarted: self._started,
            EngineStopped: self._stopped,
            DeskAttached: self._attached,
            DeskLeft: self._left,
            DeskLost: self._lost,
            KeyTaken: self._taken,
            KeyFreed: self._freed,
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
        """Return the attached desk of that number."""
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

    def _stopped(self, at: datetime, _fact: EngineStopped) -> None:
        self._forget(at)

    def _served(self, _at: datetime, _fact: DesksServed) -> None:
        self.state.is_served = True

    def _started(self, at: datetime, _fact: EngineStarted) -> None:
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

    def _attached(self, at: datetime, fact: DeskAttached) -> None:
        desk = Desk(fact.desk, fact.seat, at)
        self.state.attached[fact.desk] = desk
        self.state.counted = max(self.state.counted, fact.desk)
        if self.holder is not None and self.holder.number == fact.desk:
            self.state.holder = KeyHolder(desk, self.holder.since)

    def _left(self, _at: datetime, fact: DeskLeft) -> None:
        self.state.attached.pop(fact.desk, None)

    def _lost(self, _at: datetime, fact: DeskLost) -> None:
        self.state.attached.pop(fact.desk, None)
        if self.holder is not None and self.holder.number == fact.desk:
            self.holder.away_until = fact.key_until

    def _taken(self, at: datetime, fact: KeyTaken) -> None:
        self.state.hold = fact.hold
        desk = self.desk(fact.desk)
        self.state.holder = None if desk is None else KeyHolder(desk, at)
        self.state.kept = None

    def _freed(self, _at: datetime, _fact: KeyFreed) -> None:
        self.state.holder = None
