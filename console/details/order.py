"""Details of an order: every field, its marks in words, its fills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.details.lines import ahead, field, instant, usd
from console.keymap import written
from core.model.order import LegRole
from core.model.values import ClientOrderId, plain
from core.views import DeskView, OrderRow, OtherOrderRow, RowMark
from widgets import format as f
from widgets.format import short_id, short_ids
from widgets.lines import TextLine
from widgets.orders import LEGS, OTHER, REFUSAL

MARKS: Mapping[RowMark, str] = {
    RowMark.CANCELLING: "its cancel was asked for, and the broker has not said yet that it is gone",
    RowMark.WAITS_TO_BE_SENT: "it has not left this desk: a request before it has no answer yet",
    RowMark.IN_DOUBT: "nobody knows whether the broker has it: it is looked up, and not sent again",
    RowMark.WARNED: "the broker took it and warns; W in Orders confirms that, an entry is cancelled without it",
    RowMark.HALTED: "its exchange has halted the symbol: the order waits there until it trades again",
    RowMark.LATE_FILL: "it was filled after it was thought to be over",
    RowMark.RESTATED: "the terms below are the broker's; those that were sent stand before the arrow",
    RowMark.MORE_THAN_HELD: "less is held than when it was sent: it is reduced or cancelled, and a kill cancels it",
    RowMark.HELD: "the broker holds it back until its entry is filled whole; it guards nothing yet",
}


def order(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    if key.startswith(REFUSAL):
        return _refused(view, key.removeprefix(REFUSAL), now)
    other = next((row for row in view.others if f"{OTHER}{row.id}" == key), None)
    if other is not None:
        return _other(other)
    row = next((row for row in view.orders if row.id == key.removeprefix(LEGS)), None)
    if row is None:
        return None
    return [
        *field("order", f"{f.doing(row.side, row.effect)} {f.quantity(row.quantity)} {row.symbol}", "strong"),
        *field("id", short_id(row.id)),
        *field("of", row.strategy + (", a protective stop" if row.is_protective else "")),
        *field("terms", _terms(row)),
        *field("state", short_ids(row.state_in_words) + _works(row)),
        *[
            line
            for mark, words in zip(row.marks, row.marks_in_words, strict=True)
            for line in field(words, MARKS.get(mark, ""), "warning")
        ],
        *[line for words in row.warnings for line in field("the broker", words, "warning")],
        *(field("changed", row.restated, "warning") if row.restated else ()),
        *field("filled", _filled(row)),
        *(field("reason", short_ids(row.reason), "warning") if row.reason else ()),
        (),
        *field("sent", instant(row.created_at, now)),
        *(field("over", instant(row.ended_at, now)) if row.ended_at is not None else ()),
        *(field("ends", ahead(row.expires_at, now)) if row.expires_at is not None and row.ended_at is None else ()),
        (),
        *field(
            "",
            f"{written('order.why')} in Orders tells why, from its bar to its fills; "
            f"{written('row.copy')} there copies its whole identifier",
        ),
    ]


def _works(row: OrderRow) -> str:
    """Return `, it works` for a working order; one in doubt, unsent or held back does not work, as its mark says."""
    stands_by = {RowMark.IN_DOUBT, RowMark.WAITS_TO_BE_SENT, RowMark.HELD}
    return "" if row.status.is_terminal or stands_by.intersection(row.marks) else ", it works"


def _other(row: OtherOrderRow) -> list[TextLine]:
    fate = "a kill takes it back: it could open" if row.may_open else "a kill leaves it: it cannot open"
    if row.is_unread:
        fate = "it may open; a kill names it and leaves it, NAKED takes it back"
    return [
        *field("order", row.words, "strong"),
        *field("id", short_id(ClientOrderId(row.id))),
        *field("of", "not this desk's: it is shown, and left alone"),
        *field("state", row.state),
        *field("kill", fate),
    ]


def _terms(row: OrderRow) -> str:
    words = f.terms(row.terms)
    if not row.type.waits and row.stop_price is not None:
        words += f", stop {f.price(row.stop_price)}"
    for leg in row.legs:
        name = "target" if leg.role is LegRole.TARGET else "stop"
        words += f", with it {name} {f.price(leg.limit_price if leg.role is LegRole.TARGET else leg.stop_price)}"
    prices = (row.limit_price, row.stop_price, row.trail_price)
    return words if prices == (None, None, None) else f"{words} USD a share"


def _filled(row: OrderRow) -> str:
    text = f"{plain(row.filled_quantity)} of {plain(row.quantity)} shares"
    return text if row.average_price is None else f"{text}, {usd(f.price(row.average_price))} a share on average"


def _refused(view: DeskView, sequence: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.refusals if str(row.sequence) == sequence), None)
    if row is None:
        return None
    return [
        *field("refused", instant(row.at, now), "warning"),
        *field("what, and why", short_ids(row.text)),
        *field("record", f"number {row.sequence} of the journal"),
    ]
