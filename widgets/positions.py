"""Positions with their value, the holder of the stop and the covered quantity; sorted, with their sum (OP-06)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.model.holding import Light
from core.model.order import StopHolder
from core.model.values import Quantity, Symbol, plain
from core.views import ActionRow, DeskView, ForeignRow, PositionRow, near
from core.views.sums import position_sums
from widgets import format as f
from widgets.format import coming_in_words, ex_day
from widgets.grid import Align, Column, Grid, Row
from widgets.lines import Cell, TextLine, Tone, widths_of
from widgets.pane import Pane, positions_when_empty

Changes = Mapping[Symbol, Decimal | None]
"""Change of the price since the previous session's close, as a fraction, by symbol."""

SMALLEST = Decimal("-Infinity")
"""Unknown figures sort last."""


def _known(figure: Decimal | None) -> Decimal:
    return SMALLEST if figure is None else figure


def _unheld(row: PositionRow) -> Decimal:
    """Return the fraction of the position without an active stop at the broker."""
    if row.holder is not StopHolder.BROKER or row.acts_from is not None:
        return Decimal(1)
    return 1 - row.covered / abs(row.quantity)


ORDERS: Mapping[str, Callable[[PositionRow, Changes], Decimal]] = {
    "QTY": lambda row, _: abs(row.quantity),
    "AVG": lambda row, _: row.average_price,
    "LAST ": lambda row, _: _known(row.last),
    "VALUE": lambda row, _: SMALLEST if row.value is None else abs(row.value),
    "P&L USD": lambda row, _: _known(row.profit),
    "P&L %": lambda row, _: _known(row.profit_fraction),
    "DAY": lambda row, changes: _known(changes.get(row.symbol)),
    "R": lambda row, _: _known(row.result_in_risk),
    "STOP": lambda row, _: _known(row.standing_stop),
    "TO STOP": lambda row, _: _known(row.health.way_to_stop),
    "TO TGT": lambda row, _: _known(row.health.way_to_target),
    "AGE": lambda row, _: Decimal(row.health.days_here),
    "LEAVE": lambda row, _: _known(row.health.days_to_leave),
    "SPREAD": lambda row, _: _known(row.health.spread),
    "HELD BY": lambda row, _: _unheld(row),
}
"""Sort figure by column title; the greatest comes first."""
TITLES = ("", "SYM", *ORDERS)
"""Titles that `<` and `>` step through; the first keeps the original order."""


def in_order(rows: Sequence[PositionRow], title: str, changes: Changes) -> list[PositionRow]:
    """Sort by the column of that title; rows with equal figures keep their order."""
    if title in ORDERS:
        return sorted(rows, key=lambda row: ORDERS[title](row, changes), reverse=True)
    return sorted(rows, key=lambda row: row.symbol) if title else list(rows)


def sum_line(rows: Sequence[PositionRow]) -> TextLine:
    """Format `value 9,758.00 USD;  P&L +34.43 USD, +0.35 %` over positions with a price.

    Long, short and net are added if there are both.
    """
    sums = position_sums(rows)
    words = f"value {f.money(sums.value)} USD"
    if sums.long and sums.short:
        words = f"long {f.money(sums.long)}, short {f.money(-sums.short)}, net {f.signed(sums.net)} USD"
    line: list[Cell] = [Cell(f"  {words}", "muted")]
    if sums.profit is not None:
        made = f"{f.signed(sums.profit)} USD, {f.signed_percent(sums.profit_fraction)}"
        line += [Cell(";  P&L ", "muted"), Cell(made, f.tone_of(sums.profit))]
    if sums.without_price:
        line.append(Cell(f"; {sums.without_price} without a price", "warning"))
    return tuple(line)


LAST = 9
"""Cells for the last price and a mark for an old one."""
SPARE = 2
"""Lines besides the rows: the column titles and the sum."""
FOREIGN = "foreign:"
"""Prefix of the key of a position in an asset class that this desk does not trade; its symbol follows."""
NO_STOP = "none"
"""Shown in place of a stop price if nobody holds a stop: a price would suggest protection."""

