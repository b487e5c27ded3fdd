"""Leaving the desk, and taking control of it (OP-13)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from textual.binding import Binding

from console.client.access import Owed
from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import WIDTH, ArmedQuestion, DialogHost, Question
from console.screens.limits import WordScreen
from console.shutdown import CLOSING_TIMEOUT
from core.model.codes import DeskState
from core.model.desk import PaintProof
from core.model.order import StopHolder, TimeInForce
from core.model.values import plain
from core.views import DeskView, KeyView, OrderRow, PositionRow
from core.views.rows import DO_NOT_WORK, IN_DOUBT, RowMark, working_orders
from widgets import format as f
from widgets.lines import Cell, TextLine, Tone
from widgets.log import leg_of
from widgets.ticket_text import wrapped

LOOK = 0.2
"""Seconds between checks whether the engine has received the pending press."""
NAMED = 6
"""Number of working entries listed by name; the others are counted."""
NOT_COMPARED = {
    DeskState.STARTING: "The books were not compared with the broker yet: what is held there is not known here.",
    DeskState.READ_ONLY: "The books differ from the broker's: what else is held there, nobody watches.",
}
"""Shown under the positions if they may be incomplete, by the desk's state."""
UNGUARDED = {
    StopHolder.BROKER: "the stop is not sent while the desk is closed",
    StopHolder.DESK: "nobody keeps the stop while the desk is closed",
}
"""Entries whose fills have no stop while the desk is closed, by the stop's holder."""


WITHOUT_THEM = "A day stop is gone after that: nothing guards its shares until you start again and sign a new one."
RENEWED = (
    "A day stop is gone after that: its shares then wait for your key, on the ticket of a new stop or of the exit."
)


class LeaveScreen(Question):
    PLACE = KeyScope.LEAVE
    BINDINGS = bindings_for(KeyScope.LEAVE)
    NEEDS_ROOM = False

    def __init__(self, behind: DialogHost, leave: Callable[[], None]) -> None:
        self.behind = behind
        self.view = behind.view
        self.go = leave
        super().__init__("Leave?", self._lines())

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(LOOK, self._look)

    def _lines(self) -> list[TextLine]:
        """Return the lines of the view at the time of the question; only the pending press is current."""
        handle, view = self.behind.handle, self.view
        lines = owed_lines(handle.owes_press, handle.place)
        if view is None:
            return lines
        if not handle.goes_on:
            return lines + leaving_lines(view)
        link = handle.link
        return lines + detaching_lines(view, answers=link.trouble is None and link.silence is None)

    def _look(self) -> None:
        lines = self._lines()
        if lines != self.lines:
            self.lines = lines or [(Cell("The engine has heard it."),)]
            self.room_changed()

    def action_leave(self) -> None:
        self.dismiss()
        self.go()


def owed_lines(owed: Owed | None, place: str) -> list[TextLine]:
    """Return the pressed halt or kill that the engine has not received; it comes first."""
    if owed is None:
        return []
    head = f"{owed.upper()} NOT HEARD YET: the engine does not know of it."
    left = f"It is sent for {CLOSING_TIMEOUT:g} s more; then it is left for the engine that runs or starts next."
    lost = f"Where it is not heard within {CLOSING_TIMEOUT:g} s it is lost: `ssh {place} keyturn kill`."
    return [*wrapped("", head, WIDTH, "urgent"), *wrapped("", lost if place else left, WIDTH, "warning")]


def detaching_lines(view: DeskView, *, answers: bool) -> list[TextLine]:
    """Say how each position is guarded while the engine runs without this desk (SY-01).

    If the engine does not answer, nothing is claimed: the list is its last known state.
    """
    lines: list[TextLine] = []
    for row in view.positions:
        text, tone = _watched(row)
        lines += wrapped("", text, WIDTH, tone)
    if _has_day_stops(view):
        lines += wrapped("", RENEWED, WIDTH, "warning")
    lines += [*_exits(view), *_others(view)]
    entries = view.kill.entries_working
    lines += [line for row in entries[:NAMED] for line in _stays(row)]
    if len(entries) > NAMED:
        lines += wrapped("", f"{len(entries) - NAMED} entries more work; Orders lists them.", WIDTH, "warning")
    if not lines:
        lines.append((Cell("Nothing is held and no entry works."),))
    lines += _stays_shut(view)
    if not answers:
        silent = f"The engine does not answer; all this is of {f.clock(view.status.at)}. Whether it sends the stops of"
        lines += wrapped(
            "", f"{silent} fills is not known here. `keyturn engine status` says how it is.", WIDTH, "urgent"
        )
        return lines
    lines += wrapped("", "The engine goes on: it sends the stops of fills, and the exits signed with u.", WIDTH)
    lines += wrapped("", "All else waits for a key. `keyturn` attaches again, `keyturn engine stop` ends it.", WIDTH)
    return lines


