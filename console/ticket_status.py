"""Parts of the ticket screen: its status, its box, its lines, and the word that it requires (OP-04, RK-25).

The status of a ticket: the engine's views of one proposal, and which of its tickets counts.
Nothing is drawn or sent here. A ticket from before a request for new figures does not count, even if it arrives late.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum

from textual.app import ComposeResult

from console.arming import ShownTicket
from console.keymap import confirming_key, written
from core.model.account import Mode
from core.model.codes import DeskState, ProposalEnd
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.model.values import ClientOrderId, Price, ProposalId, Quantity
from core.views import DeskView, NotEdited, ProposalRow, TicketView
from widgets import format as f
from widgets.draft_text import BRIEF
from widgets.lines import Cell, Lines, TextLine, joined, spread
from widgets.pane import Frame
from widgets.ticket_text import continued, exit_lines, known_lines, news_line, ticket_lines, title_of, wrapped

TOLD_FROM = 2
"""Letters in the wrong case from which that is deliberate; a single one may be a key."""


class TypedWord:
    """The letters typed so far. Case matters; a wrong letter starts over, even after the complete word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.typed = ""
        self._in_any_case = ""

    @property
    def stands(self) -> bool:
        return self.typed == self.word

    @property
    def is_in_another_case(self) -> bool:
        """Whether at least two letters were typed in the wrong case, so that a hint is due."""
        return len(self._in_any_case) >= TOLD_FROM and len(self._in_any_case) > len(self.typed)

    def hear(self, key: str | None) -> None:
        """Handle a key by its character; None is a click or a paste, which discards the letters."""
        self._in_any_case = begun(self._in_any_case + capitals(key or " "), [capitals(self.word)])
        if key is not None and not self.stands and self.word.startswith(self.typed + key):
            self.typed += key
        else:
            self.typed = key if key is not None and self.word.startswith(key) else ""

    def forget(self) -> None:
        self.typed = self._in_any_case = ""


def in_capitals(word: str) -> str:
    """Return the hint for a word typed in lower case."""
    return f"in capitals: {word}"


def begun(typed: str, words: Iterable[str]) -> str:
    """Return the longest end of `typed` that starts a word: after a slip the next letter may be the first one."""
    ends = (typed[start:] for start in range(len(typed)))
    return next((end for end in ends if any(word.startswith(end) for word in words)), "")


class Spelling:
    """The required word of one screen.

    Attributes
    ----------
    word
        None if no word is required.
    is_spelling
        Whether the last key belonged to it.
    was_lost
        Whether the last key was a letter of it, typed before its content was painted.
    """

    def __init__(self) -> None:
        self.word: TypedWord | None = None
        self.is_spelling = False
        self.was_lost = False

    @property
    def stands(self) -> bool:
        """Whether the word is complete, or none is required."""
        return self.word is None or self.word.stands

    def ask_for(self, text: str | None) -> None:
        """Require a word; the same word keeps its typed letters."""
        if text is None:
            self.word = None
        elif self.word is None or self.word.word != text:
            self.word = TypedWord(text)

    def hear(self, character: str | None, key: str | None, is_painted: bool) -> bool:
        """Return whether the key belonged to the word; letters count only after the paint.

        The confirming key after a complete word is not a letter.
        """
        self.is_spelling, self.was_lost = False, False
        word = self.word
        if word is None or (word.stands and character is not None and character == key):
            return False
        if not is_painted:
            word.forget()
            self.was_lost = character is not None and character in word.word
            return False
        word.hear(character)
        self.is_spelling = bool(word.typed)
        return self.is_spelling

    def forget(self) -> None:
        """Discard the typed letters."""
        if self.word is not None:
            self.word.forget()


FACT_DIFFERS = "a fact of the draft differs"


class TicketPhase(Enum):
    FETCHING = "fetching figures…"
    READY = "ready"
    TOUCHING = "touch your security key"
    """Its key was pressed, and ssh-agent waits for the touch (OP-15)."""
    CONFIRMING = "confirming on fresh figures…"
    REFUSED = "refused"
    RED = "a check refuses it now"
    DIFFERS = "a fact of its draft differs"
    EXPIRED = "expired"
    """The ticket has expired; its proposal waits, and another ticket can be opened."""
    OVER = "over"
    """The proposal has ended: sent, declined or expired."""


