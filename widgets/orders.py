"""Today's orders, each with the broker's status, the desk's marks and its legs below it.

Working orders come first, then ended ones, each group newest first, so a working stop is never hidden below its
cancelled predecessors. A working leg has its own line and keys. Waiting legs share one line, on which only Enter acts:
it expands them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from textual import _time as key_time

from core.model.draft import agent_word
from core.model.order import OrderStatus, TimeInForce
from core.views import IN_DOUBT, WARNED, DeskView, LogRow, OrderRow, OtherOrderRow
from core.views.rows import OrderFamily, doubted_orders, families, replacement_of, working_orders
from widgets import format as f
from widgets.format import short_ids
from widgets.grid import Align, Cell, Column, Grid, Row, Tone
from widgets.log import legs_that_wait, role_of
from widgets.pane import Pane, orders_when_empty

TONES: dict[OrderStatus, Tone] = {
    OrderStatus.PENDING: "warning",
    OrderStatus.REJECTED: "warning",
    OrderStatus.CANCELLED: "muted",
    OrderStatus.EXPIRED: "muted",
}


OTHER = "other:"
"""Prefix of the key of an external order; its id at the broker follows."""
NEW = "◆ "
"""Mark of the order sent last, for some seconds."""
REFUSAL = "refusal:"
"""Prefix of the key of a refusal; its number in the journal follows."""
LEGS = "legs:"
"""Prefix of the key of the waiting legs; the id of their entry follows."""
UNDER, DEEPER = "└ ", "    "
"""Before a leg; before an expanded waiting leg."""
DOUBTED = "IN DOUBT"
"""Shown in place of a status: the broker may or may not have the order."""
WIDE = (
    Column("EFFECT", 14),
    Column("QTY", 8, Align.POINT, 3),
    Column("SYM", 6),
    Column("TERMS", f.TERMS),
    Column("STATE", 18, stretches=True),
    Column("TIME", 8, Align.RIGHT, rank=1),
)
NARROW = (
    Column("ORDER", 8),
    Column("QTY", 6, Align.RIGHT),
    Column("SYM", 5),
    Column("TERMS", 13),
    Column("STATE", 10, stretches=True),
    Column("TIME", 8, Align.RIGHT, rank=1),
)
ROOM = 68
"""Width in cells from which the wide columns fit, without the time."""


class Orders(Pane):
    """Orders of today; with `shows_all` also refused proposals and orders that were never sent."""

    NUMBER = 3
    NAME = "Orders"
    TELLS_THE_REST = True
    shows_all = False

    def __init__(self) -> None:
        super().__init__(WIDE, empty=orders_when_empty(""), id="orders")
        self.new: str | None = None
        """The id of the marked order, in view while the pane is not in use."""
        self.led_at = float("-inf")
        """When the desk last moved the selection or showed a hidden pane, by the clock of keys."""
        self._unfolded: set[str] = set()
        """Keys of the waiting legs that are expanded."""
        self._shown: tuple[DeskView, datetime] | None = None
        self._is_narrow = False

    def show(self, view: DeskView, now: datetime) -> None:
        self._shown = view, now
        rows, refused, others = view.orders, view.refusals if self.shows_all else (), view.others
        self._make_room()
        shown = [_other(row) for row in others]
        shown += [self._marked(row) for row in self._rows(families(rows), now)]
        shown += [_refused(row, f.day_before(row.at, now)) for row in reversed(refused)]
        self.grid.show(shown, empty=orders_when_empty(self.state))
        self._follow_replacement(rows)
        if self.new is not None:
            self.grid.reveal(self.new)
        self._say()
        elsewhere = [f"{len(others)} not this desk's"] if others else []
        said = [_counted(rows)] if rows else ["none today"] if refused else []
        self.title_with(", ".join([*said, *elsewhere, *_refusals(rows, refused)]))

    def _follow_replacement(self, rows: Sequence[OrderRow]) -> None:
        """Select what replaced the selected order, while the pane is not in use."""
        chosen = next((row for row in rows if row.id == self.grid.selected and row.outcome), None)
        if chosen is not None and not self.grid.has_focus and (instead := replacement_of(rows, chosen)) is not None:
            self.lead_to(instead.id)

    def lead_to(self, order_id: str) -> None:
        """Select that order, if it has a row; no operator has seen that yet, unless it was selected."""
        before = self.grid.selected
        self.grid.select(order_id)
        if self.grid.selected != before:
            self.note_unseen()

    def note_unseen(self) -> None:
        """Note that nobody has seen yet which order is selected."""
        self.led_at = key_time.get_time()

    def is_in_view(self, order_id: str) -> bool:
        return self.display and any(row.key == order_id for row in self.grid.window.in_view())

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        if self._shown is not None:
            self.show(*self._shown)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Expand or collapse waiting legs; other rows open as in any pane."""
        if self._shown is None or not event.key.startswith(LEGS):
            return
        if not any(f"{LEGS}{family.head.id}" == event.key and family.waiting for family in self._families()):
            return
        event.stop()
        self._unfolded ^= {event.key}
        self.show(*self._shown)

    def _families(self) -> list[OrderFamily]:
        return [] if self._shown is None else families(self._shown[0].orders)

    def _make_room(self) -> None:
        is_narrow = 0 < self.content_size.width < ROOM
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self.grid.show_columns(NARROW if is_narrow else WIDE)

    def _rows(self, all_of_them: Sequence[OrderFamily], now: datetime) -> Iterator[Row]:
        """Yield the rows of families: working orders with their working legs, then ended ones.

        Ended legs are listed with their parent if that has ended too, otherwise with the ended orders.
        """
        over = []
        for family in all_of_them:
            if not family.works:
                over.append((family.head, ""))
                over += [(leg, UNDER) for leg in family.over]
                continue
            yield self._row(family.head, now)
            yield from self._waiting(family, now)
            for leg in family.at_work:
                yield self._row(leg, now, UNDER)
            over += [(leg, "") for leg in family.over]
        for row, before in over:
            yield self._row(row, now, before)

    def _waiting(self, family: OrderFamily, now: datetime) -> Iterator[Row]:
        legs = legs_that_wait(family.head, family.waiting, (*family.at_work, *family.over))
        if not legs:
            return
        key = f"{LEGS}{family.head.id}"
        words = f"{UNDER}{' · '.join(legs)} {'activate' if len(legs) > 1 else 'activates'} on fill"
        yield Row(key, (), tone="muted", across=words)
        if key in self._unfolded:
            for leg in family.waiting:
                yield self._row(leg, now, DEEPER)

    def _row(self, row: OrderRow, now: datetime, before: str = "") -> Row:
        return _drawn(row, _time(row, now), before, is_narrow=self._is_narrow)

    def _marked(self, row: Row) -> Row:
        return replace(row, mark=NEW, tone=row.tone or "strong") if row.key == self.new else row

    def _say(self) -> None:
        """Write the note of the selected order into the lower edge."""
        view = self._shown[0] if self._shown is not None else None
        if view is None:
            return
        selected = self.grid.selected or ""
        chosen = next((row for row in view.orders if row.id == selected), None)
        other = next((row for row in view.others if f"{OTHER}{row.id}" == selected), None)
        if chosen is not None:
            self.note(_note(chosen) or (_state(chosen) if self.grid.is_cut else ""))
        elif selected.startswith(LEGS):
            self.note("Enter: each leg")
        else:
            self.note(f"{other.words}, {other.state}" if other is not None else "")


