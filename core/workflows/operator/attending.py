"""Cancel resting entries while no desk is attached, if the settings say so (RK-27).

On a live account a dead man's timer halts entries. Proposal intake follows strategies' proposals as shadow trades
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from core.execution.order import Order
from core.facts import AbsenceEnded, DeskAttached, DesksServed, Halted
from core.messages.commands import ServeDesks
from core.messages.effects import Effect
from core.model.account import Mode
from core.model.codes import CancelCode, HaltCause
from core.model.values import plain
from core.trading_state.attendance import AwayKind
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers, follows
from core.workflows.base.isolation import apart
from core.workflows.orders.cancellation import Cancellation


class Attending:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @answers(ServeDesks)
    def on_served(self, _command: ServeDesks) -> Iterable[Effect]:
        if not self.state.attendance.state.is_served:
            self.state.record(DesksServed())
        return ()

    @follows(DeskAttached)
    def after_attaching(self, _fact: DeskAttached) -> None:
        """Record a summary of the absence when a desk attaches again."""
        now = self.state.attendance.state.now
        if now is not None and self.state.desks.has_somebody:
            count = now.count
            self.state.record(
                AbsenceEnded(
                    since=now.since,
                    fills=count(AwayKind.FILL),
                    exits=count(AwayKind.EXIT),
                    cancelled=count(AwayKind.CANCELLED),
                    shadows=count(AwayKind.SHADOW),
                    halts=count(AwayKind.HALT),
                )
            )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        yield from (ends_at for _, ends_at in self._resting())
        if (ends_at := self._dead_man_at()) is not None:
            yield ends_at

    def due(self) -> Iterator[Effect]:
        for order, ends_at in list(self._resting()):
            if self.state.at >= ends_at:
                minutes = plain(self.state.control.settings.attendance.cancel_minutes)
                why = f"nobody was at a desk for {minutes} minutes"
                yield from apart(self.state, partial(self.cancellation.cancel, order, why, CancelCode.UNATTENDED))
        halts_at = self._dead_man_at()
        if halts_at is not None and self.state.at >= halts_at:
            hours = plain(self.state.control.settings.attendance.dead_man_hours)
            self.state.record(Halted(HaltCause.UNATTENDED, f"no key was pressed for {hours} hours"))

    def _resting(self) -> Iterator[tuple[Order, datetime]]:
        """Yield the working entries during an absence, each with the end of its allowed time."""
        absence, settings = self.state.attendance.absence, self.state.control.settings.attendance
        if absence is None or settings.entries == "keep":
            return
        life = timedelta(minutes=float(settings.cancel_minutes))
        for order in self.state.ledger.working():
            if not order.only_reduces and order.cancel_requested_at is None:
                yield order, max(absence.since, order.created_at) + life

    def _dead_man_at(self) -> datetime | None:
        """Return when entries halt because no key was pressed; None if they do not, or are halted already."""
        hours = self.state.control.settings.attendance.dead_man_hours
        attendance, control = self.state.attendance.state, self.state.control
        is_on = bool(hours) and self.state.mode is Mode.LIVE and attendance.is_served
        if not is_on or HaltCause.UNATTENDED in control.halts or control.killed_by is not None:
            return None
        pressed = [at for at in (attendance.key_at, self.state.sightings.key_at) if at is not None]
        return max(pressed) + timedelta(hours=float(hours)) if pressed else None
