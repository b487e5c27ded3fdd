"""The watchlist: each symbol with its quote, change, sparkline and this desk's positions and orders (MD-06)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from rich.cells import cell_len

from core.model.instrument import HELD, ListKind
from core.model.values import Price, Symbol
from core.views import ActionRow, DeskView, WatchRow, near
from widgets import format as f
from widgets.format import coming_in_words, ex_day
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.lines import Tone, has_room, widths_of
from widgets.pane import Pane

BLOCKS = "▁▂▃▄▅▆▇█"
COURSE, SHORT_COURSE = 10, 6
"""Cells of the sparkline, wide and narrow."""
SYMBOL, BID, ASK = Column("SYM", 6), Column("BID", 8, Align.RIGHT), Column("ASK", 8, Align.RIGHT)
LAST, USD, CHANGE = Column("LAST ", 9, Align.RIGHT), Column("USD", 7, Align.RIGHT), Column("CHANGE", 9, Align.RIGHT)
SPARK, SHORT_SPARK = Column("TODAY", COURSE), Column("TODAY", SHORT_COURSE)
VOLUME, HAS = Column("VOLUME", 7, Align.RIGHT), Column("HELD", 8, stretches=True)
BY_ROOM = (
    (SYMBOL, BID, ASK, LAST, USD, CHANGE, SPARK, VOLUME, HAS),
    (SYMBOL, BID, ASK, LAST, USD, CHANGE, SHORT_SPARK, VOLUME, HAS),
    (SYMBOL, BID, ASK, LAST, USD, CHANGE, SHORT_SPARK, HAS),
    (SYMBOL, BID, ASK, LAST, CHANGE, SHORT_SPARK, HAS),
    (SYMBOL, LAST, CHANGE, SPARK, HAS),
    (SYMBOL, LAST, CHANGE, HAS),
)
"""Column sets from the widest pane to the narrowest."""
CellOf = Callable[[WatchRow, datetime, Column], Cell]
NOTHING_HELD = "Nothing is held, ordered or proposed. > is the next list."
POLLED = "polled each minute, its trading halts are not heard"
EXIT_WAITS, PROPOSED = "!", "?"
WAITS = {EXIT_WAITS: ("EXIT WAITS", "EXIT"), PROPOSED: ("entry waits", "entry")}
"""The marks with their words: what waits for a key."""
AROUND_TITLE = 12
"""Cells of the upper edge for corners, number and separators."""
EDGE = 6
"""Cells of the lower edge that hold no text."""
LISTED = {ListKind.NEVER: "never", ListKind.CLOSE_ONLY: "close", ListKind.RESTRICTED: "until"}
"""The list that blocks entries of a symbol, as a word short enough for its row."""
THOUSAND, TEN_THOUSAND, MILLION = 1_000, 10_000, 1_000_000


def columns_of(width: int) -> tuple[Column, ...]:
    return next((columns for columns in BY_ROOM if has_room(columns, width)), BY_ROOM[-1])


class Watch(Pane):
    """`chosen` is the name of the list to show; if there is none of that name, the operator's first is shown."""

    NUMBER = 8
    NAME = "Watch"

    def __init__(self) -> None:
        super().__init__(columns_of(0), empty="", id="watch")
        self.chosen = ""
        self._columns = columns_of(0)
        self._view: DeskView | None = None
        self._drawn: dict[Symbol, tuple[WatchRow, tuple[bool, str, int], Row]] = {}
        self._now: datetime | None = None

    def show(self, view: DeskView, now: datetime) -> None:
        self._view, self._now = view, now
        self._fill()

    def turn(self, step: int) -> None:
        """Show another list."""
        names = self._names()
        if names:
            self.chosen = names[(names.index(self.name_of_list()) + step) % len(names)]
            self._fill()
            if self.grid.selected is None:
                self.grid.action_first()

    def on_resize(self) -> None:
        self._fill()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def _names(self) -> list[str]:
        return [] if self._view is None else [HELD, *self._own()]

    def _own(self) -> list[str]:
        """Return the operator's lists; one named like the list of what is held is shown in it."""
        return [] if self._view is None else [each.name for each in self._view.watch.lists if each.name != HELD]

    def name_of_list(self) -> str:
        """Return the name of the list that is shown; empty without lists."""
        return self.chosen if self.chosen in self._names() else next(iter(self._own()), "")

    def rows(self) -> list[WatchRow]:
        """Return the rows of the list, in its order."""
        if self._view is None:
            return []
        watch, name = self._view.watch, self.name_of_list()
        listed = next((each.symbols for each in watch.lists if each.name == name), ())
        by_symbol = {row.symbol: row for row in watch.rows}
        ours = [row.symbol for row in watch.rows if name == HELD and _has_something(row) and row.symbol not in listed]
        return [by_symbol[symbol] for symbol in (*ours, *listed)]

    def _fill(self) -> None:
        if self._now is None:
            return
        columns, now = columns_of(self.content_size.width), self._now
        if columns != self._columns:
            self._columns = columns
            self._drawn = {}
            self.grid.show_columns(columns)
        rows, room = self.rows(), widths_of(columns, self.content_size.width)[-1]
        empty = NOTHING_HELD if self.name_of_list() == HELD else "Nothing is watched. a adds a symbol."
        self.grid.show([self._row(row, now, room) for row in rows], empty=empty)
        names = self._own()
        others = f" of {len(names)} lists" if len(names) > 1 and self.name_of_list() != HELD else ""
        many = sum(len(row.alerts) for row in rows)
        alerts = f", {many} {'alert' if many == 1 else 'alerts'}" if many else ""
        told = f"{self.name_of_list()}{others}, {len(rows)}"
        has_room = cell_len(self.NAME + told + alerts) <= self.outer_size.width - AROUND_TITLE
        self.title_with(f"{told}{alerts if has_room else ''}" if names else "")
        self._say()

    def _row(self, row: WatchRow, now: datetime, room: int) -> Row:
        """Return the row, from a cache if nothing changed: of two hundred rows most do not."""
        drawn, ex = self._drawn.get(row.symbol), ex_day(near(self._actions(), row.symbol))
        beside = f.is_old(row, now), ex, room
        if drawn is not None and drawn[1] == beside and drawn[0] == row:
            return drawn[2]
        made = _row(row, now, self._columns, ex, room)
        self._drawn[row.symbol] = row, beside, made
        return made

    def _actions(self) -> Sequence[ActionRow]:
        return () if self._view is None else self._view.actions

    def _say(self) -> None:
        """Note why the selected symbol does not trade, proposals that wait, and the age of its price."""
        row = next((row for row in self.rows() if row.symbol == self.grid.selected), None)
        if row is None or self._now is None:
            self.note("")
            return
        said = [f"HALTED by its exchange since {row.halted}"] if row.halted else []
        said += [row.trouble] if row.trouble else []
        said += [POLLED] if row.is_polled else []
        said += ["exit waits for your key"] if row.exit_waits else []
        said += ["entry waits for your key"] if row.proposed else []
        said += [listed.words for listed in row.lists]
        said += [coming_in_words(coming)] if (coming := near(self._actions(), row.symbol)) is not None else []
        said += [f"{row.working} working"] if row.working else []
        said += [f"alert when {alert}" for alert in row.alerts]
        if row.last_at is not None and f.is_old(row, self._now):
            said.append(f"last price {f.age(row.last_at, self._now)} old")
        # The lower edge has room for text beside its corners and the position in the list.
        place = f"{self.grid.window.place()} ─ " if self.grid.window.place() else ""
        room = self.outer_size.width - EDGE - cell_len(place)
        self.note(whole_words(f"{row.symbol}: ", said, room))


