"""The proposals, and the strategies that they come from (ST-03, OP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.model.draft import agent_word
from core.model.signal import EXIT_WORDS, ExitReason
from core.model.staging import MANUAL
from core.views import HALTED, DeskView, DraftRow, ProposalRow, ResultRow, StrategyRow
from widgets import format as f
from widgets.draft_text import drafted_effect, fact_in_words, facts_in_brief
from widgets.format import told_apart
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import GAP, MARK_WIDTH, TextLine, Tone, widths_of
from widgets.pane import AWAY, CORNERS, INDENT, STOPPED, Pane

LAST_SECONDS = 15
"""A countdown below this many seconds is marked."""

VWAP = "vwap"
"""The strategy whose average is VWAP; all others use their own average."""


BY_YOU = ("typed by you", "by you", "you")
"""In place of a strategy's name and of the reason of an exit, the longest that fits."""


def exit_word(reason: ExitReason, strategy: str, agent: str = "") -> str:
    """Return the reason of an exit in words; a mean reversion names its average, and a person's is the operator's, or
    the agent's that drafted it.
    """
    if reason is ExitReason.MANUAL:
        return f"by {agent_word(agent)}" if agent else BY_YOU[0]
    if reason is ExitReason.MEAN_REVERSION and strategy == VWAP:
        return "back at VWAP"
    return EXIT_WORDS[reason][0]


COLUMNS = (
    Column("", 1),
    Column("EFFECT", 14),
    Column("QTY", 9, Align.POINT, 3),
    Column("SYM", 6),
    Column("TERMS", f.TERMS),
    Column("WHY, RISK USD", 14, stretches=True, rank=1),
    Column("TIME", 8, Align.RIGHT),
)
WHY = 5
"""Index of the reason column."""
SHORTEST = 3
"""Least cells of a strategy's name; shorter names say nothing."""


DRAFT = "draft "
"""Begins the key of a draft's row."""


def key_of_draft(row: DraftRow) -> str:
    """Return the key of its row, which no other draft of its number has."""
    return f"{DRAFT}{row.number} {row.digest}"


class ProposalTable(Pane):
    NUMBER = 1
    NAME = "Proposals"

    def __init__(self) -> None:
        super().__init__(
            COLUMNS,
            empty="No proposals yet.",
            id="proposals",
        )
        self._rows: tuple[ProposalRow, ...] = ()
        self._drafts: tuple[DraftRow, ...] = ()
        self._shown: tuple[DeskView, datetime] | None = None

    def on_resize(self) -> None:
        """Redraw, because another width has room for other texts."""
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, view: DeskView, now: datetime) -> None:
        self._shown = view, now
        self._rows, self._drafts = rows, drafts = view.proposals, view.drafts
        room = widths_of(COLUMNS, self.content_size.width)[WHY]
        whys = _whys(rows, room)
        shown = [_row(row, why, now) for row, why in zip(rows, whys, strict=True)]
        shown += [_draft_row(row, room, now) for row in drafts]
        self.grid.show(shown, empty=_empty(view, self.state))
        first = rows[0].id if rows else key_of_draft(drafts[0]) if drafts else None
        self.grid.opens_first = next((row.id for row in rows if row.is_urgent), first)
        targets = sum(row.is_target for row in rows)
        stops = sum(row.is_urgent and row.type.trails for row in rows)
        exits = sum(row.is_urgent for row in rows) - targets - stops
        said = [f"{len(rows)} waiting"] if rows else []
        if targets:
            said.append(f"{targets} target{'s' if targets > 1 else ''}")
        if stops:
            said.append(f"{stops} stop{'s' if stops > 1 else ''}")
        if exits:
            said.append(f"{exits} EXIT{'S' if exits > 1 else ''}")
        if drafts:
            said.append(f"{len(drafts)} draft{'s' if len(drafts) > 1 else ''}")
        if refused := len(view.refusals):
            said.append(f"{refused} refused before: a in Orders says why")
        self.title_with(", ".join(said))
        self._say()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def _say(self) -> None:
        """Note the strategy and the reason of the selected proposal, or the facts and the reason of a draft."""
        draft = next((row for row in self._drafts if key_of_draft(row) == self.grid.selected), None)
        if draft is not None and self._shown is not None:
            self.note(_draft_note(draft, self._shown[1]))
            return
        row = next((row for row in self._rows if row.id == self.grid.selected), None)
        halted = f"{row.symbol} is HALTED since {row.halted}; " if row is not None and row.halted else ""
        has_name = row is not None and row.strategy != MANUAL and not row.agent
        asks = f"{row.strategy.upper()}: " if row is not None and has_name else ""
        self.note("" if row is None else f"{halted}{asks}{row.reason}")


