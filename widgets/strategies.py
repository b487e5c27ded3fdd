"""What each strategy last answered on each symbol, how often in the session, and what was not taken (ST-03, OP-12)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.views import ProposalRow, ResultRow, StrategyRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import TextLine
from widgets.pane import INDENT, Pane
from widgets.proposals import answer_in_words, in_words

PAUSED, RETIRED = "PAUSED", "RETIRED"
REASONS = 3
"""Reasons for not trading that are named under the grid, the most frequent first."""
LOW = 7
"""Lines of a pane that has no room for them."""


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
        self._rows: tuple[StrategyRow, ...] = ()
        self._results: tuple[ResultRow, ...] = ()

    def show(
        self, rows: Sequence[StrategyRow], waiting: Sequence[ProposalRow], results: Sequence[ResultRow] = ()
    ) -> None:
        self._rows, self._results = tuple(rows), tuple(results)
        self.grid.show([_row(row, waiting) for row in rows])
        missing = sum(row.is_missing for row in rows)
        retired = sum(RETIRED in row.shut and not row.is_missing for row in rows)
        paused = sum((row.is_paused or bool(row.shut)) and not row.is_missing for row in rows) - retired
        said = [f"{len(rows) - paused - missing - retired} running"] if rows else []
        if missing:  # first: where the title is cut, this stays
            said.insert(0, f"{missing} MISSING")
        if retired:
            said.append(f"{retired} {RETIRED}")
        if paused:
            said.append(f"{paused} {PAUSED}")
        self.title_with(", ".join(said))
        self._say()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._say()

    def _say(self) -> None:
        """Why the selected one does not trade, and at the end the shadow of the day."""
        row = next((row for row in self._rows if row.key == self.grid.selected), None)
        said = []
        if row is not None and row.trouble:
            said += self.indented(row.trouble, "warning")
        if row is not None and self.content_size.height >= LOW:
            said += self.indented(", ".join(f"{name} {value}" for name, value in row.figures), "muted")
            reasons = ", ".join(f"{in_words(name)} {bars}" for name, bars in row.reasons[:REASONS])
            said += self.indented(f"bars: {reasons}" if reasons else "", "muted")
        said += self._shadow()
        self.words.show(said)

    def _shadow(self) -> list[TextLine]:
        """On one line wherever it can be: where it is long, it begins at the edge."""
        text = shadow_in_words(self._results)
        is_long = len(INDENT) + len(text) > self.content_size.width >= len(text)
        return [(Cell(text),)] if is_long else self.indented(text)


def shadow_in_words(results: Sequence[ResultRow]) -> str:
    """`shadow declined 2, would be −41.00 USD`, over all strategies; nothing where nothing was declined."""
    declined = sum(row.declined for row in results)
    if not declined:
        return ""
    known = [row.shadow for row in results if row.shadow is not None]
    would = f"{f.signed(sum(known, Decimal(0)))} USD" if known else f.UNKNOWN
    return f"shadow declined {declined}, would be {would}"


def _row(row: StrategyRow, waiting: Sequence[ProposalRow]) -> Row:
    wrong = row.trouble or row.anomaly
    answer = f"! {wrong}" if wrong else answer_in_words(row, waiting)
    return Row(
        row.key,
        (
            Cell(row.strategy.upper()),
            Cell(row.symbol, "strong"),
            Cell(_standing(row, answer), "warning" if wrong or row.is_paused or row.shut else ""),
            Cell(str(row.times) if row.times else ""),
        ),
    )


def _standing(row: StrategyRow, answer: str) -> str:
    """What it answers; before that what keeps it shut, or that more is proposed for it."""
    if row.shut and not row.is_paused:
        return f"{RETIRED if RETIRED in row.shut else PAUSED}, Enter says why"
    if row.is_paused:
        return _paused(answer)
    return f"+ proposed, {answer}" if row.proposed else answer


def _paused(answer: str) -> str:
    """What it answered before it was paused is said too."""
    return PAUSED if answer.upper() == PAUSED else f"{PAUSED}, {answer}"
