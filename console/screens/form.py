"""Dialogs in which every letter is text, and dialogs with several fields.

The desk passes them each key before any binding, in order, so that text typed before Enter is complete when Enter
arrives, even while the dialog is opening.

A dialog with fields. It handles the keys; subclasses interpret the texts.
Each key is applied before the next one: text typed before Tab is in its field before the next character is read, even
if a link delivers both at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from console.keymap import KEYS, KeyScope, footer, written
from console.screens.dialog import Dialog, DialogHost
from console.terminal.keys import PlacedKey
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.views import DeskView
from widgets.lines import Cell, Lines, TextLine, Tone, joined
from widgets.pane import put_note, put_title
from widgets.ticket_text import wrapped

ERASE = "backspace"
LONGEST = 80
"""Maximum characters of a line; more are ignored."""
LONGEST_LINE = 66
"""Cells of a line with the reason why Enter did nothing."""


def text_of(event: events.Key, takes_any_script: bool) -> str | None:
    """Return the character that a text gets of a key; None if it types none."""
    if takes_any_script and isinstance(event, PlacedKey):
        return event.letter
    return event.character if event.is_printable else None


class TypedDialog(Dialog):
    """Base: keys of its place act as in the key table, Backspace erases, other characters are typed."""

    takes_any_script = False
    """Whether the text may have letters of every script."""

    def __init__(self) -> None:
        super().__init__()
        self._early: list[events.Key] = []
        own = (key for key in KEYS if key.place is self.PLACE)
        self._acts = {name: key.action for key in own for name in key.keys.split(",")}

    def on_mount(self) -> None:
        early, self._early = self._early, []
        for event in early:
            self.take(event)

    def take(self, event: events.Key) -> bool:
        """Handle a key; return whether it is this dialog's. The kill chord never is."""
        if not self._is_its_own(event):
            return False
        character = text_of(event, self.takes_any_script)
        if not self.is_mounted:
            self._early.append(event)
        elif event.key in self._acts:
            getattr(self, f"action_{self._acts[event.key]}")()
        elif event.key == ERASE:
            self.erase()
        elif character:
            self.write(character)
        return True

    def _is_its_own(self, event: events.Key) -> bool:
        return event.key == ERASE or event.key in self._acts or bool(event.is_printable and event.character)

    def paste(self, text: str) -> None:
        """Insert the first line of a paste as text; nothing in it acts as a key (OP-04)."""
        if self.is_mounted:
            self.write(one_line(text))

    def write(self, text: str) -> None:
        raise NotImplementedError

    def erase(self) -> None:
        raise NotImplementedError

    def action_back(self) -> None:
        self.dismiss()


def one_line(text: str) -> str:
    """Return the part of a paste that may stand in a line."""
    first = text.splitlines()[0] if text else ""
    return "".join(character for character in first if character.isprintable())[:LONGEST]


@dataclass(slots=True)
class TextField:
    """An input line. Its initial text is replaced by the first typed character, and edited by Backspace."""

    label: str
    unit: str
    text: str = ""
    is_fresh: bool = True
    takes_any_script: bool = False

    def write(self, text: str) -> None:
        self.text = (("" if self.is_fresh else self.text) + text)[:LONGEST]
        self.is_fresh = False

    def erase(self) -> None:
        self.text, self.is_fresh = self.text[:-1], False

    def clear(self) -> None:
        self.text, self.is_fresh = "", False


