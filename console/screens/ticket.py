"""The ticket: what would be sent, alive, and the one key that sends it (OP-03, OP-04).

The key is heard here before any binding, together with its instant; `console.arming` judges it. Everything else that is
typed only breaks the silence.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from textual.app import ComposeResult
from textual.containers import Vertical

from console.arming import OPENS_AFTER, REDUCES_AFTER, Arming, Shown
from console.keymap import Place, bindings_for
from console.screens.behind import Behind
from console.screens.layer import Dialog
from console.terminal import STALLED_AFTER
from core.inputs import Confirm, Decline, LeaveTicket, OpenTicket
from core.model.order import CONFIRMING_KEYS
from core.model.values import ClientOrderId, ProposalId
from core.views import DeskView, ProposalRow, TicketView
from widgets import format as f
from widgets.lines import Cell, Lines, TextLine, joined, spread
from widgets.ticket import ticket_lines, title_of, wrapped

WIDTH = 74
"""Cells inside the frame: with it the ticket is 78 wide."""
TICK = 0.05
PATIENCE = 5.0
"""Seconds without figures after which the ticket says that none came."""


class Phase(Enum):
    FETCHING = "fetching figures…"
    READY = "ready"
    CONFIRMING = "confirming on fresh figures…"
    REFUSED = "refused"
    RED = "a check refuses it now"
    OVER = "over"


class TicketScreen(Dialog):
    """One proposal's ticket, from the question for its figures to its order, or to its end."""

    CSS = """
    TicketScreen { align: center bottom; }
    #ticket { width: 78; height: auto; max-height: 100%; margin-bottom: 1; background: $surface;
              border: round $accent; border-title-style: bold; padding: 0 1; }
    #ticket.-disarmed { border: round $warning; }
    #ticket-keys { background: $panel; }
    """
    PLACE = Place.TICKET
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: Behind, proposal_id: ProposalId) -> None:
        super().__init__()
        self.behind = behind
        self.proposal_id = proposal_id
        self.arming = Arming(behind.keyboard)
        self.phase = Phase.FETCHING
        self.box = Vertical(id="ticket")
        self.body = Lines(id="ticket-body")
        self.keys = Lines(id="ticket-keys")
        self._row: ProposalRow | None = None
        self._shown: TicketView | None = None
        self._older: frozenset[str] = frozenset()
        self._said = ""
        self._asked_at = self._ran_at = behind.now()
        self._was_early = False
        self._confirmed: Shown | None = None
        self._red: tuple[str, str] | None = None
        self._drawn: tuple[Shown, int, float, int] | None = None
        self._is_drawing = False

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body
            yield self.keys

    def on_mount(self) -> None:
        self.ask()
        self.set_interval(TICK, self.tick)

    def ask(self) -> None:
        """Have a new ticket opened, on fresh figures; the one before counts no more."""
        view = self.behind.view
        known = view.tickets if view is not None else ()
        self._older = frozenset(t.ticket.id for t in known if t.ticket.proposal_id == self.proposal_id)
        self._shown = self._confirmed = self._red = None
        self._asked_at = self.behind.now()
        self.arming.forget()
        self.behind.handle.send(OpenTicket(self.proposal_id))
        if view is not None:
            self.update_view(view, self.behind.engine_now())

    # ── what the engine says ─────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, now: datetime) -> None:
        found = next((row for row in view.proposals if row.id == self.proposal_id), None)
        ticket = self._ticket_in(view)
        self._row = found or self._row
        if ticket is not None:
            self._shown = ticket
        self.phase = self._phase(view, found, ticket)
        if self.phase is Phase.OVER and self.is_current and self._was_sent(view):
            self.dismiss()
            self.behind.show_order(ClientOrderId(self.proposal_id))
            return
        self._draw(view, now)

    def _ticket_in(self, view: DeskView) -> TicketView | None:
        mine = [t for t in view.tickets if t.ticket.proposal_id == self.proposal_id and t.ticket.id not in self._older]
        return mine[-1] if mine else None

    def _phase(self, view: DeskView, row: ProposalRow | None, ticket: TicketView | None) -> Phase:
        if row is None:
            ending = next((e for e in reversed(view.endings) if e.proposal_id == self.proposal_id), None)
            self._said = f"{ending.end.upper()}: {ending.reason}" if ending else "this proposal is gone"
            return Phase.OVER
        if ticket is None:
            return self._without_ticket(row)
        shown = shown_of(ticket)
        if ticket.is_confirming or (self._confirmed == shown and not ticket.refused_because):
            return Phase.CONFIRMING
        if ticket.refused_because:
            self._said = "; ".join(ticket.refused_because)
            return Phase.REFUSED
        if not row.is_urgent and ticket.now.refusals:
            self._red = self._red or (shown.ticket, "; ".join(v.reason for v in ticket.now.refusals))
        if self._red is not None and self._red[0] == shown.ticket:
            self._said = self._red[1]
            return Phase.RED
        return Phase.READY

    def _without_ticket(self, row: ProposalRow) -> Phase:
        if row.is_confirming:
            return Phase.CONFIRMING
        if self._shown is not None:
            self._said = "this ticket's time is over; r opens it again on new figures"
            return Phase.OVER
        return Phase.FETCHING

    def _was_sent(self, view: DeskView) -> bool:
        return any(e.proposal_id == self.proposal_id and e.end == "sent" for e in view.endings)

    # ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, view: DeskView, now: datetime) -> None:
        title = title_of(self._row, view.status.mode.value) if self._row is not None else ""
        if self.box.border_title != title:  # a title that is set is drawn
            self.box.border_title = title
        self.box.set_class(self.phase not in (Phase.READY, Phase.FETCHING, Phase.CONFIRMING), "-disarmed")
        lines = self._heading()
        if self._shown is not None:
            lines += ticket_lines(self._shown, view.proposals, now, WIDTH)
        elif self.phase is Phase.FETCHING:
            is_late = self.behind.now() - self._asked_at > PATIENCE
            lines.append((Cell("no figures came; r asks again" if is_late else Phase.FETCHING.value, "strong"),))
        self.body.show(lines)
        self.keys.show([self._key_line(now)])
        self._ask_whether_drawn()

    def _heading(self) -> list[TextLine]:
        match self.phase:
            case Phase.REFUSED:
                return wrapped("REFUSED ", self._said, WIDTH, "urgent")
            case Phase.RED:
                return wrapped("NOT NOW ", f"{self._said}. r reviews it again", WIDTH, "urgent")
            case Phase.OVER:
                return wrapped("OVER    ", self._said, WIDTH, "warning")
            case Phase.CONFIRMING:
                return [(Cell(Phase.CONFIRMING.value, "strong"),)]
        return []

    def _key_line(self, now: datetime) -> TextLine:
        others = "x decline  ] next  Esc aside" if self.phase is Phase.READY else "x decline  r review  Esc aside"
        if self._row is None or self._shown is None or self.phase is Phase.OVER:
            return (Cell(others),)
        key = CONFIRMING_KEYS[self._row.effect]
        right = (self._state(key), Cell(f"  {f.countdown(self._shown.ticket.ends_at, now)} "))
        does = (Cell(f" {key} ", "strong"), Cell(f" {f.doing(self._row.side, self._row.effect).lower()}"))
        for rest in (others, "Esc aside", ""):  # what does not fit is left out, never cut
            left = (*does, Cell(f"   {rest}"))
            if len(joined(left)) + len(joined(right)) < WIDTH:
                break
        return spread(left, right, WIDTH)

    def _state(self, key: str) -> Cell:
        if self.phase is Phase.CONFIRMING or self.arming.is_turning():
            return Cell("confirming…", "strong")
        if self.phase is not Phase.READY or self._shown is None:
            return Cell("not armed", "warning")
        if self.behind.is_too_small:
            return Cell("terminal too small", "warning")
        left = self.arming.seconds_left(shown_of(self._shown), key, self._silence(), self.behind.now())
        if left == 0:
            self._was_early = False
            return Cell("armed", "strong")
        seconds = f"{self._silence() if left is None else left + 0.05:.1f} s"
        if self._was_early:
            return Cell(f"too early: press {key} in {seconds}", "warning")
        return Cell(f"armed in {seconds}", "muted")

    def _silence(self) -> float:
        return REDUCES_AFTER if self._row is not None and self._row.is_urgent else OPENS_AFTER

    # ── whether it was painted ───────────────────────────────────────────────────────────────────────────────────

    def _ask_whether_drawn(self) -> None:
        """After the next frame: that frame holds this ticket, and nothing lies over it."""
        if self._shown is None or self.phase is not Phase.READY or self._is_drawing or not self.is_current:
            return
        shown = shown_of(self._shown)
        if not self.arming.is_painted(shown) and (self._drawn is None or self._drawn[0] != shown):
            self._is_drawing = True
            skipped = self.behind.link.frames_skipped
            self.call_after_refresh(self._was_drawn, shown, skipped)

    def _was_drawn(self, shown: Shown, skipped: int) -> None:
        self._is_drawing = False
        if self.is_current:
            self._drawn = (shown, skipped, self.behind.now(), self.behind.link.ask_for_proof())

    def _look_at_the_link(self) -> None:
        """A picture counts from when the terminal proved that it drew it, and no longer than the link moves."""
        link = self.behind.link
        link.keep_watch()
        if self._drawn is not None and not self.arming.is_painted(self._drawn[0]):
            shown, skipped, drawn_at, question = self._drawn
            if link.last_drained_at < drawn_at:
                return  # it is on its way; nothing is asked of a link that stands still
            if link.frames_skipped != skipped:
                self._drawn = None
                self.refresh()
                self._ask_whether_drawn()
            elif (painted_at := link.painted_at(question)) is not None:
                self.arming.paint(shown, painted_at)
                self._painted_at = drawn_at
        if self.arming.has_painted and link.had_gap(self._painted_at, self.behind.now()):
            self._forget()

    _painted_at = 0.0

    def _see_whether_it_ran(self) -> None:
        """A desk that stood still itself, as on a machine that slept, knows of no picture before."""
        now = self.behind.now()
        if now - self._ran_at > STALLED_AFTER:
            self._forget()
        self._ran_at = now

    def _forget(self) -> None:
        self.arming.forget()
        self._drawn = None

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, character: str | None, at: float) -> None:
        """A key (its character), a click or a paste (None), typed at that instant of the console's clock."""
        self._see_whether_it_ran()
        key = CONFIRMING_KEYS[self._row.effect] if self._row is not None else None
        if character is None or character != key or self._shown is None or self.phase is not Phase.READY:
            self.arming.hear(character, at)
        elif self.behind.is_too_small or not self.arming.turn(shown_of(self._shown), key, self._silence(), at):
            self.arming.hear(character, at)
            self._was_early = True
        self.tick()

    def tick(self) -> None:
        """Follows the silence, and sends what a key turned."""
        self._see_whether_it_ran()
        view = self.behind.view
        if not self.is_current or self.phase is not Phase.READY or self.behind.is_too_small:
            self._forget()
        self._look_at_the_link()
        if self._shown is not None and self.arming.take(shown_of(self._shown), self.behind.now()):
            self._confirm(self._shown)
        if view is not None and self._shown is not None and self.is_current:
            self.keys.show([self._key_line(self.behind.engine_now())])
            self._ask_whether_drawn()

    def _confirm(self, shown: TicketView) -> None:
        self._confirmed = shown_of(shown)
        self.phase = Phase.CONFIRMING
        ticket = shown.ticket
        self.behind.handle.send(Confirm(ticket.id, ticket.digest, ticket.order.effect))

    def on_screen_suspend(self) -> None:
        self._forget()

    def on_screen_resume(self) -> None:
        self._forget()

    def action_confirm(self, key: str) -> None:
        """The keys themselves are judged in `hear`; here only a key for another effect is named."""
        if self._row is not None and key != CONFIRMING_KEYS[self._row.effect]:
            self.behind.say(f"{key} does not {self._row.effect.value} a position; nothing was sent", "warning")

    def action_review(self) -> None:
        if self.phase is not Phase.CONFIRMING:
            self.ask()

    def action_decline(self) -> None:
        if self.phase is Phase.CONFIRMING:
            self.behind.say("the key was turned already; d in Orders takes the order back", "warning")
            return
        self.behind.handle.send(Decline(self.proposal_id, "declined"))
        self._leave()

    def action_next_ticket(self) -> None:
        ids = [row.id for row in self.behind.view.proposals] if self.behind.view is not None else []
        others = [*ids[ids.index(self.proposal_id) + 1 :], *ids] if self.proposal_id in ids else ids
        following = next((other for other in others if other != self.proposal_id), None)
        if following is None:
            self.behind.say("no other proposal waits")
            return
        self.action_back()
        self.behind.open_ticket(following)

    def action_urgent(self) -> None:
        exits = [row.id for row in self.behind.view.proposals if row.is_urgent] if self.behind.view is not None else []
        following = next((waiting for waiting in exits if waiting != self.proposal_id), None)
        if following is not None:
            self.action_back()
            self.behind.open_ticket(following)

    def action_back(self) -> None:
        """Puts the ticket aside; a key that was turned stands."""
        if self._shown is not None and self.phase is not Phase.CONFIRMING:
            self.behind.handle.send(LeaveTicket(self._shown.ticket.id))
        self._leave()

    def _leave(self) -> None:
        self.arming.forget()
        self.dismiss()


def shown_of(view: TicketView) -> Shown:
    return Shown(view.ticket.id, view.ticket.digest)
