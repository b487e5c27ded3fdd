"""The command list, and the dialog that saves the panes as a named layout.

A command of another pane opens that pane and names the key, so that its row is seen before the action. The list is
built from the table of keys and does the same as the keys, except that it has no confirming keys. It does not open over
a ticket or the kill screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.fuzzy import FuzzySearch

from console.display import ColumnOfPanes, DeskLayout, layout_fault, layout_in_words
from console.keymap import PANES, Key, KeyScope, reachable
from console.screens.dialog import DialogHost
from console.screens.form import LONGEST, FieldsScreen, TextField, TypedDialog
from widgets.grid import Cell, Column, Grid, Row
from widgets.lines import Lines, TextLine
from widgets.pane import put_note, put_title

WHOLE = 4.0
"""The score of a letter of a word that occurs as it is; no scattered letter reaches it."""
MOTIONS = frozenset({"commands", "pane.next", "pane.previous"})
"""Not commands: navigation, and the key for this list."""


def commands_at(place: KeyScope) -> list[Key]:
    """Return the commands of `place`, the nearest first, followed by those of other panes."""
    found = {key.id: key for key in reachable(place)}
    for other in KeyScope:
        if other in PANES:
            found |= {key.id: key for key in reachable(other) if key.id not in found}
    return [
        key
        for key in found.values()
        if key.id not in MOTIONS and (key.place is not KeyScope.LIST or key.id == "grid.open")
    ]


class CommandsScreen(TypedDialog):
    """`run` executes the chosen key after this dialog is closed."""

    PLACE = KeyScope.COMMANDS

    def __init__(self, place: KeyScope, run: Callable[[Key], None]) -> None:
        super().__init__()
        self.run = run
        self.place = place
        self.keys = {key.id: key for key in commands_at(place)}
        self.typed = ""
        self.matcher = FuzzySearch()
        self.line = Lines(id="commands-typed")
        self.grid = Grid(
            (Column("COMMAND", 26, stretches=True), Column("KEY", 10), Column("NAME", 18)),
            empty="No command has this in its words. Backspace.",
            id="commands-grid",
        )
        self.box = Vertical(id="commands")
        put_title(self.box, f"Commands ─ {place.value}")
        put_note(self.box, "type words of it  ↑ ↓ choose  Enter does it  Esc back")

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.line
            yield self.grid

    def on_mount(self) -> None:
        self._filter()
        super().on_mount()

    def _filter(self) -> None:
        """Show what every typed word finds, the best match first (Textual's fuzzy matcher)."""
        words = self.typed.casefold().split()
        scores = {id: _score(self.matcher, key, words) for id, key in self.keys.items()}
        found = sorted((key for id, key in self.keys.items() if scores[id]), key=lambda key: -scores[key.id])
        self.line.show([(Cell("> ", "muted"), Cell(f"{self.typed}▏", "strong"))])
        self.grid.show([_row(key, self.place) for key in found])
        if found:
            self.grid.select(found[0].id)

    def write(self, text: str) -> None:
        self.typed = (self.typed + text)[:LONGEST]
        self._filter()

    def erase(self) -> None:
        self.typed = self.typed[:-1]
        self._filter()

    def action_clear(self) -> None:
        self.typed = ""
        self._filter()

    def action_next(self) -> None:
        self.grid.action_down()

    def action_previous(self) -> None:
        self.grid.action_up()

    def action_accept(self) -> None:
        self._do(self.grid.selected)

    def on_grid_opened(self, message: Grid.Opened) -> None:
        message.stop()
        self._do(message.key)

    def _do(self, id: str | None) -> None:
        if id is not None:
            self.dismiss()
            self.run(self.keys[id])


def described(key: Key) -> str:
    """Format `pane: orders`, `most urgent exit`."""
    return f"pane: {key.description}" if key.id.startswith("pane.") else key.description


def _score(matcher: FuzzySearch, key: Key, words: Sequence[str]) -> float:
    """Return how well the words find the command, in any order; 0 if one of them does not.

    A word counts where the description, the pane or the name has it, and less where only its letters are in the
    description, the first of them at the start of a word: `flteve` finds `flatten everything`.
    """
    text = described(key).casefold()
    whole = f"{text} {key.place.value} {key.id}".casefold()
    total = 1.0
    for word in words:
        begins = (place for place, letter in enumerate(text) if letter == word[0] and text[:place][-1:] in ("", " "))
        scattered = max((matcher.match(word, text[place:])[0] for place in begins), default=0.0)
        score = max(scattered, WHOLE * len(word) * ((word in whole) + (word in text)))
        if not score:
            return 0.0
        total += score
    return total


def _row(key: Key, here: KeyScope) -> Row:
    where = f" in {key.place.value}" if key.place in PANES and key.place is not here else ""
    return Row(key.id, (Cell(f"{described(key)}{where}"), Cell(key.written, "strong"), Cell(key.id, "muted")))


DROP = "drop "


class KeepLayoutScreen(FieldsScreen):
    """`keep` is called with a name, `drop` with a name in `own`.

    An existing layout is named before it is overwritten.
    """

    NEEDS_KEY = False

    def __init__(
        self,
        behind: DialogHost,
        layout: DeskLayout,
        shown: tuple[ColumnOfPanes, ...],
        own: Mapping[str, DeskLayout],
        acts: tuple[Callable[[str], None], Callable[[str], None]],
    ) -> None:
        fields = [TextField("Name", "as you call it")]
        super().__init__(behind, "Keep this layout", fields, "keeps it")
        self.kept, self.shown, self.own = layout, shown, own
        self.keep, self.drop = acts
        self._over = ""
        """The layout whose overwriting was announced."""

    def preview(self) -> list[TextLine]:
        name = self._typed()
        own = f"{', '.join(self.own)}; drop NAME takes one back" if self.own else "none yet"
        yours: list[TextLine] = [(Cell(f"Yours: {own}", "muted"),)]
        if name.startswith(DROP):
            word = name.removeprefix(DROP)
            said = f"Enter removes the layout {word}" if word in self.own else f"there is no layout {word} of yours"
            return [(Cell(said, "warning"),), *yours]
        over = f", in the place of {layout_in_words(self.own[name], self.own[name].two)}" if name in self.own else ""
        return [
            (Cell("Enter keeps ", "muted"), Cell(layout_in_words(self.kept, self.shown), "strong"), Cell(over)),
            *yours,
        ]

    def accept(self) -> None:
        name = self._typed()
        if name.startswith(DROP) and name.removeprefix(DROP) in self.own:
            self.dismiss()
            self.drop(name.removeprefix(DROP))
        elif name.startswith(DROP):
            self.refuse("the name of one of yours stands behind drop")
        elif fault := layout_fault(name):
            self.refuse(f"a layout {fault}" if not fault.startswith(name or " ") else fault)
        elif name in self.own and self._over != name:
            self._over = name
            self.refuse(f"{name} is yours already: Enter again writes over it")
        else:
            self.dismiss()
            self.keep(name)

    def _changed(self) -> None:
        self._over = ""
        super()._changed()

    def _typed(self) -> str:
        return self.fields[0].text.strip().lower()
