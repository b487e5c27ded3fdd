"""What guards entries, each measure against its limit. Exits are never held up by any of it (RK-22)."""

from __future__ import annotations

from decimal import Decimal

from core.views import StatusView
from widgets import format as f
from widgets.grid import Cell, Column, Row
from widgets.pane import Pane

BAR = 7


class Protections(Pane):
    NUMBER = 4
    NAME = "Protections (entries)"

    def __init__(self) -> None:
        super().__init__(
            (Column("WHAT", 10), Column("USD, OF LIMIT", 14, stretches=True), Column("", BAR)),
            empty="Nothing is measured yet.",
            id="protections",
        )

    def show(self, status: StatusView) -> None:
        rows = [_daily_loss(status)]
        if status.entries_refused is not None:
            rows.append(Row("entries", (Cell("Entries", "strong"), Cell(status.entries_refused), Cell("")), "warning"))
        self.grid.show(rows)
        self.title_with("clear" if status.entries_refused is None else "OFF")


def _daily_loss(status: StatusView) -> Row:
    loss = None if status.day_change is None else max(Decimal(0), -status.day_change)
    limit = status.daily_loss_limit
    used = Decimal(0) if not loss or not limit else min(Decimal(1), loss / limit)
    filled = int(used * BAR)
    return Row(
        "daily loss",
        (
            Cell("Daily loss", "strong"),
            Cell(f"{f.money(loss)} of {f.money(limit)}"),
            Cell("▓" * filled + "░" * (BAR - filled)),
        ),
        tone="warning" if used >= Decimal("0.5") else "",
    )
