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
from core.model.values import plain, to_nearest_tick
from core.views import ProposalRow, ReplacedView, TicketView
from widgets import format as f
from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine

RIGHT = 40
"""Where the second column of the ticket begins."""


def title_of(row: ProposalRow, mode: str) -> str:
    return f"{mode.upper()} ─ {f.purpose(row)} ─ {row.symbol}"


def ticket_lines(view: TicketView, waiting: Sequence[ProposalRow], now: datetime, width: int) -> list[TextLine]:
    """The body, at most `width` cells wide; `waiting` are the proposals of the desk."""
    lines = [
        *_order(view),
        *_risk(view),
        *_position_after(view),
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


def _order(view: TicketView) -> list[TextLine]:
    """What is sent; where it takes another's place, what becomes of that one (`27 IBM stop 178.20 → 180.02`)."""
    order, replaced = view.ticket.order, view.replaced
    if replaced is None:
        return [_two((Cell(order_in_words(order), "strong"),), _cost(view))]
    word, price = ("stop", order.stop_price) if order.type is OrderType.STOP else ("limit", order.limit_price)
    moved = f.price(price) if price == replaced.price else f"{f.price(replaced.price)} → {f.price(price)}"
    left = replaced.quantity - replaced.filled_quantity
    quantity = plain(order.quantity) if order.quantity == left else f"{plain(left)} → {plain(order.quantity)}"
    side = "" if view.proposal.is_guard else f"{f.side_word(order.side)} "
    what = Cell(f"{side}{quantity} {order.symbol} {word} {moved}", "strong")
    lines: list[TextLine] = [
        (what, Cell(_break_even(price, replaced))) if view.proposal.is_guard else _two((what,), _cost(view))
    ]
    if replaced.filled_quantity:
        lines.append((Cell(f"{plain(replaced.filled_quantity)} of {plain(replaced.quantity)} are filled already"),))
    if replaced.result_before is not None and replaced.result_after is not None:
        lines.append(
            (
                Cell("at it  ", "muted"),
                Cell(f"{_result(replaced.result_before)} → {_result(replaced.result_after)}"),
                *((Cell("  MORE than before", "warning"),) if replaced.result_after < replaced.result_before else ()),
            )
        )
    return lines


def _break_even(price: Decimal | None, replaced: ReplacedView) -> str:
    average = replaced.average_price
    return " (break-even)" if average is not None and price == to_nearest_tick(average) else ""


def _result(amount: Decimal) -> str:
    """What the position makes at its stop: `lose 49.14 USD`, `gain 12.00 USD`."""
    return f"{'lose' if amount < 0 else 'gain'} {f.money(abs(amount))} USD"


def _position_after(view: TicketView) -> list[TextLine]:
    """The position once it is filled; a stop changes none now."""
    if view.proposal.is_guard:
        return []
    return [
        _two((Cell("after  ", "muted"), Cell(_after(view.quantity_after, view.proposal.symbol))), _power(view)),
    ]


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
    strategy, row = view.proposal.strategy, view.proposal
    if row.replaces is not None or row.is_guard:
        return f"{view.reason}, {f.clock(row.staged_at)} New York"
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
