"""The desk by input and by frame: where a key goes, and what each part gets of the newest view (OP-04).

A full collection stops all threads, including the engine's and the one that reads the kill chord. Measured in a desk
that opens and closes dialogs: 60 to 170 ms every 2 to 3 s at Python's choice, the slowest arrow key and chord of each
hundred. Here the time is chosen; small collections run as usual.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from textual import events
from textual._styles_cache import StylesCache
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

from console.arming import PASSES_AFTER
from console.bell import Bell
from console.board import Board, width_of
from console.client.access import NOT_ASKED, EngineAccess
from console.desk_actions import BasketFollower, waits
from console.desk_commands import DeskCommands
from console.display import title_of
from console.filtered_panes import FilteredPane
from console.follow_ups import FollowUps
from console.key_remapping import moved_by
from console.keymap import (
    KILL_KEY,
    KILL_KEY_OF_ANY_LAYOUT,
    PANES,
    KeyScope,
    footer,
    name_kill_key,
    use,
    written,
)
from console.screens.basket import BasketScreen
from console.screens.desk_control import KeyWatch
from console.screens.dialog import ArmedDialog, Dialog, DialogHost
from console.screens.first_start import Sight, Tour
from console.screens.form import FIRST_KEYS, FieldsScreen, TypedDialog
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from console.screens.reading import HelpScreen, ReadingScreen
from console.screens.ticket import TicketScreen
from console.shutdown import Closing, not_heard
from console.terminal.input_reader import AnotherScript, Dropped
from console.terminal.keys import is_of_another_script
from core.messages.desk_commands import KeyPressed
from core.model.account import Mode
from core.model.text_sanitizer import ALERT
from core.model.values import Symbol
from core.views import DeskView
from core.views.desk import EngineFailed
from widgets import format as f
from widgets.chart import Chart
from widgets.grid import Grid
from widgets.lines import Tone
from widgets.pane import FooterLine, WithoutEngine

HEARD = (events.Key, events.Paste, events.MouseDown, events.AppFocus, Dropped)
"""Events that restart the confirmation delay."""

OTHER_SCRIPT = "this layout's letters act on nothing here: switch to a Latin one. F10 halts in every layout"
TELLS_EVERY = 15.0
"""Seconds between two reports of activity; TAKE needs its word for a minute after the last one."""


class KeyHearing:
    """The input routing of one desk; `app` is its Textual side."""

    def __init__(self, app: App[None], desk: DialogHost, board: Board) -> None:
        self.app = app
        self.desk = desk
        self.board = board
        self._told_at = float("-inf")
        self._asked_at_escape = 0
        self.is_of_another_script = False
        """Whether the keyboard types letters of another script, and the terminal does not name the keys' places."""
        self._owes_script_warning = False

    def hear(self, event: events.Event, at: float) -> None:
        """Handle a key, click or paste at that time of the console's clock."""
        top = self.app.screen_stack[-1] if self.app.screen_stack else None
        key = event.character or event.key if isinstance(event, events.Key) else None
        if key is not None:
            self._tell(at)
            if self._owes_script_warning and is_of_another_script(key):
                self._warn_of_script()
        if isinstance(event, Dropped):
            # Handle dropped input: it confirms nothing, and a confirming key just before it does not count.
            if event.words is not None:
                self.desk.say(event.words, "warning")
            for screen in self.app.screen_stack:
                if isinstance(screen, ArmedDialog):
                    screen.armed.arming.hear(event.key, at)
            self.desk.keyboard.hear(event.key, at)
        elif isinstance(top, ArmedDialog):
            top.hear(key, at)
        else:
            self.desk.keyboard.hear(key, at)
        if key is not None:
            # Decide whether a key after an escape may be the rest of a sequence that the link cut. The terminal is
            # queried at the escape, and its answer arrives after such a rest: a key after both is a key. This holds for
            # keys that only stage; a confirming key waits longer (`console.arming`).
            keyboard, link = self.desk.keyboard, self.desk.link
            if keyboard.may_be_a_rest and at - keyboard.begun_at >= PASSES_AFTER and link.paint_is_proved is True:
                answered_at = link.painted_at(self._asked_at_escape)
                keyboard.may_be_a_rest = answered_at is None or answered_at > at
            if keyboard.has_begun:
                self._asked_at_escape = link.ask_for_proof()

    def hear_script(self, event: AnotherScript) -> None:
        """Name the kill key that works; say what to do once a letter should act, and cannot."""
        self.is_of_another_script = self._owes_script_warning = event.is_on
        self.name_kill_key()
        if event.is_on:
            self._warn_of_script()

    def name_kill_key(self) -> None:
        """Have every text name the kill key that arrives from this keyboard (OP-07)."""
        name_kill_key(KILL_KEY_OF_ANY_LAYOUT if self.is_of_another_script else KILL_KEY)

    def _warn_of_script(self) -> None:
        """Say that letters of another script act on nothing, except where the letter is text."""
        if not self._takes_any_script():
            self._owes_script_warning = False
            self.desk.say(OTHER_SCRIPT, "warning")

    def _text(self) -> Screen[object] | FilteredPane | None:
        """Return the top dialog, or the pane whose filter is typed."""
        stack, filtered = self.app.screen_stack, self.board.typing
        return filtered if len(stack) == 1 and filtered is not None else stack[-1] if stack else None

    def _takes_any_script(self) -> bool:
        text = self._text()
        return isinstance(text, TypedDialog | FilteredPane) and text.takes_any_script

    def _tell(self, at: float) -> None:
        """Report activity from time to time, because most keys send the engine nothing (OP-13, RK-27)."""
        handle = self.desk.handle
        if at - self._told_at >= TELLS_EVERY and handle.desk is not None and handle.link.doubt is None:
            self._told_at = at
            handle.send(KeyPressed())

    def is_typed(self, event: events.Event) -> bool:
        """Return whether it was text for a dialog or for a pane's filter, which take it before any binding."""
        typed, top = self._text(), self.app.screen_stack[-1] if self.app.screen_stack else None
        is_unseen = isinstance(top, Dialog) and top.NEEDS_ROOM and self.desk.is_too_small  # then only its exits work
        if is_unseen and isinstance(event, events.Key | events.Paste):
            return not (isinstance(event, events.Key) and event.key in FIRST_KEYS)
        if isinstance(event, events.Key) and isinstance(
            typed, NewOrderScreen | TypedDialog | FilteredPane | HelpScreen
        ):
            return typed.take(event)
        if isinstance(event, events.Paste) and isinstance(typed, TypedDialog | FilteredPane):
            typed.paste(event.text)
            return True
        return False

    def place(self) -> KeyScope:
        """Return where the focus is."""
        top = self.app.screen_stack[-1]
        if isinstance(top, Dialog):
            return top.PLACE
        if self.board.typing is not None:
            return KeyScope.FILTER
        focused = self.app.focused
        name = (focused.id or "").removesuffix("-grid") if isinstance(focused, Grid | Chart) else ""
        return next((pane for pane in PANES if pane.value == name), KeyScope.EVERYWHERE)

    def distrust_frames(self) -> None:
        """Disarm all screens after a change of the terminal's size, because it may show an older paint."""
        for screen in self.app.screen_stack:
            if isinstance(screen, ArmedDialog):
                screen.armed.forget()
        if self.app.screen_stack:
            self.app.screen_stack[-1].refresh()


