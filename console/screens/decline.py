"""`x` on a ticket: why it is declined, in one line that may stay empty (OP-12)."""

from __future__ import annotations

from collections.abc import Callable

from console.keymap import Place, bindings_for
from console.screens.behind import Behind
from console.screens.form import Field, Form
from core.views import ProposalRow
from widgets import format as f

LONGEST = 200
"""Characters of a reason that are kept."""


class DeclineScreen(Form):
    """Declines only with Enter: a ticket under it is not armed, and Esc goes back to it."""

    CSS = """
    DeclineScreen { align: center top; }
    DeclineScreen .form { margin-top: 4; }
    DeclineScreen .form Input { width: 58; }
    DeclineScreen .form .beside { width: 2; }
    """
    PLACE = Place.TICKET_FORM
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: Behind, row: ProposalRow, act: Callable[[str], None]) -> None:
        name = f"{f.purpose(row)} {f.quantity(row.quantity)} {row.symbol}"
        super().__init__(behind, f"Decline ─ {name}", (Field("reason", "Reason", ""),), {})
        self.act = act

    def describe(self) -> None:
        self.show_answer(f"a word for the record, or none.  {self.keys_in_words()}")

    def submit(self) -> None:
        reason = " ".join(self.inputs["reason"].value.split())[:LONGEST]
        self.dismiss()
        self.act(reason)