def _whys(rows: Sequence[ProposalRow], room: int) -> list[str]:
    """Return the reason of each proposal, with its strategy if there is room: it tells equal proposals apart."""
    whys = [f"{HALTED} {_why(row)}" if row.halted else _why(row) for row in rows]
    left = min((room - len(why) - 1 for row, why in zip(rows, whys, strict=True) if _is_named(row)), default=0)
    theirs = (row.strategy.upper() for row in rows if row.strategy != MANUAL and not row.agent)
    names = told_apart(theirs, left) if left >= SHORTEST else {}
    named = (f"{why} {_name(row, names, room - len(why) - 1)}".rstrip() for row, why in zip(rows, whys, strict=True))
    return [long if len(long) <= room else why for long, why in zip(named, whys, strict=True)]


def _name(row: ProposalRow, names: Mapping[str, str], room: int) -> str:
    """Return who asks: a strategy by the name that tells it apart, `by you`; empty where the reason says it."""
    if row.agent:
        is_said = row.exit_reason is ExitReason.MANUAL  # the reason of such an exit has it
        forms = () if is_said else (agent_word(row.agent), row.agent)
        return next((words for words in forms if len(words) <= room), "")
    if row.strategy != MANUAL:
        return names.get(row.strategy.upper(), "")
    return next((words for words in BY_YOU if len(words) <= room), "") if _is_named(row) else ""


def _is_named(row: ProposalRow) -> bool:
    """Whether its strategy must be told from those of like proposals; a moved order tells it by itself."""
    if row.agent:
        return True
    return not row.is_urgent and row.replaces is None


def _row(row: ProposalRow, why: str, now: datetime) -> Row:
    time = f.old(row.staged_at, now) if row.expires_at is None else f.countdown(row.expires_at, now)
    is_late = row.expires_at is not None and (row.expires_at - now).total_seconds() < LAST_SECONDS
    if row.is_confirming:
        time = "…key"
    return Row(
        row.id,
        (
            Cell("!", "urgent") if row.is_urgent else Cell(""),
            Cell(f.brief_purpose(row)),
            Cell(f.quantity(row.quantity)),
            Cell(row.symbol, "strong"),
            Cell(f.terms_on_point(row.terms)),
            Cell(why),
            Cell(time, "warning" if is_late else ""),
        ),
        tone="warning" if row.is_urgent else "",
    )


def _draft_row(row: DraftRow, room: int, now: datetime) -> Row:
    """Return a row that cannot be taken for a proposal's: nothing of it is staged."""
    is_late = (row.expires_at - now).total_seconds() < LAST_SECONDS
    return Row(
        key_of_draft(row),
        (
            Cell(""),
            Cell(drafted_effect(row)),
            Cell(f.quantity(row.quantity)),
            Cell(row.symbol, "strong"),
            Cell(f.terms_on_point(row.terms)),
            Cell(_draft_why(row, room), "warning" if row.differing or row.halted else ""),
            Cell(f.countdown(row.expires_at, now), "warning" if is_late else ""),
        ),
        tone="muted",
    )


def _draft_why(row: DraftRow, room: int) -> str:
    """Return the facts that differ, the agent, and the risk if there is room."""
    false = f"✗{len(row.differing)} " if row.differing else ""
    why = f"{HALTED} {false}{row.agent}" if row.halted else f"{false}{row.agent}"
    longer = why if row.risk is None else f"{why} risk {f.money(row.risk)}"
    return longer if len(longer) <= room else why


def _draft_note(row: DraftRow, now: datetime) -> str:
    """Format `✗ SPY position 3, ours 0; claude: it is near its low`; without a fact that differs the counts."""
    false = [fact_in_words(row.facts[place], now) for place in row.differing]
    return f"{'; '.join(false) or facts_in_brief(row.facts) or 'no facts'}; {row.agent}: {row.reason}"


def _why(row: ProposalRow) -> str:
    if row.replaces is not None:
        return f"was {row.replaces_in_words}"
    if row.is_guard:
        return "no stop yet"
    if row.exit_reason is not None:
        word = exit_word(row.exit_reason, row.strategy, row.agent)
        return (
            f"{word} {f.price(row.stop_price)}" if row.exit_reason is ExitReason.STOP_LOSS and row.stop_price else word
        )
    return f"risk {f.money(row.risk)}" if row.risk is not None else RISK_UNKNOWN


RISK_UNKNOWN = "risk –"
"""Shown for a market order before any quote; the lower edge gives the reason of the proposal."""
OVERTAKEN = ("SIGNAL", "PROPOSAL_WAITING")
"""Answers that are out of date once no proposal waits."""


