"""The kill screen: halted when it opens, killed by `K`, shut until REARM is typed in full (OP-07).

It covers everything but the status lines and the last line. Its keys are always shown; the lists take the remaining
room. Letters of a word are collected here, without a text field, so that no key is lost to one. `K` acts at once; `U`,
which allows entries again, is armed like a ticket's key (OP-04). `Esc` returns to the desk and ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from textual import _time, events
from textual.app import ComposeResult
from textual.containers import Vertical

from console.arming import OPENS_AFTER, ShownTicket
from console.client.access import Owed
from console.keymap import KeyScope, bindings_for, written
from console.screens.desk_control import holder_in_words, holds_key
from console.screens.dialog import TICK, ArmedDialog, ArmedKey, Dialog, DialogHost
from console.screens.form import FieldsScreen, TextField
from console.terminal.driver import DeskKillPort
from console.ticket_status import TOLD_FROM, begun, in_capitals
from core.messages.commands import ExplainKill, Rearm, Resume
from core.model.instrument import capitals
from core.model.order import OrderStatus
from core.model.values import ClientOrderId
from core.views import IN_DOUBT, DeskView, OrderRow
from widgets.kill import halted_lines, help_lines, killed_lines, order_of
from widgets.lines import Cell, Lines, TextLine
from widgets.pane import put_title
from widgets.status_lines import what_stops_entries
from widgets.ticket_text import wrapped


class ResumeKey(ArmedKey):
    """The resume key of one kill screen.

    Attributes
    ----------
    since
        The time of the confirmed press, by the console's clock; None while nothing is pending.
    """

    def __init__(self, screen: Dialog, behind: DialogHost, port: DeskKillPort) -> None:
        super().__init__(screen, behind)
        self.since: float | None = None
        self._behind = behind
        self._port = port
        self._chord_at = port.pressed_at

    @property
    def is_of_use(self) -> bool:
        """Whether there is a halt that it would end."""
        view = self._behind.view
        return view is not None and view.status.killed_by is None and any(halt.is_of_key for halt in view.status.halts)

    @property
    def acts(self) -> bool:
        """Whether it would act on this desk; a desk without control resumes nothing."""
        return self.is_of_use and holds_key(self._behind)

    def does(self) -> str:
        """Describe its effect."""
        view = self._behind.view
        others = [halt.cause.value for halt in view.status.halts if not halt.is_of_key] if view else []
        return f"take back the key's halt; stays halted: {', '.join(others)}" if others else "resume"

    def _content(self) -> ShownTicket:
        """Return the content to arm; a further press on any desk is another halt, so the key is armed again."""
        view = self._behind.view
        return ShownTicket(f"halted {view.status.presses if view is not None else 0}", self.does())

    def in_words(self) -> Cell:
        """Return the state of the key in words."""
        if self.arming.is_turning() or self.since is not None:
            return Cell("resuming…", "strong")
        if doubt := self._behind.link.doubt:
            return Cell(doubt, "warning")
        return self.state(self._content(), written("kill.resume"), OPENS_AFTER)

    def check_paint(self) -> None:
        """Check after the next frame that its effect was drawn."""
        if self.acts:
            self.ask_whether_drawn(self._content())

    def hear(self, character: str | None, at: float) -> None:
        """Handle a key by its character, or a click or paste (None); `at` is an instant of the console's clock."""
        self._see_chord()
        is_before_chord = at < self._behind.now() - (_time.get_time() - self._port.pressed_at)
        if character != written("kill.resume") or is_before_chord or not self.acts:
            self.arming.hear(character, at)
        elif not self.arming.turn(self._content(), character, OPENS_AFTER, at):
            self.was_early = True

    def _see_chord(self) -> None:
        """Disarm on a chord read by the input thread, even before the screen is notified."""
        self.see_whether_it_ran()
        if self._port.pressed_at != self._chord_at:
            self._chord_at = self._port.pressed_at
            self.forget()

    def send_once(self) -> bool:
        """Follow the confirmation delay and send once if no other key followed; return False without a halt to end."""
        self._see_chord()
        if not self._screen.is_active or not self.acts:
            self.forget()
            return False
        self.follow()
        if self.take(self._content()):
            self.since = self._behind.now()
            self._behind.handle.send(Resume())
        return True

    def give_up(self) -> None:
        """Disarm, and stop waiting for the pending result."""
        self.since = None
        self.forget()