SHUT = frozenset({TicketPhase.REFUSED, TicketPhase.RED, TicketPhase.DIFFERS})
"""Phases in which its key does nothing before a review."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The requested change; `sequence` is the last refusal before it."""

    quantity: Quantity
    limit_price: Price | None
    sequence: int


class TicketStatus:
    """The status of one ticket screen.

    Attributes
    ----------
    shown
        The ticket on the screen; None while its figures are fetched.
    said
        Why it cannot be confirmed, or how it ended.
    is_lost
        Whether it ended because its engine, or the link to it, was lost.
    note
        Shown at the top of a confirmable ticket: why an edit was refused.
    """

    def __init__(self, proposal_id: ProposalId) -> None:
        self.proposal_id = proposal_id
        self.phase = TicketPhase.FETCHING
        self.row: ProposalRow | None = None
        self.shown: TicketView | None = None
        self.said = ""
        self.note = ""
        self.is_lost = False
        self._was_lost = False
        self._older: frozenset[str] = frozenset()
        self._confirmed: ShownTicket | None = None
        self._touching: ShownTicket | None = None
        self._red: tuple[str, str] | None = None
        self._differing: frozenset[int] = frozenset()
        self._reviewed: frozenset[int] = frozenset()
        self._edit: Edit | None = None

    # ── the console's actions ────────────────────────────────────────────────────────────────────────────────────

    def ask(self, view: DeskView | None) -> None:
        """Request new figures; previous tickets no longer count."""
        known = view.tickets if view is not None else ()
        self._older |= {t.ticket.id for t in known if t.ticket.proposal_id == self.proposal_id}
        if self.shown is not None:
            self._older |= {self.shown.ticket.id}
        self.shown = self._confirmed = self._touching = self._red = self._edit = None
        self._differing = frozenset()
        self.note = ""
        self.phase = TicketPhase.FETCHING

    def review(self) -> int:
        """Note that the operator read the facts that disarm this ticket, and return how many: they disarm no later one
        (OP-14).
        """
        read = self._differing if self.phase in SHUT else frozenset()
        self._reviewed |= read
        return len(read)

    @property
    def reviewed(self) -> tuple[int, ...]:
        """Return the places of the draft's facts that were reviewed, for the confirmation."""
        return tuple(sorted(self._reviewed))

    def edit(self, edit: Edit, view: DeskView | None) -> None:
        self.ask(view)
        self._edit = edit

    def wait_for_touch(self, shown: TicketView) -> None:
        """Note that its key was pressed and the security key is waited for."""
        self._touching = shown_of(shown)
        self.phase = TicketPhase.TOUCHING

    def end_touch(self) -> None:
        """Note that it is not waited for any more."""
        self._touching = None
        if self.phase is TicketPhase.TOUCHING:
            self.phase = TicketPhase.READY

    def confirm(self, shown: TicketView) -> None:
        """Note that it was confirmed."""
        self._touching = None
        self._confirmed = shown_of(shown)
        self.phase = TicketPhase.CONFIRMING

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    def update(self, view: DeskView, *, was_lost: bool = False) -> None:
        """Take a new view; `was_lost` if the engine was lost since the ticket was requested."""
        self._was_lost = was_lost
        found = next((row for row in view.proposals if row.id == self.proposal_id), None)
        mine = [t for t in view.tickets if t.ticket.proposal_id == self.proposal_id and t.ticket.id not in self._older]
        ticket = mine[-1] if mine else None
        self.row = found or self.row
        if ticket is not None:
            self.shown = ticket
            found_now = frozenset(ticket.draft.differing) if ticket.draft is not None else frozenset()
            self._differing |= found_now - self._reviewed  # it stays disarmed by a fact that agrees again meanwhile
        if self._edit is not None:
            self._look_at_the_edit(self._edit, view)
        self.is_lost = False
        self.phase = self._phase(view, found, ticket)

    @property
    def has_ended(self) -> bool:
        """Whether no key can confirm it any more."""
        return self.phase in (TicketPhase.EXPIRED, TicketPhase.OVER)

    def was_sent(self, view: DeskView) -> bool:
        return any(e.proposal_id == self.proposal_id and e.end is ProposalEnd.SENT for e in view.endings)

    def _look_at_the_edit(self, edit: Edit, view: DeskView) -> None:
        """Take the result of an edit; the text of a refusal stays while the old order is shown."""
        for row in view.refusals:
            is_newer = row.sequence > edit.sequence
            if is_newer and isinstance(row.refused, NotEdited) and row.refused.proposal_id == self.proposal_id:
                self.note = row.refused.words
        if self.shown is None:
            return
        order = self.shown.ticket.order
        if (order.quantity, order.limit_price) == (edit.quantity, edit.limit_price):
            self.note = ""
            self._edit = None
        elif not self.note:
            self.note = "the order is not the one that was asked for; what stands here is what would be sent"

    def _phase(self, view: DeskView, row: ProposalRow | None, ticket: TicketView | None) -> TicketPhase:
        if row is None:
            ending = next((e for e in reversed(view.endings) if e.proposal_id == self.proposal_id), None)
            self.said = (
                ending.end.with_reason(ending.reason, ending.end.value.upper()) if ending else "this proposal has ended"
            )
            if ending is None and self._was_lost and self._confirmed is not None:
                self._say_it_is_lost(view)
            return TicketPhase.OVER
        if ticket is None:
            if row.is_confirming:
                return TicketPhase.CONFIRMING
            if self.shown is not None:
                self.said = "Ticket expired"
                if self._was_lost and (self._confirmed is not None or view.status.at < self.shown.ticket.ends_at):
                    self._say_it_is_lost(view)
                return TicketPhase.EXPIRED
            return TicketPhase.FETCHING
        shown = shown_of(ticket)
        if ticket.is_confirming or (self._confirmed == shown and not ticket.refused_because):
            return TicketPhase.CONFIRMING
        if ticket.refused_because:
            self.said = "; ".join(ticket.refused_because)
            return TicketPhase.REFUSED
        if not row.effect.only_reduces and ticket.now.refusals:
            self._red = (shown.ticket, "; ".join(f"{v.check}: {v.reason}" for v in ticket.now.refusals))
        if self._red is not None and self._red[0] == shown.ticket:
            self.said = "; ".join([self._red[1], *([FACT_DIFFERS] if self._differing else [])])
            return TicketPhase.RED
        if self._differing:
            self.said = FACT_DIFFERS
            return TicketPhase.DIFFERS
        return TicketPhase.TOUCHING if self._touching == shown else TicketPhase.READY

    def _say_it_is_lost(self, view: DeskView) -> None:
        """Say that the engine was lost, and the result of a confirmation, found by order id in compared books."""
        self.is_lost = True
        self.said = "Engine disconnected: ticket void"
        if self._confirmed is None:
            return
        if any(row.id == ClientOrderId(self.proposal_id) for row in view.orders):
            self.said += ". Confirmed and sent: see Orders"
        elif view.status.word in (DeskState.STARTING, DeskState.READ_ONLY):
            self.said += ". Confirmed; not known yet whether it was sent"
        else:
            self.said += ". Confirmed but not sent: no order exists"