COLLECTS_EVERY = 60.0
"""Seconds between two collections while the keyboard rests."""
RESTED = 5.0
"""Seconds without a key that count as rest."""
AT_MOST = 600.0
"""Seconds after which a collection runs even during typing, so that memory does not grow all day."""
LEFT_TO_PYTHON = 100_000
"""Middle-generation collections before Python runs a full one: some 700 million objects, a day's worth."""


class GcSchedule:
    """`heard` notes every key, `look` runs in every frame; `now` is the console's clock."""

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._done_at = now

    def heard(self, at: float) -> None:
        self._heard_at = max(at, self._heard_at)

    def is_at_rest(self, now: float) -> bool:
        """Return whether the keyboard rests."""
        return now - self._heard_at >= RESTED

    def look(self, now: float) -> bool:
        """Collect if due; return whether it ran."""
        since = now - self._done_at
        if since < COLLECTS_EVERY or (not self.is_at_rest(now) and since < AT_MOST):
            return False
        self._done_at = now
        StylesCache.get_inner_outer.cache_clear()  # it holds the lines of the last thousand widgets, closed ones too
        gc.collect()
        return True


def choose_moments() -> None:
    """For the whole process: run no full collection except those of `GcSchedule`."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, LEFT_TO_PYTHON)


SAID_FOR = 5.0
"""Seconds for which a message is shown, unless another screen comes to the top."""


class LastLine:
    """The last line; `now` is the console's monotonic clock."""

    def __init__(self, line: FooterLine, now: Callable[[], float]) -> None:
        self._line = line
        self._now = now
        self._said: tuple[str, Tone, float, Screen[object]] | None = None

    def say(self, text: str, tone: Tone, screen: Screen[object]) -> None:
        self._said = (text, tone, self._now(), screen)

    @property
    def has_message(self) -> bool:
        return self._said is not None

    def room(self, size: Size) -> int:
        """Return the cells for keys; the kill key is at the end, one cell closer than other keys."""
        return width_of(size) + 1

    def take_back(self, beginning: str) -> None:
        """Withdraw a message with that beginning."""
        if self._said is not None and self._said[0].startswith(beginning):
            self._said = None

    def show(self, keys: Callable[[], str], top: Screen[object], size: Size) -> None:
        """Show the latest message of this screen, else its keys."""
        self._line.kill_key = written("kill")
        if self._said is not None:
            text, tone, at, screen = self._said
            if screen is top and self._now() - at < SAID_FOR:
                self._line.show_words(text, tone, width_of(size))
                return
            self._said = None
        self._line.show_keys(keys(), width_of(size))