class FieldsScreen(TypedDialog):
    """One or a few lines, a preview of the effect, and Enter, which only asks or stages."""

    PLACE = KeyScope.FIELD
    NEEDS_KEY = True

    def __init__(self, behind: DialogHost, title: str, fields: Sequence[TextField], takes: str) -> None:
        super().__init__()
        self.behind = behind
        self.fields = fields
        self.at = 0
        self.wrong = ""
        self.is_asking = False
        """Whether the engine has not answered Enter yet; until then only Esc works."""
        self.box = Vertical(classes="fields")
        self.body = Lines()
        put_title(self.box, title)
        self.takes = f"Enter {takes}  Esc back"
        put_note(self.box, self.takes)

    @property
    def takes_any_script(self) -> bool:  # type: ignore[override]
        return self.fields[self.at].takes_any_script

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body

    def on_mount(self) -> None:
        self.draw()
        super().on_mount()

    def keys_in_words(self) -> str:
        """Return the keys for the last line, in the words of the box: Enter declines here, and stages there."""
        return self.takes

    def preview(self) -> Sequence[TextLine]:
        """Return the effect of Enter with the current texts."""
        return ()

    def accept(self) -> None:
        """Handle Enter."""
        raise NotImplementedError

    def draw(self) -> None:
        lines = [self._line(number, field) for number, field in enumerate(self.fields)]
        shown = self.preview()
        is_told = any(joined(line).strip() == self.wrong for line in shown)
        said = wrapped("", self.wrong, LONGEST_LINE, "warning") if self.wrong and not is_told else []
        asking: list[TextLine] = [(Cell("staging…", "muted"),)] if self.is_asking else []
        self.body.show([*lines, (), *shown, *said, *asking])

    def _line(self, number: int, field: TextField) -> TextLine:
        is_here = number == self.at
        cursor = "▏" if is_here else " "
        return (
            Cell("▸ " if is_here else "  "),
            Cell(f"{field.label:<13} "),
            Cell(f"{field.text}{cursor}".ljust(22), "strong" if is_here else ""),
            Cell(field.unit, "muted"),
        )

    def write(self, text: str) -> None:
        self.fields[self.at].write(text)
        self._changed()

    def erase(self) -> None:
        self.fields[self.at].erase()
        self._changed()

    def _changed(self) -> None:
        self.wrong = ""
        self.draw()

    def refuse(self, words: str) -> None:
        """Show why Enter did nothing; the typed text stays, to be corrected."""
        self.wrong = words
        self.is_asking = False
        self.draw()

    def hear_refusal(self, words: str) -> None:
        """Show the engine's refusal. The next character replaces the refused text, Backspace edits it."""
        self.fields[self.at].is_fresh = True
        self.refuse(words)

    def begin_asking(self) -> None:
        """Wait for the engine, which stages the typed text or refuses it."""
        self.is_asking = True
        self.draw()

    def take(self, event: events.Key) -> bool:
        """Ignore keys typed before the answer, but Esc: they were meant for the next screen (OP-04)."""
        is_heard = not self.is_asking or self._acts.get(event.key) == "back"
        return super().take(event) if is_heard else self._is_its_own(event)

    def paste(self, text: str) -> None:
        if not self.is_asking:
            super().paste(text)

    def action_accept(self) -> None:
        self.accept()

    def action_clear(self) -> None:
        self.fields[self.at].clear()
        self._changed()

    def action_next(self) -> None:
        self.at = (self.at + 1) % len(self.fields)
        self.draw()

    def action_previous(self) -> None:
        self.at = (self.at - 1) % len(self.fields)
        self.draw()


WIDTH = 74
BESIDE = 39
"""Width of the text beside a field, in cells."""
FRAME = 2
"""Lines of the frame."""
GAP = 1
"""Lines between the fields and the live text."""
MOVES = {"tab": 1, "down": 1, "shift+tab": -1, "up": -1}
"""Keys that move to another field, with the number of steps."""
EDITS = {
    "backspace": "delete_left",
    "delete": "delete_right",
    "left": "cursor_left",
    "right": "cursor_right",
    "home": "home",
    "end": "end",
}
"""Keys that edit a field, with their action."""
NOTHING: Mapping[str, str] = {}
FIRST_KEYS = ("ctrl+k", "f10", "ctrl+q", "escape")
"""Keys that never wait until the form is mounted."""


class WholeLine(Input):
    """An input line of which Ctrl+U clears the whole, wherever the cursor is."""

    def action_delete_left_all(self) -> None:
        self.clear()


@dataclass(frozen=True, slots=True)
class FormField:
    """One line of a form; `hint` is shown beside it while it has no error."""

    name: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """The response in the last line.

    It stays while the fields have the values of `texts`, or until the next response if that is None. So the reasons of
    a refusal stay while the fields are corrected.
    """

    label: str
    text: str
    texts: dict[str, str] | None


