"""Details of the past: a log record, a trade, a trade not taken (OP-12), a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.details.lines import field, instant, usd
from console.keymap import written
from core.views import DayRow, DeskView, LogRow, ShadowRow, TradeRow
from widgets import format as f
from widgets.format import short_id, short_ids
from widgets.lines import TextLine
from widgets.log import story_of


def record(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.log if str(row.sequence) == key), None)
    if row is None:
        return None
    story = story_of(row)
    steps = [each for each in view.log if story_of(each) == story] if story else []
    if len(steps) > 1 or row.order is not None:
        return _steps(steps, now)
    return [
        *field("at", instant(row.at, now)),
        *field("kind", row.kind, "strong"),
        *field("level, source", f"{row.level}, {row.source}"),
        *field("record", f"number {row.sequence} of the journal" if row.sequence > 0 else "a note, not in the journal"),
        (),
        *field("what", short_ids(row.text)),
    ]


def _steps(rows: Sequence[LogRow], now: datetime) -> list[TextLine]:
    """Return the steps of one log line: the life of an order, or of a proposal without an order."""
    order = next((row.order for row in rows if row.order is not None), None)
    lines = [] if order is None else field("order", short_id(order), "strong")
    lines += [*field("source", ", ".join(dict.fromkeys(row.source for row in rows))), ()]
    for row in rows:
        lines += field(f.dated_clock(row.at, now), f"{short_ids(row.text)} (record {row.sequence})")
    return lines


def trade(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    found = next((row for row in view.trades if key.endswith(row.key)), None)
    if found is not None:
        return _trade(found, now)
    shadow = next((row for row in view.shadows if key.endswith(row.key)), None)
    if shadow is not None:
        return _shadow(shadow)
    day = next((row for row in view.days if row.day.isoformat() == key), None)
    return _day(day) if day is not None else None


def _day(row: DayRow) -> list[TextLine]:
    """Return the closed trades of each strategy on that day; History has its orders and trades."""
    began = f.UNKNOWN if row.equity is None else usd(f.money(row.equity))
    lines = [*field("day", f"{row.day:%A %d %B %Y}", "strong"), *field("began with", began)]
    for each in row.closed:
        said = f"{each.trades} closed, {each.wins} won, {usd(f.arrowed(each.profit).strip())}"
        lines += field(each.strategy, said, f.tone_of(each.profit))
    return [*lines, *field("its trades", f"{written('pane.history')} turned to this day")]


def _trade(row: TradeRow, now: datetime) -> list[TextLine]:
    held = f.span(row.exit_time - row.entry_time)
    return [
        *field("trade", f"{f.quantity(row.quantity)} {row.symbol} by {row.strategy}", "strong"),
        *field("opened", f"{usd(f.price(row.entry_price))} a share, {instant(row.entry_time, now)}"),
        *field("closed", f"{usd(f.price(row.exit_price))} a share, {instant(row.exit_time, now)}"),
        *field("because", _because(row)),
        *field("held for", held),
        *field("profit", f"{usd(f.arrowed(row.profit).strip())}{_fees(row)}", f.tone_of(row.profit)),
        *_against_the_intended(row),
        *field("exit order", short_ids(row.key)),
    ]


def _against_the_intended(row: TradeRow) -> list[TextLine]:
    if row.slippage < 0:
        return field("price improvement", f"{usd(f.signed(-row.slippage))}, better than intended")
    return field("slippage", f"{usd(f.signed(row.slippage))}, worse than intended")


def _fees(row: TradeRow) -> str:
    return f", after fees of {usd(f.money(row.fees))}" if row.fees else ""


def _because(row: TradeRow) -> str:
    """Return the exit reason; for a trade that should have ended earlier also its closing order's purpose (EX-18)."""
    reason, meant = (None if r is None else r.value.lower().replace("_", " ") for r in (row.exit_reason, row.meant))
    return str(reason) if meant is None else f"{reason} of an exit before; it was closed for {meant}"


def _shadow(row: ShadowRow) -> list[TextLine]:
    made = f.UNKNOWN if row.result is None else f"{f.arrowed(row.result).strip()} USD"
    return [
        *field(
            "not taken", f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol} by {row.strategy}", "strong"
        ),
        *field("because", row.end),
        *field("entry", f"{usd(f.price(row.entry_price))} a share"),
        *field("state", row.state),
        *field("would have made", made, f.tone_of(row.result)),
    ]