def whole_words(head: str, said: Sequence[str], room: int) -> str:
    """Join as many items as fit, none cut, with the number of the others (`+2`); empty without items.

    If not even one fits behind `head`, which the selected row shows too, it stands without.
    """
    tries = [(head, shown) for shown in range(len(said), 0, -1)]
    for before, shown in [*tries, ("", 1)] if said else []:
        left = len(said) - shown
        text = f"{before}{', '.join(said[:shown])}" + (f" +{left}" if left else "")
        if cell_len(text) <= room:
            return text
    if not said:
        return ""
    text = f"{head}Enter tells {len(said)} more"
    return text if cell_len(text) <= room else "Enter tells more"


def _has_something(row: WatchRow) -> bool:
    return bool(row.held or row.working or row.exit_waits or row.proposed or row.alerts)


def _row(row: WatchRow, now: datetime, columns: Sequence[Column], ex: str, room: int) -> Row:
    """Return the row; only visible columns are computed, because two hundred rows change four times a second."""
    cells = (CELLS[column.title](row, now, column) for column in columns[:-1])
    return Row(row.symbol, (*cells, _has(row, ex, room)))


def _change(fraction: Decimal | None) -> str:
    """Format `▲ +0.80 %`; the direction shows by shape and sign, not by colour alone."""
    if fraction is None:
        return f.UNKNOWN
    percent = f.signed_percent(fraction)
    return f"{'▲' if percent.startswith('+') else '▼' if percent.startswith('−') else ' '} {percent}"


