"""The orders of today, each with its state in the broker's sense and the marks of ours.

What works stands first, then what is over, the newest of each first: no stop that guards something is looked for below
its own cancelled predecessors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from core.model.order import OrderStatus
from core.views import IN_DOUBT, WARNED, DeskView, LogRow, OrderRow, OtherOrderRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Row, Tone
from widgets.order_life import legs_in_words
from widgets.pane import Pane
from widgets.states import orders_when_empty

TONES: dict[OrderStatus, Tone] = {
    OrderStatus.PENDING: "warning",
    OrderStatus.REJECTED: "warning",
    OrderStatus.CANCELLED: "muted",
    OrderStatus.EXPIRED: "muted",
}


OTHER = "other:"
"""What the key of an order begins with that is not this desk's; its id at the broker follows."""
NEW = "◆ "
"""The mark of the order that was sent last, for some seconds."""
REFUSAL = "refusal:"
"""What the key of a refused one begins with; its number in the journal follows."""
STAGED = ("ticket", "order")
"""Of the log's kinds those that speak of what was staged before it was refused."""


class Orders(Pane):
    """`shows_all` with what never became an order."""

    NUMBER = 3
    NAME = "Orders"
    shows_all = False

    def __init__(self) -> None:
        super().__init__(
            (
                Column("EFFECT", 14),
                Column("QTY", 8, Align.POINT, 3),
                Column("SYM", 6),
                Column("TERMS", f.TERMS),
                Column("STATE", 18, stretches=True),
                Column("TIME", 8, Align.RIGHT, rank=1),
            ),
            empty=orders_when_empty(""),
            id="orders",
        )
        self.new: str | None = None
        """The order that is marked."""

    def show(self, view: DeskView, now: datetime) -> None:
        rows, refused, others = view.orders, view.refusals if self.shows_all else (), view.others
        shown = [_other(row) for row in others]
        shown += [self._marked(_ended(row) if row.status.is_terminal else _row(row, now)) for row in in_order(rows)]
        shown += [_refused(row, f.day_before(row.at, now)) for row in reversed(refused)]
        self.grid.show(shown, empty=orders_when_empty(self.state))
        chosen = next((row for row in rows if row.id == self.grid.selected), None)
        other = next((row for row in others if f"{OTHER}{row.id}" == self.grid.selected), None)
        self.note(_note(chosen) if chosen is not None else f"{other.words}, {other.state}" if other is not None else "")
        working = sum(row.status.is_working and IN_DOUBT not in row.marks for row in rows)
        doubted = sum(IN_DOUBT in row.marks for row in rows)
        elsewhere = [f"{len(others)} not this desk's"] if others else []
        said = [f"{working} working"] if rows else ["none today"] if refused else []
        said += [f"{doubted} in doubt"] if doubted else []
        said += [f"{len(rows)} today"] if rows else []
        self.title_with(", ".join([*said, *elsewhere, *_refusals(rows, refused)]))

    def _marked(self, row: Row) -> Row:
        return replace(row, mark=NEW, tone=row.tone or "strong") if row.key == self.new else row


def _refusals(rows: Sequence[OrderRow], refused: Sequence[LogRow]) -> Iterator[str]:
    """What the broker refused, REJECTED as in its row, apart from what never came that far: not staged, or not sent."""
    by_the_broker = sum(row.status is OrderStatus.REJECTED for row in rows)
    not_sent = sum(row.kind in STAGED for row in refused)
    not_staged = len(refused) - not_sent
    if by_the_broker:
        yield f"{by_the_broker} REJECTED"
    if not_staged:
        yield f"{not_staged} not staged"
    if not_sent:
        yield f"{not_sent} not sent"


def in_order(rows: Sequence[OrderRow]) -> list[OrderRow]:
    """What works before what is over; else as they came."""
    return sorted(rows, key=lambda row: row.status.is_terminal)


@lru_cache(maxsize=512)
def _ended(row: OrderRow) -> Row:
    """What is over looks the same at any time."""
    return _row(row, row.created_at)


def _row(row: OrderRow, now: datetime) -> Row:
    effect = f"{f.side_word(row.side)} protect" if row.is_protective else f.doing(row.side, row.effect)
    return Row(
        row.id,
        (
            Cell(effect),
            Cell(f.quantity(row.quantity)),
            Cell(row.symbol, "strong"),
            Cell(f.terms_on_point(row.terms)),
            Cell(_state(row), "warning" if row.marks else ""),
            Cell(_time(row, now), "muted" if row.status.is_terminal else ""),
        ),
        tone=TONES.get(row.status, ""),
    )


def _other(row: OtherOrderRow) -> Row:
    """What it is and how it stands, over the whole line: its kind may have no column here."""
    cells = (Cell("NOT OURS"), Cell(""), Cell(""), Cell(""), Cell(f"{row.words}, {row.state}"), Cell(""))
    return Row(f"{OTHER}{row.id}", cells, tone="muted")


def _refused(row: LogRow, day: str) -> Row:
    """What was not staged, not confirmed or not sent."""
    text = f"{day.rstrip()}: {row.text}" if day else row.text
    cells = (Cell("REFUSED"), Cell(""), Cell(""), Cell(""), Cell(text), Cell(f.clock(row.at), "muted"))
    return Row(f"{REFUSAL}{row.sequence}", cells, tone="warning")


def _state(row: OrderRow) -> str:
    """`IN DOUBT`, `FILLED at 166.75`, `PARTIALLY_FILLED 20 at 166.76, cancelling`, `REJECTED: insufficient …`."""
    is_doubted = IN_DOUBT in row.marks
    parts = ["IN DOUBT" if is_doubted else row.state_in_words]
    if row.filled_quantity and row.status is not OrderStatus.FILLED:
        parts.append(f.quantity(row.filled_quantity))
    if row.average_price is not None:
        parts.append(f"at {f.price(row.average_price)}")
    state = " ".join(parts)
    if marks := [words for mark, words in zip(row.marks, row.marks_in_words, strict=True) if mark != IN_DOUBT]:
        state += ", " + ", ".join(marks)
    if waiting := legs_in_words(row):
        state += f", {waiting}"
    if _has_reason(row):
        state += f": {row.reason}"
    return state


def _note(row: OrderRow) -> str:
    """In the lower edge: the broker's warning, or why the order is over."""
    if WARNED in row.marks:
        return f"the broker warns: {'; '.join(row.warnings)}"
    return _state(row) if row.outcome or _has_reason(row) else ""


def _has_reason(row: OrderRow) -> bool:
    return row.status in (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED) and bool(row.reason)


def _time(row: OrderRow, now: datetime) -> str:
    """What is left of a working order with an end, the age of one without, the hour of what is over."""
    if row.status.is_terminal:
        return f.clock(row.ended_at)
    return f.countdown(row.expires_at, now) if row.expires_at is not None else f.count_up(row.created_at, now)
