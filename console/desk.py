"""The desk: the Textual app that draws the engine's pictures and turns keys into commands. It decides nothing.

It paints first and starts the engine after. Up to ten times a second it takes the newest picture, gives each pane its
part, and each pane draws the cells that differ.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from textual import _time, events
from textual.app import App, ComposeResult
from textual.screen import Screen

from console.arming import Keyboard
from console.baskets import BasketFollower, waits
from console.bell import Bell, title_of
from console.board import Board, width_of
from console.client.handle import EngineFailed, EngineHandle, EngineRunning
from console.desk_commands import DeskCommands
from console.follow_ups import FollowUps
from console.gc_schedule import GcSchedule, choose_moments
from console.host_files import NO_SURROUNDINGS, HostFiles
from console.key_remapping import moved_by
from console.keymap import AWAITED, KeyScope, bindings_for, footer, reachable, use, written
from console.layout import fits
from console.log_pane import LogPane, WriteLog
from console.panes import PLACES
from console.row_actions import RowActions
from console.screens.advice import AdviceScreen
from console.screens.basket import BasketScreen
from console.screens.chord import ChordScreen
from console.screens.detail import WIRE
from console.screens.dialog import Dialog, DialogLayer
from console.screens.help import HelpScreen
from console.screens.kill import KillScreen
from console.screens.leave import LeaveScreen
from console.screens.new_order import NewOrderScreen
from console.screens.question import ArmedQuestion
from console.screens.text_fields import TypedDialog
from console.screens.ticket import TicketScreen
from console.terminal.driver import KeyturnDriver, make_driver
from console.terminal.frames import tight
from console.terminal.input_reader import Dropped
from console.terminal.kill_port import DeskKillPort
from console.terminal.link import TerminalLink, link_of
from console.terminal.mouse import may_ask_for_mouse
from console.terminal.typed import is_modified
from console.theme import DEFAULT, theme_for
from console.watched_symbol import WatchedSymbol
from core.model.account import Mode
from core.model.values import ClientOrderId, ProposalId
from core.views import DeskView
from widgets.grid import Grid
from widgets.grid_picture import Tone
from widgets.grid_text import harmless
from widgets.orders import NEW

if TYPE_CHECKING:
    from core.settings.settings import DisplaySettings  # it brings pydantic, which is not needed before the first paint

FRAMES = 10
"""Looks at the engine's picture in a second, where no setting says fewer."""
SAID_FOR = 5.0
"""Seconds for which the last line holds what was said, unless another screen comes to the top before."""
AT_THE_KEYS = 3.0
"""Seconds after a key in which the next one may be on its way."""
CLOSING_PATIENCE = 3.0
"""Seconds that the engine has to close when the operator leaves."""

TURN = 0.001
"""Seconds after which the engine's thread gets its turn while the desk draws; each of its writes waits for one."""

ARMED = (TicketScreen, BasketScreen, ArmedQuestion, KillScreen)
"""Screens with a key that counts only when it was painted and silent for a moment (OP-04)."""

HEARD = (events.Key, events.Paste, events.MouseDown, events.AppFocus, Dropped)
"""What breaks the silence before a confirming key."""


