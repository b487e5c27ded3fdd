"""Details of a watched symbol: its day, and this desk's positions and orders."""

from __future__ import annotations

from datetime import datetime

from console.details.lines import field, instant, usd
from core.views import DeskView, WatchRow
from widgets import format as f
from widgets.format import coming_in_words
from widgets.lines import TextLine


def watched(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.watch.rows if row.symbol == key), None)
    if row is None:
        return None
    lists = [each.name for each in view.watch.lists if row.symbol in each.symbols]
    return [
        *field("symbol", row.symbol, "strong"),
        *field("in lists", ", ".join(lists) or "none: it is here while something is held, ordered or proposed"),
        (),
        *_quote(row, now),
        *field("last price", f"{usd(f.at_tick(row.last))}, {instant(row.last_at, now)}"),
        *field("close before", usd(f.at_tick(row.before))),
        *field(
            "change",
            f"{usd(f.arrowed(row.change).strip())}, {f.signed_percent(row.change_fraction)}",
            f.tone_of(row.change),
        ),
        *field("volume today", f"{row.volume:,f} shares, of the minutes that were told"),
        (),
        *field("held", f"{f.quantity(row.held)} shares" if row.held else "nothing"),
        *field("working", f"{row.working} orders of this desk"),
        *_coming(view, row),
        *(line for alert in row.alerts for line in field("alert when", alert)),
        *(field("waits", "an exit waits for your key", "urgent") if row.exit_waits else ()),
        *(field("waits", "an entry waits for your key", "warning") if row.proposed else ()),
        *(field("HALTED", f"by its exchange since {row.halted}", "warning") if row.halted else ()),
        *(field("broker", row.trouble, "warning") if row.trouble else ()),
    ]


def _coming(view: DeskView, row: WatchRow) -> list[TextLine]:
    """Return all announced corporate actions of the symbol."""
    found = [each for each in view.actions if each.action.symbol == row.symbol]
    return [line for each in found for line in field("comes", coming_in_words(each), "warning" if each.is_near else "")]


def _quote(row: WatchRow, now: datetime) -> list[TextLine]:
    quote = row.quote
    if quote is None:
        return field("quote", "none yet")
    return field("quote", f"{f.at_tick(quote.bid)} × {f.at_tick(quote.ask)} USD, {instant(quote.at, now)}")
