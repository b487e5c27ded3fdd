"""The last answer of each strategy on each symbol, its frequency, and trades not taken (ST-03, OP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.views import DeskView, ProposalRow, ResultRow, StrategyRow
from widgets import format as f
from widgets.format import told_apart
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.grid_cells import GAP, MARK_WIDTH, Tone
from widgets.lines import TextLine
from widgets.pane import CORNERS, INDENT, Pane
from widgets.proposals import answer_in_words, in_words

PAUSED, RETIRED = "PAUSED", "RETIRED"
OFF, SAYS_NOTHING = "off", ("DISABLED", "None", "")
"""Shown for a strategy disabled in the settings, and the answers that add nothing to it."""
REASONS = 3
"""Number of reasons for not trading listed under the grid, the most frequent first."""
LOW = 7
"""A pane with fewer lines shows no reasons."""
SHORTEST, LONGEST, ANSWER, BARS = 4, 14, 16, Column("BARS", 4, Align.RIGHT)
"""Least and most cells of a name (`MEAN_REVERSION`), least cells of an answer, and the column dropped first.

The text under the grid gives the number of bars for each answer.
"""


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
        """Write the title: how many strategies run, and the state of the others."""
        missing = sum(row.is_missing for row in self._rows)
        off = sum(row.is_off for row in self._rows)
        looking = [row for row in self._rows if not row.is_missing and not row.is_off]
        retired = sum(RETIRED in row.shut for row in looking)
        paused = sum(row.is_paused or bool(row.shut) for row in looking) - retired
        said = [f"{len(looking) - paused - retired} running"] if self._rows else []
        if missing:  # first, so that it survives if the title is cut
            said.insert(0, f"{missing} MISSING")
        if retired:
            said.append(f"{retired} {RETIRED}")
        if paused:
            said.append(f"{paused} {PAUSED}")
        with_off = [*said, *([f"{off} off"] if off else [])]
        title = f"{self.NUMBER} {self.NAME} ─ {', '.join(with_off)}"
        has_room = len(title) <= self.content_size.width - CORNERS  # if cut, it would displace more important text
        self.title_with(", ".join(with_off if has_room else said))

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._make_room()
        self._count()
        self._say()

    def _make_room(self) -> None:
        """Set the columns for the longest name."""
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
        """Return why the selected strategy does not trade, its measures, and the shadow trades of the day."""
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
        """Return the shadow trades, on one line if possible; a long one starts at the edge."""
        text = shadow_in_words(self._results)
        is_long = len(INDENT) + len(text) > self.content_size.width >= len(text)
        return [(Cell(text),)] if is_long else self.indented(text)


def columns(name: int, width: int) -> tuple[Column, ...]:
    """Return the columns for names of `name` letters in `width` cells; columns without room are dropped."""
    name = max(SHORTEST, min(name, LONGEST))
    kept = Column("NAME", name), Column("SYM", 4), Column("LAST ANSWER", ANSWER, stretches=True)
    needed = MARK_WIDTH + sum(column.width + GAP for column in (*kept, BARS)) - GAP
    return kept if name > SHORTEST and width < needed else (*kept, BARS)


def shadow_in_words(results: Sequence[ResultRow]) -> str:
    """Format `all not taken: 2, would be −41.00 USD` for those declined, expired or blocked."""
    declined = sum(row.declined for row in results)
    if not declined:
        return ""
    known = [row.shadow for row in results if row.shadow is not None]
    would = f"{f.signed(sum(known, Decimal(0)))} USD" if known else f.UNKNOWN
    return f"all not taken: {declined}, would be {would}"


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
    """Return the answer, preceded by the reason that keeps the strategy shut, or by the note that more is proposed."""
    if row.is_off:
        return OFF if row.last_answer in SAYS_NOTHING else f"{OFF}, {answer}"
    if row.shut and not row.is_paused:
        return f"{RETIRED if RETIRED in row.shut else PAUSED}, Enter says why"
    if row.is_paused:
        return _paused(answer)
    return f"+ proposed, {answer}" if row.proposed else answer


def _paused(answer: str) -> str:
    """Return PAUSED with the last answer before the pause."""
    return PAUSED if answer.upper() == PAUSED else f"{PAUSED}, {answer}"