REARM, NAKED, CLEAR = "REARM", "NAKED", "CLEAR"
REARM_TIMEOUT = 1.0
"""Seconds to wait for a re-arming or resuming; afterwards the screen says why nothing changed."""
REARMED = "re-armed: entries are on again"
RESUMED = "resumed: entries are on again"
NOT_RESUMED = "the engine has not taken it up yet"
LEAST = 5
"""Lines for the listed items: the time of the kill, and one for each list."""
FRAME = 3
"""Other lines of the box: its two edges, and the empty line before the keys."""
SMALL = {"k": "K kills", "u": "U resumes", "f": "F flattens"}
"""The effect of a key of this screen, by its letter in lower case, if shift was forgotten."""
HELD_BY = {
    "environment": "KEYTURN_KILL holds it: unset it and restart",
    "file": "the kill file could not be removed: remove it by hand",
}


class KillScreen(ArmedDialog):
    PLACE = KeyScope.KILL
    BINDINGS = bindings_for(PLACE)
    NEEDS_ROOM = False
    STAYS_CLEAR = False

    def __init__(self, behind: DialogHost, port: DeskKillPort) -> None:
        super().__init__()
        self.behind = behind
        self.port = port
        self.box = Vertical(id="kill")
        self.body = Lines(id="kill-body")
        self.keys = Lines(id="kill-keys")
        self.typed = ""
        self._in_any_case = ""
        self.armed = self.resume = ResumeKey(self, behind, port)
        self._rearming_since: float | None = None
        self._presses = behind.view.status.presses if behind.view is not None else 0
        self._stays_because = ""
        self._asked_of: tuple[ClientOrderId, ...] = ()
        self._owed: Owed | None = None
        self._is_help = False

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body
            yield self.keys

    def on_mount(self) -> None:
        self._draw()
        self.resume.check_paint()
        self.set_interval(TICK, self.tick)

    @property
    def is_killed(self) -> bool:
        view = self.behind.view
        return view is not None and view.status.killed_by is not None

    def update_view(self, view: DeskView, _now: datetime) -> None:
        if self.resume.since is not None and self._has_resumed(view, self.resume.since):
            return
        if view.status.presses != self._presses:
            self._presses, self.typed, self._in_any_case = view.status.presses, "", ""
        if self._rearming_since is not None:
            by = view.status.killed_by
            if by is None and self.is_current:
                self.close()
                stopped = what_stops_entries(view.status)
                self.behind.say(f"re-armed; {stopped}" if stopped else REARMED, "strong")
                return
            if by == "environment" or self.behind.now() - self._rearming_since > REARM_TIMEOUT:
                self._rearming_since = None
                self._stays_because = HELD_BY.get(by or "", f"killed by {by}; the log says what happened")
        self._draw()

    def _has_resumed(self, view: DeskView, since: float) -> bool:
        """Report the result of U once a view shows it; a kill that followed it stays on the screen."""
        if self.is_killed:
            self.resume.since = None
            return False
        if not self.resume.is_of_use:
            if self.is_current:
                self.close()
                still = "; ".join(halt.in_words for halt in view.status.halts)
                stopped = f"still halted: {still}" if still else what_stops_entries(view.status)
                self.behind.say(f"the key's halt has ended; {stopped}" if stopped else RESUMED, "strong")
            return True
        if self.behind.now() - since > REARM_TIMEOUT:
            self.resume.since = None
            self._stays_because = NOT_RESUMED
        return False

    def chord_again(self) -> None:
        """Handle the chord while this screen is open: discard the typed letters and disarm U."""
        self.typed = self._in_any_case = ""
        self._asked_of = ()
        self.resume.give_up()
        self._draw()

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self) -> None:
        if self.is_killed:
            self.port.let_k_be_a_letter()
        width, view = self._width, self.behind.view
        self._owed = self.behind.handle.owes_press
        title = "KILLED" if self.is_killed else "KILL"
        if self.box.border_title != title:
            put_title(self.box, title)
        if view is not None and self.is_killed:
            keys, listed = [*self._after_kill(view)], partial(killed_lines, view, width)
        else:
            keys, listed = [*self._before_kill(view)], partial(halted_lines, view, width, owed=self._owed)
        room = self._make_room(len(keys))
        lines = help_lines(written("kill.resume"), width, room) if self._is_help else listed(room)
        self.body.show([*lines, ()] if room else [])
        self.keys.show(keys)

    def _make_room(self, keys: int) -> int:
        """Return the number of lines for the lists. With too few, the status lines and the last line are covered."""
        above, below = self.desk_lines()
        room = self.app.size.height - FRAME - keys
        if room - above - below < LEAST:
            above = below = 0
        self.box.styles.margin = (above, 0, below, 0)
        return max(0, room - above - below)

    def _before_kill(self, view: DeskView | None) -> Iterable[TextLine]:
        entries = view.kill.cancelled_by_kill if view is not None else 0
        yield (
            Cell(" K ", "strong"),
            Cell(f" kill: cancel {_count(entries, 'entry', 'entries')}, block new ones until REARM"),
        )
        if flattening := self._flattening():
            yield (Cell(" F ", "strong"), Cell(f" {flattening}; sends nothing yet"))
        if CLEAR in self.words():
            yield (Cell(f" type {CLEAR} ", "strong"), Cell("to end the halt that no key of yours made"))
        yield from self._held_elsewhere(view)
        if self.resume.acts:
            yield (
                Cell(f" {written('kill.resume')} ", "strong"),
                Cell(f" {self.resume.does()}   "),
                self.resume.in_words(),
            )
        if self._stays_because:
            yield (Cell(f" STAYS HALTED: {self._stays_because}", "urgent"),)
        stays = f"; {_count(entries, 'entry works', 'entries work')} on" if entries else ""
        back = " back to the list" if self._is_help else f" look around, stay halted{stays}"
        yield (Cell("Esc", "strong"), Cell(back), *self._typed_cell())

    def _after_kill(self, view: DeskView) -> Iterable[TextLine]:
        if flattening := self._flattening():
            yield (Cell(" F ", "strong"), Cell(f" {flattening}; sends nothing yet"))
        yield from self._held_elsewhere(view)
        if not holds_key(self.behind):
            yield (Cell("Esc", "strong"), Cell(" back to the desk, still killed"), *self._typed_cell())
            return
        if view.kill.stops_working or view.kill.unread:
            unread = " and what cannot be read" if view.kill.unread else ""
            yield (Cell(" type NAKED ", "strong"), Cell(f"to cancel the protective stops{unread} too"))
        yield (Cell(" type REARM ", "strong"), Cell("to trade again"))
        for row in self._in_doubt():
            if row.id in self._asked_of:
                doubt = f"{order_of(row)}: it may be at the broker. Wait, or type {REARM} once more"
                yield from wrapped(" IN DOUBT ", doubt, self._width, "urgent")
        if self._stays_because:
            yield (Cell(f" STAYS KILLED: {self._stays_because}", "urgent"),)
        yield (Cell("Esc", "strong"), Cell(" back to the desk, still killed"), *self._typed_cell())

    def _held_elsewhere(self, view: DeskView | None) -> Iterable[TextLine]:
        """Say why this desk cannot resume or re-arm if it is not in control (OP-13)."""
        if view is not None and not holds_key(self.behind):
            way = f"Esc, then {written('key.take')} takes it"
            yield from wrapped(" ", f"{holder_in_words(view)}: it resumes and re-arms; {way}", self._width, "warning")

    @property
    def _width(self) -> int:
        return max(20, min(74, self.app.size.width - 4))

    def _typed_cell(self) -> TextLine:
        if self._rearming_since is not None:
            return (Cell("    re-arming…", "strong"),)
        if TOLD_FROM <= len(self._in_any_case) > len(self.typed):
            meant = next(word for word in self.words() if word.startswith(self._in_any_case))
            return (Cell(f"    {in_capitals(meant)}", "warning"),)
        return (Cell(f"    typed: {self.typed}", "strong"),) if self.typed else ()

    def keys_in_words(self) -> str:
        """Return the keys that work in this box now, for the last line."""
        view = self.behind.view
        flatten = ("F flatten",) if self._flattening() else ()
        help = f"{written('kill.help')} help"
        if not holds_key(self.behind):
            return f"Esc back  {help}" if self.is_killed else f"K kill  Esc look around  {help}"
        if self.is_killed:
            has_more = view is not None and (view.kill.stops_working or view.kill.unread)
            naked = ("NAKED cancels stops",) if has_more else ()
            why = f"{written('kill.reason')} why"
            return "  ".join((*flatten, "type REARM to trade", *naked, why, "Esc back", help))
        resume = (f"{written('kill.resume')} resume",) if self.resume.acts else ()
        resume = ("type CLEAR to resume",) if CLEAR in self.words() else resume
        return "  ".join(("K kill", *flatten, *resume, "Esc look around", help))

    def _flattening(self) -> str:
        """Describe the effect of `F`; empty without positions, and on a desk without control (OP-13)."""
        view = self.behind.view
        if view is None or not holds_key(self.behind):
            return ""
        positions, entries = len(view.positions), len(view.kill.entries_working)
        closes = f"close {_count(positions, 'position', 'positions')}" if positions else ""
        back = f"cancel {_count(entries, 'entry', 'entries')}" if entries else ""
        return f"review: {', '.join(part for part in (back, closes) if part)}" if closes or back else ""

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def words(self) -> dict[str, Callable[[], None]]:
        """Return the words that may be typed now.

        CLEAR ends a halt that no key caused. A desk without control cannot loosen anything.
        """
        if not holds_key(self.behind):
            return {}
        if self.is_killed:
            return {REARM: self._rearm, NAKED: self._naked}
        view = self.behind.view
        is_ours = view is None or all(halt.is_of_key for halt in view.status.halts)
        return {} if is_ours else {CLEAR: self._clear}

    def on_key(self, event: events.Key) -> None:
        """Collect a letter that starts or continues a word; any other key discards them.

        Keys typed before the chord were meant for the screen beneath and are ignored.
        """
        if event.time < self.port.pressed_at:
            event.stop()
            event.prevent_default()
            return
        acts = self.words()
        character = event.character or " "
        self.typed = begun(self.typed + character, acts)
        self._in_any_case = begun(self._in_any_case + capitals(character), acts)
        if self.typed:
            event.stop()
            event.prevent_default()
            if self.typed in acts:
                act = acts[self.typed]
                self.typed = self._in_any_case = ""
                act()
        elif character in SMALL and not self.is_killed:
            self.behind.say(f"with Shift: {SMALL[character]}", "warning")
        self._draw()

    def _rearm(self) -> None:
        """Re-arm; with orders in doubt the word is requested a second time, below their names."""
        self._stays_because = ""
        doubted = [row.id for row in self._in_doubt()]
        if not set(doubted) <= set(self._asked_of):
            self._asked_of = tuple(doubted)
            return
        self._rearming_since = self.behind.now()
        self.behind.handle.send(Rearm(REARM, tuple(doubted)))

    def _in_doubt(self) -> list[OrderRow]:
        """Return the orders in doubt and unanswered entries; empty before the first view."""
        view = self.behind.view
        return [row for row in view.orders if _is_unknown(row)] if view is not None else []

    def _naked(self) -> None:
        self.behind.handle.press_kill_again(naked=True)
        self.behind.say("the protective stops are being cancelled too", "warning")

    def _clear(self) -> None:
        """End the halt caused by the key, and the one before it."""
        self.behind.handle.send(Resume(everything=True))
        self.close()

    # ── resuming ─────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, character: str | None, at: float) -> None:
        self.resume.hear(character, at)
        self.tick()

    def tick(self) -> None:
        was_sent = self.resume.since
        if self.behind.handle.owes_press != self._owed:
            self._draw()
        if not self.resume.send_once():
            return
        if self.resume.since != was_sent:
            self._stays_because = ""
        self._draw()
        self.resume.check_paint()

    def action_resume(self) -> None:
        """The key is evaluated in `hear`."""

    def action_kill(self) -> None:
        """Kill, for drivers without our input thread, which otherwise reads `K` itself."""
        if not self.is_killed:
            self.port.press_kill_again()

    def action_help(self) -> None:
        """Say what each key does in place of the lists, or show the lists again; no other screen opens."""
        self._is_help = not self._is_help
        self._draw()

    def action_flatten(self) -> None:
        self.close()
        self.behind.flatten()

    def action_back(self) -> None:
        """Close the help, then the screen; a halted desk stays halted, a killed one stays killed."""
        if self._is_help:
            self.action_help()
        else:
            self.close()

    def action_reason(self) -> None:
        """Ask why it was killed."""
        if self.is_killed:
            self.behind.ask(KillReasonScreen(self.behind))

    def close(self) -> None:
        self.port.let_k_be_a_letter()
        self.dismiss()


class KillReasonScreen(FieldsScreen):
    """One optional line for the journal."""

    def __init__(self, behind: DialogHost) -> None:
        super().__init__(
            behind, "Why was it killed?", [TextField("Reason", "for the journal", takes_any_script=True)], "records it"
        )

    def accept(self) -> None:
        self.dismiss()
        if reason := self.fields[0].text.strip():
            self.behind.handle.send(ExplainKill(reason))


def _is_unknown(row: OrderRow) -> bool:
    """Return whether the order is in doubt, or an entry without an answer."""
    return IN_DOUBT in row.marks or (row.status is OrderStatus.PENDING and not row.effect.only_reduces)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
