"""`A`: the advice of the advisers, the newest first. It has no effect until the operator adopts it (OP-09, ST-04).

Enter passes advice to the strategy that it names, if that accepts it; otherwise it fills the order form. Neither sends
an order: the result is a proposal with a ticket.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KeyScope, bindings_for, footer, written
from console.screens.desk_control import may_act
from console.screens.dialog import WIDTH, ArmedQuestion, Dialog, DialogHost
from console.screens.new_order import NewOrderScreen
from core.messages.commands import AdoptAdvice, DropRecommendation
from core.model.recommendation import TradeIdea
from core.model.values import plain
from core.views import AdviceRow, AdviceView, DeskView
from widgets import format as f
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket_text import wrapped

INSIDE = 72
"""Width of the text under the list, in cells."""
LINES = 5
"""Lines of text under the list."""
NOBODY = "No advice: no adviser is turned on. advisers.watchman.enabled asks one."
NOTHING = "No advice yet. {} looks at the desk every while."


class AdviceScreen(Dialog):
    PLACE = KeyScope.ADVICE
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: DialogHost) -> None:
        super().__init__()
        self.behind = behind
        self.advice = behind.view.advice if behind.view is not None else AdviceView()
        self.grid = Grid(
            (Column("ADVISER", 10), Column("AGE", 6, Align.RIGHT), Column("ADVICE", 40, stretches=True)),
            empty=_empty(self.advice),
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
        put_title(self.box, f"Advice ─ {len(self.advice.rows)} said, words alone: nothing is sent")
        self.grid.show([_row(row, now) for row in self.advice.rows])
        self._say(now)

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say(self.behind.engine_now())

    def on_grid_opened(self, message: Grid.Opened) -> None:
        message.stop()
        self.action_adopt()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def action_adopt(self) -> None:
        """Pass the advice to its strategy if that accepts it, otherwise to the order form."""
        if not may_act(self.behind):
            return
        row = self._selected()
        if row is None:
            return
        if row.is_adopted:
            self.behind.say(f"it is adopted already; {written('advice.drop')} takes it back")
        elif row.takes_it and row.idea is not None:
            self._ask_to_adopt(row, row.idea)
        elif row.idea is not None:
            self.action_order()
        else:
            self.behind.say("it names no trade: there is nothing to adopt")

    def action_order(self) -> None:
        if not may_act(self.behind):
            return
        row = self._selected()
        if row is None or row.idea is None:
            self.behind.say("it names no trade; the form opens as ever")
            self.behind.ask(NewOrderScreen(self.behind, symbol=self.behind.watched))
            return
        self.behind.ask(NewOrderScreen(self.behind, texts_of(row.idea), row.number))

    def action_drop(self) -> None:
        if not may_act(self.behind):
            return
        row = self._selected()
        if row is None or not row.is_adopted or row.idea is None:
            self.behind.say("this advice is not adopted: there is nothing to take back")
            return
        idea = row.idea
        lines = wrapped("", f"{row.idea_in_words}. Its strategy makes nothing of it then.", WIDTH)

        def drop() -> None:
            self.behind.handle.send(DropRecommendation(idea.strategy, idea.symbol))
            self.behind.say(f"asked: the advice for {idea.strategy} on {idea.symbol} is taken back")

        self.behind.ask(ArmedQuestion(self.behind, "Take this advice back?", lines, "take it back", drop))

    def action_back(self) -> None:
        self.dismiss()

    def _ask_to_adopt(self, row: AdviceRow, idea: TradeIdea) -> None:
        name = f"{idea.strategy} on {idea.symbol}"
        text = (
            f"{row.adviser} says: {row.text}. {row.idea_in_words}. Its rules weigh it at the next bars, until "
            f"{f.minute(row.expires_at)} {f.PLACE}; quantity and prices stay as they are. It becomes a proposal."
        )

        def adopt() -> None:
            self.behind.handle.send(AdoptAdvice(row.number))
            self.behind.say(f"asked: {name} weighs it; the log says what comes of it")

        lines = wrapped("", text, WIDTH)
        self.behind.ask(ArmedQuestion(self.behind, f"Adopt it for {name}?", lines, "adopt it", adopt))

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _selected(self) -> AdviceRow | None:
        row = next((row for row in self.advice.rows if row.key == self.grid.selected), None)
        if row is None:
            self.behind.say("no advice is selected; the arrows select one")
        return row

    def _say(self, now: datetime) -> None:
        row = next((row for row in self.advice.rows if row.key == self.grid.selected), None)
        lines = _standing(self.advice) if row is None else _about(row, now)
        self.words.show(lines[:LINES])


def texts_of(idea: TradeIdea) -> Mapping[str, str]:
    """Return the texts for the order form; a target only for whole shares, because the broker holds no other."""
    is_whole = idea.quantity == idea.quantity.to_integral_value()
    return {
        "symbol": idea.symbol,
        "effect": "buy",
        "quantity": plain(idea.quantity),
        "type": "limit",
        "limit": plain(idea.entry),
        "stop": plain(idea.stop),
        "target": plain(idea.target) if is_whole else "",
    }


def _empty(advice: AdviceView) -> str:
    return NOTHING.format(", ".join(name for name, _ in advice.advisers)) if advice.advisers else NOBODY


def _row(row: AdviceRow, now: datetime) -> Row:
    mark = "ADOPTED  " if row.is_adopted else ""
    return Row(
        row.key,
        (
            Cell(row.adviser),
            Cell(f.short_age(row.at, now)),
            Cell(f"{mark}{row.text}", "strong" if row.idea is not None else ""),
        ),
    )


def _about(row: AdviceRow, now: datetime) -> list[TextLine]:
    lines = wrapped("", row.text, INSIDE)[: LINES - 2]
    if row.idea is None:
        return [*lines, (Cell("It names no trade.", "muted"),)]
    left = f"good for {f.countdown(row.expires_at, now)}"
    lines.append((Cell(f"{row.idea_in_words}  {left}", "strong"),))
    if row.is_adopted:
        return [*lines, (Cell(f"Adopted: {row.idea.strategy} weighs it at its next bars.", "strong"),)]
    return [*lines, *wrapped("", row.why_not or f"{row.idea.strategy} can adopt it", INSIDE, "muted")]


def _standing(advice: AdviceView) -> list[TextLine]:
    return [(Cell(f"{name}: {how}", "muted"),) for name, how in advice.advisers]