def shown_of(view: TicketView) -> ShownTicket:
    return ShownTicket(view.ticket.id, view.ticket.digest)


WIDTH = 74
"""Width inside the frame, in cells; the ticket is 78 wide."""
EDIT, DECLINE, NEXT = ("ticket.edit", "edit"), ("ticket.decline", "decline"), ("ticket.next", "next")
REVIEW, ASIDE = ("ticket.review", "review"), ("ticket.back", "back")
AGAIN, LEAVE = ("ticket.review", "open it again"), ("ticket.leave", "leave")
PRICE_MOVED = "price: moved"
OPEN_AGAIN = re.compile(r"[;:,]? open (it|the proposal) again\b")
KEYS_READY = ((EDIT, DECLINE, NEXT, ASIDE), (EDIT, DECLINE, ASIDE), (DECLINE, ASIDE), (ASIDE,), ())
KEYS_ELSE = ((DECLINE, REVIEW, NEXT, ASIDE), (DECLINE, REVIEW, ASIDE), (REVIEW, ASIDE), (ASIDE,), ())
KEYS_EXPIRED, KEYS_OVER = (AGAIN, DECLINE, NEXT, LEAVE), (NEXT, LEAVE)
"""Keys named beside the confirming key, from all to none: keys that do not fit are left out, never cut."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Progress of the arming.

    Attributes
    ----------
    left
        Seconds until the key counts; None if the ticket is not painted yet.
    silence
        Length of the confirmation delay after the paint, in seconds.
    is_turning
        The key was pressed and waits until no other key has followed.
    was_early
        The key was pressed too early, and no other key has counted since.
    obstacle
        The reason that prevents arming, in words.
    is_proved
        Whether the terminal reported that it drew the ticket.
    """

    left: float | None
    silence: float
    is_turning: bool
    was_early: bool
    obstacle: str | None
    is_proved: bool


