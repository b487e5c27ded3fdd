"""The log: one line for each event, and one for an order with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from core.model.draft import agent_word
from core.model.order import Leg, LegRole, OrderStatus, OrderType, StopHolder
from core.model.text_sanitizer import WARN, at_least
from core.model.values import SHORT_ID, ClientOrderId, Price
from core.views import IN_DOUBT, LogRow, OrderRow, RowMark
from widgets import format as f
from widgets.format import short_id, short_ids
from widgets.grid import Cell, Column, Row, Tone
from widgets.history import NOTHING_FOUND
from widgets.pane import Pane

FILL, ORDER, PROPOSAL = "fill", "order", "proposal"
SETTLES = timedelta(seconds=5)
"""Time after an order's end in which its legs begin to work or its stop is sent: these steps belong to its fill."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A row of the log as shown; `words` is all text that a filter searches."""

    row: LogRow
    words: str
    order: ClientOrderId | None = None

    @property
    def id(self) -> str:
        return "" if self.order is None else short_id(self.order)


def folded(rows: Sequence[LogRow], orders: Sequence[OrderRow]) -> list[LogLine]:
    """Fold the rows of each story into one line, placed at its last step; other rows keep their own line.

    A story is a proposal with its tickets, and its order with its fills and legs. Its line keeps the number of its
    first row while it grows, until its order has ended; later steps of its legs have a second line, at their own time.
    """
    by_id = {order.id: order for order in orders}
    steps: dict[str, list[LogRow]] = {}
    for row in rows:
        if key := story_of(row):
            steps.setdefault(key, []).append(row)
    parts = {key: _parted(each, by_id) for key, each in steps.items()}
    lines = []
    for row in rows:
        key = story_of(row)
        if not key:
            lines.append(LogLine(row, _words((row,))))
            continue
        own, later = parts[key]
        if row is own[-1]:
            lines.append(_line_of(own, by_id, orders, has_more=bool(later)))
        elif later and row is later[-1]:
            lines.append(_later_line(own, later, by_id, orders))
    return lines


def _parted(steps: Sequence[LogRow], by_id: Mapping[ClientOrderId, OrderRow]) -> tuple[list[LogRow], list[LogRow]]:
    """Split the steps at the end of the order; the second part, of its legs, is empty while it works."""
    id = _order_of(steps)
    order = None if id is None else by_id.get(id)
    ended_at = order.ended_at if order is not None else None
    if ended_at is None:
        return [*steps], []
    own = [step for step in steps if step.at <= ended_at + SETTLES]
    return ([*steps], []) if not own else (own, [step for step in steps if step.at > ended_at + SETTLES])


def _order_of(steps: Sequence[LogRow]) -> ClientOrderId | None:
    return next((step.order for step in steps if step.order is not None), None)


def story_of(row: LogRow) -> str:
    """Return the key of the row's story; empty if the row stands alone."""
    return row.story or row.order or ""


def _later_line(
    own: Sequence[LogRow],
    later: Sequence[LogRow],
    by_id: Mapping[ClientOrderId, OrderRow],
    orders: Sequence[OrderRow],
) -> LogLine:
    """Describe the legs after the order's end: `BUY 40 AAPL: stop 178.68 CANCELLED`."""
    last, id = later[-1], _order_of([*own, *later])
    assert id is not None
    order = by_id[id]
    head = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol}"
    gravest = max((step.level for step in later), key=_gravity)
    text = f"{head}: {', '.join(_guards(order, orders)) or 'nothing of it works any more'}"
    kind = FILL if any(step.kind == FILL for step in later) else ORDER
    row = replace(last, sequence=later[0].sequence, kind=kind, text=text, level=gravest, source=order.strategy)
    return LogLine(row, f"{_words((row, *later))} {id}", id)


def _line_of(
    steps: Sequence[LogRow],
    by_id: Mapping[ClientOrderId, OrderRow],
    orders: Sequence[OrderRow],
    *,
    has_more: bool,
) -> LogLine:
    """Describe a story; with `has_more` the legs have a second line and are left out of this one."""
    last = steps[-1]
    id = _order_of(steps)
    gravest = max((step.level for step in steps), key=_gravity)
    if id is None:
        said = next((step for step in reversed(steps) if step.kind == PROPOSAL), last)
        row = replace(last, sequence=steps[0].sequence, kind=said.kind, text=said.text, level=gravest)
        return LogLine(row, _words((row, *steps)))
    order = by_id.get(id)
    kind = FILL if any(step.kind == FILL for step in steps) else ORDER
    text = _last_words(steps) if order is None else life(order, () if has_more else orders)
    source = last.source if order is None else order.strategy
    row = replace(last, sequence=steps[0].sequence, kind=kind, text=text, level=gravest, source=source)
    return LogLine(row, f"{_words((row, *steps))} {id}", id)


