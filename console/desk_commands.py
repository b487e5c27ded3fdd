"""Commands of the desk besides trading, the operator's layouts, and faults in their files.

An invalid one is reported and the others apply. Example:

one = ["proposals", "positions"]
[[two]]
panes = ["watch", "orders"]
width = 64
[[two]]
panes = ["chart"]
[[three]]
panes = ["watch", "orders", "positions"]

Commands of the desk besides trading: the command list, details, copying a row, writing a file, the guide.
Nothing here sends a command to the engine. Disk access runs in a separate thread.
"""

from __future__ import annotations

import tomllib
from base64 import b64encode
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import Protocol, TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.worker import get_current_worker

from console.board import Board
from console.details import Telling, away, wire
from console.display import LOG_PANE, THEME_FILE, THEME_FOLDER, ColumnOfPanes, DeskLayout, layout_fault
from console.keymap import Key, KeyScope, written
from console.order_form.prefill import FOLDER as PRESETS
from console.order_form.prefill import KEYS, Preset, file_of, presets_in
from console.panes import PANES
from console.screens.commands import CommandsScreen, KeepLayoutScreen
from console.screens.desk_control import holds_key
from console.screens.dialog import Dialog, DialogHost
from console.screens.first_start import ChordScreen, GuideScreen
from console.screens.reading import DetailScreen, ExplainScreen, HelpScreen, WhyScreen
from console.themes import theme_file
from core.model.lazy_dataclass import dataclass
from core.model.text_sanitizer import harmless
from core.ports import JournalError, OperatorError
from core.views import DeskView, LogRow
from core.views.results import HistoryDay, HistoryKind
from widgets.chart import Chart
from widgets.grid import Grid
from widgets.lines import TextLine, in_a_line

KIND = "file"
FIRST = -1_000_001
"""Number of the first line, below those of the engine's notes."""


class FileNotes:
    """The faults found since this desk started."""

    def __init__(self) -> None:
        self._rows: list[LogRow] = []
        self._wrong: dict[str, frozenset[str]] = {}
        self._made_of: tuple[DeskView, int] | None = None
        self._made: DeskView | None = None

    def tell(self, folder: str, faults: Sequence[str], at: datetime) -> list[str]:
        """Set the faults of a folder; return the new ones, which get a line each."""
        known = self._wrong.get(folder, frozenset())
        self._wrong[folder] = frozenset(faults)
        news = [fault for fault in faults if fault not in known]
        self._rows += [LogRow(FIRST - len(self._rows) - n, at, KIND, text) for n, text in enumerate(news)]
        return news

    def beside(self, view: DeskView) -> DeskView:
        """Return the view with these lines in its log, ordered by time."""
        if not self._rows:
            return view
        was, many = self._made_of or (None, 0)
        if self._made is None or was is not view or many != len(self._rows):
            log = list(view.log)
            for row in self._rows:
                insort(log, row, key=lambda each: each.at)
            self._made_of, self._made = (view, len(self._rows)), replace(view, log=tuple(log))
        return self._made


LAYOUTS = "layouts"
KNOWN = tuple(name for name in PANES if name != LOG_PANE)
"""Panes allowed in a column; the log is below all of them."""
COLUMNS = {"two": 2, "three": 3}
"""Most columns, by the key of a file."""
UNDER = 2
NARROWEST, WIDEST = 30, 120
"""Cells of a column with a fixed width."""


@dataclass(frozen=True, slots=True)
class OwnLayouts:
    """Layouts by name; `faults` lists rejected entries with their place."""

    each: Mapping[str, DeskLayout] = field(default_factory=dict)
    faults: Sequence[str] = ()


class _WrongError(Exception):
    """The error of one layout."""


def layouts_in(files: Mapping[str, str | None]) -> OwnLayouts:
    """Parse layout files by name; None is an unreadable file."""
    each, faults = {}, []
    for file, text in sorted(files.items()):
        name = file.removesuffix(".toml")
        try:
            if fault := layout_fault(name):
                raise _WrongError(fault)
            each[name] = _read(name, text)
        except _WrongError as wrong:
            faults.append(f"{LAYOUTS}/{file[:24]}: {wrong}")
    return OwnLayouts(each, tuple(faults))


def layout_file_of(layout: DeskLayout) -> str:
    """Return the text of its file."""
    lines = [f"one = {_list_of(layout.one)}"]
    for key, columns in (("two", layout.two), ("three", layout.three)):
        for column in columns:
            lines += [f"[[{key}]]", f"panes = {_list_of(column.panes)}"]
            lines += [f"width = {column.width}"] if column.width else []
    return "\n".join(lines) + "\n"


