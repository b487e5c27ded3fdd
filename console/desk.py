"""The desk: the Textual app that draws the engine's pictures and turns keys into commands. It decides nothing.

It paints first and starts the engine after. Ten times a second it takes the newest picture, gives each pane its part,
and each pane draws the cells that differ.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from rich.console import RenderableType
from textual import _time, events
from textual.app import App, ComposeResult
from textual.screen import Screen

from console.arming import Keyboard
from console.bell import Bell, title_of
from console.board import Board, width_of
from console.deeds import Deeds
from console.door import DeskDoor
from console.driver import Dropped, KeyturnDriver, make_driver
from console.following import Following
from console.frames import tight
from console.handle import EngineHandle, Failed, Running
from console.keymap import Place, bindings_for, footer
from console.layout import CHOICES, fits
from console.link import Link, link_of
from console.panes import PLACES, Wanted
from console.screens.help import HelpScreen
from console.screens.kill import KillScreen
from console.screens.layer import Dialog, Layer
from console.screens.leave import LeaveScreen
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from console.theme import KEYTURN
from core.model.values import ClientOrderId, ProposalId
from core.views import DeskView
from widgets.grid import Grid
from widgets.grid_picture import Tone

FRAME = 0.1
"""Seconds between two looks at the engine's picture."""
SAID_FOR = 5.0
"""Seconds for which the last line holds what was said, unless another screen comes to the top before."""
CLOSING_PATIENCE = 3.0
"""Seconds that the engine has to close when the operator leaves."""

TURN = 0.001
"""Seconds after which the engine's thread gets its turn while the desk draws; each of its writes waits for one."""

HEARD = (events.Key, events.Paste, events.MouseDown, events.AppFocus, Dropped)
"""What breaks the silence before a confirming key."""

UpdatedScreen = TicketScreen | KillScreen | NewOrderScreen