def _has(row: WatchRow, ex: str, room: int) -> Cell:
    """Format `47 2 orders entry waits never ex Tue`: position, working orders, proposal, blocking list, ex-date.

    In a narrow pane the ex-date is dropped first, then the orders; only without room for a word a proposal is a mark.
    """
    if not (_has_something(row) or row.lists or ex):
        return Cell("")
    mark = EXIT_WAITS if row.exit_waits else PROPOSED if row.proposed else ""
    long, short = WAITS.get(mark, ("", ""))
    held = f.quantity(row.held) if row.held else ""
    orders = f"{row.working} order{'s' * (row.working != 1)}" if row.working else ""
    brief = f"{row.working} ord" if row.working else ""
    listed = LISTED[row.lists[0].kind] if row.lists else ""
    tone: Tone = "urgent" if row.exit_waits else "warning" if row.proposed or ex or row.lists else ""
    texts = [
        " ".join(part for part in parts if part)
        for parts in (
            (held, orders, long, listed, ex),
            (held, brief, long, listed, ex),
            (held, brief, short, listed, ex),
            (held, brief, short, listed),
            (held, short, listed),
            *([(held, mark, listed)] if listed else []),
            (held, short),
            (held, brief, mark),
            (held, mark),
            (mark, held),
        )
    ]
    return Cell(next((text for text in texts if cell_len(text) <= room), texts[-1]), tone)


def sparkline(course: Sequence[Price], cells: int) -> str:
    """Draw the course in `cells` cells, each the last price of its part, scaled to its range; flat in the middle."""
    if not course:
        return ""
    parts = min(cells, len(course))
    shown = [course[(number + 1) * len(course) // parts - 1] for number in range(parts)]
    low, high = min(shown), max(shown)
    if low == high:
        return BLOCKS[len(BLOCKS) // 2] * parts
    return "".join(BLOCKS[int((price - low) / (high - low) * (len(BLOCKS) - 1))] for price in shown)


def shortened(volume: Decimal) -> str:
    """Format `812`, `15.3k` or `1.24M`: at most six cells below ten billion."""
    if volume < TEN_THOUSAND:
        return f"{volume:,.0f}"
    if volume < MILLION:
        return f"{volume / THOUSAND:.1f}k"
    millions = volume / MILLION
    return f"{millions:.2f}M" if millions < THOUSAND else f"{millions:,.0f}M"


CELLS: Mapping[str, CellOf] = {
    SYMBOL.title: lambda row, _now, _column: Cell(row.symbol, "strong"),
    BID.title: lambda row, _now, _column: Cell(f.at_tick(None if row.quote is None else row.quote.bid)),
    ASK.title: lambda row, _now, _column: Cell(f.at_tick(None if row.quote is None else row.quote.ask)),
    LAST.title: lambda row, now, _column: f.last_price(row, now),
    USD.title: lambda row, _now, _column: Cell(
        f.UNKNOWN if row.change is None else f.signed(row.change), f.tone_of(row.change)
    ),
    CHANGE.title: lambda row, _now, _column: Cell(_change(row.change_fraction), f.tone_of(row.change)),
    SPARK.title: lambda row, _now, column: Cell(sparkline(row.course, column.width), f.tone_of(row.change) or "muted"),
    VOLUME.title: lambda row, _now, _column: Cell(shortened(row.volume) if row.volume else f.UNKNOWN),
}
"""The function that makes a cell, by column title, for all columns but the last."""
