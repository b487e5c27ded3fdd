"""Read an agent's draft, then adopt or decline it (OP-09, OP-14).

Adopting sends nothing: the draft becomes a proposal, whose ticket needs its key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.worker import get_current_worker

from console.details import LABEL, WIDTH, field
from console.keymap import KeyScope, bindings_for, written
from console.screens.desk_control import may_act
from console.screens.dialog import DialogHost
from console.screens.reading import READING, ReadingScreen
from core.model.values import Money, plain
from core.ports import JournalError, OperatorError
from core.views import DeskView, DraftRow
from widgets import format as f
from widgets.draft_text import NO_FACTS, TONES, fact_in_words, record_in_words, side_of, sorted_facts
from widgets.lines import Cell, TextLine
from widgets.ticket_text import continued, quoted, two, wrapped

GONE = "no longer waits; as it stood last:"
SAYS = "it says"


def draft_in_words(row: DraftRow) -> str:
    """Format `BUY to open 5 SPY`."""
    return f"{f.doing(side_of(row.effect), row.effect)} {f.quantity(row.quantity)} {row.symbol}"


class DraftScreen(ReadingScreen):
    """All of a draft; `adopt` and `decline` take the row as it is shown."""

    PLACE = KeyScope.DRAFT
    BINDINGS = bindings_for(PLACE)

    def __init__(
        self,
        behind: DialogHost,
        row: DraftRow,
        adopt: Callable[[DraftRow], None],
        decline: Callable[[DraftRow], None],
    ) -> None:
        super().__init__(f"Draft {row.number} of {row.agent} ─ {draft_in_words(row)} ─ nothing is staged")
        self.behind = behind
        self.row = row
        self.adopt = adopt
        self.decline = decline
        self.waits = True
        self.is_declining = False
        self.score = READING
        self._read_at = behind.engine_now()
        self.read(draft_lines(row, self._read_at, self.score))

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read_score, thread=True, exit_on_error=False)

    def _read_score(self) -> None:
        worker = get_current_worker()
        try:
            score = self.behind.surroundings.agent_score(self.row.agent)
        except (OperatorError, JournalError, OSError) as error:
            score = f"not known: {error}"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_score, score)

    def _show_score(self, score: str) -> None:
        self.score = score
        self._read_again()

    def update_view(self, view: DeskView, now: datetime) -> None:
        found = next((row for row in view.drafts if row.digest == self.row.digest), None)
        self.row, self.waits = found or self.row, found is not None
        if self.is_declining and not self.waits and self.is_active:
            self.dismiss()
            return
        self._read_at = now
        self._read_again()

    def _read_again(self) -> None:
        lines = draft_lines(self.row, self._read_at, self.score)
        self.read(lines if self.waits else [(Cell(GONE, "warning"),), (), *lines])

    def keys(self) -> str:
        adopt, decline = written("draft.adopt"), written("draft.decline")
        acts = f"{adopt} adopt  {decline} decline  " if self.waits else ""
        return f"{acts}{written('draft.back')} back"

    def action_adopt(self) -> None:
        if self._still_waits() and may_act(self.behind):
            self.dismiss()
            self.adopt(self.row)

    def action_decline(self) -> None:
        if self._still_waits():
            self.is_declining = True
            self.decline(self.row)

    def _still_waits(self) -> bool:
        if not self.waits:
            self.behind.say("this draft no longer waits; the log says what became of it", "warning")
        return self.waits


def draft_lines(row: DraftRow, now: datetime, score: str) -> list[TextLine]:
    """Return all of a draft; what decides about money stands first. `score` is that of its agent."""
    what = f"{plain(row.quantity)} {row.symbol} {f.terms(row.terms)}, {f.LASTS[row.time_in_force]}"
    lines = two((Cell(what, "strong"),), [_usd("cost", row.cost)], width=WIDTH)
    if row.stop_price is not None:
        lines += two((Cell(f"STOP {f.price(row.stop_price)}"),), [_usd("lose", row.risk)], width=WIDTH)
    elif not row.effect.only_reduces:
        lines.append((Cell("NO STOP", "warning"),))
    if row.target_price is not None:
        lines.append((Cell(f"target {f.price(row.target_price)}"),))
    if row.halted:
        lines += wrapped("", f"{row.symbol} is HALTED since {row.halted}", WIDTH, "warning")
    lines += _facts(row, now)
    lines += field("size", "computed by this desk" if row.is_sized else f"as {row.agent} asks")
    chance = "not stated" if row.confidence is None else f"{f.percent(row.confidence, 0)} that it gains, it says"
    lines += field("confidence", chance)
    lines += field("record", record_in_words(row))
    lines += field("score", score)
    age, left = f.age(row.drafted_at, now), f.countdown(row.expires_at, now)
    lines += field("drafted", f"{age} ago; it expires in {left}")
    lines += quoted(f"{SAYS:<{LABEL}}", row.reason or "no reason", WIDTH)
    return [*lines, *field("then", _then(row))]


def _usd(word: str, amount: Money | None) -> TextLine:
    return () if amount is None else (Cell(f"{word} ", "muted"), Cell(f"{f.money(amount)} USD"))


def _facts(row: DraftRow, now: datetime) -> list[TextLine]:
    if not row.facts:
        return field("facts", f"{NO_FACTS}: nothing of it can be checked", "warning")
    lines: list[TextLine] = []
    for checked in sorted_facts(row.facts):
        label = f"{'' if lines else 'facts':<{LABEL}}"
        source = f" ({checked.fact.source})" if checked.fact.source else ""
        lines += continued(label, f"{fact_in_words(checked, now)}{source}", WIDTH, TONES[checked.result])
    return lines


def _then(row: DraftRow) -> str:
    review = f"; a fact differs, so it needs {written('ticket.review')} first" if row.differing else ""
    return (
        f"{written('draft.adopt')} makes it a proposal and opens its ticket{review}. Nothing is sent before the key of "
        f"that ticket. {written('draft.decline')} declines it, and its agent is told the reason."
    )
