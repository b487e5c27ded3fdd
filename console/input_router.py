"""Route input to the armed screen on top or to a text field, and say where the focus is (OP-04)."""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.screen import Screen

from console.arming import PASSES_AFTER
from console.board import Board
from console.filtered_panes import FilteredPane
from console.keymap import PANES, KeyScope
from console.screens.dialog import ArmedDialog, Dialog, DialogHost
from console.screens.form import FIRST_KEYS, TypedDialog
from console.screens.new_order import NewOrderScreen
from console.screens.reading import HelpScreen
from console.terminal.input_reader import Dropped
from core.messages.desk_commands import KeyPressed
from widgets.chart import Chart
from widgets.grid import Grid

HEARD = (events.Key, events.Paste, events.MouseDown, events.AppFocus, Dropped)
"""Events that restart the confirmation delay."""

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

    def hear(self, event: events.Event, at: float) -> None:
        """Handle a key, click or paste at that time of the console's clock."""
        top = self.app.screen_stack[-1] if self.app.screen_stack else None
        key = event.character or event.key if isinstance(event, events.Key) else None
        if key is not None:
            self._tell(at)
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

    def _tell(self, at: float) -> None:
        """Report activity from time to time, because most keys send the engine nothing (OP-13, RK-27)."""
        handle = self.desk.handle
        if at - self._told_at >= TELLS_EVERY and handle.desk is not None and handle.link.doubt is None:
            self._told_at = at
            handle.send(KeyPressed())

    def is_typed(self, event: events.Event) -> bool:
        """Return whether it was text for a dialog or for a pane's filter, which take it before any binding."""
        stack, filtered = self.app.screen_stack, self.board.typing
        top = stack[-1] if stack else None
        typed = filtered if len(stack) == 1 and filtered is not None else top
        if self._is_unseen(top) and isinstance(event, events.Key | events.Paste):
            return not (isinstance(event, events.Key) and event.key in FIRST_KEYS)
        if isinstance(event, events.Key) and isinstance(
            typed, NewOrderScreen | TypedDialog | FilteredPane | HelpScreen
        ):
            return typed.take(event)
        if isinstance(event, events.Paste) and isinstance(typed, TypedDialog | FilteredPane):
            typed.paste(event.text)
            return True
        return False

    def _is_unseen(self, top: Screen[object] | None) -> bool:
        """Return whether the terminal is too small for the dialog; then only its exits work."""
        return isinstance(top, Dialog) and top.NEEDS_ROOM and self.desk.is_too_small

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

    def distrust_pictures(self) -> None:
        """Disarm all screens after a change of the terminal's size, because it may show an older paint."""
        for screen in self.app.screen_stack:
            if isinstance(screen, ArmedDialog):
                screen.armed.forget()
        if self.app.screen_stack:
            self.app.screen_stack[-1].refresh()