def heading(standing: TicketStatus, is_late: bool) -> list[TextLine]:
    """Return why it cannot be confirmed now; empty if it can."""
    match standing.phase:
        case TicketPhase.REFUSED:
            return wrapped("REFUSED ", _to_review(standing.said), WIDTH, "urgent")
        case TicketPhase.RED:
            return wrapped("NOT NOW ", _to_review(standing.said), WIDTH, "urgent")
        case TicketPhase.DIFFERS:
            return continued("FACT ✗  ", f"{standing.said}: {written('ticket.review')} reviews it", WIDTH, "urgent")
        case TicketPhase.EXPIRED:
            return wrapped(
                "LOST    " if standing.is_lost else "EXPIRED ",
                f"{standing.said}. {written('ticket.review')} opens it on new figures",
                WIDTH,
                "urgent",
            )
        case TicketPhase.OVER:
            return wrapped("OVER    ", standing.said, WIDTH, "warning")
        case TicketPhase.CONFIRMING:
            return [(Cell(TicketPhase.CONFIRMING.value, "strong"),)]
    lines = wrapped("NOT CHANGED ", standing.note, WIDTH, "warning") if standing.note else []
    if standing.shown is None:
        lines.append((Cell("no figures came; r asks again" if is_late else TicketPhase.FETCHING.value, "strong"),))
    return lines


def _to_review(reasons: str) -> str:
    """Return the reasons and the key for another review, which replaces the engine's "open it again"."""
    told = OPEN_AGAIN.sub("", reasons)
    key = written("ticket.review")
    if told.startswith(PRICE_MOVED):
        return f"Price {told.removeprefix('price: ')}. {key} re-prices"
    return f"{told}. {key} reviews it again"


def key_line(standing: TicketStatus, word: TypedWord | None, readiness: Readiness, now: datetime) -> TextLine:
    """Return the confirming key and others, whether it counts, and the earliest expiry."""
    row = standing.row
    if standing.has_ended:
        return (Cell(f" {_named(KEYS_EXPIRED if standing.phase is TicketPhase.EXPIRED else KEYS_OVER)}"),)
    choices: Sequence[Sequence[tuple[str, str]]] = KEYS_READY if standing.phase is TicketPhase.READY else KEYS_ELSE
    if row is not None and not may_be_edited(row):
        choices = tuple(tuple(key for key in choice if key is not EDIT) for choice in choices)
    keys = [_named(choice) for choice in choices]
    if row is None or standing.shown is None:
        return (Cell(keys[0]),)
    right = (
        state(standing, word, readiness, key_of(row)),
        Cell(f"  {f.countdown(standing.shown.ticket.ends_at, now)} "),
    )
    if standing.phase is TicketPhase.TOUCHING:  # in place of its keys: another line could hide a part of the ticket
        back = written("ticket.back")
        return spread((Cell(" it blinks now ", "strong"), Cell(f"  {back} gives up")), right, WIDTH)
    is_shut = standing.phase in SHUT and word is not None and not word.stands
    does = (Cell(" cannot be sent now", "warning"),) if is_shut else _does(row, word)
    for rest in keys:
        left = (*does, Cell(f"   {rest}"))
        if len(joined(left)) + len(joined(right)) < WIDTH:
            break
    return spread(left, right, WIDTH)


def _named(choice: Sequence[tuple[str, str]]) -> str:
    return "  ".join(f"{written(id)} {does}" for id, does in choice)


def clocks(standing: TicketStatus, now: datetime) -> str:
    """Format both countdowns: the ticket's, which the last line also shows, and its proposal's."""
    if standing.row is None or standing.phase is TicketPhase.OVER:
        return ""
    ends_at = standing.row.expires_at
    waits = "the proposal waits" if ends_at is None else f"the proposal {f.countdown(ends_at, now)}"
    if standing.phase is TicketPhase.EXPIRED or standing.shown is None:
        return waits
    ticket_ends = standing.shown.ticket.ends_at
    if ends_at == ticket_ends:
        return f"ticket and proposal {f.countdown(ticket_ends, now)}"
    return f"this ticket {f.countdown(ticket_ends, now)}, {waits}"


def may_be_edited(row: ProposalRow) -> bool:
    """Whether quantity and limit can be changed on its ticket; a change of an order or a stop is requested again."""
    return row.replaces is None and not row.is_guard


