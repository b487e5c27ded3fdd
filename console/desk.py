"""The desk: the Textual app that draws the engine's views and turns keys into commands. It decides nothing.

It paints first and starts the engine afterwards. Up to ten times a second it takes the newest view and passes each pane
its part; each pane draws only the cells that changed. While nothing changes and no key is typed, that is once a second.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from weakref import ref

from rich.console import RenderableType
from textual import _time, events
from textual.app import App, ComposeResult
from textual.screen import Screen

from console.arming import Keyboard, WholeWay
from console.board import Board
from console.client.access import NO_SURROUNDINGS, EngineAccess, HostFiles
from console.client.ssh_agent import SshAgent
from console.desk_actions import BasketFollower, DeskActions
from console.desk_commands import DeskCommands
from console.display import Display, DisplayTerms
from console.filtered_panes import LOOK, HistoryPane, WriteShown
from console.follow_ups import FollowUps
from console.frame_loop import HEARD, FrameLoop, GcSchedule, KeyHearing, LastLine
from console.keymap import AWAITED, KeyScope, bindings_for, reachable, use, written
from console.layout import fits
from console.order_form.prefill import FormMemory, Preset
from console.panes import PANES
from console.row_actions import NOT_SELECTED, RowActions
from console.screens.advice import AdviceScreen
from console.screens.desk_control import LeaveScreen, holder_in_words, holds_key, may_act
from console.screens.dialog import Dialog, DialogLayer
from console.screens.first_start import ChordScreen
from console.screens.kill import KillScreen
from console.screens.limits import AcceptBooksScreen
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from console.shutdown import Closing, OwedPress
from console.terminal.driver import DeskKillPort, KeyturnDriver, TerminalLink, link_of, make_driver
from console.terminal.input_reader import AnotherScript
from console.terminal.keys import is_modified
from console.terminal.writer import tight
from console.themes import theme_after, theme_for
from core.messages.commands import AcceptBooks
from core.model.reconciliation import ACCEPT, Difference
from core.model.values import ClientOrderId, ProposalId, Symbol
from core.views import DeskView
from widgets.grid import Grid
from widgets.lines import Tone
from widgets.orders import NEW
from widgets.proposals import DRAFT

NO_SYMBOL = "this row is of no symbol"
PAINTED_TO = "{} answers for your terminal: what it has drawn may not be on your screen yet; on a bad line wait"
ON_THEIR_WAY = 64
"""Most keys under way through a screen at once; no person types more."""


class DeskApp(App[None]):
    """Implements `console.screens.dialog.DialogHost`."""

    CSS_PATH = "desk.tcss"
    BINDINGS = bindings_for(KeyScope.EVERYWHERE)
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "Keyturn"

    painted_to = ""
    """The program that answers for the person's terminal; empty where that answers itself."""

    def __init__(
        self,
        handle: EngineAccess,
        now: Callable[[], float] = time.monotonic,
        surroundings: HostFiles = NO_SURROUNDINGS,
        display: DisplayTerms | None = None,
    ) -> None:
        self.port = DeskKillPort(handle, self._open_kill_soon, self._exit_soon)
        super().__init__(driver_class=make_driver(self.port), ansi_color=False)
        self.animation_level = "none"
        display = display or Display()
        self._wear(display.theme)
        self._frames_a_second = display.frames
        self.handle = handle
        self.now = now
        self.surroundings = surroundings
        self.forms = FormMemory()
        self.new_agent: Callable[[], SshAgent] = SshAgent
        self.keyboard = Keyboard()
        self.tidying = GcSchedule(now())
        self.closing = Closing(handle, now)
        self.owed = OwedPress(handle, surroundings)
        self._is_resting = False
        self.board = Board(self._do)
        self.board.status.place = handle.place
        self.last_line = LastLine(self.board.line, now)
        self.hearing = KeyHearing(self, self, self.board)
        self._typed_at: deque[tuple[events.Key, ref[Screen[object]]]] = deque(maxlen=ON_THEIR_WAY)
        self.plans = BasketFollower(self, self.bell)
        self.following = FollowUps(self, self.board.orders, self.plans.sign_closes)
        self.row_actions = RowActions(self, self.following, self.plans)
        self.desk_actions = DeskActions(self, self.following)
        self.errands = DeskCommands(self, self, self.board)
        self.frames = FrameLoop(
            self,
            self,
            self.board,
            self.closing,
            self.hearing,
            self.last_line,
            self.plans,
            self.following,
            self.errands,
            display.bell_seconds,
        )
        use({})

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        yield from self.board.compose()

    def get_default_screen(self) -> Screen[None]:
        return DialogLayer(id="_default")

    def on_mount(self) -> None:
        self.control_terminal("\x1b[22;0t")
        self.screen.set_focus(self.board.proposals.grid)
        self.frames.arrange()
        self._frame()
        self.call_after_refresh(self._start)

    def on_unmount(self) -> None:
        self.control_terminal("\x1b[23;0t")

    def _start(self) -> None:
        """Start the engine and its imports once the first paint is under way to the terminal."""
        gc.enable()
        self.handle.on_change = self._wake_up_soon
        self.handle.start(self._look_at_once)
        self._frame_timer = self.set_interval(1 / self._frames_a_second, self._frame_or_rest)
        if self.painted_to:
            self.say(PAINTED_TO.format(self.painted_to), "warning")

    def _look_at_once(self) -> None:
        """Called from the engine's thread; a closing desk ignores it."""
        with suppress(RuntimeError):
            self.call_later(self._hear_news)

    def _hear_news(self) -> None:
        """Paint a ticket whose figures arrived before the panes behind it."""
        if self.screen_stack and self.frames.fills_the_ticket():
            self.screen.call_after_refresh(self._frame)
        else:
            self._frame()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, tight(renderable))

    def on_resize(self, _event: events.Resize) -> None:
        self.call_later(self._frame)  # after Textual has taken over the new size

    def _frame_or_rest(self) -> None:
        """Draw a frame, or none until the next second while the keyboard rests and nothing changes."""
        self._is_resting = True  # first, so that a change wakes it from here on
        seconds = self.frames.still_for() if self.screen_stack and self.tidying.is_at_rest(self.now()) else 0.0
        if seconds:
            self._frame_timer.pause()
            self._rest_timer = self.set_timer(seconds, self._wake_up)
        else:
            self._is_resting = False
            self._frame()

    def _wake_up_soon(self) -> None:
        """Called from the engine's thread; a closing desk ignores it."""
        if self._is_resting:
            with suppress(RuntimeError):
                self.call_later(self._wake_up)

    def _wake_up(self) -> None:
        if self._end_rest():
            self._frame()

    def _end_rest(self) -> bool:
        """Let the frames go on; return whether they rested."""
        was_resting, self._is_resting = self._is_resting, False
        if was_resting:
            self._rest_timer.stop()
            self._frame_timer.resume()
        return was_resting

    def _frame(self) -> None:
        if not self.screen_stack:
            return  # the app is closing
        self.frames.look()
        self.tidying.look(self.now())

    def control_terminal(self, control: str) -> None:
        """Write a control sequence, such as a title or the clipboard."""
        if self._driver is not None:
            self._driver.write(control)

    @property
    def exit_status(self) -> int | None:
        """Exit status of the signal or lost terminal that ended the desk; None otherwise."""
        return self._driver.exit_status if isinstance(self._driver, KeyturnDriver) else None

    # ── requests of dialogs ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def view(self) -> DeskView | None:
        view = self.handle.view
        return view if isinstance(view, DeskView) else None

    @property
    def watched(self) -> Symbol | None:
        """The symbol of the selected row in the pane that has or last had the focus."""
        self.board.note_holder(self.screen_stack[0])
        return self.frames.watching.of(self.view) if self.view is not None else None

    @property
    def link(self) -> TerminalLink:
        return WholeWay(link_of(self._driver, self.now), self.handle.link)

    @property
    def is_too_small(self) -> bool:
        return not fits(*self.size)

    def engine_now(self) -> datetime:
        """Return the engine's time, also between two views."""
        view, clock = self.view, self.handle.clock()
        if view is None or clock is None:
            return clock or datetime.now(UTC)
        return max(clock, view.status.at)

    def say(self, text: str, tone: Tone = "") -> None:
        """Show a message on the last line for some seconds."""
        self.last_line.say(text, tone, self.screen_stack[-1])
        self.frames.draw_last_line()

    def open_ticket(self, proposal_id: ProposalId) -> None:
        """None without an engine that answers: nothing could be asked or confirmed on it."""
        if self.view is None or (trouble := self.handle.link.trouble) is not None:
            self.say("no engine: no ticket opens" if self.view is None else f"no ticket opens: {trouble}", "warning")
        elif may_act(self):
            self.push_screen(TicketScreen(self, proposal_id))

    def show_order(self, order_id: ClientOrderId) -> None:
        """Mark the order's row and scroll to it once it appears; focus and selection stay (OP-04)."""
        self.say(f"sent; {written('pane.orders')} selects it in Orders, {NEW.strip()} marks it", "strong")
        self.following.wait_for_order(order_id)
        self.board.offer(self.screen_stack[0], "orders")

    def flatten(self) -> None:
        if may_act(self):
            self.desk_actions.flatten()

    def _do(self, what: str, key: str | None) -> None:
        """Run the action of a pane's key on a row."""
        if what == LOOK:
            self.errands.look_at_history(key or "")
        else:
            self.row_actions.do(what, key)

    def keep_preset(self, number: int, preset: Preset) -> None:
        self.errands.keep_preset(number, preset)

    def show_list(self, name: str) -> None:
        """Show the watchlist of that name from the first view that has it."""
        self.board.watch.chosen = name

    def step_off(self, pane: str, key: str) -> None:
        """The operator took that row away: the selection goes to its neighbour, and is not lost with it."""
        self.board.panes[pane].grid.step_off(key)

    def ask(self, question: Dialog) -> None:
        self.push_screen(question)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _exit_soon(self) -> None:
        """Leave, without waiting for the event loop; called from the thread that was told to leave."""
        self.owed.leave_behind()
        self.call_later(self.exit)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def on_event(self, event: events.Event) -> None:
        """Pass every key with its time to the ticket before any binding (OP-04).

        A window that gets the focus while somebody types restarts the delay too.
        """
        if isinstance(event, AnotherScript):
            self.hearing.hear_script(event)
            return
        if isinstance(event, HEARD) and not event.is_forwarded:
            if isinstance(event, events.Key) and is_modified(event) and event.is_printable:
                event.character = None  # no letter in any word, field or ticket, whatever the parser made of it
            at = self.now() - max(0.0, _time.get_time() - event.time)
            self.tidying.heard(at)
            self._end_rest()
            self.hearing.hear(event, at)
            if self.hearing.is_typed(event):
                await self.errands.do_what_is_due()
                return
            if isinstance(event, events.Key):
                if await self._has_acted(event.key):
                    return
                self._typed_at.append((event, ref(self.screen)))
        await super().on_event(event)
        if isinstance(event, events.Resize):
            self.hearing.distrust_frames()

    def on_key(self, event: events.Key) -> None:
        """Handle a key that its screen did not use: it is looked up among the keys of the top screen.

        If another screen has come up meanwhile, the key was not meant for it and does nothing (OP-04, OP-07).
        """
        screen = next((typed_at() for typed, typed_at in self._typed_at if typed is event), self.screen)
        if screen is not self.screen:
            event.prevent_default()

    async def _has_acted(self, name: str) -> bool:
        """Run a key of the panes before the next key; return whether there was one."""
        if len(self.screen_stack) != 1:
            return False
        at_once = (key for key in reachable(self.hearing.place()) if key.id not in AWAITED)
        return any(name in key.keys.split(",") for key in at_once) and await self._check_bindings(name)

    def _choose(self, name: str) -> None:
        self.board.choose(self.screen_stack[0], name)

    def action_pane(self, name: str) -> None:
        if name not in PANES:
            return
        orders, was_shown = self.board.orders, self.board.orders.display
        self._choose(name)
        if orders.display and not was_shown:
            orders.note_unseen()
        grid = self.board.keyboard_of(name)
        self.screen.set_focus(grid)  # at once: the next key is already for it
        if grid is orders.grid and orders.new is not None:
            orders.lead_to(orders.new)
        elif isinstance(grid, Grid) and grid.selected is None and grid.opens_first is not None:
            grid.select(grid.opens_first)
        self.frames.draw_last_line()

    def action_zoom(self) -> None:
        if self.view is not None and not self.is_too_small:
            back = f"{written('pane.zoom')} restores the layout"
            self.last_line.take_back(back)
            if self.board.zoom(self.screen_stack[0]):
                self.say(back)

    def action_layout(self) -> None:
        if self.view is not None and not self.is_too_small:
            name = self.board.next_layout(self.screen_stack[0])
            self.say(f"layout {name}; {written('layout')} is the next one")

    def on_descendant_focus(self) -> None:
        if self.screen_stack:  # focus may still be reported while the app is closing
            self.frames.draw_last_line()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        pane = (message.grid.id or "").removesuffix("-grid")
        if pane == "proposals" and message.key.startswith(DRAFT):
            self.row_actions.do("read draft", message.key)
        elif pane == "proposals":
            self.open_ticket(ProposalId(message.key))
        elif pane == "history":
            self.errands.explain(message.key)
        else:
            self.errands.open_detail(pane, message.key)

    def on_history_pane_explained(self, message: HistoryPane.Explained) -> None:
        self.errands.explain_day(message.day)

    def on_grid_nothing_opened(self, message: Grid.NothingOpened) -> None:
        has_rows = bool(message.grid.window.rows)
        self.say(NOT_SELECTED if has_rows else "there is no row to open")

    def action_of_symbol(self, what: str) -> None:
        """Run an action on the symbol of the selected row, or none."""
        if self.view is None:
            return
        self.board.note_holder(self.screen_stack[0])
        symbol = self.frames.watching.selected(self.view)
        if symbol is None:
            self.say(NO_SYMBOL if self.board.selected(self.board.holder) is not None else NOT_SELECTED)
        else:
            self.row_actions.do(what, symbol)

    def action_urgent_exit(self) -> None:
        self.desk_actions.open_urgent_exit()

    def action_new_order(self) -> None:
        if self.view is not None and not self.is_too_small and may_act(self):
            self.push_screen(NewOrderScreen(self, symbol=self.watched))

    def action_advice(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.push_screen(AdviceScreen(self))

    def action_stop_engine(self) -> None:
        self.desk_actions.stop_engine()

    def action_flatten(self) -> None:
        self.flatten()

    def action_basket(self) -> None:
        if not self.is_too_small and may_act(self):
            self.plans.open()

    def on_write_shown(self, message: WriteShown) -> None:
        self.errands.write_shown(message.name, message.text)

    def action_copy_row(self) -> None:
        self.errands.copy_row()

    def action_export_pane(self) -> None:
        self.errands.export_pane()

    def action_help(self) -> None:
        self.errands.open_help(self.hearing.place())

    def action_guide(self) -> None:
        self.errands.open_guide()

    def action_keep_layout(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.errands.keep_layout()

    def _wear(self, name: str) -> None:
        """Draw everything in that theme, in the colours of this terminal."""
        self.register_theme(theme_for(name, self.console.color_system))
        self.theme = name

    def action_wear(self, name: str = "") -> None:
        """Change to that theme, or to the next one, and keep it for the next start."""
        self._wear(name or theme_after(self.theme))
        self.errands.keep_theme(self.theme)

    def action_tour(self) -> None:
        self.tour()

    def tour(self) -> None:
        """Start or end the tour."""
        self.frames.tour.toggle()

    def action_broker_answers(self) -> None:
        self.errands.open_wire()

    def action_while_away(self) -> None:
        self.errands.open_away()

    def action_clear_breaker(self) -> None:
        if may_act(self):
            self.desk_actions.clear_breaker()

    def action_reload_limits(self) -> None:
        if may_act(self):
            self.desk_actions.reload_limits()

    def action_compare_activities(self) -> None:
        if may_act(self):
            self.desk_actions.compare_activities()

    def action_lists(self) -> None:
        if may_act(self):
            self.desk_actions.lists(self.watched)

    def action_take_key(self) -> None:
        if not self.is_too_small:
            self.desk_actions.take_key()

    def action_commands(self) -> None:
        if self.view is not None and not self.is_too_small:
            self.errands.open_commands(self.hearing.place())

    def action_stay_awake(self) -> None:
        """Refuse to suspend: a suspended desk receives no kill and watches no stop."""
        self.say("Ctrl+Z is off: a desk that sleeps hears no kill", "warning")

    def action_way_out(self) -> None:
        """Say where a halt is ended, only where its cause is shown; or ask whether the broker's books are accepted."""
        if self.view is not None and (self.view.status.killed_by or self.view.status.halts) and not holds_key(self):
            self.say(f"{holder_in_words(self.view)}: it resumes and re-arms; {written('key.take')} takes it", "warning")
        elif self.view is not None and self.view.status.killed_by is not None:
            self.say(f"killed: {written('kill')} opens the kill screen, REARM typed there re-arms", "warning")
        elif self.view is not None and self.view.status.halts:
            self.say(f"halted: {written('kill')} opens the kill screen; there K kills, U resumes", "warning")
        elif self.view is not None and (shown := self.view.status.acceptable):
            self.ask(AcceptBooksScreen(shown, lambda: self._accept_books(shown)))
        elif self.view is not None:
            self.say(f"not halted: {written('kill')} halts; on its screen K kills, U resumes", "warning")

    def _accept_books(self, shown: tuple[Difference, ...]) -> None:
        self.handle.send(AcceptBooks(ACCEPT, shown))
        self.following.wait_for_taken_over()
        self.say("asked: the broker's books are read again, and accepted if they still show this", "warning")

    def action_kill(self) -> None:
        """Halt, for drivers without our input thread, which otherwise handles the chord."""
        self.port.press_kill()

    def _open_kill_soon(self) -> None:
        """Called from the thread that read the chord."""
        self.call_later(self.open_kill)

    def open_kill(self) -> None:
        """Open the kill screen once over everything."""
        if not self.screen_stack:
            return  # the app is closing; the engine has received it
        self._end_rest()
        for screen in self.screen_stack:
            if isinstance(screen, ChordScreen):
                screen.hear_chord()
        top = self.screen_stack[-1]
        if isinstance(top, KillScreen):
            top.chord_again()
        else:
            self.push_screen(KillScreen(self, self.port))

    def action_leave(self) -> None:
        has_engine = self.view is not None and not self.handle.ended.is_set()
        if not has_engine and self.handle.owes_press is None:
            self._leave()
        elif not isinstance(self.screen_stack[-1], LeaveScreen):
            self.push_screen(LeaveScreen(self, self._leave))

    def _leave(self) -> None:
        self.closing.begin()
        if (owed := self.handle.owes_press) is not None:
            self.say(f"leaving; the {owed} is still being sent…", "warning")
        else:
            self.say("leaving; the engine goes on…" if self.handle.goes_on else "closing the journal…")

    async def action_quit(self) -> None:
        self.action_leave()

    def action_help_quit(self) -> None:
        self.say("q leaves")
