"""Attach and detach desks, one of which has control, and cancel entries while none is attached (OP-13, RK-27).

A hand-over closes tickets, an unsigned basket, and every confirmation that waits for its fresh figures. So does a lost
link, except for a confirmation received before. Signed orders go on.

On a live account a dead man's timer halts entries. Proposal intake follows strategies' proposals as shadow trades
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from core import facts
from core.execution.order import Order
from core.messages.desk_commands import AttachDesk, DetachDesk, KeyPressed, LoseDesk, ServeDesks, TakeKey
from core.messages.effects import Effect
from core.model.account import Mode
from core.model.codes import CancelCode, Denial, HaltCause, KeyEnd, TicketEnd
from core.model.desk import DeskNumber
from core.model.values import plain
from core.trading_state.desks import AwayKind
from core.trading_state.state import TradingState
from core.workflows.baskets import BasketDrafts
from core.workflows.orders.cancellation import Cancellation
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.tickets import Tickets
from core.workflows.workflow import answers, apart, follows

TAKE = "TAKE"
"""The word that takes control from a desk that is active or whose link was lost less than 60 s ago."""
ACTIVE_FOR = timedelta(minutes=1)
"""Time after its last input in which the desk in control counts as active (OP-13)."""
NO_TERMINAL = "Rejected: a desk without its own terminal cannot take control"
LINK_LOST = "the link of its desk is lost"
HAS_LEFT = "its desk left"


class KeyHolding:
    DUE_BY_FACTS = True

    def __init__(
        self, state: TradingState, tickets: Tickets, confirmations: Confirmations, baskets: BasketDrafts
    ) -> None:
        self.state = state
        self.tickets = tickets
        self.confirmations = confirmations
        self.baskets = baskets

    # ── coming and going ─────────────────────────────────────────────────────────────────────────────────────────

    @answers(AttachDesk)
    def on_attach(self, command: AttachDesk) -> Iterable[Effect]:
        """Attach a desk. One that returns before its old link was given up counts as lost first: its tickets close."""
        self.due()
        number, is_back = self._number(command.returning)
        if self.state.desks.desk(number) is not None:
            self._lose(number)
        self.state.record(facts.DeskAttached(number, command.seat, is_back, command.by_itself))
        self.state.sightings.links[command.link] = number
        self.state.sightings.heard_from[number] = self.state.at
        is_new = not (is_back or command.by_itself)
        if self.state.desks.comes_by_itself_to(number, self.state.at, is_new=is_new):
            self._hand_over(number, was_active=False)
        return ()

    def _number(self, returning: DeskNumber | None) -> tuple[DeskNumber, bool]:
        counted = self.state.desks.state.counted
        if returning is not None and 1 <= returning <= counted:
            return returning, True
        return DeskNumber(counted + 1), False

    @answers(DetachDesk)
    def on_detach(self, command: DetachDesk) -> Iterable[Effect]:
        desk = self._attached(command)
        if desk is not None:
            was_holder = self.state.desks.is_holder(desk)
            self._forget(desk)
            self.state.record(facts.DeskLeft(desk))
            if was_holder:
                self.state.record(facts.KeyFreed(desk, KeyEnd.LEFT))
                self._close_what_is_open(HAS_LEFT)
        return ()

    @answers(LoseDesk)
    def on_lose(self, command: LoseDesk) -> Iterable[Effect]:
        desk = self._attached(command)
        if desk is not None:
            self._lose(desk)
        return ()

    def _attached(self, command: DetachDesk | LoseDesk) -> DeskNumber | None:
        """Return the command's desk; None if it is gone already by its other connection."""
        is_there = command.desk is not None and self.state.desks.desk(command.desk) is not None
        return command.desk if is_there else None

    def _lose(self, desk: DeskNumber) -> None:
        is_holder = self.state.desks.is_holder(desk)
        self._forget(desk)
        self.state.record(facts.DeskLost(desk, self.state.at + self.state.desks.kept_for() if is_holder else None))
        if is_holder:
            self._close_what_is_open(LINK_LOST)

    def _forget(self, desk: DeskNumber) -> None:
        sightings = self.state.sightings
        sightings.links = {link: number for link, number in sightings.links.items() if number != desk}
        sightings.heard_from.pop(desk, None)

    @answers(KeyPressed)
    def on_key(self, _command: KeyPressed) -> Iterable[Effect]:
        """Do nothing here: `DeskRights.hear` notes that the desk is attended."""
        return ()

    # ── control ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(TakeKey)
    def on_take(self, command: TakeKey) -> Iterable[Effect]:
        """Take control. Of two at once the first gets it: the second command named an earlier holder."""
        desk, desks = command.desk, self.state.desks
        if desk is None or desks.is_holder(desk):
            return ()
        code, reason = self._refusal(desk, command)
        if code is not None:
            self.state.record(facts.CommandRefused(type(command).__name__, reason, code, desk))
            return ()
        self._hand_over(desk, was_active=self.is_active())
        return ()

    def _refusal(self, desk: DeskNumber, command: TakeKey) -> tuple[Denial | None, str]:
        desks = self.state.desks
        if not desks.seat(desk).terminal:
            return Denial.NO_TERMINAL, NO_TERMINAL
        holder = desks.holder
        if command.hold != desks.hold:
            has_it = "nobody" if holder is None else holder.desk.seat.in_words
            return Denial.OTHER_HOLD, f"Rejected: control changed meanwhile, {has_it} has it"
        if self.is_active() and command.word != TAKE:
            return Denial.WORD, f"{self._who_keeps_it()}. Rejected; T, then type {TAKE}"
        return None, ""

    def _who_keeps_it(self) -> str:
        holder, kept = self.state.desks.holder, self.state.desks.state.kept
        if holder is None:
            return "" if kept is None else f"the key is kept for {kept.seat.in_words}, who had it as the engine ended"
        why = "was active just now" if holder.away_until is None else "keeps the key while its link is lost"
        return f"{holder.desk.seat.in_words} {why}"

    def is_active(self) -> bool:
        """Whether the desk in control was heard in the last minute, or control is kept for its lost link."""
        return is_holder_active(self.state, self.state.at)

    def _hand_over(self, desk: DeskNumber, *, was_active: bool) -> None:
        holder = self.state.desks.holder
        before = None if holder is None else holder.number
        self.state.record(facts.KeyTaken(desk, self.state.desks.hold + 1, before, was_active))
        self.state.sightings.heard_from[desk] = self.state.at
        words = f"the key went to {self.state.desks.seat(desk).in_words}"
        self.confirmations.refuse_of_other_holds(words)
        self._close_tickets(words)
        if before is not None:  # else a basket of a file stays for the next desk
            self.baskets.put_aside(words)

    def _close_what_is_open(self, words: str) -> None:
        self._close_tickets(words)
        self.baskets.put_aside(words)

    def _close_tickets(self, words: str) -> None:
        """Close the tickets. A confirmed one waits for its figures, or is refused with its confirmation."""
        self.tickets.forget_openings_of_desks()
        turned = {confirmation.ticket.id for confirmation in self.confirmations.undecided()}
        for ticket_id in [name for name in self.state.stage.state.tickets if name not in turned]:
            self.state.record(facts.TicketClosed(ticket_id, words, TicketEnd.HANDED_OVER))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterable[datetime]:
        holder = self.state.desks.holder
        return () if holder is None or holder.away_until is None else (holder.away_until,)

    def due(self) -> Iterable[Effect]:
        """Free control when a desk with a lost link did not return in time."""
        holder = self.state.desks.holder
        if holder is not None and holder.away_until is not None and self.state.at >= holder.away_until:
            self.state.record(facts.KeyFreed(holder.number, KeyEnd.LAPSED))
        return ()


def is_holder_active(state: TradingState, at: datetime) -> bool:
    """Whether taking control needs the typed word, including while it is kept for a lost link or after a restart."""
    holder, kept = state.desks.holder, state.desks.state.kept
    if holder is None:
        return kept is not None and at < kept.until
    if holder.away_until is not None:
        return at < holder.away_until
    heard = state.sightings.heard_from.get(holder.number)
    return heard is not None and at - heard <= ACTIVE_FOR


class Attending:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @answers(ServeDesks)
    def on_served(self, _command: ServeDesks) -> Iterable[Effect]:
        if not self.state.attendance.state.is_served:
            self.state.record(facts.DesksServed())
        return ()

    @follows(facts.DeskAttached)
    def after_attaching(self, _fact: facts.DeskAttached) -> None:
        """Record a summary of the absence when a desk attaches again."""
        now = self.state.attendance.state.now
        if now is not None and self.state.desks.has_somebody:
            count = now.count
            self.state.record(
                facts.AbsenceEnded(
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
            self.state.record(facts.Halted(HaltCause.UNATTENDED, f"no key was pressed for {hours} hours"))

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
