"""The limits changed in the settings file, old and new: looser ones need a typed word (RK-13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual import events

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import MINIMUM
from console.screens.override import WordScreen
from console.screens.question import WIDTH, Question
from console.screens.reading import FRAME
from core.views import ReloadView
from widgets.grid_cells import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

LOOSEN = "LOOSEN"
UNDER = 3
"""Lines under the differences: position, gap, keys."""


class Scrolled(Question):
    """All differences, scrolled if they do not fit; `was_read` is set once the last one was visible."""

    BINDINGS = [*bindings_for(KeyScope.OVERRIDE), *bindings_for(KeyScope.READING)]
    was_read = False
    top = 0

    def room_changed(self) -> None:
        self.draw_lines()

    def draw_lines(self) -> None:
        count, room = len(self.lines), self._room()
        self.top = max(0, min(self.top, count - room))
        end = min(self.top + room, count)
        self.was_read = self.was_read or (end == count and not self.is_too_small)
        more = f"{self.top + 1}–{end} of {count} lines, {written('read.page_down')} reads on" if count > room else ""
        self.body.show([*self.lines[self.top : end], (Cell(more, "muted"),), ()])
        self.keys.show([self.key_line()])

    @property
    def is_too_small(self) -> bool:
        return self.app.size.width < MINIMUM[0] or self.app.size.height < MINIMUM[1]

    def action_scroll(self, step: int) -> None:
        self.top += step
        self.draw_lines()

    def action_page(self, step: int) -> None:
        self.action_scroll(step * max(1, self._room() - 1))

    def _room(self) -> int:
        return max(1, self.free_lines - FRAME - UNDER)


class LoosenScreen(Scrolled, WordScreen):
    """The word counts only after all looser limits were visible."""

    def __init__(self, reload: ReloadView, act: Callable[[], None]) -> None:
        WordScreen.__init__(self, "Loosen the limits?", list(_lines(reload)), LOOSEN, "to let more pass", act)

    def key_line(self) -> TextLine:
        if self.was_read:
            return WordScreen.key_line(self)
        return (
            Cell(f" {written('read.page_down')} ", "strong"),
            Cell(f"reads on: {LOOSEN} counts at its end   Esc no"),
        )

    def on_key(self, event: events.Key) -> None:
        """Ignore letters until then."""
        if not self.was_read and event.character is not None and event.character.isalpha():
            event.stop()
            event.prevent_default()


class ReloadedScreen(Scrolled):
    """Shown if no limit is looser: no word is needed."""

    PLACE = KeyScope.READING

    def __init__(self, reload: ReloadView) -> None:
        super().__init__("Limits reloaded", list(_lines(reload)))

    def key_line(self) -> TextLine:
        return (Cell(" Esc ", "strong"), Cell("back"))


def _lines(reload: ReloadView) -> Iterator[TextLine]:
    yield from _listed("TIGHTER, asked for now; the log says when they hold", reload.tighter, "")
    yield from _listed("LOOSER, as they were until the word is typed", reload.looser, "warning")
    yield from _listed("no limits: they hold from the next start on", reload.restart, "muted")
    yield from wrapped(
        "", "It is recorded. Entries pass again by the limits that hold; exits always did.", WIDTH, "muted"
    )


def _listed(title: str, words: tuple[str, ...], tone: Tone) -> Iterator[TextLine]:
    if not words:
        return
    yield (Cell(title, "strong"),)
    for change in words:
        yield from wrapped("  ", change, WIDTH, tone)
    yield ()
