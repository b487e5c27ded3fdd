"""A dialog with fields: what its texts say is read by whoever derives from it, its keys are read here.

Each key is applied before the next one comes: what was typed before Tab is in its field when the character behind it
is read, also where a link delivers both at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from console.keymap import footer, written
from console.screens.dialog import Dialog
from console.screens.dialog_host import DialogHost
from core.model.symbols import capitals
from core.views import DeskView
from widgets.edges import put_note, put_title
from widgets.grid_picture import Tone
from widgets.lines import Cell, Lines, TextLine
from widgets.ticket import wrapped

WIDTH = 74
BESIDE = 39
"""Cells of text beside a field."""
FRAME = 2
"""Lines that its frame takes of the free ones."""
GAP = 1
"""Lines between the fields and what is alive."""
MOVES = {"tab": 1, "down": 1, "shift+tab": -1, "up": -1}
"""Keys that go to another field, and how far."""
EDITS = {
    "backspace": "delete_left",
    "delete": "delete_right",
    "left": "cursor_left",
    "right": "cursor_right",
    "home": "home",
    "end": "end",
}
"""Keys that change a field, and its action."""
NOTHING: Mapping[str, str] = {}
FIRST_KEYS = ("ctrl+k", "f10", "ctrl+q", "escape")
"""Keys that never wait for the form to be there."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One line of a form; `hint` stands beside it while nothing is wrong with it."""

    name: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """What the last line says of an act; of the fields as they were, where `texts` holds them, and else until the next.

    So a refusal's reasons stay while what they refused is mended.
    """

    label: str
    text: str
    texts: dict[str, str] | None