def _list_of(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _read(name: str, text: str | None) -> DeskLayout:
    if text is None:
        raise _WrongError("cannot be read")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _WrongError(str(error)[:80]) from None
    if unknown := sorted(set(table) - {"one", *COLUMNS}):
        raise _WrongError(f"there is no {unknown[0][:20]}; it has one, two and three")
    one = _panes("one", table.get("one"))
    if len(one) != UNDER:
        raise _WrongError("one: two panes, the first always there, the second until another is asked for")
    two, three = (_columns(key, table.get(key)) for key in COLUMNS)
    return DeskLayout(name, (one[0], one[1]), two, three, two[0].panes[-1])


def _columns(key: str, said: object) -> tuple[ColumnOfPanes, ...]:
    """Parse columns; at least one must have no fixed width and takes the rest."""
    if not isinstance(said, list) or not 1 <= len(said) <= COLUMNS[key]:
        raise _WrongError(f"{key}: one to {COLUMNS[key]} columns, each [[{key}]] with its panes")
    columns = tuple(_column(key, each) for each in said)
    names = [name for column in columns for name in column.panes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise _WrongError(f"{key}: {twice} stands there twice")
    if all(column.width for column in columns):
        raise _WrongError(f"{key}: one column without a width takes what is left")
    return columns


def _column(key: str, said: object) -> ColumnOfPanes:
    if not isinstance(said, dict) or set(said) - {"panes", "width"}:
        raise _WrongError(f"{key}: a column has panes, and perhaps a width")
    width = said.get("width", 0)
    if type(width) is not int or (width and not NARROWEST <= width <= WIDEST):
        raise _WrongError(f"{key}: a width is {NARROWEST} to {WIDEST} cells")
    return ColumnOfPanes(_panes(key, said.get("panes")), width)


def _panes(key: str, said: object) -> tuple[str, ...]:
    if not isinstance(said, list) or not said:
        raise _WrongError(f"{key}: a list of panes")
    if odd := next((each for each in said if each not in KNOWN), None):
        raise _WrongError(f"{key}: there is no pane {str(odd)[:20]!r}; there are {', '.join(KNOWN)}")
    return tuple(said)


T = TypeVar("T")


class CommandHost(DialogHost, Protocol):
    """The desk, as its commands need it."""

    def control_terminal(self, control: str) -> None: ...
    def tour(self) -> None: ...
    def action_pane(self, name: str) -> None: ...


class DeskCommands:
    """The desk's commands; `app` is its Textual side, `board` its content."""

    def __init__(self, app: App[None], desk: CommandHost, board: Board) -> None:
        self.app = app
        self.desk = desk
        self.board = board
        self.wrong_files = FileNotes()
        self._due: tuple[Key, DOMNode] | None = None
        self._told_of: datetime | None = None
        self._chord_waits = False
        self._reading = Lock()

    def aside(self, ask: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `ask` in a thread and `then` with its result here; an error is shown on the last line."""

        def work() -> None:
            worker = get_current_worker()
            try:
                answer = ask()
            except (OperatorError, JournalError, OSError) as error:
                act = partial(self.desk.say, str(error), "warning")
            else:
                act = partial(then, answer)
            if not worker.is_cancelled:
                self.app.call_from_thread(act)

        self.app.run_worker(work, thread=True, exit_on_error=False)

    # ── the guide ────────────────────────────────────────────────────────────────────────────────────────────────

    def look_for_presets(self) -> None:
        """Load the operator's presets of stop and target; an invalid one is reported, the others apply."""

        def take(files: Mapping[str, str | None]) -> None:
            self.desk.forms.presets = presets_in(files)
            self._name_wrong(PRESETS, self.desk.forms.presets.faults)

        self.aside(lambda: self.desk.surroundings.kept(PRESETS), take)

    def _name_wrong(self, folder: str, faults: Sequence[str]) -> None:
        """Write each fault to the log once while it persists; the last line gives their number."""
        news = self.wrong_files.tell(folder, faults, self.desk.engine_now())
        if len(news) > 1:
            self.desk.say(f"{len(news)} files of {folder}/ are wrong: Log names each", "warning")
        elif news:
            self.desk.say(news[0], "warning")

    def keep_preset(self, number: int, preset: Preset) -> None:
        """Save a preset; it applies once it is on the disk."""

        def told(place: str) -> None:
            self.desk.say(f"{preset.words}: kept in {place}")
            self.look_for_presets()

        self.aside(lambda: self.desk.surroundings.keep(PRESETS, f"{KEYS[number]}.toml", file_of(preset)), told)

    def look_for_layouts(self) -> None:
        """Load the operator's layouts; an invalid one is reported, the others apply."""

        def take(files: Mapping[str, str | None]) -> None:
            own = layouts_in(files)
            self.board.own_layouts = own.each
            self._name_wrong(LAYOUTS, own.faults)

        self.aside(lambda: self.desk.surroundings.kept(LAYOUTS), take)

    def keep_theme(self, name: str) -> None:
        """Keep the theme for the next start; it is worn already."""
        key = written("theme")
        self.aside(
            lambda: self.desk.surroundings.keep(THEME_FOLDER, THEME_FILE, theme_file(name)),
            lambda place: self.desk.say(f"theme {name}, kept in {place}; {key} is the next one"),
        )

    def keep_layout(self) -> None:
        """Save the current panes as a named layout."""
        board = self.board
        layout, shown = board.layout_as_shown()

        def keep(name: str) -> None:
            def told(place: str) -> None:
                self.desk.say(f"layout {name}: kept in {place}")
                self.look_for_layouts()

            text = layout_file_of(replace(layout, name=name))
            self.aside(lambda: self.desk.surroundings.keep(LAYOUTS, f"{name}.toml", text), told)

        def drop(name: str) -> None:
            def told(_none: None) -> None:
                self.desk.say(f"layout {name} is removed")
                self.look_for_layouts()

            self.aside(lambda: self.desk.surroundings.drop(LAYOUTS, f"{name}.toml"), told)

        self.desk.ask(KeepLayoutScreen(self.desk, layout, shown, board.own_layouts, (keep, drop)))

    def look_whether_first(self) -> None:
        self.aside(self.desk.surroundings.must_try_chord, self.try_chord)

    def try_chord(self, must_try: bool) -> None:
        """Open the test of the chord on a broker's account, until it arrived once; the guide comes over it."""
        self._chord_waits = must_try
        self.try_chord_with_key()
        self.aside(self.desk.surroundings.is_first_start, self.welcome)

    def try_chord_with_key(self) -> None:
        """Open the test once this desk is in control, because the chord halts all and only that desk resumes."""
        if self._chord_waits and len(self.app.screen_stack) == 1 and holds_key(self.desk):
            self._chord_waits = False
            received = self.desk.surroundings.chord_was_received
            self.app.push_screen(ChordScreen(lambda: self.aside(received, lambda _none: None)))

    def welcome(self, is_first_start: bool) -> None:
        """Open the guide once for each installation; never over a dialog except the test of the chord."""
        if is_first_start and all(isinstance(screen, ChordScreen) for screen in self.app.screen_stack[1:]):
            self.open_guide()

    def open_guide(self) -> None:
        remember = self.desk.surroundings.guide_was_closed
        self.app.push_screen(GuideScreen(lambda: self.aside(remember, lambda _none: None), self.desk.tour))

    def open_help(self, place: KeyScope) -> None:
        pane = PANES.get(place.value)
        top = self.app.screen
        beneath = top if isinstance(top, Dialog) else None
        help = HelpScreen(place, pane.about if pane is not None else "", self.desk.tour, beneath)
        if self.desk.view is not None:
            help.update_view(self.desk.view, self.desk.engine_now())
        self.app.push_screen(help)

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────

    def open_commands(self, place: KeyScope) -> None:
        """Open the list of commands of the focused pane, its list and the desk; they act on the current focus."""
        focused = self.app.focused
        grid = focused if isinstance(focused, Grid) else None
        nodes = {KeyScope.EVERYWHERE: self.app, KeyScope.LIST: grid}
        pane = grid.parent if grid is not None else focused if isinstance(focused, Chart) else None

        def run(key: Key) -> None:
            if key.place.value in PANES and key.place is not place:
                # Open the pane of a command; its row may not have been visible, so nothing else happens.
                self.desk.action_pane(key.place.value)
                self.desk.say(f"{key.written} {key.description}: press it on the row that you mean")
                return
            node = nodes.get(key.place, pane)
            if node is not None:
                self._due = (key, node)
                self.app.call_later(self.do_what_is_due)

        self.app.push_screen(CommandsScreen(place, run))

    async def do_what_is_due(self) -> None:
        """Run the chosen command; the desk calls this before it handles the next key."""
        if self._due is not None:
            (key, node), self._due = self._due, None
            await self.app.run_action(key.action, node)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def open_detail(self, pane: str, key: str) -> None:
        entry = PANES.get(pane)
        if entry is not None and entry.opens is not None:
            self._open_text(*entry.opens, key)

    def look_at_history(self, day: str) -> None:
        """Read a day's journal, which may be long, in a thread, one at a time."""
        chosen = date.fromisoformat(day) if day else None

        def read() -> HistoryDay:
            with self._reading:
                return self.desk.surroundings.history(chosen)

        self.aside(read, self.board.history.take_day)

    def explain(self, key: str) -> None:
        """Open the history of an order, or the explanation of a trade."""
        row = self.board.history.row_of(key)
        if row is None:
            return
        if row.kind is HistoryKind.TRADE:
            self.desk.ask(ExplainScreen(row.order, f"{row.symbol} {row.text}", self.desk.surroundings.explain))
        else:
            self.desk.ask(WhyScreen(row.order, row.text, self.desk.surroundings.why))

    def explain_day(self, day: date) -> None:
        """Explain the change of the account's value on that day."""
        self.desk.ask(ExplainScreen(day.isoformat(), f"{day:%A %d %B %Y}", self.desk.surroundings.explain))

    def open_wire(self) -> None:
        self._open_text("Orders and the broker", wire, "")

    def open_away(self) -> None:
        if self.desk.view is not None and self.desk.view.away is None:
            self.desk.say("no desk was away since this engine is served to desks")
            return
        self._open_text("While you were away", away, "")

    def show_away(self, view: DeskView) -> None:
        """Show the events of its absence to a desk that attached where none was, once and over no other dialog."""
        mine = next((row for row in view.status.key.desks if row.number == self.desk.handle.desk), None)
        absence = view.away
        is_news = mine is not None and absence is not None and absence.rows and absence.until == mine.since
        if is_news and absence is not None and absence.until != self._told_of and len(self.app.screen_stack) == 1:
            self._told_of = absence.until
            self.open_away()

    def _open_text(self, title: str, tell: Telling, key: str) -> None:
        def beside(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
            return tell(self.wrong_files.beside(view), key, now)

        detail = DetailScreen(self.desk, title, beside, key)
        if detail.tells_something:
            self.app.push_screen(detail)
        else:
            self.desk.say("nothing more is known of this row")

    def copy_row(self) -> None:
        """Copy the selected row to the clipboard of the operator's terminal (OSC 52)."""
        if self.desk.view is None:
            return
        focused = self.app.focused
        row = focused.selected_row if isinstance(focused, Grid) else None
        if row is None:
            self.desk.say("no row is selected; the arrows select one")
            return
        self.desk.control_terminal(copying(row.copied or in_a_line(row.cells)))
        with_id = ", with its whole identifier" if row.copied else ""
        self.desk.say(f"the row was handed to the terminal's clipboard{with_id}")

    def export_pane(self) -> None:
        """Write every row and column of the focused pane to a new CSV file (SY-08)."""
        from core.views.export import HISTORY, TABLES, as_csv, names_of, row_of

        view, name = self.desk.view, self.board.holder
        if view is None:
            return
        day = self.board.history.day
        exported = TABLES.get(OTHER_ROWS.get(name, name), HISTORY)
        rows = exported.rows(view) if exported is not HISTORY else () if day is None else day.rows
        text = as_csv(names_of(exported), map(row_of, rows))
        self._write_file(f"{name}-{self.desk.engine_now():%Y%m%d-%H%M%S}.csv", text)

    def write_shown(self, of: str, text: str) -> None:
        """Write text to a new file and name it."""
        self._write_file(f"{of}-{self.desk.engine_now():%Y%m%d-%H%M%S}.txt", text)

    def _write_file(self, name: str, text: str) -> None:
        write = self.desk.surroundings.write
        self.aside(lambda: write(name, text), lambda path: self.desk.say(f"written to {path}"))


OTHER_ROWS = {KeyScope.RESULTS.value: "trades"}
"""What a pane's rows are in a file, where it shows more than one kind."""
LONGEST = 4000
"""Characters; some terminals silently drop a longer text."""


def copying(text: str) -> str:
    """Return the control sequence (OSC 52) that copies `text` to the terminal's clipboard, also across SSH."""
    return f"\x1b]52;c;{b64encode(harmless(text)[:LONGEST].encode()).decode()}\x07"
