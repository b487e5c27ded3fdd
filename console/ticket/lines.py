"""Lines of the ticket screen around the ticket: its heading, and the line that says when its key counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.keymap import confirming_key, written
from console.ticket.status import TicketPhase, TicketStatus
from console.ticket.typed_word import TypedWord, in_capitals
from core.views import ProposalRow
from widgets import format as f
from widgets.lines import Cell, TextLine, joined, spread
from widgets.ticket import wrapped

WIDTH = 74
"""Width inside the frame, in cells; the ticket is 78 wide."""
EDIT, DECLINE, NEXT = ("ticket.edit", "edit"), ("ticket.decline", "decline"), ("ticket.next", "next")
REVIEW, ASIDE = ("ticket.review", "review"), ("ticket.back", "aside")
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
    choices = KEYS_READY if standing.phase is TicketPhase.READY else KEYS_ELSE
    keys = [_named(choice) for choice in choices]
    if row is None or standing.shown is None:
        return (Cell(keys[0]),)
    right = (
        state(standing, word, readiness, key_of(row)),
        Cell(f"  {f.countdown(standing.shown.ticket.ends_at, now)} "),
    )
    does = _does(row, word)
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