UNATTENDED = "u"
"""Mark of a position whose exits are authorized to leave without a confirmation; `u` grants and revokes that."""
LIGHTS: Mapping[Light, tuple[str, Tone]] = {
    Light.GREEN: ("●", "gain"),
    Light.AMBER: ("◆", "warning"),
    Light.RED: ("■", "urgent"),
}
"""Shape and tone of a holding's light; each is read without its colour."""
COLUMNS = (
    Column("", 1),
    Column("SYM", 5),
    Column("QTY", 8, Align.POINT, 3),
    Column("AVG", 9, Align.POINT, f.PLACES, rank=4),
    Column("LAST ", LAST, Align.RIGHT, rank=1),
    Column("VALUE", 11, Align.RIGHT, rank=6),
    Column("P&L USD", 11, Align.RIGHT),
    Column("P&L %", 9, Align.RIGHT, rank=5),
    Column("DAY", 9, Align.RIGHT, rank=7),
    Column("R", 5, Align.RIGHT, rank=2),
    Column("STOP", 8, Align.RIGHT),
    Column("TO STOP", 7, Align.RIGHT, rank=3),
    Column("TO TGT", 7, Align.RIGHT, rank=9),
    Column("AGE", 4, Align.RIGHT, rank=8),
    Column("TIME", 5, Align.RIGHT, rank=10),
    Column("LEAVE", 7, Align.RIGHT, rank=11),
    Column("SPREAD", 7, Align.RIGHT, rank=12),
    Column("RULES", 20, rank=13),
    Column("HELD BY", 11, stretches=True),
)
WITH_SIGNED = (*COLUMNS[:-1], Column("", len(UNATTENDED)), COLUMNS[-1])
SORTED = "▾"
"""Mark behind the title of the sort column."""


