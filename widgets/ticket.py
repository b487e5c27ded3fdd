"""The text of a ticket: exactly what would be sent, what it costs, what it risks, and what every check says (OP-03).

Lines only: which key counts, and when, is not known here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from core.model.order import OrderRequest, OrderType, Side
from core.model.quote import NoQuote, Quote
from core.model.signal import ExitReason
from core.model.staging import MANUAL, Review, StopPlan, Verdict
from core.model.values import plain
from core.views import ProposalRow, TicketView
from widgets import format as f
from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine

RIGHT = 40
"""Where the second column of the ticket begins."""


def title_of(row: ProposalRow, mode: str) -> str:
    return f"{mode.upper()} ─ {f.doing(row.side, row.effect)} ─ {row.symbol}"


def ticket_lines(view: TicketView, waiting: Sequence[ProposalRow], now: datetime, width: int) -> list[TextLine]:
    """The body, at most `width` cells wide; `waiting` are the proposals of the desk."""
    lines = [
        _two((Cell(order_in_words(view.ticket.order), "strong"),), _cost(view)),
        *_risk(view),
        _two(
            (Cell("after  ", "muted"), Cell(_after(view.quantity_after, view.proposal.symbol))),
            _power(view),
        ),
        _quote(view.quote, now),
        *wrapped("why    ", _why(view), width),
    ]
    for words in view.cancels_in_words:
        lines += wrapped("first  ", f"cancels {words}, then sends this", width)
    lines += _checks(view.now, width)
    for row in waiting:
        if row.is_urgent and row.id != view.proposal.id:
            what = f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol}"
            lines.append(
                (Cell(f"!  EXIT WAITS  {what}, {f.count_up(row.staged_at, now)}", "warning"), Cell("  ! opens it"))
            )
    return lines


def order_in_words(order: OrderRequest) -> str:
    """`47 SPY at 166.76 limit, day`."""
    match order.type:
        case OrderType.LIMIT:
            at = f"at {f.price(order.limit_price)} limit"
        case OrderType.STOP:
            at = f"stop {f.price(order.stop_price)}"
        case _:
            at = "at the market"
    return f"{plain(order.quantity)} {order.symbol} {at}, {order.time_in_force.value}"


def wrapped(label: str, text: str, width: int, tone: Tone = "") -> list[TextLine]:
    """A label, and text that goes on under itself."""
    room = max(10, width - len(label))
    parts = textwrap.wrap(text, room) or [""]
    return [
        (Cell(label if number == 0 else " " * len(label), "muted"), Cell(part, tone))
        for number, part in enumerate(parts)
    ]


def _two(left: TextLine, right: TextLine) -> TextLine:
    length = sum(len(cell.text) for cell in left)
    return (*left, Cell(" " * max(2, RIGHT - length)), *right)


def _cost(view: TicketView) -> TextLine:
    figures = view.ticket.figures
    word = "cost" if view.ticket.order.side is Side.BUY else "worth"
    share = f"   {f.percent(figures.share_of_equity)} of equity" if figures.share_of_equity is not None else ""
    return (Cell(f"{word} ", "muted"), Cell(f"{f.money(figures.cost)} USD"), Cell(share))


def _risk(view: TicketView) -> Iterator[TextLine]:
    """The stop with what is lost at it, the target with what is gained; what closes has neither."""
    order, reference, stop = view.ticket.order, view.proposal.reference, view.ticket.stop
    if not isinstance(stop, StopPlan):
        if not order.effect.only_reduces:
            yield (Cell(f"NO STOP: {stop.reason}", "warning"),)
        return
    lost = (Cell("lose ", "muted"), Cell(f"{f.money(view.ticket.figures.worst_loss)} USD at the stop"))
    yield _two((Cell(_stop(stop)),), lost)
    if reference is None or order.limit_price is None:
        return
    way = reference - order.limit_price if order.side is Side.BUY else order.limit_price - reference
    gained = (Cell("gain ", "muted"), Cell(f"{f.money(way * order.quantity)} USD at the target"))
    yield _two((Cell(f"target VWAP {f.money(reference)}, needs your key"),), gained)


def _stop(stop: StopPlan) -> str:
    holder = {"broker": "the broker holds it", "desk": "this desk asks YOU at it", "you": "YOU hold it"}
    return f"STOP {f.price(stop.price)}, {holder[stop.holder.value]}"


def _power(view: TicketView) -> TextLine:
    after = view.ticket.figures.buying_power_after
    if after is None and view.ticket.order.effect.only_reduces:
        return ()
    return (Cell("power after ", "muted"), Cell(f"{f.money(after)} USD"))


def _quote(quote: Quote | NoQuote, now: datetime) -> TextLine:
    if isinstance(quote, NoQuote):
        return (Cell(f"no quote: {quote.reason}", "warning"),)
    return (
        Cell("quote  ", "muted"),
        Cell(f"{f.price(quote.bid)} × {f.price(quote.ask)}  {f.age(quote.at, now)}  {quote.feed.value}"),
    )


def _after(quantity: Decimal, symbol: str) -> str:
    if not quantity:
        return f"no {symbol}"
    return f"{plain(abs(quantity))} {symbol} {'long' if quantity > 0 else 'short'}"


def _why(view: TicketView) -> str:
    strategy = view.proposal.strategy
    if strategy == MANUAL or view.proposal.exit_reason in (ExitReason.MANUAL, ExitReason.KILL):
        return f"{view.reason}, {f.clock(view.signal_time)} New York"
    return f"{strategy.upper()}, bar {f.minute(view.signal_time)}: {view.reason}"


def _checks(review: Review, width: int) -> list[TextLine]:
    """Every refusal and warning in words; what passes as a count."""
    passing = len(review.verdicts) - len(review.refusals) - len(review.warnings)
    said = [f"{passing} pass"]
    if review.warnings:
        said.append(f"{len(review.warnings)} warn{'s' if len(review.warnings) == 1 else ''}")
    if review.refusals:
        said.append(f"{len(review.refusals)} REFUSE{'S' if len(review.refusals) == 1 else ''}")
    lines: list[TextLine] = [(Cell("checks ", "muted"), Cell(" · ".join(said)))]
    for verdict in review.refusals:
        lines += _verdict("  NO   ", verdict, width, "urgent")
    for verdict in review.warnings:
        lines += _verdict("  warn ", verdict, width, "warning")
    return lines


def _verdict(label: str, verdict: Verdict, width: int, tone: Tone) -> list[TextLine]:
    return wrapped(label, f"{verdict.check}: {verdict.reason}", width, tone)
