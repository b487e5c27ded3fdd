"""The limits that the settings file says otherwise, old to new: the looser ones wait for a typed word (RK-13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.keymap import Place, bindings_for
from console.screens.override import WordScreen
from console.screens.question import WIDTH, Question
from core.views import ReloadView
from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

LOOSEN = "LOOSEN"
SHOWN = 6
"""Differences of a kind that a screen shows; the log holds them all."""


class LoosenScreen(WordScreen):
    def __init__(self, reload: ReloadView, act: Callable[[], None]) -> None:
        super().__init__("Loosen the limits?", list(_lines(reload)), LOOSEN, "to let more pass", act)


class ReloadedScreen(Question):
    """Nothing of it is looser: there is nothing to type."""

    PLACE = Place.OVERRIDE
    BINDINGS = bindings_for(Place.OVERRIDE)

    def __init__(self, reload: ReloadView) -> None:
        super().__init__("The limits are reloaded", list(_lines(reload)))

    def key_line(self) -> TextLine:
        return (Cell(" Esc ", "strong"), Cell("back"))


def _lines(reload: ReloadView) -> Iterator[TextLine]:
    yield from _listed("TIGHTER, in force from now on", reload.tighter, "")
    yield from _listed("LOOSER, as they were until the word is typed", reload.looser, "warning")
    yield from _listed("no limits: they hold from the next start on", reload.restart, "muted")
    yield from wrapped(
        "", "It is recorded. Entries pass again by the limits that hold; exits always did.", WIDTH, "muted"
    )


def _listed(title: str, words: tuple[str, ...], tone: Tone) -> Iterator[TextLine]:
    if not words:
        return
    yield (Cell(title, "strong"),)
    for change in words[:SHOWN]:
        yield from wrapped("  ", change, WIDTH, tone)
    if len(words) > SHOWN:
        yield (Cell(f"  and {len(words) - SHOWN} more, in the log", "muted"),)
    yield ()
