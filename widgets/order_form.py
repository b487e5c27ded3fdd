"""Text under the fields of a manual order: the symbol's figures and the money available."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.grid_cells import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

NOT_LISTED = "it is not in the broker's list: it cannot be bought here"


def about_lines(row: SymbolView | None, view: DeskView, now: datetime, width: int) -> list[TextLine]:
    """Describe the symbol: quote and last price with ages, positions in it, and why it may not be opened."""
    if row is None:
        return wrapped("", "not looked up yet: wait a moment", width, "muted")
    held = [
        f"{f.quantity(position.quantity)} by {position.strategy} at {f.price(position.average_price)}"
        for position in view.positions
        if position.symbol == row.symbol
    ]
    lines = [_prices(row, now), *wrapped("held   ", f"{', '.join(held) or 'none'}; {_terms(row)}", width)]
    if row.is_listed is False:
        lines[1:] = wrapped("held   ", f"{', '.join(held) or 'none'}; {NOT_LISTED}", width, "warning")
    refused = view.status.entries_refused
    if refused is not None:
        lines += wrapped("ENTRIES OFF  ", refused, width, "warning")
    return lines


def _terms(row: SymbolView) -> str:
    """Describe how the symbol trades according to the broker."""
    if not row.is_described:
        return "the broker has not said yet how it trades"
    trades = "fractionable" if row.is_fractionable else "whole shares only"
    return f"{trades}, {'shortable' if row.short_refused is None else f'no short: {row.short_refused}'}"


def _prices(row: SymbolView, now: datetime) -> TextLine:
    quote = row.quote
    told = (
        f"{f.price(quote.bid)} × {f.price(quote.ask)} USD  {f.age(quote.at, now):>5}  {quote.feed.value}"
        if quote is not None
        else "no quote yet"
    )
    is_stale = quote is not None and now - quote.at > f.STALE_AFTER
    last = f"   last {f.at_tick(row.last)}, {f.age(row.last_at, now)} old" if row.last and row.last_at else ""
    return (Cell(f"{row.symbol:<7}", "strong"), Cell(told, "warning" if is_stale or quote is None else ""), Cell(last))


def money_lines(
    cost: Decimal | None,
    loss: Decimal | None,
    opens: bool,
    view: DeskView,
    width: int,
    gain: Decimal | None = None,
) -> list[TextLine]:
    """Return the order's value, possible loss and gain, and the buying power before and after."""
    status = view.status
    power = f"buying power {f.money(status.buying_power)} USD"
    tone: Tone = ""
    if opens and cost is not None and status.buying_power is not None:
        after = status.buying_power - cost
        power += f", after this order {f.money(after) if after >= 0 else f.signed(after)} USD"
        tone = "warning" if after < 0 else ""
    lines = wrapped("", power, width, tone)
    if cost is None:
        return lines
    share = f", {f.percent(cost / status.equity)} of equity" if opens and status.equity else ""
    lost = f", loses {f.money(loss)} USD at the stop" if loss is not None else ""
    made = f", gains {f.money(gain)} USD at the target" if gain is not None else ""
    return [*wrapped("order  ", f"{f.money(cost)} USD{share}{lost}{made}", width), *lines]
