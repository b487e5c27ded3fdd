"""The frame of a ticket: its text, its key line, and a notice if the terminal is too small."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from console.ticket.lines import WIDTH, Readiness, clocks, heading, key_line
from console.ticket.status import TicketPhase, TicketStatus
from console.ticket.typed_word import TypedWord
from core.model.account import Mode
from core.views import DeskView
from widgets.lines import Cell, Lines, TextLine
from widgets.pane import Frame
from widgets.ticket import exit_lines, known_lines, ticket_lines, title_of

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
            standing.phase not in (TicketPhase.READY, TicketPhase.FETCHING, TicketPhase.CONFIRMING), "-disarmed"
        )
        lines = heading(standing, is_late)
        if shown is not None:
            lines += ticket_lines(shown, now, WIDTH, standing.said)
        elif row is not None and standing.phase is TicketPhase.FETCHING:
            lines += known_lines(row, view, now, WIDTH)
        waiting = [other for other in view.proposals if other.is_urgent and other.id != standing.proposal_id]
        self.body.show(self._fitted(lines, exit_lines(waiting, now, WIDTH)))

    def show_keys(self, standing: TicketStatus, word: TypedWord | None, readiness: Readiness, now: datetime) -> None:
        self.keys.show([key_line(standing, word, readiness, now)])

    def _fitted(self, lines: Sequence[TextLine], exits: Sequence[TextLine]) -> list[TextLine]:
        room = max(1, self.app.size.height - AROUND - len(exits))
        self.is_cut = len(lines) > room
        if not self.is_cut:
            return [*lines, *exits]
        hidden = len(lines) - room + 1
        return [*lines[: room - 1], (Cell(f"… {hidden} lines more: a taller terminal shows them", "warning"),), *exits]
