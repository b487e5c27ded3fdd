"""A position: what it stands at, and who holds how much of its stop (OP-06)."""

from __future__ import annotations

from datetime import datetime

from console.details.lines import field, instant, usd
from core.model.order import StopHolder
from core.model.values import plain
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import TextLine

HELD = {
    StopHolder.BROKER: "the broker holds it",
    StopHolder.DESK: "this desk asks YOU when it is hit: nothing at the broker",
    StopHolder.YOU: "YOU hold it: nothing at the broker",
}


def position(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.positions if row.key == key), None)
    if row is None:
        return None
    in_risk = f.UNKNOWN if row.result_in_risk is None else f"{row.result_in_risk:+.2f} R".replace("-", "−")
    return [
        *field("symbol", row.symbol, "strong"),
        *field("opened by", row.strategy),
        *field("quantity", f"{f.quantity(abs(row.quantity))} shares {'long' if row.quantity > 0 else 'short'}"),
        *field("paid", f"{usd(f.price(row.average_price))} a share on average"),
        *field("last price", f"{usd(f.price(row.last))}, {instant(row.last_at, now)}"),
        *field("open profit", f"{usd(f.arrowed(row.profit).strip())}, {in_risk}", f.tone_of(row.profit)),
        (),
        *field("stop", f"{usd(f.price(row.stop_price))}, {HELD[row.holder]}"),
        *_covered(row),
        *(field("held", row.held_by_others, "warning") if row.held_by_others else ()),
        *(field("legs", "the broker works a stop or a pair that it made itself") if row.has_bracket else ()),
        *field("on its way out", "yes, an exit works or its stop is being cancelled" if row.is_closing else "no"),
        *_working(view, row),
    ]


def _covered(row: PositionRow) -> list[TextLine]:
    bare = abs(row.quantity) - row.covered
    text = f"{plain(row.covered)} of {plain(abs(row.quantity))} shares would be closed at the broker"
    return (
        field("covered", f"{text}; {plain(bare)} by nobody but YOU", "warning") if bare > 0 else field("covered", text)
    )


def _working(view: DeskView, row: PositionRow) -> list[TextLine]:
    lines: list[TextLine] = []
    for order in view.orders:
        if (order.symbol, order.strategy) == (row.symbol, row.strategy) and order.status.is_working:
            trail = f.trail(order.trail_price, order.trail_fraction)
            terms = f.terms(order.type, order.limit_price, order.stop_price, trail)
            words = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {terms}, {order.status.value}"
            lines += field("working order" if not lines else "", words)
    return lines
