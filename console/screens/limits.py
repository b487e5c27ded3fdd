"""Changed limits, and the lists that block a symbol's entries: what is looser needs a typed word (RK-06, RK-26,
RK-13).

The base class serves other dialogs that require a word before they loosen something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from textual import events

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import MINIMUM, WIDTH, DialogHost, Question
from console.screens.form import FieldsScreen, TextField
from console.screens.reading import FRAME
from console.ticket_status import TypedWord, in_capitals
from core.messages.commands import ListSymbol, UnlistSymbol
from core.model.instrument import LONGEST_REASON, ListedSymbol, ListKind
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import ACCEPT, Difference
from core.model.values import Symbol
from core.views import DeskView, ProtectionRow, ReloadView
from widgets.lines import Cell, TextLine, Tone
from widgets.ticket_text import wrapped

OVERRIDE = "OVERRIDE"


class WordScreen(Question):
    """A dialog with a required word; `does` describes its effect and `act` executes it."""

    PLACE = KeyScope.OVERRIDE
    NEEDS_KEY = True
    BINDINGS = bindings_for(KeyScope.OVERRIDE)

    def __init__(self, title: str, lines: Sequence[TextLine], word: str, does: str, act: Callable[[], None]) -> None:
        self.word = TypedWord(word)
        self.does = does
        self.act = act
        super().__init__(title, lines)

    def key_line(self) -> TextLine:
        typed = (Cell(f"    typed: {self.word.typed}", "strong"),) if self.word.typed else ()
        if self.word.is_in_another_case:
            typed = (Cell(f"    {in_capitals(self.word.word)}", "warning"),)
        return (Cell(f" type {self.word.word} ", "strong"), Cell(f"{self.does}   Esc no"), *typed)

    def on_key(self, event: events.Key) -> None:
        if event.character is None or not event.character.isalpha():
            self.word.forget()
        else:
            event.stop()
            event.prevent_default()
            self.word.hear(event.character)
        self.keys.show([self.key_line()])
        if self.word.stands:
            self.dismiss()
            self.act()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.word.forget()


class AcceptBooksScreen(WordScreen):
    """Show both books of each difference, and accept the broker's by a typed word (EX-09)."""

    def __init__(self, differences: Sequence[Difference], act: Callable[[], None]) -> None:
        both = (f"{d.symbol}: broker {d.broker or 'nothing'}, our books {d.local or 'nothing'}" for d in differences)
        lines = [line for one in both for line in wrapped("", one, WIDTH, "warning")]
        after = "Our books take over the broker's figures. Its own stops stay; ours that have no shares are cancelled."
        lines += [*wrapped("", after, WIDTH), *wrapped("", "It is recorded. Look at the broker first.", WIDTH, "muted")]
        super().__init__("Accept the broker's books?", lines, ACCEPT, "to accept them", act)


class OverrideScreen(WordScreen):
    def __init__(self, row: ProtectionRow, act: Callable[[], None]) -> None:
        super().__init__(f"Override {row.name}?", _override_lines(row), OVERRIDE, "to let entries pass", act)


def _override_lines(row: ProtectionRow) -> list[TextLine]:
    return [
        *wrapped("", f"{row.name}, {row.measure}: {row.reason}.", WIDTH, "warning"),
        *wrapped("", f"Overridden, {row.override}.", WIDTH),
        *wrapped("", "It is recorded. Exits pass in any case.", WIDTH, "muted"),
    ]


EXAMPLES = "never no borrow · close merger · until 2026-12-01 earnings · off never"
WORDS = {"never": ListKind.NEVER, "close": ListKind.CLOSE_ONLY, "until": ListKind.RESTRICTED}
OFF = "off"


@dataclass(frozen=True, slots=True)
class TakeOff:
    """Remove the symbol from that list, after a typed word."""

    kind: ListKind


def read_list(symbol: Symbol, text: str, today: date) -> ListSymbol | TakeOff | str:
    """Return the list change, or the error text."""
    first, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if first == OFF:
        kind = WORDS.get(rest)
        return TakeOff(kind) if kind is not None else "off which list? never, close or until"
    if first not in WORDS:
        return "begin with never, close, until or off"
    kind, until = WORDS[first], None
    if kind is ListKind.RESTRICTED:
        day, _, rest = rest.partition(" ")
        rest = rest.strip()
        until = _day(day)
        if until is None or until <= today:
            return "until which day? a later one than today, as in until 2026-12-01 earnings"
    if not rest:
        return f"why? a reason, of {LONGEST_REASON} characters at most"
    return ListSymbol(symbol, kind, rest[:LONGEST_REASON], until)