class Form(Dialog):
    """Base: fields with their errors beside them, live lines under them, and a response line.

    The status lines and the footer stay visible (OP-07): lines without room are scrolled, and the response then comes
    first.
    """

    CAPITALS: frozenset[str] = frozenset()
    """Fields whose input is converted to capitals."""

    def __init__(self, behind: DialogHost, title: str, fields: Sequence[FormField], texts: Mapping[str, str]) -> None:
        super().__init__()
        self.behind = behind
        self.asks = title
        self.fields = tuple(fields)
        self.inputs: dict[str, Input] = {
            field.name: WholeLine(
                texts.get(field.name, ""), id=f"form-{field.name}", compact=True, select_on_focus=False
            )
            for field in fields
        }
        for box in self.inputs.values():
            box.cursor_blink = False  # as everywhere else: an idle form sends nothing
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

    # ── for subclasses ───────────────────────────────────────────────────────────────────────────────────────────

    def first(self) -> str:
        """Return the field that has the focus first."""
        return self._order[0]

    def describe(self) -> None:
        """Show the errors beside the fields, and the live lines."""

    def prepare(self) -> None:
        """Set the fields before the first key is handled."""

    def acts(self, _field: str, _event: events.Key) -> bool:
        """Handle a special key of a field; return whether it was one."""
        return False

    def pages_by_key(self) -> bool:
        """Return whether the page keys scroll, given the focused field."""
        return True

    def may_type(self, _field: str, _character: str) -> bool:
        """Return whether a character is valid text there; others are ignored with a message."""
        return True

    def submit(self) -> None:
        """Handle Enter."""

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: events.Key) -> bool:
        """Handle a key before any binding, one after the other; return False if it is not the form's."""
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
        """Focus the field at once and select its text, so that typing replaces it."""
        box = self.inputs[field]
        self.set_focus(box)
        box.action_select_all()

    def _written(self, box: Input, text: str) -> str:
        return capitals(text) if any(self.inputs[field] is box for field in self.CAPITALS) else text

    def on_input_changed(self, event: Input.Changed) -> None:
        """Convert pasted text as typed text."""
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
        """Scroll the lines under the fields by pages."""
        self._top += step * max(1, self._room() - 1)
        self._draw()

    def action_back(self) -> None:
        self.dismiss()

    def keys_in_words(self) -> str:
        """Return the form's keys; the last line shows the kill key."""
        return footer(self.PLACE).partition(f"  {written('kill')} ")[0]

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def texts(self) -> dict[str, str]:
        return {name: box.value for name, box in self.inputs.items()}

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.describe()

    def show_beside(
        self, faults: Mapping[str, str], doubts: Mapping[str, str] = NOTHING, readings: Mapping[str, str] = NOTHING
    ) -> None:
        """Show beside each field its error, its warning, its interpretation, or else its hint."""
        for field in self.fields:
            wrong = faults.get(field.name) or doubts.get(field.name)
            beside = Cell(wrong, "warning") if wrong else Cell(readings.get(field.name) or field.hint, "muted")
            self.beside[field.name].show([(beside,)])

    def answered(self, text: str, label: str = "") -> None:
        """Show the result of an action; with a label it is a refusal, whose reasons stay."""
        self._answer, self._top = FormAnswer(label, text, None if label else self.texts()), 0
        self.describe()

    def noted(self, text: str) -> None:
        """Show a remark about a key; it does not replace the reasons of a refusal."""
        if not self._answer.label:
            self.answered(text)

    def show_answer(self, otherwise: str, tone: Tone = "muted") -> None:
        """Show the result of the last action while it is current, else `otherwise`."""
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
        """Whether there are more lines than room."""
        return len(self._said) + len(self._alive) > self._room()

    def _room(self) -> int:
        return max(1, self.free_lines - FRAME - GAP - len(self.fields))

    def _draw(self) -> None:
        """Draw all lines, or one page with its position in the lower edge, so that no line is dropped silently."""
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