def _watched(row: PositionRow) -> tuple[str, Tone]:
    name = f"{row.symbol} {plain(row.quantity)}"
    if row.doubt:
        return f"{name}: the {row.doubt} of {plain(row.in_doubt)} is in doubt; the engine asks the broker.", "warning"
    if row.covered >= abs(row.quantity):
        return f"{name} keeps {_kept(row) if row.holder is StopHolder.BROKER else 'its exit at the broker.'}", ""
    left = plain(abs(row.quantity) - row.covered)
    if row.unattended_until is not None:
        return f"{name}: {left} have no stop at the broker; their exits are signed, and go out.", "warning"
    return f"{name}: {left} have no stop at the broker; their exit waits for a key, and nobody is here.", "warning"


def _kept(row: PositionRow) -> str:
    """Format `stop 493.00, target 498.64 (day, to Mon 5 Jan 16:00)`: most fit on one line."""
    prices = [*map(f.price, row.nearer_stops), *([] if row.stop_price is None else [f.price(row.stop_price)])]
    stop = f"stop{'s' * (len(prices) > 1)} {f.stop_sign(row)}{', '.join(prices)}".rstrip()
    targets = f", target {', '.join(map(f.price, row.targets))}" if row.targets else ""
    lasts = " at the broker" if row.stop_lasts is None else f" ({f.lasting(row.stop_lasts, row.stop_ends_at)})"
    return f"{stop}{targets}{lasts}"


def _has_day_stops(view: DeskView) -> bool:
    return any(row.stop_lasts is TimeInForce.DAY for row in view.positions)


def leaving_lines(view: DeskView) -> list[TextLine]:
    """Say who guards each position while the desk is closed."""
    # List all entries whose fills would have no stop while the desk is closed, first and with the remedy.
    entries = [row for row in view.kill.entries_working if row.stop_by_desk is not None]
    lines: list[TextLine] = []
    for holder, text in UNGUARDED.items():
        rows = [row for row in entries if row.stop_by_desk is holder]
        named = [_entry(row) for row in rows]
        if len(rows) > NAMED:
            named = [", ".join(f"{plain(row.remaining)} {row.symbol}" for row in rows)]
        if rows:
            lines += wrapped("", f"May fill, and {text}:", WIDTH, "warning")
            lines += [line for name in named for line in wrapped("  ", name, WIDTH)]
    if lines:
        lines += wrapped("", f"Cancel first ({written('order.cancel')} in Orders), or stay.", WIDTH, "warning")
    lines += [line for row in view.positions for line in _position(row)]
    if _has_day_stops(view):
        lines += wrapped("", WITHOUT_THEM, WIDTH, "warning")
    lines += [*_exits(view), *_entries(view), *_others(view)]
    if view.proposals:
        lines += wrapped("", f"{len(view.proposals)} waiting: entries run out, exits wait until you return.", WIDTH)
    if view.status.word in NOT_COMPARED:
        lines += wrapped("", NOT_COMPARED[view.status.word], WIDTH, "warning")
    elif not lines:
        lines.append((Cell("Nothing is held and no entry works."),))
    alerts = ", and no alert rings," if view.alerts else ""
    return [
        *lines,
        *_stays_shut(view),
        *wrapped("", f"Strategies stop: nothing is proposed{alerts} while the desk is closed.", WIDTH),
    ]


def _entries(view: DeskView) -> list[TextLine]:
    """List other entries that may fill while the desk is closed, by their current effect; the others are counted."""
    entries = [row for row in view.kill.entries_working if row.stop_by_desk is None]
    lines = [line for row in entries[:NAMED] for line in _stays(row)]
    if len(entries) > NAMED:
        text = f"{len(entries) - NAMED} entries more stay at the broker and may fill; Orders lists them."
        lines += wrapped("", text, WIDTH, "warning")
    return lines


def _stays(row: OrderRow) -> list[TextLine]:
    legs = f", with {' and '.join(leg_of(leg) for leg in row.legs)}" if row.legs else ""
    return wrapped("", f"{_entry(row)} {_lot_of(row)}, and may fill{legs}.", WIDTH)


def _lot_of(row: OrderRow) -> str:
    if IN_DOUBT in row.marks:
        return "is in doubt"
    return "is being cancelled" if RowMark.CANCELLING in row.marks else "stays"


def _exits(view: DeskView) -> list[TextLine]:
    """Name the exits that work beside the stops and targets of the positions above."""
    told = {(row.symbol, row.strategy, price) for row in view.positions for price in row.targets}
    exits = (row for row in view.orders if row.status.is_working and row.effect.only_reduces)
    shown = [
        row
        for row in exits
        if not (row.is_protective or DO_NOT_WORK & {*row.marks} or (row.symbol, row.strategy, row.limit_price) in told)
    ]
    texts = [f"{_entry(row)} {_lot_of(row)}, and may fill." for row in shown[:NAMED]]
    if len(shown) > NAMED:
        texts.append(f"{len(shown) - NAMED} exits more work; Orders lists them.")
    return [line for text in texts for line in wrapped("", text, WIDTH)]