class WatchedSymbol:
    """Requests the chart of a new symbol once; no symbol while no chart is visible."""

    def __init__(self, handle: EngineAccess, board: Board) -> None:
        self.handle = handle
        self.board = board
        self.symbol: Symbol | None = None
        self._told: Symbol | None = None

    def look(self, view: DeskView) -> None:
        """Take a new view."""
        self.symbol = self.of(view)
        wanted = self.symbol if self.board.chart.display else None
        if wanted != self._told:
            self._told = wanted
            self.handle.watch(wanted)

    def of(self, view: DeskView) -> Symbol | None:
        """Return the selected row's symbol, else the previous one, else the first known."""
        return self.selected(view) or self.symbol or self._first(view)

    def selected(self, view: DeskView) -> Symbol | None:
        """Return the symbol of the selected row in the focused pane only; in the chart the symbol shown."""
        holder = self.board.holder
        if holder == self.board.chart.id:
            return self.symbol
        key = self.board.selected(holder)
        return None if key is None else self.board.symbol_of(holder, key, view)

    def _first(self, view: DeskView) -> Symbol | None:
        known = (*(row.symbol for row in view.strategies), *(row.symbol for row in view.symbols))
        return next(iter(known), None)


AT_THE_KEYS = 3.0
"""Seconds after a key within which another one may follow."""


SETTLES = 0.25
"""Seconds after a change in which no frame is left out: what changed may move the panes."""


class FrameHost(DialogHost, Protocol):
    """The desk, as its frames need it."""

    def control_terminal(self, control: str) -> None: ...


