"""Text of the kill screen, and lists that share a number of lines.

Text of the kill screen: since when, entries being cancelled, stops that stay, unprotected positions (OP-07).
It never exceeds the given number of lines. Items without room are counted, with the name of the pane that lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from core.model.codes import HaltCause
from core.model.values import plain
from core.views import DeskView, OrderRow, PositionRow, RowMark
from widgets import format as f
from widgets.lines import Cell, TextLine, Tone
from widgets.ticket_text import wrapped


@dataclass(frozen=True, slots=True)
class Listed:
    """A list under one label.

    Attributes
    ----------
    count
        Number of items.
    groups
        Lines that stay together, each with the number of items that they name; at least as many as fit.
    elsewhere
        The pane with the complete list, as in `Orders lists them`.
    """

    label: str
    count: int
    groups: Sequence[tuple[Sequence[TextLine], int]]
    elsewhere: str
    tone: Tone = ""

    @property
    def height(self) -> int:
        """Number of lines of all groups."""
        return sum(len(lines) for lines, _ in self.groups)

    def in_room(self, room: int) -> list[TextLine]:
        """Return all lines, or as many as fit with a last line that counts the rest."""
        if self.height <= room and sum(named for _, named in self.groups) == self.count:
            return [line for lines, _ in self.groups for line in lines]
        shown: list[TextLine] = []
        left = self.count
        for lines, named in self.groups:
            if len(shown) + len(lines) >= room:
                break
            shown += lines
            left -= named
        label = Cell(" " * len(self.label) if shown else self.label, "muted")
        words = f"and {left} more, {self.elsewhere}" if shown else f"{left}, {self.elsewhere}"
        return [*shown, (label, Cell(words, self.tone))]


def one_each(label: str, texts: Sequence[str], width: int, elsewhere: str, most: int, tone: Tone = "") -> Listed:
    """Repeat the label before each text; at most `most` + 1 texts are prepared."""
    groups = [(wrapped(label, text, width, tone), 1) for text in islice(texts, most + 1)]
    return Listed(label, len(texts), groups, elsewhere, tone)


def side_by_side(label: str, texts: Sequence[str], width: int, elsewhere: str) -> Listed:
    """Place the texts side by side under one label, separated by commas; no text is split."""
    rows: list[tuple[str, int]] = []
    room = width - len(label) - 1
    for text in texts:
        row, named = rows[-1] if rows else ("", 0)
        if rows and len(row) + 2 + len(text) <= room:
            rows[-1] = (f"{row}, {text}", named + 1)
        else:
            rows.append((text, 1))
    ends = [*("," for _ in rows[1:]), ""]
    labels = [label, *(" " * len(label) for _ in rows[1:])]
    groups = [
        ([(Cell(begin, "muted"), Cell(f"{row}{end}"))], named)
        for begin, (row, named), end in zip(labels, rows, ends, strict=False)
    ]
    return Listed(label, len(texts), groups, elsewhere)


def sharing(lists: Iterable[Listed], room: int) -> list[TextLine]:
    """Return the lists one below the other in `room` lines; a list leaves unused lines of its share to the others."""
    shown = [each for each in lists if each.count]
    shares: dict[str, int] = {}
    for number, each in enumerate(sorted(shown, key=lambda each: each.height)):
        shares[each.label] = min(each.height, max(1, room // (len(shown) - number)))
        room -= shares[each.label]
    return [line for each in shown for line in each.in_room(shares[each.label])]


def help_lines(resume: str, width: int, room: int) -> list[TextLine]:
    """Return what each key of the screen does, at most `room` lines; `resume` is the key that ends the halt."""
    lines = [line for key, text in _HELP for line in wrapped(f" {key.format(resume=resume):<7}", text, width)]
    if len(lines) > room:
        lines = [*lines[: max(0, room - 1)], (Cell("… a taller terminal shows more", "warning"),)][: max(0, room)]
    return lines


_HELP = (
    ("K", "at once cancels working entries and blocks new ones until you type REARM. Stops and targets stay."),
    ("F", "opens a basket that closes every position. It sends nothing before you press its key there."),
    ("{resume}", "once armed, ends your halt: entries may be sent again."),
    ("NAKED", "once killed, cancels the protective stops too."),
    ("REARM", "once killed, allows entries again."),
    ("w", "once killed, records why, for the journal. It changes nothing else."),
    ("CLEAR", "ends a halt that no key of yours made."),
    ("Esc", "goes back to the desk, halted or killed as it is. Exits still work there."),
    ("?", "shows the list again, and so does Esc here."),
)

HEARD_NOT = {"halt": "HALTING", "kill": "KILLING"}
IN_ORDERS, IN_POSITIONS = "Orders lists them", "Positions lists them"


def halted_lines(view: DeskView | None, width: int, room: int, owed: str | None = None) -> list[TextLine]:
    """Return at most `room` lines before `K` is pressed; `owed` is a halt or kill that the engine has not received."""
    if view is None and owed is None:
        return [(Cell("HALTED before the engine was there: it starts halted.", "urgent"),)]
    unheard = [(Cell(f"{HEARD_NOT[owed]}: the engine has not heard it yet.", "urgent"),)] if owed is not None else []
    if view is None:
        return [*unheard]
    status = view.status
    since = f"HALTED {f.dated_clock(status.halted_at, status.at)}" if status.halts else "HALTING…"
    lines: list[TextLine] = [*unheard]
    if status.halts or owed is None:
        count = view.kill.cancelled_by_kill
        working = f" {count} {'entry' if count == 1 else 'entries'} of before may still fill."
        may_fill = working if count else " Exits still work."
        lines.append((Cell(f"{since}  No new entries.{may_fill}", "urgent"),))
    for halt in status.halts:
        if halt.cause is not HaltCause.KEY:
            lines += wrapped("also    ", halt.in_words, width, "warning")
    return _under(lines, [_entries(view, "K cancels ", width, room), *_protection(view, width, room)], room)


def killed_lines(view: DeskView, width: int, room: int) -> list[TextLine]:
    """Return the lines after the kill, at most `room`."""
    status = view.status
    at = f.dated_clock(status.killed_at, status.at)
    head = f"KILLED since {at} by {status.killed_by}. It stays killed after a restart."
    lines: list[TextLine] = wrapped("", head, width, "urgent")
    if status.kill_reason:
        lines += wrapped("reason  ", status.kill_reason, width)
    kill = view.kill
    if kill.gone < kill.asked:
        lines.append((Cell(f"{kill.gone} of {kill.asked} gone."),))
    if not (kill.entries_working or kill.too_large or kill.others or kill.unread):
        lines.append((Cell("No order works that could open or add."),))
    held = [f"{row.symbol} {f.quantity(row.quantity)}" for row in view.positions]
    lists = [
        _entries(view, "not gone  ", width, room),
        *_protection(view, width, room),
        side_by_side("open      ", held, width, IN_POSITIONS),
    ]
    return _under(lines, lists, room)


def _under(head: list[TextLine], lists: list[Listed], room: int) -> list[TextLine]:
    """Return the head, visibly cut if needed so that each list keeps one line, then the lists in the other lines."""
    most = max(1, room - sum(1 for each in lists if each.count))
    if len(head) > most:
        head = [*head[: most - 1], (*head[most - 1], Cell(" …", "warning"))]
    return [*head, *sharing(lists, room - len(head))][: max(0, room)]


def _entries(view: DeskView, label: str, width: int, room: int) -> Listed:
    texts = [order_of(row) for row in (*view.kill.entries_working, *view.kill.too_large)]
    texts += [f"{row.words}, {row.state}, not this desk's" for row in view.kill.others]
    return one_each(label, texts, width, IN_ORDERS, room, "warning")


def _protection(view: DeskView, width: int, room: int) -> list[Listed]:
    stops = [order_of(row) for row in (*view.kill.stops_working, *_other_exits(view))]
    unprotected = [text for held in view.kill.uncovered for text in _uncovered(held)]
    unread = [f"{row.words}, not this desk's: cancel it at the broker" for row in view.kill.unread]
    return [
        one_each("MAY OPEN  ", unread, width, IN_ORDERS, room, "warning"),
        one_each("stays     ", stops, width, IN_ORDERS, room),
        one_each("NO STOP   ", unprotected, width, IN_POSITIONS, room, "warning"),
    ]


def _other_exits(view: DeskView) -> list[OrderRow]:
    """Return the working exits that are no stops: a target stays too. One that waits for its entry ends with that."""
    named = {row.id for row in (*view.kill.stops_working, *view.kill.entries_working, *view.kill.too_large)}
    exits = (row for row in view.orders if row.status.is_working and row.effect.only_reduces)
    return [row for row in exits if row.id not in named and RowMark.HELD not in row.marks]


def order_of(row: OrderRow) -> str:
    """Describe an order: its current effect, how much of it is left, and its status."""
    does = f.side_word(row.side) if row.effect.only_reduces else f.doing(row.side, row.effect)
    count = f"{plain(row.remaining)} of {plain(row.quantity)}" if row.filled_quantity else plain(row.quantity)
    what = f"{does} {count} {row.symbol}"
    marks = f", {', '.join(row.marks_in_words)}" if row.marks else ""
    return f"{what} {f.terms(row.terms)}, {row.status.value}{marks}"


def _uncovered(row: PositionRow) -> list[str]:
    held = plain(abs(row.quantity))
    unprotected = (
        [f"{row.symbol}: {plain(row.unprotected)} of {held} shares have {row.idle or 'no stop'} at the broker"]
        if row.unprotected
        else []
    )
    if row.at_limit:
        unprotected.append(
            f"{row.symbol}: an exit of {plain(row.at_limit)} waits at its limit, and no stop guards them"
        )
    if not row.doubt:
        return unprotected
    return [*unprotected, f"{row.symbol}: in doubt whether the broker has the {row.doubt} of {plain(row.in_doubt)}"]