def _others(view: DeskView) -> list[TextLine]:
    """Count what is at the broker and not this desk's: nobody here watches it, and some of it may open."""
    orders, held = len(view.others), len(view.foreign)
    counted = [f"{orders} order{'s' * (orders != 1)}"] if orders else []
    counted += [f"{held} position{'s' * (held != 1)} of other kinds"] if held else []
    if not counted:
        return []
    stay = f"stay{'s' * (orders + held == 1)}{', and may fill' if orders else ''}"
    return wrapped("", f"Not this desk's: {' and '.join(counted)} {stay}.", WIDTH, "warning" if orders else "")


def _stays_shut(view: DeskView) -> list[TextLine]:
    if view.status.killed_by is not None:
        return wrapped("", "It stays KILLED, and so begins the next start.", WIDTH, "warning")
    return wrapped("", "It stays HALTED, and so begins the next start.", WIDTH, "warning") if view.status.halts else []


def left_in_words(view: DeskView, *, goes_on: bool) -> str:
    """Return what stays at the broker after leaving, for the shell."""
    held, orders = len(view.positions), working_orders(view.orders)
    stays = f"{held} position{'s' * (held != 1)} and {orders} working order{'s' * (orders != 1)} stay at the broker"
    shut = "; KILLED" if view.status.killed_by is not None else "; HALTED" if view.status.halts else ""
    return f"{stays}{shut}; {'the engine goes on' if goes_on else 'nothing is proposed until the next start'}"


def _entry(row: OrderRow) -> str:
    return f"{f.doing(row.side, row.effect)} {plain(row.remaining)} {row.symbol} {f.terms(row.terms)}"


def _position(row: PositionRow) -> list[TextLine]:
    name = f"{row.symbol} {plain(row.quantity)}"
    if row.doubt:
        text = f"{name}: the {row.doubt} of {plain(row.in_doubt)} is in doubt, and nobody watches what comes of it."
        known = f"{plain(row.covered)} are known to have a stop at the broker." if row.covered else ""
        return [line for part in (text, known) if part for line in wrapped("", part, WIDTH, "warning")]
    has_stop = row.holder is StopHolder.BROKER
    if row.covered >= abs(row.quantity):
        keeps = f"keeps {_kept(row)}" if has_stop else "has no stop; its exit works at the broker."
        return wrapped("", f"{name} {keeps}", WIDTH)
    if row.covered:
        what = "a stop" if has_stop else "an exit, and no stop,"
        left = plain(abs(row.quantity) - row.covered)
        text = f"{name}: only {plain(row.covered)} have {what} at the broker, {left} have none."
        return wrapped("", text, WIDTH, "warning")
    return wrapped("", f"{name} has no stop at the broker: nobody watches it.", WIDTH, "warning")


def holds_key(desk: DialogHost) -> bool:
    """Return whether this desk may open positions and loosen limits."""
    view = desk.view
    return view is None or view.status.key.is_held_by(desk.handle.desk)


def may_act(desk: DialogHost) -> bool:
    """Return the same, and show the reason if not."""
    if holds_key(desk):
        return True
    if desk.view is not None:
        desk.say(f"{holder_in_words(desk.view)}; {written('key.take')} takes it", "warning")
    return False


def holder_in_words(view: DeskView) -> str:
    """Format `eve on pts/3 from 10.0.0.7 holds the key`."""
    holder = view.status.key.holder
    return f"{'nobody' if holder is None else holder.seat.in_words} holds the key"


def proof_of(desk: DialogHost) -> PaintProof:
    """Return how this desk knows that a ticket is on the screen."""
    return PaintProof.ANSWERED if desk.link.paint_is_proved is True else PaintProof.TIMED


class KeyWatch:
    """Closes dialogs that need control on a desk that has lost it, and says who has it.

    A dialog beneath another one is closed once the upper one is gone; until then its keys have no effect.
    """

    def __init__(self, desk: DialogHost) -> None:
        self._desk = desk
        self._held: bool | None = None
        self._lost = ""

    def look(self, view: DeskView) -> None:
        """Take a new view."""
        holds, held_before = holds_key(self._desk), self._held
        self._held = holds
        if holds:
            self._lost = ""
            if held_before is False:
                self._desk.say("this desk holds the key", "strong")
            return
        if held_before:
            self._lost = f"{holder_in_words(view)} now: what was open here is closed"

    def takes_away(self, needs_key: bool) -> bool:
        """Return whether to close the top dialog; once none is left to close, say who took control."""
        if self._held is not False:
            return False
        if not needs_key and self._lost:
            self._desk.say(self._lost, "warning")
            self._lost = ""
        return needs_key


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
