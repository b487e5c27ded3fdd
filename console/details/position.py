"""Details of a position: its value, and who holds which part of its stop (OP-06)."""

from __future__ import annotations

from datetime import datetime

from console.details.lines import field, instant, usd
from console.keymap import written
from core.model.order import StopHolder, StopKnown
from core.model.values import plain
from core.views import IN_DOUBT, ActionRow, DeskView, PositionRow
from widgets import format as f
from widgets.format import coming_in_words
from widgets.lines import TextLine
from widgets.positions import FOREIGN

UNREAD = "its row of this position cannot be read: our books keep theirs; look at the broker's page"
TRAILS = {
    StopKnown.EXACT: "",
    StopKnown.PASSED: "the last known, it trails the market from there; ",
    StopKnown.GUESSED: "computed, the broker has named no price yet; ",
}
HELD = {
    StopHolder.BROKER: "the broker holds it",
    StopHolder.DESK: "manual stop: press ! when it is hit, nothing at the broker",
    StopHolder.YOU: "none, YOU hold it: nothing at the broker",
}


def position(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    foreign = next((row for row in view.foreign if f"{FOREIGN}{row.symbol}" == key), None)
    if foreign is not None:
        return [
            *field("symbol", foreign.symbol, "strong"),
            *field("kind", f"{foreign.asset_class}: this desk does not trade it"),
            *field("quantity", f.quantity(foreign.quantity)),
            *field("paid", f"{f.price(foreign.average_price)} on average, as the broker tells it"),
            (),
            *field("", "no stop, no price and no risk of it is kept here: watch and close it at the broker"),
        ]
    row = next((row for row in view.positions if row.key == key), None)
    if row is None:
        return None
    in_risk = f.UNKNOWN if row.result_in_risk is None else f"{f.multiple(row.result_in_risk, 2)} R"
    return [
        *field("symbol", row.symbol, "strong"),
        *field("opened by", row.strategy),
        *field("quantity", f"{f.quantity(abs(row.quantity))} shares {'long' if row.quantity > 0 else 'short'}"),
        *field("paid", f"{usd(f.price(row.average_price))} a share on average"),
        *field("last price", f"{usd(f.at_tick(row.last))}, {instant(row.last_at, now)}"),
        *field("open profit", f"{usd(f.arrowed(row.profit).strip())}, {in_risk}", f.tone_of(row.profit)),
        (),
        *_stop(row),
        *_covered(row),
        *(field("broker", UNREAD, "warning") if row.is_unread else ()),
        *(field("held", row.held_by_others, "warning") if row.held_by_others else ()),
        *(field("legs", "the broker works a stop or a pair that it made itself") if row.has_bracket else ()),
        *_signed(row),
        *_way_out(row),
        *_working(view, row),
        *(line for each in view.actions if each.action.symbol == row.symbol for line in _comes(each)),
    ]


def _comes(row: ActionRow) -> list[TextLine]:
    return field("comes", coming_in_words(row), "warning" if row.is_near else "")


def _stop(row: PositionRow) -> list[TextLine]:
    price = usd(f.stop_sign(row) + f.price(row.stop_price))
    if "stop" in row.doubt and row.holder is not StopHolder.BROKER:
        return field("stop", f"{price}, in doubt: nobody knows whether the broker holds one", "warning")
    if row.holder is StopHolder.YOU:
        return field("stop", f"{_why_none(row)}{'' if row.stop_price is None else f'; {price} was meant'}", "warning")
    nearer = f"; others at {', '.join(map(f.price, row.nearer_stops))}" if row.nearer_stops else ""
    return field("stop", f"{price}, {TRAILS[row.stop_known]}{HELD[row.holder]}{nearer}")


def _why_none(row: PositionRow) -> str:
    """Return why there is no stop price; other panes give the same reason in a word."""
    if row.idle:
        return f"{row.idle}: the broker has it and does not trade it now"
    if row.at_limit and not row.unprotected:
        return "none while an exit waits at its limit"
    if row.is_closing and not row.unprotected:
        return "none, an exit is on its way: nothing at the broker"
    return HELD[StopHolder.YOU]


def _covered(row: PositionRow) -> list[TextLine]:
    text = f"{plain(row.covered)} of {plain(abs(row.quantity))} shares would be closed at the broker"
    by_you = f"; {plain(row.unprotected)} by nobody but YOU" if row.unprotected else ""
    by_you += f"; {plain(row.at_limit)} wait at a limit, with no stop" if row.at_limit else ""
    doubted = f"; {plain(row.in_doubt)} in doubt: the {row.doubt} was sent, and not answered" if row.doubt else ""
    return field("covered", text + by_you + doubted, "warning" if by_you or doubted else "")


def _signed(row: PositionRow) -> list[TextLine]:
    """Say whether its exits need a key (OP-06)."""
    if row.unattended_until is None:
        return field("exits", "each that this desk proposes needs your key")
    until = f"until {f.clock(row.unattended_until)} {f.PLACE}"
    most = f", each for {plain(row.unattended_most)} shares at most"
    words = f"UNATTENDED: without a key {until}{most}; {written('position.attended')} in Positions asks for your key"
    return field("exits", words, "warning")


def _way_out(row: PositionRow) -> list[TextLine]:
    if "exit" in row.doubt:
        return field("on its way out", "nobody knows: an exit was sent, and not answered", "warning")
    if row.exit_waits_since is not None:
        since = f.clock(row.exit_waits_since)
        words = f"waits for the broker's limit of requests since {since} {f.PLACE}; its stop stays in force until then"
        return field("on its way out", words, "warning")
    return field("on its way out", "yes, an exit works or its stop is being cancelled" if row.is_closing else "no")


def _working(view: DeskView, row: PositionRow) -> list[TextLine]:
    lines: list[TextLine] = []
    for order in view.orders:
        if (order.symbol, order.strategy) == (row.symbol, row.strategy) and order.status.is_working:
            what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {f.terms(order.terms)}"
            words = f"{what}, {'in doubt' if IN_DOUBT in order.marks else order.status.value}"
            lines += field("working order" if not lines else "", words)
    return lines