def key_of(row: ProposalRow) -> str:
    return confirming_key(row.effect, row.replaces)


def _does(row: ProposalRow, word: TypedWord | None) -> TextLine:
    key = key_of(row)
    if word is not None and not word.stands:
        typed = f"  typed: {word.typed}" if word.typed else ""
        if word.is_in_another_case:
            typed = f"  {in_capitals(word.word)}"
        return (Cell(f" type {word.word}, then {key}", "strong"), Cell(typed, "strong"))
    typed = f"  typed: {word.typed}" if word is not None else ""
    return (Cell(f" {key} ", "strong"), Cell(f" {f.purpose(row).lower()}{typed}"))


def state(standing: TicketStatus, word: TypedWord | None, readiness: Readiness, key: str) -> Cell:
    if standing.phase is TicketPhase.CONFIRMING or readiness.is_turning:
        return Cell("confirming…", "strong")
    if standing.phase is TicketPhase.TOUCHING:
        return Cell("touch your security key", "strong")
    if standing.phase is not TicketPhase.READY:
        return Cell("not armed", "warning")
    if readiness.obstacle is not None:
        return Cell(readiness.obstacle, "warning")
    if word is not None and not word.stands:
        is_lost = readiness.was_early and not word.typed
        why = "not armed" if standing.shown is not None and standing.shown.word else "LIVE, not armed"
        return Cell(f"too early: type {word.word} again" if is_lost else why, "warning")
    if readiness.left == 0:
        return Cell("armed" if readiness.is_proved else "armed, by time", "strong")
    seconds = f"{readiness.silence if readiness.left is None else readiness.left + 0.05:.1f} s"
    if readiness.was_early:
        return Cell(f"too early: press {key} in {seconds}", "warning")
    return Cell(f"armed in {seconds}", "muted")


AROUND = 4
"""Terminal lines for the frame, the keys and the desk's last line."""


class TicketBox(Frame):
    """Draws the status of a ticket.

    Attributes
    ----------
    is_cut
        Whether the terminal is too small for all of it; then the hidden lines are counted.
    """

    def __init__(self) -> None:
        super().__init__(id="ticket")
        self.body = Lines(id="ticket-body")
        self.keys = Lines(id="ticket-keys")
        self.is_cut = False

    def compose(self) -> ComposeResult:
        yield self.body
        yield self.keys

    def show(self, standing: TicketStatus, view: DeskView, now: datetime, is_late: bool) -> None:
        row, shown = standing.row, standing.shown
        title = title_of(row, view.status.mode.value) if row is not None else ""
        self.write_upper(title)
        self.write_lower(clocks(standing, now))
        self.set_class(view.status.mode is Mode.LIVE, "-live")
        self.set_class(
            standing.phase
            not in (TicketPhase.READY, TicketPhase.FETCHING, TicketPhase.TOUCHING, TicketPhase.CONFIRMING),
            "-disarmed",
        )
        lines = heading(standing, is_late)
        waiting = [other for other in view.proposals if other.is_urgent and other.id != standing.proposal_id]
        exits = exit_lines(waiting, now, WIDTH)
        if shown is not None:
            body = ticket_lines(shown, now, WIDTH, standing.said)
            if shown.draft is not None and len(lines) + len(body) > self._room(exits):
                body = ticket_lines(shown, now, WIDTH, standing.said, BRIEF)
            lines += body
            news = news_line(shown, now, WIDTH)
            lines += news if len(lines) + len(news) <= self._room(exits) else []
        elif row is not None and standing.phase is TicketPhase.FETCHING:
            lines += known_lines(row, view, now, WIDTH)
        self.body.show(self._fitted(lines, exits))

    def show_keys(self, standing: TicketStatus, word: TypedWord | None, readiness: Readiness, now: datetime) -> None:
        self.keys.show([key_line(standing, word, readiness, now)])

    def _room(self, exits: Sequence[TextLine]) -> int:
        return max(1, self.app.size.height - AROUND - len(exits))

    def _fitted(self, lines: Sequence[TextLine], exits: Sequence[TextLine]) -> list[TextLine]:
        room = self._room(exits)
        self.is_cut = len(lines) > room
        if not self.is_cut:
            return [*lines, *exits]
        hidden = len(lines) - room + 1
        return [*lines[: room - 1], (Cell(f"… {hidden} lines more: a taller terminal shows them", "warning"),), *exits]