class Positions(Pane):
    NUMBER = 2
    NAME = "Positions"

    def __init__(self) -> None:
        super().__init__(COLUMNS, empty=positions_when_empty(""), id="positions")
        self.by = TITLES[0]
        """The title of the sort column; empty for the original order."""
        self._columns: tuple[Column, ...] = COLUMNS
        self._is_any_signed = False
        self._came: Sequence[PositionRow] = ()
        self._rows: Sequence[PositionRow] = ()
        self._changes: Changes = {}
        self._actions: Sequence[ActionRow] = ()
        self._foreign: tuple[ForeignRow, ...] = ()
        self._now: datetime | None = None

    def show(self, view: DeskView, now: datetime) -> None:
        """Show the positions; one that this desk does not trade is shown without price, stop and result."""
        rows, foreign = view.positions, view.foreign
        self._changes = {row.symbol: row.change_fraction for row in view.watch.rows}
        self._actions = view.actions
        self._came, self._foreign, self._now = rows, foreign, now
        self._rows = in_order(rows, self.by, self._changes)
        self._make_room()
        self._fill()
        known = [row.profit for row in rows if row.profit is not None]
        total = f", {f.signed(sum(known, Decimal(0)))} USD" if known else ""
        old = [row.last_at for row in rows if row.last_at is not None and f.is_old(row, now)]
        stale = f", PRICES UP TO {f.age(min(old), now)} OLD" if old else ""
        said = f"{len(rows)} open{total}{stale}" if rows else ""
        said += f"{', ' if said else ''}{len(foreign)} of other kinds" if foreign else ""
        self.title_with(said)
        self._say()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._fill()

    def words_wanted(self) -> int:
        return int(len(self._rows) > 1)

    def sort(self, step: int) -> None:
        """Sort by the next or previous visible column."""
        widths = widths_of(COLUMNS, self.content_size.width)
        shown = {column.title for column, width in zip(COLUMNS, widths, strict=True) if width > 0}
        titles = [title for title in TITLES if not title or title in shown]
        now = titles.index(self.by) if self.by in titles else 0
        self.by = titles[(now + step) % len(titles)]
        self._rows = in_order(self._came, self.by, self._changes)
        self._make_room()
        self._fill()

    def _make_room(self) -> None:
        """Set the columns: one for authorized exits only while a position has them, and the mark of the sort column."""
        self._is_any_signed = any(row.unattended_until is not None for row in self._rows)
        columns = tuple(
            replace(column, title=column.title.rstrip() + SORTED) if self.by and column.title == self.by else column
            for column in (WITH_SIGNED if self._is_any_signed else COLUMNS)
        )
        if columns != self._columns:
            self._columns = columns
            self.grid.show_columns(columns)

    def _fill(self) -> None:
        if self._now is None:
            return
        room = widths_of(self._columns, self.content_size.width)[-1]
        has_mark = self._is_any_signed
        rows = [self._row(row, self._now, room) for row in self._rows]
        rows += [_foreign_row(row, has_mark=has_mark) for row in self._foreign]
        self.grid.show(rows, empty=positions_when_empty(self.state))
        has_room = len(rows) + SPARE <= self.content_size.height
        self.words.show([sum_line(self._rows)] if len(self._rows) > 1 and has_room else ())

    def _row(self, row: PositionRow, now: datetime, room: int) -> Row:
        ex = ex_day(near(self._actions, row.symbol))
        return _row(row, now, room, self._changes.get(row.symbol), ex, has_mark=self._is_any_signed)

    def _say(self) -> None:
        """Note the sign of the selected position's stop, whether its exits need a key, and the age of its price.

        If there is nothing of it to note, a sign in another row is explained.
        """
        row = next((row for row in self._rows if row.key == self.grid.selected), None)
        if row is None or self._now is None:
            other = next((row for row in self._foreign if f"{FOREIGN}{row.symbol}" == self.grid.selected), None)
            self.note(_kind(other) if other is not None else "")
            return
        light, concerns = row.health.light, row.health.concerns
        said = [f"{light.value}, {concerns[0].value}"] if concerns else []
        said += [f"HALTED by its exchange since {row.halted}"] if row.halted else []
        said += [sign] if (sign := f.sign_in_words(row)) else []
        if row.health.choice.is_watched is not None:
            said.append(f"exit rules{'?' if row.health.choice.asks else ''} {row.health.choice.rules}")
        if (coming := near(self._actions, row.symbol)) is not None:
            said.append(coming_in_words(coming))
        if row.unattended_until is not None:
            said.append(f"exits UNATTENDED until {f.minute_of_week(row.unattended_until, self._now)}")
        if row.last_at is not None and f.is_old(row, self._now):
            said.append(f"last price {f.age(row.last_at, self._now)} old, of {f.dated_clock(row.last_at, self._now)}")
        others = (f.sign_in_words(other) for other in self._rows)
        self.note(f"{row.symbol}: {', '.join(said)}" if said else next((sign for sign in others if sign), ""))


def _row(row: PositionRow, now: datetime, room: int, change: Decimal | None, ex: str, *, has_mark: bool) -> Row:
    in_risk = row.result_in_risk
    signed = Cell(UNATTENDED if row.unattended_until is not None else "", "warning")
    return Row(
        row.key,
        (
            Cell(*LIGHTS[row.health.light]),
            Cell(row.symbol, "warning" if ex else "strong"),
            Cell(f.quantity(row.quantity)),
            Cell(f.price(row.average_price).replace(",", "")),
            f.last_price(row, now),
            Cell(f.money(row.value).replace("-", "−")),
            Cell(f.arrowed(row.profit), f.tone_of(row.profit)),
            Cell(f.signed_percent(row.profit_fraction), f.tone_of_percent(row.profit_fraction)),
            Cell(f.signed_percent(change), f.tone_of_percent(change)),
            Cell(f.UNKNOWN if in_risk is None else f.multiple(in_risk, 1), f.tone_of(row.profit)),
            _stop(row),
            Cell(f.way(row.health.way_to_stop)),
            Cell(f.way(row.health.way_to_target)),
            Cell(f.days_held(row.health)),
            Cell(f.time_left(row.health)),
            Cell(f.sessions(row.health.days_to_leave)),
            Cell(f.spread(row.health.spread)),
            Cell(row.health.choice.rules, "warning" if row.health.choice.asks else ""),
            *((signed,) if has_mark else ()),
            _held_by(row, room, ex),
        ),
    )


