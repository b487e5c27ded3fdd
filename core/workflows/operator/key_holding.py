"""Attach and detach desks; one of them has control (OP-13).

A hand-over closes tickets, an unsigned basket, and every confirmation that waits for its fresh figures. So does a lost
link, except for a confirmation received before. Signed orders go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.facts import CommandRefused, DeskAttached, DeskLeft, DeskLost, KeyFreed, KeyTaken, TicketClosed
from core.messages.commands import AttachDesk, DetachDesk, KeyPressed, LoseDesk, TakeKey
from core.messages.effects import Effect
from core.model.codes import Denial, KeyEnd, TicketEnd
from core.model.desk import DeskNumber
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.baskets.baskets import BasketDrafts
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.tickets import Tickets

TAKE = "TAKE"
"""The word that takes control from a desk that is active or whose link was lost less than 60 s ago."""
ACTIVE_FOR = timedelta(minutes=1)
"""Time after its last input in which the desk in control counts as active (OP-13)."""
NO_TERMINAL = "Rejected: a desk without its own terminal cannot take control"
LINK_LOST = "the link of its desk is lost"
HAS_LEFT = "its desk left"


class KeyHolding:
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
        self.state.record(DeskAttached(number, command.seat, is_back, command.by_itself))
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
            self.state.record(DeskLeft(desk))
            if was_holder:
                self.state.record(KeyFreed(desk, KeyEnd.LEFT))
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
        self.state.record(DeskLost(desk, self.state.at + self.state.desks.kept_for() if is_holder else None))
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
            self.state.record(CommandRefused(type(command).__name__, reason, code, desk))
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
        self.state.record(KeyTaken(desk, self.state.desks.hold + 1, before, was_active))
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
            self.state.record(TicketClosed(ticket_id, words, TicketEnd.HANDED_OVER))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterable[datetime]:
        holder = self.state.desks.holder
        return () if holder is None or holder.away_until is None else (holder.away_until,)

    def due(self) -> Iterable[Effect]:
        """Free control when a desk with a lost link did not return in time."""
        holder = self.state.desks.holder
        if holder is not None and holder.away_until is not None and self.state.at >= holder.away_until:
            self.state.record(KeyFreed(holder.number, KeyEnd.LAPSED))
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