def _empty(view: DeskView, state: str) -> str:
    """Return the text of the empty pane.

    It gives the last answers of the active strategies, those first that may propose, and says so if entries are off.
    """
    if state == STOPPED:
        return "No proposals. The engine has stopped: nothing is proposed any more."
    if state == AWAY:
        return "No proposals when the engine was last heard; what waits there now appears with it."
    if view.status.entries_refused is not None:
        return f"No proposals. Entries are off: {view.status.entries_refused}."
    on = [row for row in view.strategies if not row.is_off]
    looking = sorted(on, key=lambda row: row.is_paused or bool(row.shut))
    answers = [f"{row.strategy.upper()} on {row.symbol}: {answer_in_words(row, view.proposals)}" for row in looking]
    return "No proposals. " + ("; ".join(answers) or "No strategy runs; n enters an order") + "."


def answer_in_words(strategy: StrategyRow, waiting: Sequence[ProposalRow]) -> str:
    """Return the last answer; if its proposal is gone, say that the strategy waits for its next bar."""
    is_there = any((row.strategy, row.symbol) == (strategy.strategy, strategy.symbol) for row in waiting)
    if strategy.last_answer in OVERTAKEN and not is_there:
        return "waits for its next bar"
    return in_words(strategy.last_answer)


def in_words(answer: str) -> str:
    """Format a strategy's answer, such as `price above threshold`."""
    return answer.replace("_", " ").lower() if answer and answer != "None" else "has seen no bar yet"


PAUSED, RETIRED = "PAUSED", "RETIRED"
OFF, SAYS_NOTHING = "off", ("DISABLED", "None", "")
"""Shown for a strategy disabled in the settings, and the answers that add nothing to it."""
REASONS = 3
"""Number of reasons for not trading listed under the grid, the most frequent first."""
LOW = 7
"""A pane with fewer lines shows no reasons."""
SHORTEST_STRATEGY, LONGEST, ANSWER, BARS = 4, 14, 16, Column("BARS", 4, Align.RIGHT)
"""Least and most cells of a name (`MEAN_REVERSION`), least cells of an answer, and the column dropped first.

The text under the grid gives the number of bars for each answer.
"""


class Strategies(Pane):
    NUMBER = 5
    NAME = "Strategies"

    def __init__(self) -> None:
        super().__init__(
            columns(SHORTEST_STRATEGY, 0),
            empty="No strategy runs.",
            id="strategies",
        )
        self._columns = columns(SHORTEST_STRATEGY, 0)
        self._rows: tuple[StrategyRow, ...] = ()
        self._results: tuple[ResultRow, ...] = ()

    def show(self, view: DeskView, _now: datetime) -> None:
        self._rows, self._results = view.strategies, view.results
        self._make_room()
        names = told_apart((row.strategy.upper() for row in self._rows), self._columns[0].width)
        symbols = told_apart((row.symbol for row in self._rows), self._columns[1].width)
        self.grid.show([_strategy_row(row, view.proposals, names, symbols) for row in self._rows])
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
        longest = max((len(row.strategy) for row in self._rows), default=SHORTEST_STRATEGY)
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
    name = max(SHORTEST_STRATEGY, min(name, LONGEST))
    kept = Column("NAME", name), Column("SYM", 4), Column("LAST ANSWER", ANSWER, stretches=True)
    needed = MARK_WIDTH + sum(column.width + GAP for column in (*kept, BARS)) - GAP
    return kept if name > SHORTEST_STRATEGY and width < needed else (*kept, BARS)


def shadow_in_words(results: Sequence[ResultRow]) -> str:
    """Format `all not taken: 2, would be −41.00 USD` for those declined, expired or blocked."""
    declined = sum(row.declined for row in results)
    if not declined:
        return ""
    known = [row.shadow for row in results if row.shadow is not None]
    would = f"{f.signed(sum(known, Decimal(0)))} USD" if known else f.UNKNOWN
    return f"all not taken: {declined}, would be {would}"


def _strategy_row(
    row: StrategyRow, waiting: Sequence[ProposalRow], names: Mapping[str, str], symbols: Mapping[str, str]
) -> Row:
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
    """Return the answer, preceded by the reason that keeps the strategy shut, or by the note of a proposal."""
    if row.is_off:
        return OFF if row.last_answer in SAYS_NOTHING else f"{OFF}, {answer}"
    if row.shut and not row.is_paused:
        return f"{RETIRED if RETIRED in row.shut else PAUSED}, Enter says why"
    if row.is_paused:
        return _paused(answer)
    if row.proposed_pause:
        return f"+ pause proposed, {answer}"
    return f"+ proposed, {answer}" if row.proposed else answer


def _paused(answer: str) -> str:
    """Return PAUSED with the last answer before the pause."""
    return PAUSED if answer.upper() == PAUSED else f"{PAUSED}, {answer}"
