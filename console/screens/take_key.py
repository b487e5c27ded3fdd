"""`T`: take control: who has it, and the effect; needs a word if the holder is active or may return (OP-13)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from textual.binding import Binding

from console.keymap import KeyScope, bindings_for
from console.screens.dialog_host import DialogHost
from console.screens.override import WordScreen
from console.screens.question import WIDTH, ArmedQuestion
from core.views import KeyView
from widgets import format as f
from widgets.lines import TextLine
from widgets.ticket import wrapped

TAKE = "TAKE"
TITLE = "Take the key?"
BACK = "question.back"


class TakeByWord(WordScreen):
    """Take control by a word; letters belong to the word, so only the back key of a question remains."""

    PLACE = KeyScope.QUESTION
    BINDINGS = [line for line in bindings_for(PLACE) if isinstance(line, Binding) and line.id == BACK]
    NEEDS_KEY = False

    def __init__(self, key: KeyView, lines: list[TextLine], act: Callable[[], None]) -> None:
        self.key = key
        super().__init__(TITLE, lines, TAKE, "to take it", act)

    def acting_keys(self) -> Collection[str]:
        return (BACK,)


class TakeByQuestion(ArmedQuestion):
    NEEDS_KEY = False

    def __init__(self, behind: DialogHost, lines: list[TextLine], act: Callable[[], None]) -> None:
        super().__init__(behind, TITLE, lines, "take it", act)


def taking_lines(key: KeyView, desk: DialogHost) -> list[TextLine]:
    """Say who has control, since when, and the effect of a hand-over."""
    return list(_lines(key, desk))


def _lines(key: KeyView, desk: DialogHost) -> Iterator[TextLine]:
    holder, now = key.holder, desk.engine_now()
    if holder is not None:
        since = f" since {f.minute_of_week(key.since, now)}" if key.since is not None else ""
        yield from wrapped("", f"{holder.seat.in_words} holds it{since}.", WIDTH, "strong")
        yield from wrapped("", _activity(key, desk), WIDTH, "warning" if key.takes_word else "")
    elif key.kept_for is not None and key.away_until is not None:
        until = f.dated_clock(key.away_until, now)
        words = f"{key.kept_for.in_words} held it as the engine ended; it is kept for that terminal until {until}."
        yield from wrapped("", words, WIDTH, "warning")
    yield from wrapped("", "What is open there is closed: tickets, an unsigned basket, a key on its way.", WIDTH)
    yield from wrapped("", "What is signed goes on. It is recorded, and shown on both desks.", WIDTH, "muted")


def _activity(key: KeyView, desk: DialogHost) -> str:
    now = desk.engine_now()
    if key.away_until is not None:
        return f"Its link is lost; the key is kept for it until {f.dated_clock(key.away_until, now)}."
    heard = key.holder.heard_at if key.holder is not None else None
    return "Nothing was typed there." if heard is None else f"Active {f.short_age(heard, now)} ago."
