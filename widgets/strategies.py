"""What each strategy last answered on each symbol, how often in the session, and what was not taken (ST-03, OP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.views import DeskView, ProposalRow, ResultRow, StrategyRow
from widgets import format as f
from widgets.frame import CORNERS
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.grid_picture import GAP, MARK_WIDTH, Tone
from widgets.lines import TextLine
from widgets.names import told_apart
from widgets.pane import INDENT, Pane
from widgets.proposals import answer_in_words, in_words

PAUSED, RETIRED = "PAUSED", "RETIRED"
OFF, SAYS_NOTHING = "off", ("DISABLED", "None", "")
"""What stands for one that the settings have off, and the answers that add nothing to it."""
REASONS = 3
"""Reasons for not trading that are named under the grid, the most frequent first."""
LOW = 7
"""Lines of a pane that has no room for them."""
SHORTEST, LONGEST, ANSWER, BARS = 4, 14, 16, Column("BARS", 4, Align.RIGHT)
"""Cells of a name, as few and as many (`MEAN_REVERSION`); of an answer, at least; and what gives way to a name first:
the words under the grid say in how many bars it gave each answer."""


class Strategies(Pane):
    NUMBER = 5
    NAME = "Strategies"

    def __init__(self) -> None:
        super().__init__(
            columns(SHORTEST, 0),
            empty="No strategy runs.",
            id="strategies",
        )
        self._columns = columns(SHORTEST, 0)
        self._rows: tuple[StrategyRow, ...] = ()
        self._results: tuple[ResultRow, ...] = ()

    def show(self, view: DeskView, _now: datetime) -> None:
        self._rows, self._results = view.strategies, view.results
        self._make_room()
        names = told_apart((row.strategy.upper() for row in self._rows), self._columns[0].width)
        symbols = told_apart((row.symbol for row in self._rows), self._columns[1].width)
        self.grid.show([_row(row, view.proposals, names, symbols) for row in self._rows])
        self._count()
        self._say()

    def _count(self) -> None:
        """How many look at the bars, and what became of the others."""
        missing = sum(row.is_missing for row in self._rows)
        off = sum(row.is_off for row in self._rows)
        looking = [row for row in self._rows if not row.is_missing and not row.is_off]
        retired = sum(RETIRED in row.shut for row in looking)
        paused = sum(row.is_paused or bool(row.shut) for row in looking) - retired
        said = [f"{len(looking) - paused - retired} running"] if self._rows else []
        if missing:  # first: where the title is cut, this stays
            said.insert(0, f"{missing} MISSING")
        if retired:
            said.append(f"{retired} {RETIRED}")
        if paused:
            said.append(f"{paused} {PAUSED}")
        with_off = [*said, *([f"{off} off"] if off else [])]
        title = f"{self.NUMBER} {self.NAME} ─ {', '.join(with_off)}"
        has_room = len(title) <= self.content_size.width - CORNERS  # cut, it would cost what matters more
        self.title_with(", ".join(with_off if has_room else said))

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._make_room()
        self._count()
        self._say()

    def _make_room(self) -> None:
        """For the longest name that is shown."""
        longest = max((len(row.strategy) for row in self._rows), default=SHORTEST)
        wanted = columns(longest, self.content_size.width)
        if wanted != self._columns:
            self._columns = wanted
            self.grid.show_columns(wanted)

    def words_wanted(self) -> int:
        return len(self._words(is_low=False))

    def _say(self) -> None:
        self.words.show(self._words(is_low=self.content_size.height < LOW))

    def _words(self, *, is_low: bool) -> list[TextLine]:
        """Why the selected one does not trade, what it measures, and at the end the shadow of the day."""
        row = next((row for row in self._rows if row.key == self.grid.selected), None)
        said: list[TextLine] = []
        if row is not None and row.trouble:
            said += self.indented(row.trouble, "warning")
        if row is not None and not is_low:
            said += self.indented(", ".join(f"{name} {value}" for name, value in row.figures), "muted")
            reasons = ", ".join(f"{in_words(name)} {bars}" for name, bars in row.reasons[:REASONS])
            said += self.indented(f"bars: {reasons}" if reasons else "", "muted")
        said += self._shadow()
        return said

    def _shadow(self) -> list[TextLine]:
        """On one line wherever it can be: where it is long, it begins at the edge."""
        text = shadow_in_words(self._results)
        is_long = len(INDENT) + len(text) > self.content_size.width >= len(text)
        return [(Cell(text),)] if is_long else self.indented(text)


def columns(name: int, width: int) -> tuple[Column, ...]:
    """For names of so many letters in a pane of so many cells: what has no room beside them is left out."""
    name = max(SHORTEST, min(name, LONGEST))
    kept = Column("NAME", name), Column("SYM", 4), Column("LAST ANSWER", ANSWER, stretches=True)
    needed = MARK_WIDTH + sum(column.width + GAP for column in (*kept, BARS)) - GAP
    return kept if name > SHORTEST and width < needed else (*kept, BARS)


def shadow_in_words(results: Sequence[ResultRow]) -> str:
    """`shadow not taken 2, would be −41.00 USD` over all strategies: declined, expired or blocked; else nothing."""
    declined = sum(row.declined for row in results)
    if not declined:
        return ""
    known = [row.shadow for row in results if row.shadow is not None]
    would = f"{f.signed(sum(known, Decimal(0)))} USD" if known else f.UNKNOWN
    return f"shadow not taken {declined}, would be {would}"


def _row(row: StrategyRow, waiting: Sequence[ProposalRow], names: Mapping[str, str], symbols: Mapping[str, str]) -> Row:
    wrong = row.trouble or ("" if row.is_off else row.anomaly)
    answer = f"! {wrong}" if wrong else answer_in_words(row, waiting)
    return Row(
        row.key,
        (
            Cell(names[row.strategy.upper()]),
            Cell(symbols[row.symbol], "strong"),
            Cell(_standing(row, answer), _tone(row, wrong)),
            Cell(str(row.times) if row.times else ""),
        ),
    )


def _tone(row: StrategyRow, wrong: str) -> Tone:
    if row.is_off and not wrong:
        return "muted"
    return "warning" if wrong or row.is_paused or row.shut else ""


def _standing(row: StrategyRow, answer: str) -> str:
    """What it answers; before that what keeps it shut, or that more is proposed for it."""
    if row.is_off:
        return OFF if row.last_answer in SAYS_NOTHING else f"{OFF}, {answer}"
    if row.shut and not row.is_paused:
        return f"{RETIRED if RETIRED in row.shut else PAUSED}, Enter says why"
    if row.is_paused:
        return _paused(answer)
    return f"+ proposed, {answer}" if row.proposed else answer


def _paused(answer: str) -> str:
    """What it answered before it was paused is said too."""
    return PAUSED if answer.upper() == PAUSED else f"{PAUSED}, {answer}"