class DeskApp(App[None]):
    """Implements `console.screens.dialog_host.DialogHost`.

    Attributes
    ----------
    failure
        Why the desk ended although nobody left it; None where all is well.
    """

    CSS_PATH = "desk.tcss"
    BINDINGS = bindings_for(KeyScope.EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "Keyturn"

    def __init__(
        self,
        handle: EngineHandle,
        now: Callable[[], float] = time.monotonic,
        surroundings: HostFiles = NO_SURROUNDINGS,
        display: DisplaySettings | None = None,
    ) -> None:
        self.door = DeskKillPort(handle, self._open_kill_soon, self._exit_soon)
        super().__init__(driver_class=make_driver(self.door), ansi_color=False)
        self.animation_level = "none"
        theme = theme_for(display.theme if display is not None else DEFAULT, self.console.color_system)
        self.register_theme(theme)
        self.theme = theme.name
        self._frames = display.frames if display is not None else FRAMES
        self.handle = handle
        self.now = now
        self.surroundings = surroundings
        self.keyboard = Keyboard()
        self.tidying = GcSchedule(now())
        self.was_left = False
        self.failure: str | None = None
        self.board = Board(self._do)
        self.plans = BasketFollower(self, self.bell)
        self.following = FollowUps(self, self.board.orders, self.plans.sign_closes)
        self.deeds = RowActions(self, self.following)
        self.watching = WatchedSymbol(handle, self.board)
        self.errands = DeskCommands(self)
        self._bell = Bell()
        self._title = ""
        self._has_keys = False
        self._notes_said = 0
        use({})
        self._said: tuple[str, Tone, float, Screen[object]] | None = None
        self._closes_by: float | None = None

    # ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        yield from self.board.compose()

    def get_default_screen(self) -> Screen[None]:
        return DialogLayer(id="_default")

    def on_mount(self) -> None:
        self.control_terminal("\x1b[22;0t")
        self.screen.set_focus(self.board.proposals.grid)
        self._arrange()
        self._frame()
        self.call_after_refresh(self._start)

    def on_unmount(self) -> None:
        self.control_terminal("\x1b[23;0t")

    def _start(self) -> None:
        """The first picture is on its way to the terminal: now the engine, and what it imports."""
        gc.enable()
        self.handle.start(self._look_at_once)
        self.set_interval(1 / self._frames, self._frame)

    def _look_at_once(self) -> None:
        """From the engine's thread; a desk that is closing looks no more."""
        with suppress(RuntimeError):
            self.call_later(self._frame)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, tight(renderable))

    def on_resize(self, _event: events.Resize) -> None:
        self.call_later(self._frame)  # after Textual has taken the new size over

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
            self.failure = view.message if isinstance(view, EngineFailed) else None
            self.board.show_state(view, self.size)
        self._draw_footer()
        self.tidying.look(self.now())

    def _take_keys(self) -> None:
        """The engine knows the settings: from its first picture on, the keys are theirs, also in the guide."""
        self._has_keys = True
        moved = moved_by(self.handle.keys())
        use(moved)
        self.set_keymap({id: key.keys for id, key in moved.items()})
        self.errands.look_whether_first()

    def _draw(self, view: DeskView) -> None:
        now = self.engine_now()
        if not self._has_keys:
            self._take_keys()
        self.set_class(view.status.mode is Mode.LIVE, "-live")
        if len(view.status.notes) > self._notes_said:
            self._notes_said = len(view.status.notes)
            self.say(f"{view.status.notes[-1]}; the log holds it", "warning")
        if self.board.show(view, now, self.size, self._ended()):
            self._ring(view)
        self.board.note_holder(self.screen_stack[0])
        self.watching.look(view)
        self.board.chart.show_chart(view.chart, self.watching.symbol, now)
        for screen in self.screen_stack[1:]:
            if isinstance(screen, Dialog) and screen.is_mounted:
                screen.stay_clear()
                screen.update_view(view, now)
        self.plans.look(view, may_open=len(self.screen_stack) == 1, is_typing=self._is_typing())
        self.following.look(view, may_open=len(self.screen_stack) == 1)
        self.handle.attend(any(isinstance(s, TicketScreen | BasketScreen | KillScreen) for s in self.screen_stack))

    def _draw_footer(self) -> None:
        top = self.screen_stack[-1]
        if self._said is not None:
            text, tone, at, screen = self._said
            if screen is top and self.now() - at < SAID_FOR:
                self.board.line.show_words(text, tone, width_of(self.size))
                return
            self._said = None
        self.board.line.show_keys(self._keys_in_words(top), width_of(self.size))

    def _keys_in_words(self, top: Screen[object]) -> str:
        """What works here now. Without an engine there is nothing to open, decline or order."""
        if isinstance(top, KillScreen):
            return top.keys_in_words()
        if self.failure is not None and len(self.screen_stack) == 1:
            return f"{written('leave')} leave"
        acting = top.acting_keys() if isinstance(top, Dialog) else None
        keys = footer(self._place(), acting)
        return f"{written('plan')} PLAN WAITS  {keys}" if self._is_plan_waiting() else keys

    def _is_plan_waiting(self) -> bool:
        """A plan wants something of the operator, and nothing lies over the desk."""
        return len(self.screen_stack) == 1 and self.view is not None and waits(self.view.plan)

    def _is_typing(self) -> bool:
        """Somebody is at the keyboard: what came up now would take a key that was meant for something else."""
        return self.board.log.is_typing or self.now() - self.keyboard.heard_at < AT_THE_KEYS

    def _ended(self) -> str | None:
        return "the market has ended" if self.handle.ended.is_set() and self._closes_by is None else None

    def _ring(self, view: DeskView) -> None:
        if self._bell.rings(view, self.now()):
            self.bell()
        if (title := title_of(view)) != self._title:
            self._title = title
            self.control_terminal(f"\x1b]0;{title}\x07")

    def control_terminal(self, control: str) -> None:
        """A title, the clipboard: what is no picture."""
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
    def link(self) -> TerminalLink:
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
        """Marks its row as soon as there is one; the keyboard, the panes and what is selected stay as they are."""
        self.say(f"sent; {NEW.strip()} marks it in Orders ({written('pane.orders')})", "strong")
        self.following.wait_for_order(order_id)
        self.board.offer(self.screen_stack[0], "orders")

    def flatten(self) -> None:
        self.deeds.flatten()

    def _do(self, what: str, key: str | None) -> None:
        """What a pane's key wants of a row."""
        self.deeds.do(what, key)

    def ask(self, question: Dialog) -> None:
        self.push_screen(question)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _exit_soon(self) -> None:
        """From the thread that was told to leave."""
        self.call_later(self.exit)

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
            if isinstance(event, events.Key) and is_modified(event) and event.is_printable:
                event.character = None  # no letter, in no word, field or ticket, whatever the parser made of it
            top = self.screen_stack[-1] if self.screen_stack else None
            key = event.character or event.key if isinstance(event, events.Key) else None
            at = self.now() - max(0.0, _time.get_time() - event.time)
            self.tidying.heard(at)
            if isinstance(event, Dropped):
                self._hear_dropped(event, at)
            elif isinstance(top, ARMED):
                top.hear(key, at)
            else:
                self.keyboard.hear(key, at)
            if self._is_typed(event):
                await self.errands.do_what_is_due()
                return
            if isinstance(event, events.Key) and await self._has_acted(event.key):
                return
        await super().on_event(event)
        if isinstance(event, events.Resize):
            self._distrust_pictures()

    def _distrust_pictures(self) -> None:
        """A terminal that changed its size may show another picture than was painted, also at its old size again."""
        for screen in self.screen_stack:
            if isinstance(screen, ARMED):
                screen.painted.forget()
        if self.screen_stack:
            self.screen_stack[-1].refresh()

    def _hear_dropped(self, event: Dropped, at: float) -> None:
        """It turns nothing; a key that was turned just before was not alone."""
        if event.words is not None:
            self.say(event.words, "warning")
        for screen in self.screen_stack:
            if isinstance(screen, ARMED):
                screen.arming.hear(event.key, at)
        self.keyboard.hear(event.key, at)

    async def _has_acted(self, name: str) -> bool:
        """Whether a key of the panes acted, before the next key is looked at."""
        if len(self.screen_stack) != 1:
            return False
        at_once = (key for key in reachable(self._place()) if key.id not in AWAITED)
        return any(name in key.keys.split(",") for key in at_once) and await self._check_bindings(name)

    def _is_typed(self, event: events.Event) -> bool:
        """Whether it was text, for a dialog or for the log's filter, which take it before any binding does."""
        top = self.screen_stack[-1] if self.screen_stack else None
        typed = self.board.log if len(self.screen_stack) == 1 and self.board.log.is_typing else top
        if isinstance(event, events.Key) and isinstance(typed, NewOrderScreen | TypedDialog | LogPane):
            return typed.take(event)
        if isinstance(event, events.Paste) and isinstance(typed, TypedDialog | LogPane):
            typed.paste(event.text)
            return True
        return False

    def _place(self) -> KeyScope:
        top = self.screen_stack[-1]
        if isinstance(top, Dialog):
            return top.PLACE
        if self.board.log.is_typing:
            return KeyScope.FILTER
        focused = self.focused
        name = (focused.id or "").removesuffix("-grid") if isinstance(focused, Grid) else ""
        return PLACES.get(name, KeyScope.EVERYWHERE)

    def _choose(self, name: str) -> None:
        self.board.choose(self.screen_stack[0], name)

    def action_pane(self, name: str) -> None:
        if name not in self.board.panes:
            return
        self._choose(name)
        grid = self.board.panes[name].grid
        self.screen.set_focus(grid)  # at once: the next key is already for it
        if grid.selected is None and grid.opens_first is not None:
            grid.select(grid.opens_first)
        self._draw_footer()

    def on_descendant_focus(self) -> None:
        if self.screen_stack:  # a focus may still be told while the app is closing
            self._draw_footer()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        pane = (message.grid.id or "").removesuffix("-grid")
        if pane == "proposals":
            self.open_ticket(ProposalId(message.key))
        else:
            self.errands.open_detail(pane, message.key)

    def action_urgent_exit(self) -> None:
        self.deeds.open_urgent_exit()

    def action_new_order(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.push_screen(NewOrderScreen(self))

    def action_advice(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.push_screen(AdviceScreen(self))

    def action_flatten(self) -> None:
        self.flatten()

    def action_plan(self) -> None:
        if not self.is_too_small:
            self.plans.open()

    def on_write_log(self, message: WriteLog) -> None:
        self.errands.write_log(message.text)

    def action_copy_row(self) -> None:
        self.errands.copy_row()

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self._place()))

    def action_guide(self) -> None:
        self.errands.open_guide()

    def action_broker_answers(self) -> None:
        self.errands.open_detail(WIRE, "")

    def action_clear_breaker(self) -> None:
        self.deeds.clear_breaker()

    def action_reload_limits(self) -> None:
        self.deeds.reload_limits()

    def action_commands(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.errands.open_commands(self._place())

    def action_stay_awake(self) -> None:
        """A desk put to sleep hears no kill, and watches no stop."""
        self.say("Ctrl+Z is off: a desk that sleeps hears no kill", "warning")

    def action_way_out(self) -> None:
        """What halts is ended where it says what it halts, and nowhere else."""
        if self.view is not None and self.view.status.killed_by is not None:
            self.say("killed: Ctrl+K opens the kill screen, REARM typed there re-arms", "warning")
        elif self.view is not None and self.view.status.halts:
            self.say("halted: Ctrl+K opens the kill screen, U there resumes", "warning")

    def action_kill(self) -> None:
        """For drivers without an input thread of ours; with it, the chord never gets here."""
        self.door.press_kill()

    def _open_kill_soon(self) -> None:
        """From the thread that read the chord."""
        self.call_later(self.open_kill)

    def open_kill(self) -> None:
        """The chord was pressed: over everything, once."""
        if not self.screen_stack:
            return  # the app is closing; the engine has heard it
        for screen in self.screen_stack:
            if isinstance(screen, ChordScreen):
                screen.hear_chord()
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


def run_desk(
    build: Callable[[ExitStack], EngineRunning],
    surroundings: HostFiles = NO_SURROUNDINGS,
    display: DisplaySettings | None = None,
) -> None:
    """Open the desk until it is left. Exits 0 after a clean leave; else the last line of stderr says what happened."""
    sys.setswitchinterval(TURN)
    choose_moments()
    handle = EngineHandle(build)
    desk = DeskApp(handle, surroundings=surroundings, display=display)
    desk.run(mouse=may_ask_for_mouse(os.environ))
    has_closed = handle.close("the desk ended", CLOSING_PATIENCE)
    status, words = outcome(desk, has_closed)
    told = (*map(harmless, handle.last_words), *([words] if words else []))
    if told:
        try:
            sys.stderr.writelines(f"keyturn: {line}\n" for line in told)
            sys.stderr.flush()
        except OSError:
            pass  # the terminal is gone; the status says it
    leave_with(status)


def leave_with(status: int) -> None:
    """End the process. A request that still waits for a network keeps nobody waiting: all is closed by now."""
    main = threading.main_thread()
    if any(not thread.daemon and thread is not main for thread in threading.enumerate()):
        os._exit(status)
    sys.exit(status)


def outcome(desk: DeskApp, has_closed: bool) -> tuple[int, str | None]:
    """The exit status, and the line that goes with it; every end that nobody asked for is an error."""
    if desk.exit_status is not None:
        return desk.exit_status, desk.door.reason
    if desk.failure is not None:
        return 1, desk.failure
    if not desk.was_left:
        return desk.return_code or 1, "the desk ended unexpectedly; `keyturn status` says how the account stands"
    if desk.view is not None and desk.view.status.exits_refused is not None:
        return 1, f"{desk.view.status.exits_refused}; it goes on from what was written"
    return (0, None) if has_closed else (1, "the engine did not close its journal in time; the next start repairs it")
