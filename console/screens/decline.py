"""`x`: decline a proposal, with an optional reason. Enter declines, Esc keeps the proposal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.views import DeskView, ProposalRow
from widgets import format as f

DECLINED = "declined"


def declining(reason: str) -> str:
    """Format `declining: too late` for the last line; `declining` without a reason of the operator's own."""
    return "declining" if reason == DECLINED else f"declining: {reason}"


"""The reason if none is given."""


class DeclineScreen(FieldsScreen):
    """`act` declines with the reason."""

    def __init__(self, behind: DialogHost, row: ProposalRow, act: Callable[[str], None]) -> None:
        what = f"{f.purpose(row)} {f.quantity(row.quantity)} {row.symbol}"
        super().__init__(behind, f"Decline ─ {what}", [TextField("Reason", "may be empty")], "declines")
        self.row = row
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        if all(row.id != self.row.id for row in view.proposals) and not self.wrong:
            self.refuse("Proposal is no longer active")

    def accept(self) -> None:
        self.dismiss()
        self.act(self.fields[0].text.strip() or DECLINED)