def _last_words(steps: Sequence[LogRow]) -> str:
    """Return the last text about an order that is not from today."""
    own = [step for step in steps if step.kind in (ORDER, FILL)]
    return (own or steps)[-1].text


def _words(rows: Sequence[LogRow]) -> str:
    """Return the searchable text; `level:warn` also finds more severe levels."""
    levels = dict.fromkeys(f"level:{name}" for row in rows for name in at_least(row.level))
    sources = dict.fromkeys(f"source:{row.source}" for row in rows)
    return " ".join([*(f"{row.kind} {row.severity} {row.text}" for row in rows), *levels, *sources])


def _gravity(level: str) -> int:
    return len(at_least(level))


def life(order: OrderRow, orders: Sequence[OrderRow]) -> str:
    """Format `BUY 0.1 SPY 495.50 filled in 0.4 s, stop 494.17 working`."""
    price = f.price(order.limit_price) if order.type is OrderType.LIMIT else f.terms(order.terms)
    head = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol} {price}"
    marks = (words for mark, words in zip(order.marks, order.marks_in_words, strict=True) if mark != IN_DOUBT)
    drafted = [agent_word(order.agent)] if order.agent else []
    return ", ".join([f"{head} {_standing(order)}", *drafted, *marks, *_guards(order, orders)])


def _standing(order: OrderRow) -> str:
    at = "" if order.average_price in (None, order.limit_price) else f" at {f.price(order.average_price)}"
    some = f"{f.quantity(order.filled_quantity)} filled{at}" if order.filled_quantity else ""
    if order.status is OrderStatus.FILLED:
        took = "" if order.ended_at is None else f" in {f.age(order.created_at, order.ended_at)}"
        return f"filled{at}{took}"
    if order.status.is_terminal:
        why = f": {order.reason}" if order.reason else ""
        return f"{order.state_in_words}{f', {some}' if some else ''}{why}"
    if IN_DOUBT in order.marks:
        return f"{some}, {IN_DOUBT}" if some else IN_DOUBT
    works = "is being sent" if order.status is OrderStatus.PENDING else "working"
    return f"{some}, {works}" if some else works


def _guards(order: OrderRow, orders: Sequence[OrderRow]) -> list[str]:
    """Describe the legs: working ones, waiting ones, and how a leg ended that was not replaced."""
    own = [other for other in orders if other.parent == order.id]
    working = [leg for leg in own if leg.status.is_working and RowMark.HELD not in leg.marks]
    said = _together([(price_in_words(leg, order), _at_work(leg)) for leg in working])
    waits = legs_in_words(order, [leg for leg in own if RowMark.HELD not in leg.marks])
    said += [waits] if waits else []
    over = _last_of_each(own) if order.filled_quantity else []
    said += [f"{leg_in_words(leg)} {_over(leg)}" for leg in over]
    kept = order.stop_by_desk is StopHolder.DESK and order.status.is_working
    return [*said, "this desk keeps its stop"] if kept else said


def _together(legs: Sequence[tuple[str, str]]) -> list[str]:
    """Group legs by state, such as `stop 166.26 and target 168.00 working`."""
    by_state: dict[str, list[str]] = {}
    for words, state in dict.fromkeys(legs):
        by_state.setdefault(state, []).append(words)
    return [f"{' and '.join(words)} {state}" for state, words in by_state.items()]


def _at_work(leg: OrderRow) -> str:
    """Return the state of a leg. It counts as working only after its holder confirmed it."""
    if leg.status is OrderStatus.PENDING and RowMark.IN_DOUBT not in leg.marks:
        return "is being sent"
    works = "" if RowMark.IN_DOUBT in leg.marks else "working"
    return ", ".join([*([works] if works else []), *leg.marks_in_words])


def _over(leg: OrderRow) -> str:
    at = "" if leg.average_price is None else f" at {f.price(leg.average_price)}"
    if leg.status is OrderStatus.FILLED:
        return f"filled{at}"
    return leg.state_in_words + (f": {leg.reason}" if leg.reason else "")


def _last_of_each(legs: Sequence[OrderRow]) -> list[OrderRow]:
    """Return the newest ended stop and target if no leg of that role works; a replaced leg is left out."""
    left = {role_of(leg) for leg in legs if leg.status.is_working}
    last: dict[str, OrderRow] = {}
    for leg in legs:
        is_last = role_of(leg) not in last or leg.created_at > last[role_of(leg)].created_at
        if is_last and role_of(leg) not in left:
            last[role_of(leg)] = leg
    return [*last.values()]


def role_of(leg: OrderRow) -> str:
    """Return `stop` or `target`."""
    return "stop" if leg.stop_price is not None or leg.type.is_stop else "target"


