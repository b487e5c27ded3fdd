"""`A`: what agents say, and the adopted drafts that wait for their strategies (OP-09, ST-04)."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KeyScope, bindings_for, footer
from console.screens.desk_control import may_act
from console.screens.dialog import WIDTH, ArmedQuestion, Dialog, DialogHost
from core.messages.commands import DropRecommendation
from core.views import AdviceRow, AdviceView, DeskView
from widgets import format as f
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket_text import QUOTED, quoted, wrapped

INSIDE = 72
"""Width of the text under the list, in cells."""
LINES = 5
"""Lines of text under the list."""
NOBODY = "No agent is set up. `keyturn agents add NAME` adds one; advisers.watchman.enabled starts the watchman."
ADOPTED = "ADOPTED  "
NOTHING = "No text yet. Set up: {}."


class AdviceScreen(Dialog):
    PLACE = KeyScope.ADVICE
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: DialogHost) -> None:
        super().__init__()
        self.behind = behind
        self.advice = behind.view.advice if behind.view is not None else AdviceView()
        self.grid = Grid(
            (Column("AGENT", 10), Column("AGE", 6, Align.RIGHT), Column("TEXT", 40, stretches=True)),
            empty=NOTHING.format(", ".join(self.advice.agents)) if self.advice.agents else NOBODY,
            id="advice-grid",
        )
        self.words = Lines(id="advice-words")
        self.box = Vertical(id="advice")

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.grid
            yield self.words

    def on_mount(self) -> None:
        self.set_focus(self.grid)
        if self.behind.view is not None:
            self.update_view(self.behind.view, self.behind.engine_now())
        if self.advice.rows:
            self.grid.select(self.advice.rows[0].key)
        put_note(self.box, footer(self.PLACE).partition("  Ctrl+")[0])

    def update_view(self, view: DeskView, now: datetime) -> None:
        self.advice = view.advice
        put_title(self.box, f"Texts of agents ─ {len(self.advice.rows)}, nothing is sent")
        self.grid.show([_row(row, now) for row in self.advice.rows])
        self._say(now)

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say(self.behind.engine_now())

    def on_grid_opened(self, message: Grid.Opened) -> None:
        message.stop()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_drop(self) -> None:
        if not may_act(self.behind):
            return
        row = self._selected()
        if row is None or row.adopted is None:
            self.behind.say("this is no adopted draft: there is nothing to take back")
            return
        told = row.adopted
        lines = wrapped("", f"{row.text}. Its strategy does not evaluate it then.", WIDTH)

        def drop() -> None:
            self.behind.handle.send(DropRecommendation(told.strategy, told.symbol))
            self.behind.say(f"asked: the draft for {told.strategy} on {told.symbol} is taken back")

        self.behind.ask(ArmedQuestion(self.behind, "Take this draft back?", lines, "take it back", drop))

    def action_back(self) -> None:
        self.dismiss()

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _selected(self) -> AdviceRow | None:
        return next((row for row in self.advice.rows if row.key == self.grid.selected), None)

    def _say(self, now: datetime) -> None:
        row = self._selected()
        self.words.show([] if row is None else _about(row, now)[:LINES])


def _row(row: AdviceRow, now: datetime) -> Row:
    is_adopted = row.adopted is not None
    age = "" if row.at is None else f.short_age(row.at, now)
    text = Cell(f"{ADOPTED}{row.text}", "strong") if is_adopted else Cell(f"{QUOTED}{row.text}")
    return Row(row.key, (Cell(row.agent), Cell(age), text))


def _about(row: AdviceRow, now: datetime) -> list[TextLine]:
    if row.adopted is None:
        return quoted("", row.text, INSIDE)[: LINES - 1]
    lines = wrapped("", row.text, INSIDE)[: LINES - 1]
    words = f"{row.adopted.strategy} evaluates it at its next bars, for {f.countdown(row.expires_at, now)}"
    return [*lines, (Cell(words, "strong"),)]
