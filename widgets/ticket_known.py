"""A ticket before its fresh figures arrive: the proposal in grey, not yet confirmable."""

from __future__ import annotations

from datetime import datetime

from core.model.bar import Quote
from core.model.values import plain
from core.views import DeskView, ProposalRow
from widgets import format as f
from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import quote_in_words, two, wrapped

GREY: Tone = "muted"


def known_lines(row: ProposalRow, view: DeskView, now: datetime, width: int) -> list[TextLine]:
    """Return the figures known without a request: terms, stop, risk, reason and the last quote."""
    what = (Cell(f"{plain(row.quantity)} {row.symbol} {f.terms(row.terms)}", GREY),)
    risk = () if row.risk is None else ((Cell(f"lose {f.money(row.risk)} USD", GREY),),)
    lines = two(what, risk, width=width)
    if row.stop_price is not None and not row.is_guard:
        lines.append((Cell(f"STOP {f.price(row.stop_price)}", GREY),))
    quote = next((watched.quote for watched in view.watch.rows if watched.symbol == row.symbol), None)
    if isinstance(quote, Quote):
        lines.append((Cell(f"quote  {quote_in_words(quote, now)}", GREY),))
    return [*lines, *wrapped("why    ", f"{row.strategy.upper()}: {row.reason}", width, GREY)]