def leg_in_words(leg: OrderRow) -> str:
    """Format a leg as in the ticket of its entry, such as `stop 166.26`."""
    price = leg.stop_price or leg.limit_price
    return f"{role_of(leg)} {f.price(price)}" if price is not None else f.terms(leg.terms)


def price_in_words(leg: OrderRow, entry: OrderRow) -> str:
    """Format `stop 166.26`, or `stop 166.26 for 7` if it covers less than the filled quantity."""
    left = leg.quantity - leg.filled_quantity
    is_all = not entry.filled_quantity or left == entry.filled_quantity
    return leg_in_words(leg) if is_all else f"{leg_in_words(leg)} for {f.quantity(left)}"


def legs_that_wait(order: OrderRow, waiting: Sequence[OrderRow], reported: Sequence[OrderRow]) -> list[str]:
    """Return the waiting legs of a working order: those held by the broker and those not yet reported.

    A leg that was moved or that ended no longer waits: `reported` are all legs, the ended ones included.
    """
    told = [leg_in_words(leg) for leg in waiting]
    return [*told, *_not_reported(order, (*waiting, *reported))]


def legs_in_words(order: OrderRow, reported: Sequence[OrderRow] = ()) -> str:
    """Format the waiting legs of a working order, such as `stop 13.81 and target 13.92 activate on fill`."""
    waits = _not_reported(order, reported)
    return f"{' and '.join(waits)} {'activate' if len(waits) > 1 else 'activates'} on fill" if waits else ""


def _not_reported(order: OrderRow, reported: Sequence[OrderRow]) -> list[str]:
    known = {role_of(leg) for leg in reported}
    return [leg_of(leg) for leg in order.legs if order.status.is_working and _role(leg) not in known]


def _price_of(leg: Leg) -> Price | None:
    return leg.limit_price if leg.role is LegRole.TARGET else leg.stop_price


def leg_of(leg: Leg) -> str:
    """Format `stop 13.81`."""
    return f"{_role(leg)} {f.price(_price_of(leg))}"


def _role(leg: Leg) -> str:
    return "target" if leg.role is LegRole.TARGET else "stop"


NOTHING_YET = "Nothing yet. Every fact of the journal but the bars appears here."
TONES: dict[str, Tone] = {
    "HALT": "urgent", "KILL": "urgent", "CRITICAL": "urgent", "fill": "strong", "trade": "strong",
}  # fmt: skip
SEVERE: dict[str, Tone] = {"CRITICAL": "urgent", "ERROR": "warning", "ALERT": "warning"}


COLUMNS = (Column("TIME", 8), Column("KIND", 9), Column("WHAT", 20, stretches=True), Column("ORDER", SHORT_ID))
WITH_SOURCE = (*COLUMNS, Column("BY", 8))
ROOM = 100
"""Width in cells from which a line has room for its source."""


class Log(Pane):
    NUMBER = 6
    NAME = "Log"
    TELLS_THE_REST = True

    def __init__(self) -> None:
        super().__init__(
            COLUMNS,
            empty=NOTHING_YET,
            id="log",
            has_header=False,
            follows=True,
        )

    def on_resize(self) -> None:
        self.grid.show_columns(WITH_SOURCE if self.content_size.width >= ROOM else COLUMNS)

    def show_rows(self, rows: Sequence[LogLine], now: datetime | None, of: int | None) -> None:
        """Show rows; `of` is their total number if a filter hides some. A line of another day shows its date."""
        shown = [_row(line.row, f.day_before(line.row.at, now or line.row.at), line.order) for line in rows]
        self.grid.show(shown, empty=NOTHING_FOUND if of else NOTHING_YET)
        count = f"{len(rows)} lines" if of is None else f"{len(rows)} of {of} lines"
        self.title_with(count + (", following" if self.grid.follows else ", f follows"))

    def follow(self) -> None:
        """Scroll to the end and follow new lines again."""
        self.grid.follow()


@lru_cache(maxsize=1024)
def _row(row: LogRow, day: str, order: ClientOrderId | None) -> Row:
    said = f"{WARN}: {row.text}" if row.level == WARN else row.text
    whole = f"{day.rstrip()}: {said}" if day else said
    text = short_ids(whole)
    tone = SEVERE.get(row.severity)
    what = Cell(text) if tone is None else Cell(text, tone)
    return Row(
        str(row.sequence),
        (
            Cell(f.clock(row.at), "muted"),
            Cell(row.kind, TONES.get(row.kind, tone or "muted")),
            what,
            Cell("" if order is None else short_id(order), "muted"),
            Cell(row.source, "muted"),
        ),
        copied="  ".join([f.clock(row.at), row.kind, whole, row.source, *([order] if order is not None else [])]),
    )