class Desk(App[None]):
    """Implements `console.screens.behind.Behind`.

    Attributes
    ----------
    failure
        Why the desk ended although nobody left it; None where all is well.
    """

    CSS_PATH = "desk.tcss"
    BINDINGS = bindings_for(Place.EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "Keyturn"

    def __init__(self, handle: EngineHandle, now: Callable[[], float] = time.monotonic) -> None:
        self.door = DeskDoor(handle)
        super().__init__(driver_class=make_driver(self.door), ansi_color=False)
        self.animation_level = "none"
        self.register_theme(KEYTURN)
        self.theme = KEYTURN.name
        self.handle = handle
        self.now = now
        self.keyboard = Keyboard()
        self.was_left = False
        self.failure: str | None = None
        self.board = Board()
        self.following = Following(self, self.board.orders.grid)
        self.deeds = Deeds(self, self.following)
        self._bell = Bell()
        self._title = ""
        self._said: tuple[str, Tone, float, Screen[object]] | None = None
        self._closes_by: float | None = None
        self.door.open_kill = lambda: self.call_later(self.open_kill)
        self.door.close = lambda: self.call_later(self.exit)

    # ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        yield from self.board.compose()

    def get_default_screen(self) -> Screen[None]:
        return Layer(id="_default")

    def on_mount(self) -> None:
        self._write("\x1b[22;0t")
        self.screen.set_focus(self.board.proposals.grid)
        self._arrange()
        self._frame()
        self.call_after_refresh(self._start)

    def on_unmount(self) -> None:
        self._write("\x1b[23;0t")

    def _start(self) -> None:
        """The first picture is on its way to the terminal: now the engine, and what it imports."""
        self.handle.start()
        self.set_interval(FRAME, self._frame)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, tight(renderable))

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()
        self._frame()

    def _arrange(self) -> None:
        self.board.arrange(self.screen_stack[0], self.view is not None, self.size)

    def _frame(self) -> None:
        """One look at the engine."""
        if not self.screen_stack:
            return  # the app is closing
        if self._closes_by is not None:
            self._see_whether_closed()
        view = self.handle.view
        if not self.board.is_arranged(isinstance(view, DeskView), self.size):
            self._arrange()
        if isinstance(view, DeskView):
            self._draw(view)
        else:
            self.failure = view.message if isinstance(view, Failed) else None
            self.board.show_state(view, self.size)
        self._draw_footer()

    def _draw(self, view: DeskView) -> None:
        now = self.engine_now()
        if self.board.show(view, now, self.size, self._ended()):
            self._ring(view)
        for screen in self.screen_stack[1:]:
            if isinstance(screen, UpdatedScreen) and screen.is_mounted:
                screen.update_view(view, now)
        self.following.look(view, may_open=len(self.screen_stack) == 1)
        self.handle.attend(any(isinstance(s, TicketScreen | KillScreen) for s in self.screen_stack))

    def _draw_footer(self) -> None:
        top = self.screen_stack[-1]
        if self._said is not None:
            text, tone, at, screen = self._said
            if screen is top and self.now() - at < SAID_FOR:
                self.board.line.show_words(text, tone, width_of(self.size))
                return
            self._said = None
        keys = top.keys_in_words() if isinstance(top, KillScreen) else footer(self._place())
        self.board.line.show_keys(keys, width_of(self.size))

    def _ended(self) -> str | None:
        return "the market has ended" if self.handle.ended.is_set() and self._closes_by is None else None

    def _ring(self, view: DeskView) -> None:
        if self._bell.rings(view, self.now()):
            self.bell()
        if (title := title_of(view)) != self._title:
            self._title = title
            self._write(f"\x1b]0;{title}\x07")

    def _write(self, control: str) -> None:
        if self._driver is not None:
            self._driver.write(control)

    @property
    def exit_status(self) -> int | None:
        """The status of what made the desk leave, a signal or a lost terminal; None where nothing did."""
        return self._driver.exit_status if isinstance(self._driver, KeyturnDriver) else None

    # ── what the dialogs ask ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def view(self) -> DeskView | None:
        view = self.handle.view
        return view if isinstance(view, DeskView) else None

    @property
    def link(self) -> Link:
        return link_of(self._driver, self.now)

    @property
    def is_too_small(self) -> bool:
        return not fits(*self.size)

    def engine_now(self) -> datetime:
        """The engine's time, between two pictures too."""
        view, clock = self.view, self.handle.clock()
        if view is None or clock is None:
            return clock or datetime.now(UTC)
        return max(clock, view.status.at)

    def say(self, text: str, tone: Tone = "") -> None:
        """On the last line, for some seconds."""
        self._said = (text, tone, self.now(), self.screen_stack[-1])
        self._draw_footer()

    def open_ticket(self, proposal_id: ProposalId) -> None:
        self.push_screen(TicketScreen(self, proposal_id))

    def show_order(self, order_id: ClientOrderId) -> None:
        """Selects its row as soon as there is one; the keyboard stays where it is."""
        self.say("sent; the order is selected in Orders", "strong")
        self.following.wait_for_order(order_id)
        self._choose("orders")

    def flatten(self) -> None:
        self.deeds.flatten()

    def ask(self, question: Dialog) -> None:
        self.push_screen(question)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _see_whether_closed(self) -> None:
        if self.handle.ended.is_set():
            self.exit()
        elif self._closes_by is not None and self.now() > self._closes_by:
            self.failure = "the engine did not close its journal in time; the next start repairs it"
            self.exit()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def on_event(self, event: events.Event) -> None:
        """The ticket hears every key before any binding does, with the instant at which it was typed (OP-04). A window
        that comes to the front under a typing hand is one more reason to wait."""
        if isinstance(event, HEARD) and not event.is_forwarded:
            top = self.screen_stack[-1] if self.screen_stack else None
            key = event.character or event.key if isinstance(event, events.Key) else None
            at = self.now() - max(0.0, _time.get_time() - event.time)
            if isinstance(event, Dropped):
                self._hear_dropped(event, at)
            elif isinstance(top, TicketScreen):
                top.hear(key, at)
            else:
                self.keyboard.hear(key, at)
            if isinstance(top, NewOrderScreen) and isinstance(event, events.Key) and top.take(event):
                return
        await super().on_event(event)

    def _hear_dropped(self, event: Dropped, at: float) -> None:
        """It turns nothing; a key that was turned just before was not alone."""
        for screen in self.screen_stack:
            if isinstance(screen, TicketScreen):
                screen.arming.hear(event.key, at)
        self.keyboard.hear(event.key, at)

    def _place(self) -> Place:
        top = self.screen_stack[-1]
        if isinstance(top, Dialog):
            return top.PLACE
        focused = self.focused
        name = (focused.id or "").removesuffix("-grid") if isinstance(focused, Grid) else ""
        return PLACES.get(name, Place.EVERYWHERE)

    def _choose(self, name: str) -> None:
        if name in CHOICES and name != self.board.chosen:
            self.board.chosen = name
            self._arrange()

    def action_pane(self, name: str) -> None:
        self._choose(name)
        grid = self.board.panes[name].grid
        self.screen.set_focus(grid)  # at once: the next key is already for it
        if grid.selected is None and grid.opens_first is not None:
            grid.select(grid.opens_first)
        self._draw_footer()

    def on_descendant_focus(self) -> None:
        self._draw_footer()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        if message.grid is self.board.proposals.grid:
            self.open_ticket(ProposalId(message.key))

    def on_wanted(self, message: Wanted) -> None:
        self.deeds.do(message.what, message.key)

    def action_urgent_exit(self) -> None:
        self.deeds.open_urgent_exit()

    def action_new_order(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.push_screen(NewOrderScreen(self))

    def action_flatten(self) -> None:
        self.flatten()

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self._place()))

    def action_kill(self) -> None:
        """For drivers without an input thread of ours; with it, the chord never gets here."""
        self.door.press_kill()

    def open_kill(self) -> None:
        """The chord was pressed: over everything, once."""
        if not self.screen_stack:
            return  # the app is closing; the engine has heard it
        top = self.screen_stack[-1]
        if isinstance(top, KillScreen):
            top.chord_again()
        else:
            self.push_screen(KillScreen(self, self.door))

    def action_leave(self) -> None:
        if self.view is None or self.handle.ended.is_set():
            self._leave()
        elif not isinstance(self.screen_stack[-1], LeaveScreen):
            self.push_screen(LeaveScreen(self.view, self._leave))

    def _leave(self) -> None:
        self.was_left = True
        self._closes_by = self.now() + CLOSING_PATIENCE
        self.handle.leave("left by the operator")
        self.say("closing the journal…")

    async def action_quit(self) -> None:
        self.action_leave()

    def action_help_quit(self) -> None:
        self.say("q leaves")


def run_desk(build: Callable[[ExitStack], Running]) -> None:
    """Open the desk until it is left. Exits 0 after a clean leave; else the last line of stderr says what happened."""
    sys.setswitchinterval(TURN)
    handle = EngineHandle(build)
    desk = Desk(handle)
    desk.run()
    has_closed = handle.close("the desk ended", CLOSING_PATIENCE)
    status, words = outcome(desk, has_closed)
    if words:
        try:
            sys.stderr.write(f"keyturn: {words}\n")
            sys.stderr.flush()
        except OSError:
            pass  # the terminal is gone; the status says it
    sys.exit(status)


def outcome(desk: Desk, has_closed: bool) -> tuple[int, str | None]:
    """The exit status, and the line that goes with it; every end that nobody asked for is an error."""
    if desk.exit_status is not None:
        return desk.exit_status, desk.door.reason
    if desk.failure is not None:
        return 1, desk.failure
    if not desk.was_left:
        return desk.return_code or 1, "the desk ended unexpectedly; `keyturn status` says how the account stands"
    return (0, None) if has_closed else (1, "the engine did not close its journal in time; the next start repairs it")