def _counted(rows: Sequence[OrderRow]) -> str:
    """Format `8 working, 2 legs waiting, 3 filled, 1 unfilled`; the strip has the first number.

    Stops and targets of filled entries work; legs wait for an entry. One in doubt is counted apart.
    """
    found = families(rows)
    over = [family.head for family in found if not family.head.status.is_working]
    legs = sum(
        len(legs_that_wait(family.head, family.waiting, (*family.at_work, *family.over)))
        for family in found
        if family.head.status.is_working
    )
    doubted, working = doubted_orders(rows), working_orders(rows)
    filled = sum(bool(row.filled_quantity) for row in over)
    unfilled = len(over) - filled - sum(row.status is OrderStatus.REJECTED and not row.filled_quantity for row in over)
    parts = [f"{working} working"] if working or not filled else []
    parts += [f"{legs} leg{'s' if legs > 1 else ''} waiting"] if legs else []
    parts += [f"{doubted} in doubt"] if doubted else []
    parts += [f"{filled} filled"] if filled else []
    return ", ".join([*parts, *([f"{unfilled} unfilled"] if unfilled else [])])


def _refusals(rows: Sequence[OrderRow], refused: Sequence[LogRow]) -> Iterator[str]:
    """Count what the broker REJECTED, and what this desk refused: not staged, or not sent."""
    by_the_broker = sum(row.status is OrderStatus.REJECTED for row in rows)
    if by_the_broker:
        yield f"{by_the_broker} REJECTED"
    if refused:
        yield f"{len(refused)} refused"


