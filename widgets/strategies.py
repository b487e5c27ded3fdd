"""What each strategy last answered on each symbol, and how many bars of the session it answered so (ST-03)."""

from __future__ import annotations

from collections.abc import Sequence

from core.views import ProposalRow, StrategyRow
from widgets.grid import Align, Cell, Column, Row
from widgets.pane import Pane
from widgets.proposals import answer_in_words


class Strategies(Pane):
    NUMBER = 5
    NAME = "Strategies"

    def __init__(self) -> None:
        super().__init__(
            (
                Column("NAME", 4),
                Column("SYM", 4),
                Column("LAST ANSWER", 16, stretches=True),
                Column("BARS", 4, Align.RIGHT),
            ),
            empty="No strategy runs.",
            id="strategies",
        )

    def show(self, rows: Sequence[StrategyRow], waiting: Sequence[ProposalRow]) -> None:
        self.grid.show([_row(row, waiting) for row in rows])
        self.title_with(f"{len(rows)} running" if rows else "")


def _row(row: StrategyRow, waiting: Sequence[ProposalRow]) -> Row:
    answer = f"! {row.anomaly}" if row.anomaly else answer_in_words(row, waiting)
    return Row(
        row.key,
        (
            Cell(row.strategy.upper()),
            Cell(row.symbol, "strong"),
            Cell(answer, "warning" if row.anomaly else ""),
            Cell(str(row.times) if row.times else ""),
        ),
    )