class Form(Dialog):
    """The base: fields with what is wrong beside each, lines that are alive under them, and a line that answers.

    The status lines over it and the footer under it stay in sight (OP-07): what has no room between them is scrolled,
    and then what is answered stands first.
    """

    CAPITALS: frozenset[str] = frozenset()
    """Fields that are written in capitals, however they are typed."""

    def __init__(self, behind: DialogHost, title: str, fields: Sequence[FormField], texts: Mapping[str, str]) -> None:
        super().__init__()
        self.behind = behind
        self.asks = title
        self.fields = tuple(fields)
        self.inputs = {
            field.name: Input(texts.get(field.name, ""), id=f"form-{field.name}", compact=True, select_on_focus=False)
            for field in fields
        }
        for box in self.inputs.values():
            box.cursor_blink = False  # as everywhere else: a form at rest sends nothing
        self.beside = {field.name: Lines(classes="beside") for field in fields}
        self.alive = Lines(classes="alive")
        self.said = Lines()
        self.box = Vertical(classes="form")
        self._alive: Sequence[TextLine] = ()
        self._said: Sequence[TextLine] = ()
        self._top = 0
        self._order = [field.name for field in fields]
        self._answer = FormAnswer("", "", None)
        self._early: list[events.Key] = []

    def compose(self) -> ComposeResult:
        put_title(self.box, self.asks)
        with self.box:
            for field in self.fields:
                with Horizontal():
                    yield Lines([(Cell(field.label),)], classes="label")
                    yield self.inputs[field.name]
                    yield self.beside[field.name]
            yield self.alive
            yield self.said

    def on_mount(self) -> None:
        self.go_to(self.first())
        self.prepare()
        self.describe()
        early, self._early = self._early, []
        for event in early:
            self.take(event)

    def on_resize(self) -> None:
        super().on_resize()
        self._draw()

    def room_changed(self) -> None:
        self._draw()

    # ── for whoever derives from it ──────────────────────────────────────────────────────────────────────────────

    def first(self) -> str:
        """The field that has the keyboard first."""
        return self._order[0]

    def describe(self) -> None:
        """Draws what is wrong beside each field, and what is alive."""

    def prepare(self) -> None:
        """What stands in its fields before the first key is heard."""

    def acts(self, _field: str, _event: events.Key) -> bool:
        """Whether a key did something of its own in that field, and types nothing."""
        return False

    def pages_by_key(self) -> bool:
        """Whether the keys of a page go through what has no room, where the keyboard is."""
        return True

    def may_type(self, _field: str, _character: str) -> bool:
        """Whether a character is text there; one that is none is answered, and changes nothing."""
        return True

    def submit(self) -> None:
        """Enter."""

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: events.Key) -> bool:
        """Heard before any binding, one key after the other. False for a key that is not the form's."""
        if event.key in FIRST_KEYS:
            return False
        if not self.is_mounted:
            self._early.append(event)
            return True
        field = self.focused_field()
        box = self.inputs[field]
        if event.key in MOVES:
            place = self._order.index(field) + MOVES[event.key]
            self.go_to(self._order[place % len(self._order)])
        elif self.acts(field, event):
            pass
        elif event.key in EDITS:
            getattr(box, f"action_{EDITS[event.key]}")()
        elif event.key == "enter":
            self.submit()
        elif event.is_printable and event.character:
            if self.may_type(field, event.character):
                box.replace(self._written(box, event.character), *sorted(box.selection))
        else:
            return False
        return True

    def focused_field(self) -> str:
        return next((name for name in self._order if self.inputs[name] is self.focused), self.first())

    def go_to(self, field: str) -> None:
        """At once; what stands there is selected, so that typing replaces it."""
        box = self.inputs[field]
        self.set_focus(box)
        box.action_select_all()

    def _written(self, box: Input, text: str) -> str:
        return capitals(text) if any(self.inputs[field] is box for field in self.CAPITALS) else text

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was pasted is written as what is typed."""
        written = self._written(event.input, event.input.value)
        if event.input.value != written:
            event.input.value = written
        self.describe()

    def on_input_submitted(self) -> None:
        self.submit()

    def on_descendant_focus(self) -> None:
        self.describe()

    def action_stage(self) -> None:
        self.submit()

    def action_page(self, step: int) -> None:
        """Through what has no room under the fields."""
        self._top += step * max(1, self._room() - 1)
        self._draw()

    def action_back(self) -> None:
        self.dismiss()

    def keys_in_words(self) -> str:
        """Its own; the kill key stands in the last line."""
        return footer(self.PLACE).partition("  Ctrl+")[0]

    # ── what it shows ────────────────────────────────────────────────────────────────────────────────────────────

    def texts(self) -> dict[str, str]:
        return {name: box.value for name, box in self.inputs.items()}

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.describe()

    def show_beside(
        self, faults: Mapping[str, str], doubts: Mapping[str, str] = NOTHING, readings: Mapping[str, str] = NOTHING
    ) -> None:
        """What is wrong with each field, what speaks against it, how it is read, or else its hint."""
        for field in self.fields:
            wrong = faults.get(field.name) or doubts.get(field.name)
            beside = Cell(wrong, "warning") if wrong else Cell(readings.get(field.name) or field.hint, "muted")
            self.beside[field.name].show([(beside,)])

    def answered(self, text: str, label: str = "") -> None:
        """What an act brought; with a label it is a refusal, whose reasons stay."""
        self._answer, self._top = FormAnswer(label, text, None if label else self.texts()), 0
        self.describe()

    def noted(self, text: str) -> None:
        """A remark on a key; the reasons of a refusal stay over it."""
        if not self._answer.label:
            self.answered(text)

    def show_answer(self, otherwise: str, tone: Tone = "muted") -> None:
        """In the last line: what the last act brought, while that is news."""
        answer = self._answer
        if answer.text and answer.texts in (None, self.texts()):
            self._said = wrapped(answer.label, answer.text, WIDTH, "warning")
        else:
            self._said = wrapped("", otherwise, WIDTH, tone)
        self._draw()

    def show_alive(self, lines: Sequence[TextLine]) -> None:
        self._alive = lines
        self._draw()

    @property
    def is_paged(self) -> bool:
        """Whether there are more lines than room for them."""
        return len(self._said) + len(self._alive) > self._room()

    def _room(self) -> int:
        """Lines under the fields."""
        return max(1, self.free_lines - FRAME - GAP - len(self.fields))

    def _draw(self) -> None:
        """All of it, or a page of it with its place in the lower edge: no line goes missing unsaid."""
        if not self.is_attached:
            return
        room, lines = self._room(), [*self._said, *self._alive]
        self._top = max(0, min(self._top, len(lines) - room))
        if len(lines) <= room:
            self.alive.show(self._alive)
            self.said.show(self._said)
            put_note(self.box, "")
            return
        self.alive.show(lines[self._top : self._top + room])
        self.said.show(())
        keys = f", {written('form.page_down')} {written('form.page_up')}" if self.pages_by_key() else ""
        put_note(self.box, f"{self._top + 1}–{self._top + room} of {len(lines)}{keys}")