class FrameLoop:
    """The frames of one desk; `app` is its Textual side."""

    def __init__(
        self,
        app: App[None],
        desk: FrameHost,
        board: Board,
        closing: Closing,
        hearing: KeyHearing,
        last_line: LastLine,
        plans: BasketFollower,
        following: FollowUps,
        commands: DeskCommands,
        bell_seconds: float,
    ) -> None:
        self.app = app
        self.desk = desk
        self.board = board
        self.closing = closing
        self.hearing = hearing
        self.last_line = last_line
        self.plans = plans
        self.following = following
        self.commands = commands
        self.watching = WatchedSymbol(desk.handle, board)
        self.key = KeyWatch(desk)
        self.tour = Tour(board.tour)
        self.title = ""
        self._bell = Bell(bell_seconds)
        self._rung: int | None = None
        self._has_keys = False
        self._notes_said = 0
        self._is_lost = False
        self._second = 0
        self._drawn_for: tuple[object, ...] = ()
        self._changed_at = float("-inf")

    def arrange(self) -> None:
        """Arrange the panes for the size and the state of the engine."""
        self.board.arrange(self.app.screen_stack[0], self.desk.view is not None, self.app.size)

    def still_for(self) -> float:
        """Return the seconds until a frame differs from the last one, if no view, link or key changes it before."""
        handle, view, (_, *dialogs) = self.desk.handle, self.desk.view, self.app.screen_stack
        if view is None or self.closing.is_waiting or self.last_line.has_message or handle.unsaid:
            return 0.0
        if handle.link.doubt is not None or not all(isinstance(each, ReadingScreen) for each in dialogs):
            return 0.0
        now, at = self.desk.now(), self.desk.engine_now().timestamp()
        drawn_for = (view.number, handle.desk, handle.owes_press, handle.ended.is_set(), self.app.size, *dialogs)
        if drawn_for != self._drawn_for:
            self._drawn_for, self._changed_at = drawn_for, now
        if int(at) != self._second or now - self._changed_at < SETTLES:
            return 0.0
        return 1 - at % 1

    def look(self) -> None:
        """Take the newest view, and end a desk that was left."""
        if self.closing.is_over():
            self.app.exit()
        view = self.desk.handle.view
        self._second = int(self.desk.engine_now().timestamp())
        was_lost, self._is_lost = self._is_lost, self.desk.handle.link.trouble is not None
        if was_lost and not self._is_lost:
            self.last_line.take_back(NOT_ASKED)
        with suppress(IndexError):
            self.desk.say(self.desk.handle.unsaid.popleft(), "warning")
        self.board.status.not_heard = not_heard(self.desk.handle)
        if not self.board.is_arranged(isinstance(view, DeskView), self.app.size):
            self.arrange()
        if isinstance(view, DeskView):
            self._draw(view)
        else:
            self.closing.failure = view.message if isinstance(view, EngineFailed) else None
            self.board.show_state(view, self.app.size)
        self.draw_last_line()

    def fills_the_ticket(self) -> bool:
        """Pass the newest view to a top ticket that waits for figures; return whether it has them now."""
        top, view = self.app.screen_stack[-1], self.desk.view
        if view is None or not isinstance(top, TicketScreen) or not top.is_mounted or not top.waits_for_figures:
            return False
        top.update_view(view, self.desk.engine_now())
        return not top.waits_for_figures

    def _draw(self, view: DeskView) -> None:
        now, stack = self.desk.engine_now(), self.app.screen_stack
        if not self._has_keys:
            # Apply the keys of the settings from the engine's first view on, also in the guide.
            self._has_keys = True
            moved = moved_by(self.desk.handle.keys())
            use(moved)
            self.hearing.name_kill_key()
            self.app.set_keymap({id: key.keys for id, key in moved.items()})
            self.commands.look_for_presets()
            self.commands.look_for_layouts()
            self.commands.look_whether_first()
        self.app.set_class(view.status.mode is Mode.LIVE, "-live")
        if len(view.status.notes) > self._notes_said:
            self._notes_said = len(view.status.notes)
            self.desk.say(f"{view.status.notes[-1]}; the log holds it", "warning")
        told = self.commands.wrong_files.beside(view)
        if self.board.show(told, now, self.app.size, self._without_engine(view), self.desk.handle.desk):
            self._ring(view)
            self._tell_alert(view)
        self.board.note_holder(stack[0])
        self.watching.look(view)
        self.board.show_chart(view, self.watching.symbol, now)
        for screen in stack[1:]:
            if isinstance(screen, Dialog) and screen.is_mounted:
                screen.stay_clear()
                screen.update_view(view, now)
        # After a loss of control close the dialogs that need it, the top one first, one in each frame.
        self.key.look(view)
        top = self.app.screen_stack[-1]
        is_dialog = isinstance(top, Dialog) and top.is_mounted
        if self.key.takes_away(isinstance(top, Dialog) and top.NEEDS_KEY) and is_dialog:
            top.dismiss()
        self.tour.look(Sight(stack, self.board.holder, view), width_of(self.app.size))
        self.plans.look(view, may_open=self._is_uncovered(), is_typing=self._is_typing())
        self.following.look(view, may_open=self._is_uncovered())
        self.commands.show_away(view)
        if not self._is_typing():
            self.commands.try_chord_with_key()
        is_asked = any(isinstance(s, TicketScreen | BasketScreen | KillScreen) for s in self.app.screen_stack)
        self.desk.handle.attend(is_asked)

    def draw_last_line(self) -> None:
        top = self.app.screen_stack[-1]
        self.last_line.show(lambda: self._keys_in_words(top), top, self.app.size)

    def _keys_in_words(self, top: Screen[object]) -> str:
        """Return the keys that work now; without an engine none opens, declines or orders."""
        if isinstance(top, KillScreen | FieldsScreen):
            return top.keys_in_words()
        if self.closing.failure is not None and self._is_uncovered():
            return f"{written('leave')} leave"
        acting = top.acting_keys() if isinstance(top, Dialog) else None
        view = self.desk.view
        is_plan_waiting = self._is_uncovered() and view is not None and waits(view.plan)
        first = f"{written('basket')} BASKET WAITS  " if is_plan_waiting else ""
        return first + footer(self.hearing.place(), acting, self.last_line.room(self.app.size) - len(first))

    def _is_uncovered(self) -> bool:
        return len(self.app.screen_stack) == 1

    def _is_typing(self) -> bool:
        """Return whether somebody is typing, so that a new dialog would catch a key meant for something else."""
        return self.board.typing is not None or self.desk.now() - self.desk.keyboard.heard_at < AT_THE_KEYS

    def _without_engine(self, view: DeskView) -> WithoutEngine | None:
        """Return the message shown while no engine receives input."""
        handle = self.desk.handle
        if handle.ended.is_set() and not self.closing.is_waiting:
            words = "ENGINE STOPPED: the market has ended. Nothing is sent any more. q leaves."
            return WithoutEngine(words, has_stopped=True)
        if (trouble := handle.link.trouble) is not None:
            words = f"ENGINE AWAY: {trouble}. This is of {f.clock(view.status.at)}; nothing is asked or confirmed."
            return WithoutEngine(words, has_stopped=False)
        if (silence := handle.link.silence) is not None:
            silent = f"ENGINE SILENT for {silence:.0f} s: it hangs, or was stopped."
            words = f"{silent} This is of {f.clock(view.status.at)}; nothing is asked or confirmed."
            return WithoutEngine(words, has_stopped=False)
        return None

    def _tell_alert(self, view: DeskView) -> None:
        """Show the newest alert since the last view; earlier ones are in the log."""
        if self._rung is not None and view.rung > self._rung:
            rang = next((row.text for row in reversed(view.log) if row.severity == ALERT), "an alert rang: see the log")
            self.desk.say(rang, "warning")
        self._rung = view.rung

    def _ring(self, view: DeskView) -> None:
        if self._bell.rings(view, self.desk.now()):
            self.app.bell()
        if (title := title_of(view)) != self.title:
            self.title = title
            self.desk.control_terminal(f"\x1b]0;{title}\x07")
