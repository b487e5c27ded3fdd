"""The ticket: the live order and the one key that sends it (OP-03, OP-04).

The key is handled here before any binding, with its time; `console.arming` evaluates it. All other input only
interrupts the confirmation delay, or spells a required word: TWIN, or the symbol on a live account.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from textual.app import ComposeResult

from console.arming import OPENS_AFTER, REDUCES_AFTER
from console.keymap import KeyScope, bindings_for, written
from console.proposal_outcome import last_refusal
from console.screens.desk_control import holds_key, proof_of
from console.screens.dialog import ArmedDialog, ArmedKey, DialogHost
from console.screens.edit import DeclineScreen, EditScreen, declining
from console.screens.find_symbol import QuoteRefresh
from console.ticket_status import (
    SHUT,
    Edit,
    Readiness,
    Spelling,
    TicketBox,
    TicketPhase,
    TicketStatus,
    clocks,
    key_of,
    may_be_edited,
    shown_of,
    state,
)
from console.touch_wait import TouchWait
from core.messages.commands import Confirm, Decline, EditProposal, LeaveTicket, OpenTicket
from core.model.account import Mode
from core.model.touch import TouchSignature, ticket_message
from core.model.values import ClientOrderId, Price, ProposalId, Quantity
from core.views import DeskView, TicketView
from widgets.ticket_text import watches

__all__ = ["TicketPhase", "TicketScreen"]

TICK = 0.05
ALWAYS = ("ticket.next", "ticket.leave", "ticket.help")
"""Keys named in the last line of a ticket in any state."""
TIMEOUT = 5.0
"""Seconds after which the ticket says that no figures arrived."""


class TicketScreen(ArmedDialog):
    """The ticket of one proposal, from the request for its figures to its order or its end."""

    PLACE = KeyScope.TICKET
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)
    STAYS_CLEAR = False  # it is read completely before its key counts, even if it covers the status lines

    def __init__(self, behind: DialogHost, proposal_id: ProposalId) -> None:
        super().__init__()
        self.behind = behind
        self.standing = TicketStatus(proposal_id)
        self.armed = ArmedKey(self, behind)
        self.looking = QuoteRefresh(behind)
        self.touch = TouchWait(self, behind.new_agent, lambda text: behind.say(text, "warning"))
        self.box = TicketBox()
        self.spelling = Spelling()
        self._asked_at = behind.now()
        self._is_unattended = False
        self._ask_the_engine()  # the answer is under way during layout

    def compose(self) -> ComposeResult:
        yield self.box

    def on_mount(self) -> None:
        self._show_what_is_known()
        self.set_interval(TICK, self.tick)

    @property
    def proposal_id(self) -> ProposalId:
        return self.standing.proposal_id

    @property
    def phase(self) -> TicketPhase:
        return self.standing.phase

    @property
    def waits_for_figures(self) -> bool:
        return self.phase is TicketPhase.FETCHING

    @property
    def _shown(self) -> TicketView | None:
        return self.standing.shown

    def ask(self) -> None:
        """Open a new ticket with fresh figures; the previous one no longer counts."""
        self._ask_the_engine()
        self._show_what_is_known()

    def _ask_the_engine(self) -> None:
        self.standing.ask(self.behind.view)
        self._open()

    def _open(self) -> None:
        self._asked_at = self.behind.now()
        self.disarm()
        self.behind.handle.send(OpenTicket(self.proposal_id, self._is_unattended))

    def _show_what_is_known(self) -> None:
        if (view := self.behind.view) is not None:
            self.update_view(view, self.behind.engine_now())

    def acting_keys(self) -> Collection[str]:
        """Return the keys that act, as many as fit in 80 columns; an ended ticket has only a few."""
        if self.phase is TicketPhase.EXPIRED:
            return ("ticket.review", "ticket.decline", *ALWAYS)
        if self.phase is TicketPhase.OVER:
            return ALWAYS
        if self.phase is TicketPhase.TOUCHING:
            return ("ticket.back", "ticket.help")
        order = self._shown.ticket.order if self._shown is not None else None
        opens = order is not None and not order.effect.only_reduces and order.replaces is None
        may_sign = opens and self._shown is not None and watches(self._shown)
        more = "ticket.unattended" if may_sign else "ticket.next"
        edit = ("ticket.edit",) if self.standing.row is None or may_be_edited(self.standing.row) else ()
        return (*edit, more, "ticket.review", "ticket.decline", "ticket.back", "ticket.help")

    def clock_in_words(self, now: datetime) -> str:
        ended = {TicketPhase.EXPIRED: "ticket EXPIRED, ", TicketPhase.OVER: "it has ended"}
        return f"{ended.get(self.phase, '')}{clocks(self.standing, now)}"

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, now: datetime) -> None:
        was_lost = self.behind.handle.link.had_gap(self._asked_at, self.behind.now())
        self.standing.update(view, was_lost=was_lost)
        if self.touch.is_waiting and self.phase is not TicketPhase.TOUCHING:
            self._give_up_touch()
        if self.phase is TicketPhase.OVER and self.is_active and self.standing.was_sent(view):
            self.dismiss()
            self.behind.show_order(ClientOrderId(self.proposal_id))
            return
        self._ask_for_the_word(view)
        if self._shown is not None and self.is_active:
            self.looking.look(self._shown.ticket.order.symbol, view)
        self._draw(view, now)

    def _ask_for_the_word(self, view: DeskView) -> None:
        """Ask for the required words.

        An entry similar to another needs TWIN; on a live account each entry also needs its symbol, after that word. An
        order that only reduces never needs one.
        """
        row, shown = self.standing.row, self._shown
        words = [shown.word] if shown is not None and shown.word else []
        if view.status.mode is Mode.LIVE and row is not None and not row.effect.only_reduces:
            words.append(row.symbol)
        self.spelling.ask_for(" ".join(words) or None)

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, view: DeskView, now: datetime) -> None:
        self.box.show(self.standing, view, now, self.behind.now() - self._asked_at > TIMEOUT)
        self._draw_keys(now)
        self._ask_whether_drawn()

    def _draw_keys(self, now: datetime) -> None:
        readiness = self._readiness()
        waits_for_a_letter = self.spelling.word is not None and not self.spelling.word.typed
        self.armed.was_early = self.armed.was_early and (readiness.left != 0 or waits_for_a_letter)
        self.box.show_keys(self.standing, self.spelling.word, readiness, now)

    def _readiness(self) -> Readiness:
        left = None
        if self._shown is not None and self.standing.row is not None:
            key = key_of(self.standing.row)
            left = self.armed.seconds_left(shown_of(self._shown), key, self._silence())
        return Readiness(
            left,
            self._silence(),
            is_turning=self.armed.arming.is_turning(),
            was_early=self.armed.was_early,
            obstacle=self._obstacle(),
            is_proved=self.behind.link.paint_is_proved is True,
        )

    def armed_in_words(self) -> str:
        """Return the state of its key in words."""
        row = self.standing.row
        return state(self.standing, self.spelling.word, self._readiness(), key_of(row)).text if row is not None else ""

    def _obstacle(self) -> str | None:
        """Return the reason for which the key cannot count, however long one waits."""
        if not self.is_active:
            return "not armed"  # another screen covers it
        if not holds_key(self.behind):
            return "not armed: another desk has the key"
        if self.behind.is_too_small:
            return "terminal too small"
        if (doubt := self.behind.link.doubt) is not None:
            return doubt
        row = self.standing.row
        is_exit = row is not None and row.effect.only_reduces  # exits are never blocked
        return "not armed: a part is hidden" if self.box.is_cut and not is_exit else None

    def _silence(self) -> float:
        row = self.standing.row
        return REDUCES_AFTER if row is not None and row.effect.only_reduces else OPENS_AFTER

    # ── paint check ──────────────────────────────────────────────────────────────────────────────────────────────

    def _ask_whether_drawn(self) -> None:
        """Check after the next frame that this ticket was drawn."""
        if self._shown is None or self.phase is not TicketPhase.READY or self._obstacle() is not None:
            return
        self.armed.ask_whether_drawn(shown_of(self._shown))

    def disarm(self) -> None:
        self.armed.forget()
        self.spelling.forget()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, character: str | None, at: float) -> None:
        self.armed.see_whether_it_ran()
        key = key_of(self.standing.row) if self.standing.row is not None else None
        shown, is_ready = self._shown, self.phase is TicketPhase.READY
        is_painted = is_ready and shown is not None and self.armed.arming.is_painted(shown_of(shown))
        is_spelling = self.spelling.hear(character, key, is_painted)
        self.armed.was_early |= is_ready and self.spelling.was_lost
        if is_spelling or character is None or character != key or shown is None or not is_ready:
            self.armed.arming.hear(character, at)
        elif not self._may_turn() or not self.armed.arming.turn(shown_of(shown), key, self._silence(), at):
            self.armed.arming.hear(character, at)
            self.armed.was_early |= self.spelling.stands
        self.tick()

    def _may_turn(self) -> bool:
        return self._obstacle() is None and self.spelling.stands

    def tick(self) -> None:
        """Follow the confirmation delay, and send a confirmation."""
        self.armed.see_whether_it_ran()
        if self.phase is not TicketPhase.READY or self._obstacle() is not None:
            self.disarm()
        if self.touch.is_waiting and self._obstacle() is not None:
            self._give_up_touch()
        if self.armed.follow():
            self._ask_whether_drawn()
        if self._shown is not None and self.armed.take(shown_of(self._shown)):
            self._turn(self._shown)
        if self._shown is not None and self.is_active:
            self._draw_keys(self.behind.engine_now())
            self._ask_whether_drawn()

    def _turn(self, shown: TicketView) -> None:
        """Confirm exactly this ticket, after the touch of a security key if it needs one (OP-15)."""
        ticket, proof = shown.ticket, proof_of(self.behind)
        effect, replaces = ticket.order.effect, ticket.order.replaces
        key = Confirm(
            ticket.id,
            ticket.digest,
            effect,
            replaces,
            word=shown.word,
            reviewed=self.standing.reviewed,
            hold=shown.hold,
            proof=proof,
        )
        view = self.behind.view
        if not shown.needs_touch or view is None:
            self._send(shown, key)
            return
        self.standing.wait_for_touch(shown)
        message = ticket_message(view.account, view.touch.nonce, ticket.id, ticket.digest)
        self.touch.begin(view.touch.keys, message, lambda found: self._touched(shown, key, found), self._give_up_touch)
        self._show_what_is_known()

    def _touched(self, shown: TicketView, key: Confirm, found: TouchSignature) -> None:
        """Send the confirmation if the same ticket still counts; a touch after a change of any kind is discarded."""
        self._show_what_is_known()
        is_same = self._shown is not None and shown_of(self._shown) == shown_of(shown)
        if self.phase is not TicketPhase.TOUCHING or not is_same or self._obstacle() is not None:
            self._give_up_touch()
            self.behind.say("the ticket changed before the touch; nothing was sent", "warning")
            return
        self._send(shown, replace(key, touch=found))
        self._show_what_is_known()

    def _send(self, shown: TicketView, key: Confirm) -> None:
        self.standing.confirm(shown)
        self.behind.handle.send(key)

    def _give_up_touch(self) -> None:
        """End the wait for the touch; the ticket is armed again from the beginning."""
        self.touch.give_up()
        self.standing.end_touch()
        self.disarm()
        if self.is_attached:
            self._show_what_is_known()

    def on_screen_suspend(self) -> None:
        super().on_screen_suspend()
        if self.touch.is_waiting:
            self._give_up_touch()

    def on_unmount(self) -> None:
        self.touch.give_up()

    def action_confirm(self, key: str) -> None:
        """Name the right key if one for another effect was pressed; the key itself is evaluated in `hear`."""
        row = self.standing.row
        if row is not None and key != key_of(row) and not self.spelling.is_spelling:
            does = "replace an order" if row.replaces else f"{row.effect.value} a position"
            self.behind.say(f"{key} does not {does}; nothing was sent", "warning")
        elif row is not None and self.phase is TicketPhase.DIFFERS:
            self.behind.say(f"{self.standing.said}: {written('ticket.review')} reviews it", "warning")
        elif row is not None and self.phase in SHUT:
            self.behind.say(f"{key} sends nothing now; {written('ticket.review')} reviews it again", "warning")

    def action_review(self) -> None:
        if self._is_over() or self._is_touching():
            return
        if self.phase is not TicketPhase.CONFIRMING:
            if count := self.standing.review():
                self.behind.say(f"reviewed: {count} of the draft's facts differ", "warning")
            self.ask()

    def _is_over(self) -> bool:
        """Return whether its proposal has ended: nothing is left to review, edit or decline."""
        if self.phase is TicketPhase.OVER:
            self.behind.say("this proposal has ended; n writes a new order", "warning")
        return self.phase is TicketPhase.OVER

    def action_unattended(self) -> None:
        """Open another ticket, with its own digest, whose exits are authorized, or need a key again (OP-06)."""
        row, shown = self.standing.row, self._shown
        if self._was_turned() or self._is_over() or row is None or shown is None:
            return
        if row.effect.only_reduces or row.replaces is not None or not watches(shown):
            self.behind.say("this order has no exits that the desk watches; there is nothing to sign", "warning")
            return
        self._is_unattended = not self._is_unattended
        self.ask()

    def action_edit(self) -> None:
        """Edit quantity or limit in a form over the ticket, which is not armed meanwhile."""
        view, row = self.behind.view, self.standing.row
        if self._was_turned() or view is None or row is None:
            return
        if self._is_over():
            return
        if not may_be_edited(row):
            self.behind.say("a change is not edited: decline it, and ask for another one", "warning")
            return
        order = self._shown.ticket.order if self._shown is not None else None
        quantity = order.quantity if order is not None else row.quantity
        self.behind.ask(EditScreen(self.behind, row, quantity, self.edit))

    def edit(self, quantity: Quantity, limit_price: Price | None) -> None:
        """Send the edit; the previous ticket no longer counts, and the next shows the engine's result."""
        view = self.behind.view
        if view is None or self._was_turned():
            return
        self.standing.edit(Edit(quantity, limit_price, last_refusal(view)), view)
        self.behind.handle.send(EditProposal(self.proposal_id, quantity, limit_price))
        self._open()
        self._show_what_is_known()

    def _is_touching(self) -> bool:
        """Return whether the touch is waited for: another key must give it up first."""
        if self.phase is TicketPhase.TOUCHING:
            self.behind.say(f"touch your security key, or {written('ticket.back')} gives up", "warning")
        return self.phase is TicketPhase.TOUCHING

    def _was_turned(self) -> bool:
        if self._is_touching():
            return True
        if self.phase is TicketPhase.CONFIRMING:
            self.behind.say("it was confirmed already; d in Orders cancels the order", "warning")
        return self.phase is TicketPhase.CONFIRMING

    def action_decline(self) -> None:
        row = self.standing.row
        if not self._was_turned() and not self._is_over() and row is not None:
            self.behind.ask(DeclineScreen.of_proposal(self.behind, row, self.decline))

    def decline(self, reason: str) -> None:
        if self._was_turned():
            return
        self.behind.handle.send(Decline(self.proposal_id, reason))
        self.behind.step_off("proposals", self.proposal_id)
        self.behind.say(declining(reason))
        self._leave()

    def action_next_ticket(self) -> None:
        ids = [row.id for row in self.behind.view.proposals] if self.behind.view is not None else []
        others = [*ids[ids.index(self.proposal_id) + 1 :], *ids] if self.proposal_id in ids else ids
        self._go_on_to(next((other for other in others if other != self.proposal_id), None), "no other proposal waits")

    def action_urgent(self) -> None:
        exits = [row.id for row in self.behind.view.proposals if row.is_urgent] if self.behind.view is not None else []
        self._go_on_to(next((waiting for waiting in exits if waiting != self.proposal_id), None), "no other exit waits")

    def _go_on_to(self, following: ProposalId | None, otherwise: str) -> None:
        """Close this ticket and open the other one."""
        if self.phase is TicketPhase.TOUCHING:
            self._give_up_touch()
        if following is None:
            self.behind.say(otherwise)
            return
        self.action_back()
        self.behind.open_ticket(following)

    def action_leave(self) -> None:
        """Close an ended ticket; one that still counts is closed only by its own key."""
        if self.standing.has_ended:
            self.action_back()

    def action_back(self) -> None:
        """Close the ticket; a confirmation already given stands. While the touch is waited for, give that up alone."""
        if self.phase is TicketPhase.TOUCHING:
            self._give_up_touch()
            self.behind.say("given up: nothing was sent")
            return
        if self._shown is not None and self.phase is not TicketPhase.CONFIRMING:
            self.behind.handle.send(LeaveTicket(self._shown.ticket.id))
        self._leave()

    def _leave(self) -> None:
        self.armed.arming.forget()
        self.dismiss()
