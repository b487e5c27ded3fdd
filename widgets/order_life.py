"""The life of an order in one line of the log, which grows: what it is, how it stands, and who holds its stop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.model.order import Leg, LegRole, OrderStatus, OrderType, StopHolder
from core.model.values import ClientOrderId, Price
from core.views import IN_DOUBT, LogRow, OrderRow
from widgets import format as f

IDENTIFIER = re.compile(r"\b([0-9a-f]{6})[0-9a-f]{10}\b")
"""An order's, as this desk gives them; six characters of it tell the orders of a day apart."""
SHORT = 6
FILL, ORDER = "fill", "order"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A row of the log as it is shown; `words` is everything that a filter may look for."""

    row: LogRow
    words: str
    id: str = ""


def short_ids(text: str) -> str:
    """Identifiers of orders by their first six characters."""
    return IDENTIFIER.sub(r"\1", text)


def short_id(id: ClientOrderId) -> str:
    """`3f9a02`; of one that the broker gave, its last six."""
    return id[:SHORT] if IDENTIFIER.fullmatch(id) else id[-SHORT:]


def folded(rows: Sequence[LogRow], orders: Sequence[OrderRow]) -> list[LogLine]:
    """A line for each order where the last step of its life stands, and for every other row its own.

    The line of an order keeps the number of its first row while it grows.
    """
    by_id = {order.id: order for order in orders}
    steps: dict[ClientOrderId, list[LogRow]] = {}
    for row in rows:
        if row.order is not None:
            steps.setdefault(row.order, []).append(row)
    lines = []
    for row in rows:
        if row.order is None:
            lines.append(LogLine(row, f"{row.kind} {row.severity} {row.text}"))
        elif row is steps[row.order][-1]:
            lines.append(_line_of(steps[row.order], by_id, orders))
    return lines


def _line_of(steps: Sequence[LogRow], by_id: Mapping[ClientOrderId, OrderRow], orders: Sequence[OrderRow]) -> LogLine:
    last, id = steps[-1], steps[-1].order
    assert id is not None
    order = by_id.get(id)
    kind = FILL if any(step.kind == FILL for step in steps) else ORDER
    text = last.text if order is None else life(order, orders)
    words = " ".join([kind, text, *(f"{step.kind} {step.severity} {step.text}" for step in steps)])
    return LogLine(replace(last, sequence=steps[0].sequence, kind=kind, text=text), words, short_id(id))


def life(order: OrderRow, orders: Sequence[OrderRow]) -> str:
    """`BUY 0.1 SPY 495.50 filled in 0.4 s, stop 494.17 working`."""
    price = f.price(order.limit_price) if order.type is OrderType.LIMIT else f.terms(order.terms)
    head = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol} {price}"
    marks = (words for mark, words in zip(order.marks, order.marks_in_words, strict=True) if mark != IN_DOUBT)
    return ", ".join([f"{head} {_standing(order)}", *marks, *_guards(order, orders)])


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
    """What works for what it filled, and what waits to."""
    own = [other for other in orders if other.parent == order.id and other.status.is_working]
    stands = [f"{_role(other)} {f.price(other.stop_price or other.limit_price)}" for other in own]
    waits = legs_in_words(order, stands)
    said = [f"{' and '.join(stands)} working"] if stands else []
    said += [waits] if waits else []
    kept = order.stop_by_desk is StopHolder.DESK and order.status.is_working
    return [*said, "this desk keeps its stop"] if kept else said


def _role(order: OrderRow) -> str:
    return "stop" if order.stop_price is not None else "target"


def legs_in_words(order: OrderRow, at_work: Sequence[str] = ()) -> str:
    """`stop 13.81 and target 13.92 wait for it`: those legs of a working order that do not work yet."""
    waits = [_leg(leg) for leg in order.legs if order.status.is_working and _leg(leg) not in at_work]
    return f"{' and '.join(waits)} {'wait' if len(waits) > 1 else 'waits'} for it" if waits else ""


def _price_of(leg: Leg) -> Price | None:
    return leg.limit_price if leg.role is LegRole.TARGET else leg.stop_price


def _leg(leg: Leg) -> str:
    return f"{'target' if leg.role is LegRole.TARGET else 'stop'} {f.price(_price_of(leg))}"