@lru_cache(maxsize=1024)
def _drawn(row: OrderRow, time: str, before: str, *, is_narrow: bool) -> Row:
    cells = (
        Cell(f"{before}{_effect(row, is_leg=bool(before), is_narrow=is_narrow)}"),
        Cell(f.quantity(row.quantity)),
        Cell(row.symbol, "strong"),
        Cell(f.short_terms(row.terms) if is_narrow else f.terms_on_point(row.terms)),
        Cell(_short_state(row) if is_narrow else _state(row), "warning" if row.marks else ""),
        Cell(time, "muted" if row.status.is_terminal else ""),
    )
    words = (_effect(row, is_leg=bool(before), is_narrow=False), *(cell.text for cell in cells[1:3]))
    copied = "  ".join([*words, f.terms(row.terms), _whole_state(row), row.id])
    return Row(row.id, cells, tone=TONES.get(row.status, ""), copied=copied)


def _effect(row: OrderRow, *, is_leg: bool, is_narrow: bool) -> str:
    """Format `BUY to open`, `SELL stop`, or side and role for a leg. A narrow pane has room for one word."""
    if is_leg:
        return role_of(row) if is_narrow else f"{f.side_word(row.side)} {role_of(row)}"
    if is_narrow:
        return "stop" if row.is_protective else f.side_word(row.side)
    if row.is_protective or row.is_paired:
        return f"{f.side_word(row.side)} {'trailing' if row.type.trails else role_of(row)}"
    return f.brief_doing(row.side, row.effect)


def _other(row: OtherOrderRow) -> Row:
    """Return the row of an external order across all columns, because its type may have no column here."""
    words = f"{row.words}, {row.state}"
    return Row(f"{OTHER}{row.id}", (), tone="muted", across=f"{'NOT OURS':<14} {words}", copied=f"{words}  {row.id}")


def _refused(row: LogRow, day: str) -> Row:
    """Return the row of a proposal or order that was not staged, not confirmed or not sent."""
    text = f"{day.rstrip()}: {row.text}" if day else row.text
    words = f"REFUSED  {f.clock(row.at)}  {text}"
    return Row(f"{REFUSAL}{row.sequence}", (), tone="warning", across=short_ids(words), copied=words)


def _state(row: OrderRow) -> str:
    """Format `IN DOUBT`, `FILLED at 166.75`, `PARTIALLY_FILLED 20 at 166.76, cancelling`, `REJECTED: …`."""
    return short_ids(_whole_state(row))


def _whole_state(row: OrderRow) -> str:
    state = ", ".join([_standing(row), *_other_marks(row), *_drafted(row)])
    return f"{state}: {row.reason}" if _has_reason(row) else state


def _short_state(row: OrderRow) -> str:
    doubt = [DOUBTED] if IN_DOUBT in row.marks else []
    state = ", ".join([*doubt, *_other_marks(row)]) or short_ids(_standing(row))
    return ", ".join([state, *_drafted(row)])


def _drafted(row: OrderRow) -> list[str]:
    return [agent_word(row.agent)] if row.agent else []


def _other_marks(row: OrderRow) -> list[str]:
    return [words for mark, words in zip(row.marks, row.marks_in_words, strict=True) if mark != IN_DOUBT]


def _standing(row: OrderRow) -> str:
    parts = [DOUBTED if IN_DOUBT in row.marks else row.state_in_words]
    if row.filled_quantity and row.status is not OrderStatus.FILLED:
        parts.append(f.quantity(row.filled_quantity))
    if row.average_price is not None:
        parts.append(f"at {f.price(row.average_price)}")
    return " ".join(parts)


def _note(row: OrderRow) -> str:
    """Return the broker's warning, or the reason for the end of the order."""
    if WARNED in row.marks:
        return f"the broker warns: {'; '.join(row.warnings)}"
    return _state(row) if row.outcome or _has_reason(row) else ""


def _has_reason(row: OrderRow) -> bool:
    return row.status in (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED) and bool(row.reason)


def _time(row: OrderRow, now: datetime) -> str:
    """Return the remaining time of a working order or its day's close, else its age; the end time of an ended one."""
    if row.status.is_terminal:
        return f.clock(row.ended_at)
    if row.expires_at is not None:
        return f.countdown(row.expires_at, now)
    if row.status is OrderStatus.PENDING or IN_DOUBT in row.marks:
        return f.old(row.created_at, now)
    if row.time_in_force is TimeInForce.GTC:
        return f.LASTS[row.time_in_force]
    return f.old(row.created_at, now) if row.ends_at is None else _to(row.ends_at, now)


def _to(ends_at: datetime, now: datetime) -> str:
    """Format the close with which a day order ends as `to 16:00`, or `to 6 Jan` on another day."""
    return f"to {f.minute(ends_at) if f.day_of(ends_at) == f.day_of(now) else f.short_day(f.day_of(ends_at))}"