def has_reason(text: str) -> bool:
    """Return whether the list and its day are complete, so that what is typed next is the reason."""
    first, *others = text.lstrip().split(" ")
    return first in WORDS and len(others) > (WORDS[first] is ListKind.RESTRICTED)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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


SHOWN = 6
"""Number of listed symbols other than this one."""
INSIDE = 74


class ListsScreen(FieldsScreen):
    def __init__(self, behind: DialogHost, symbol: Symbol) -> None:
        self.symbol = symbol
        super().__init__(behind, f"Lists ─ {symbol}", [TextField("Put it on", "")], "does it")

    @property
    def takes_any_script(self) -> bool:  # type: ignore[override]
        """Return whether the reason has begun; the words before it are the desk's own."""
        return has_reason(self.fields[0].text)

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.draw()

    def preview(self) -> Sequence[TextLine]:
        own = [listed for listed in self._listed() if listed.symbol == self.symbol]
        others = [listed for listed in self._listed() if listed.symbol != self.symbol]
        heading = f"{self.symbol} is on:" if own else f"{self.symbol} is on no list: its entries pass."
        lines: list[TextLine] = [*self._meaning(), (), (Cell(heading, "muted"),)]
        lines += [line for listed in own for line in wrapped("  ", listed.words, INSIDE, "warning")]
        if others:
            lines += [(Cell("Others:", "muted"),)]
            lines += [(Cell(f"  {listed.symbol} {listed.words}"[:INSIDE]),) for listed in others[:SHOWN]]
        if len(others) > SHOWN:
            lines.append((Cell(f"  and {len(others) - SHOWN} more, in Protections", "muted"),))
        return lines

    def accept(self) -> None:
        meant = self._meant()
        if isinstance(meant, str):
            self.refuse(meant)
            return
        self.dismiss()
        if isinstance(meant, ListSymbol):
            self.behind.handle.send(meant)
            self.behind.say(f"{self.symbol}: to be on {meant.kind.value}; its exits go on")
            return
        kind = meant.kind
        self.behind.ask(TakeOffScreen(self.symbol, kind, self._on(kind), lambda: self._take_off(kind)))

    def _take_off(self, kind: ListKind) -> None:
        self.behind.handle.send(UnlistSymbol(self.symbol, kind, LOOSEN))
        self.behind.say(f"{self.symbol}: taking it off {kind.value}")

    def _meaning(self) -> Sequence[TextLine]:
        if not self.fields[0].text:
            return ((Cell(EXAMPLES, "muted"),),)
        meant = self._meant()
        if isinstance(meant, str):
            return ((Cell(meant, "warning"),),)
        if isinstance(meant, TakeOff):
            return ((Cell(f"Enter asks for {LOOSEN}, which takes it off {meant.kind.value}"),),)
        until = "" if meant.until is None else f" until {meant.until}"
        says = f"Enter: {meant.kind.value}{until}, at once; what of it waits or works to open goes, exits stay"
        return wrapped("", says, INSIDE, "strong")

    def _meant(self) -> ListSymbol | TakeOff | str:
        """Return the list change, or the reason for which the engine would reject it."""
        meant = read_list(self.symbol, self.fields[0].text, self._today())
        if isinstance(meant, TakeOff) and self._on(meant.kind) is None:
            return f"{self.symbol} is not on {meant.kind.value}"
        return meant

    def _on(self, kind: ListKind) -> ListedSymbol | None:
        return next((one for one in self._listed() if (one.symbol, one.kind) == (self.symbol, kind)), None)

    def _listed(self) -> Sequence[ListedSymbol]:
        return () if self.behind.view is None else self.behind.view.lists

    def _today(self) -> date:
        """Return the date of the view; the engine uses its exchange's date."""
        view = self.behind.view
        return date.min if view is None else view.status.at.date()


class TakeOffScreen(WordScreen):
    """Remove a symbol from a list by a word typed in full."""

    def __init__(self, symbol: Symbol, kind: ListKind, listed: ListedSymbol | None, act: Callable[[], None]) -> None:
        said = f"{symbol} is on {listed.words}." if listed is not None else ""
        lines = [
            *wrapped("", said, WIDTH, "warning"),
            *wrapped("", "Off that list its entries pass again. It is recorded.", WIDTH),
        ]
        super().__init__(f"Take {symbol} off {kind.value}?", lines, LOOSEN, "to let entries pass", act)