def _foreign_row(row: ForeignRow, *, has_mark: bool) -> Row:
    """Return the row of a foreign position; its quantity is in its own unit and no figure is calculated from it."""
    nothing = Cell(f.UNKNOWN, "muted")
    return Row(
        f"{FOREIGN}{row.symbol}",
        (
            Cell(""),
            Cell(row.symbol, "strong"),
            Cell(f.quantity(row.quantity)),
            Cell(f.price(row.average_price).replace(",", "")),
            *(nothing,) * 14,
            *((Cell(""),) if has_mark else ()),
            Cell(row.asset_class, "muted"),
        ),
        tone="muted",
    )


def _kind(row: ForeignRow) -> str:
    return f"{row.symbol}: {row.asset_class}, which this desk does not trade: watch and close it at the broker"


def _stop(row: PositionRow) -> Cell:
    """Format `181.10`, `181.10+` if other stops are nearer, `≥181.10` of a trailing stop that may have moved since."""
    if row.standing_stop is None:
        return Cell(NO_STOP, "warning")
    price = f.price(row.standing_stop)
    if sign := f.stop_sign(row):
        price = sign + f.at_tick(row.standing_stop)
    return Cell(f"{price.replace(',', '')}+" if row.nearer_stops else price.replace(",", "") if sign else price)


def _held_by(row: PositionRow, room: int, ex: str) -> Cell:
    """Return the longest text that fits, or the shortest; an ex-date within two sessions is appended if it fits."""
    words, tone = _holding(row)
    if ex:
        words = (*(f"{text}, {ex}" for text in words), *words)
    return Cell(next((text for text in words if len(text) <= room), words[-1]), tone)


def _holding(row: PositionRow) -> tuple[tuple[str, ...], Tone]:
    """Return the texts for the holder of the stop, the longest first, with their tone.

    Examples: `broker 47`, `closing`, `exit waits 10:02:41`, `limit 47 !`, `rests 47 !` until the open, `YOU 0 of 47 !`,
    `in doubt !`. Shorter: `YOU all !`, `YOU 0.1644 !` for the quantity that only the operator guards.
    """
    held = plain(abs(row.quantity))
    if row.doubt and not row.covered and not row.unprotected:
        return ("in doubt !",), "warning"
    if row.exit_late_since is not None:
        since = f.clock(row.exit_late_since)
        return (f"cancel unanswered since {since} !", f"closing {since} !", "closing !"), "warning"
    if row.is_closing and not row.doubt:
        return ("closing",), "strong"
    if row.exit_waits_since is not None:
        since = f.clock(row.exit_waits_since)
        return (f"exit waits for limit since {since}", f"exit waits {since}", "exit waits"), "strong"
    if row.holder is StopHolder.BROKER and row.acts_from is not None:
        return (f"rests {plain(row.covered)} !", "rests !"), "warning"
    if row.holder is StopHolder.BROKER and row.covered >= abs(row.quantity):
        return (f"broker {plain(row.covered)}", "broker all"), ""
    if row.at_limit and not row.covered:
        return (f"limit {plain(row.at_limit)} !", "limit !"), "warning"
    if row.covered:
        left = plain(Quantity(abs(row.quantity) - row.covered))
        long = f"{f.HOLDER_WORDS[row.holder]} {plain(row.covered)} of {held} !"
        return (long, f"YOU {left} !", "not all !"), "warning"
    if row.holder is StopHolder.DESK:
        return ("manual stop: press !", "manual: press !", "press !"), "warning"
    return (f"YOU 0 of {held} !", "YOU all !", "YOU !"), "warning"
