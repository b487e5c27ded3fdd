"""The text of a ticket: the exact order, its size, its cost, its risk and the result of every check (RK-10,
OP-03).

Lines only; the confirmation key is handled elsewhere. No line is wider than the given width and none is cut: a figure
that does not fit beside its neighbour goes below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from rich.cells import cell_len

from core.model.bar import NoQuote, Quote
from core.model.draft import drafted_by
from core.model.news import earnings_in_words, source_and
from core.model.order import LegRole, OrderRequest, Side, StopHolder, TimeInForce
from core.model.order_terms import WORDS, filled_in
from core.model.signal import ExitReason
from core.model.sizing import Size, Term
from core.model.staging import MANUAL, Review, StopPlan, Verdict
from core.model.text_sanitizer import QUOTE, shortened
from core.model.values import Fraction, Price, plain
from core.views import DeskView, MarginView, ProposalRow, ReplacedView, TicketDraft, TicketView
from widgets import format as f
from widgets.draft_text import FULL, NO_FACTS, fact_texts
from widgets.lines import Cell, TextLine, Tone, in_rows, joined
from widgets.proposals import exit_word


def change_in_words(order: OrderRequest, replaced: ReplacedView) -> str:
    """Format `27 IBM stop 178.20 → 180.02 (break-even)`; unchanged values appear once."""
    word, price = ("stop", order.stop_price) if order.type.is_stop else ("limit", order.limit_price)
    moved = f.price(price) if price == replaced.price else f"{f.price(replaced.price)} → {f.price(price)}"
    left = replaced.quantity - replaced.filled_quantity
    quantity = plain(order.quantity) if order.quantity == left else f"{plain(left)} → {plain(order.quantity)}"
    side = "" if order.type.is_stop else f"{f.side_word(order.side)} "
    return f"{side}{quantity} {order.symbol} {word} {moved}{_break_even(order, replaced)}"


def change_lines(replaced: ReplacedView) -> list[TextLine]:
    """Return the filled quantity of the old order, and the position's result at the stop before and after."""
    lines: list[TextLine] = []
    if replaced.filled_quantity:
        lines.append((Cell(f"{plain(replaced.filled_quantity)} of {plain(replaced.quantity)} are filled already"),))
    before, after = replaced.result_before, replaced.result_after
    if before is not None and after is not None:
        worse = (Cell("  WORSE than before", "warning"),) if after < before else ()
        lines.append((Cell("at it  ", "muted"), Cell(f"{_result(before)} → {_result(after)}"), *worse))
    return lines


def _break_even(order: OrderRequest, replaced: ReplacedView) -> str:
    average = replaced.average_price
    if average is None or order.stop_price is None:
        return ""
    paid = order.instrument.ticks.break_even(average, replaced.fee, is_long=order.side is Side.SELL)
    return " (break-even)" if order.stop_price == paid else ""


def _result(amount: Decimal) -> str:
    """Format the result at the stop, such as `lose 49.14 USD` or `gain 12.00 USD`."""
    return f"{'lose' if amount < 0 else 'gain'} {f.money(abs(amount))} USD"


MOST = 2
"""Most lines: a ticket that is cut cannot be confirmed."""


def size_in_words(size: Size, room: int) -> str:
    """Format `risk 1.50 USD × ATR 1 × VIX 0.5 (elevated); left out: half-Kelly (2 of 30 trades yet)`.

    Every term and factor is included. Reasons are included if they fit in two lines of `room` cells: those of omitted
    terms are dropped first, then those of the terms.
    """
    *longer, shortest = _forms(size)
    return next((form for form in longer if len(textwrap.wrap(form, room)) <= MOST), shortest)


def _forms(size: Size) -> Iterator[str]:
    risk = "risk not known" if size.risk is None else f"risk {f.money(size.risk)} USD"
    reasoned = " × ".join([risk, *(_term(term, term.cuts) for term in size.terms)])
    short = " × ".join([risk, *(_term(term, False) for term in size.terms)])
    if not size.left_out:
        yield from (reasoned, short)
        return
    why = ", ".join(f"{left.name} ({left.why})" for left in size.left_out)
    names = ", ".join(left.name for left in size.left_out)
    yield from (f"{factors}; left out: {left}" for factors in (reasoned, short) for left in (why, names))


def _term(term: Term, is_reasoned: bool) -> str:
    told = f"{term.name} {term.shown}"
    return f"{told} ({term.words})" if is_reasoned else told


RIGHT, GROUP = 36, 17
"""Start of the second column, and the part of it for the first figure."""
COMES, NEWS = "comes  ", "news   "
MOST_NOTE, LEAST_OF_A_HEADLINE = 40, 12
"""Cells."""
SIZE, FACTS, WHY = "size   ", "facts  ", "why    "
QUOTED = f"{QUOTE} "
HOLDS = {
    StopHolder.BROKER: "the broker holds it",
    StopHolder.DESK: "manual stop: press ! when it is hit",
    StopHolder.YOU: "YOU hold it",
}
ALONE = "needs your key when no desk is attached; u pre-authorises it"
ALONE_SIGNED = "also with nobody at a desk, as what is signed says"
"""What happens to a stop held by this desk while no desk is attached (RK-27)."""


def title_of(row: ProposalRow, mode: str) -> str:
    return f"{mode.upper()} ─ {f.purpose(row)} ─ {row.symbol}"


def ticket_lines(view: TicketView, now: datetime, width: int, told: str = "", facts: int = FULL) -> list[TextLine]:
    """Return the body, at most `width` cells wide. Refusals that `told` above it contains are only counted.

    `facts` is the number of lines for each kind of a draft's facts.
    """
    order = view.ticket.order
    what = order_in_words(order) if view.replaced is None else change_in_words(order, view.replaced)
    if view.ttl is not None and view.replaced is None:
        what += f", taken back after {f.span(view.ttl)}"
    lines = two((Cell(what, "strong"),), () if view.proposal.is_guard else _cost(view), width=width)
    if order.type.trails and order.effect.only_reduces and (at := _leaves_at(view)) is not None:
        moves = "up" if order.side is Side.SELL else "down"
        lines += wrapped("", f"initial stop {f.price(at)}, only moves {moves}", width)
        before = view.stop_cancelled
        if before is not None and (at < before if order.side is Side.SELL else at > before):
            lines += wrapped("", f"LOOSER than the stop that it cancels, {f.price(before)}", width, "warning")
    if view.replaced is not None:
        lines += change_lines(view.replaced)
    if not view.proposal.is_guard:
        for left, right in _closing(view) if order.effect.only_reduces else _opening(view):
            lines += two(left, right, width=width)
        lines += _other_exits(view, width)
    if view.stop_lasts is not None:
        lines += wrapped("lasts  ", _life_of_its_stop(view, view.stop_lasts), width)
    for words in view.actions:
        lines += wrapped(COMES, words, width, "warning")
    if not order.effect.only_reduces and view.earnings is not None and view.earnings.is_near:
        lines += wrapped(COMES, earnings_in_words(view.earnings, f.day_of(now)), width, "warning")
    if order.extended_hours:
        lines += wrapped("hours  ", _hours(view), width, "warning")
    lines += _margin(view.margin, width) if view.margin is not None else []
    lines += two(_quote(view.quote, now), [_moved(view)], width=width)
    if view.size is not None and not _is_typed(view, view.size):
        lines += wrapped(SIZE, size_in_words(view.size, width - len(SIZE)), width)
    lines += wrapped(WHY, _why(view, now), width)
    if view.draft is not None:
        lines += quoted(" " * len(WHY), view.draft.reason, width)
        lines += _facts(view.draft, now, width, facts)
    back = "; NO STOP in between; if this fails, it goes back" if view.stop_goes_back else ""
    if view.cancels_in_words:
        lines += wrapped("first  ", f"cancels {' and '.join(view.cancels_in_words)}, then sends this{back}", width)
    if view.cancels_wait_until is not None:
        opens = f.day_and_minute(view.cancels_wait_until)
        closed = f"the market is closed: the cancel may take effect only at the open, {opens}"
        lines += wrapped("closed ", closed, width, "warning")
    if view.put_back_in_words:
        stops = ", ".join(view.put_back_in_words)
        signed = "" if view.stops_until is None else f", {_signed(view.stops_until, 'it')}"
        lines += wrapped("then   ", f"places a stop for what is left: {stops}{signed}", width)
    if view.lost_targets:
        lines += wrapped("then   ", _without_target(view), width, "urgent")
    return lines + checks(view.now, width, told)


def news_line(view: TicketView, now: datetime, width: int) -> list[TextLine]:
    """Return one line: the next report of an entry's symbol, and how many headlines with the newest; none without.

    It has no place of its own: a ticket without room for it goes without.
    """
    order, news = view.ticket.order, view.news
    is_said = view.earnings is not None and view.earnings.is_near
    begin = [] if order.effect.only_reduces or is_said else [earnings_in_words(view.earnings, f.day_of(now))]
    newest = news.headlines[0] if news is not None and news.headlines else None
    if news is not None and newest is not None:
        begin.append(f"{news.count} in 24 h, {f.short_age(newest.at, now).strip()} ago")
    elif news is not None:
        begin.append(shortened(news.note, MOST_NOTE) if news.note else "no news in 24 h")
    if not begin:
        return []
    text = " · ".join(begin)
    label = COMES if news is None else NEWS
    room = width - len(label) - cell_len(text) - len(QUOTED) - 1
    line = (Cell(label, "muted"), Cell(text))
    if newest is None or room < LEAST_OF_A_HEADLINE:
        return [line]
    return [(*line, Cell(f" {QUOTED}", "muted"), Cell(shortened(source_and(newest), room)))]


def _facts(draft: TicketDraft, now: datetime, width: int, most: int) -> list[TextLine]:
    """Return what it states, each row marked by the desk; the words of an agent carry no such mark."""
    if not draft.facts:
        return wrapped(FACTS, NO_FACTS, width, "warning")
    lines: list[TextLine] = []
    for text, tone in fact_texts(draft.facts, now, width - len(FACTS) - len(QUOTED), most):
        lines += continued(" " * len(FACTS) if lines else FACTS, text, width, tone)
    return lines


def _life_of_its_stop(view: TicketView, lasts: TimeInForce) -> str:
    """Format `stop: day, to Mon 5 Jan 16:00; then a new stop waits for your key`."""
    is_dated = lasts is not TimeInForce.DAY or view.stop_ends_at is not None
    until = f.lasting(lasts, view.stop_ends_at) if is_dated else "the day of its fill"
    return f"stop: {until}{f.after_its_day(lasts, holds_overnight=view.holds_overnight)}"


def _is_typed(view: TicketView, size: Size) -> bool:
    """Whether a person chose another quantity than the desk's: its computation explains nothing then."""
    return view.proposal.strategy == MANUAL and view.ticket.order.quantity != size.quantity


def _without_target(view: TicketView) -> str:
    """What stays held loses its target with this order: said in red, because nothing puts it back."""
    gone, order = ", ".join(view.lost_targets), view.ticket.order
    if order.type.waits:
        return f"NO TARGET beside this stop: {gone} is not put back"
    return f"NO TARGET for the {plain(abs(view.quantity_after))} that stay: {gone} is not put back; g sets one"


def order_in_words(order: OrderRequest) -> str:
    """Format `47 SPY at 166.76 limit, day`."""
    at = filled_in(WORDS[order.type].ticket, order.terms, f.price)
    return f"{plain(order.quantity)} {order.symbol} {at}, {f.LASTS[order.time_in_force]}"


def wrapped(label: str, text: str, width: int, tone: Tone = "") -> list[TextLine]:
    """Wrap text behind a label, with a hanging indent."""
    room = max(10, width - len(label))
    parts = in_rows(text, room) or [""]
    return [
        (Cell(label if number == 0 else " " * len(label), "muted"), Cell(part, tone))
        for number, part in enumerate(parts)
    ]


def quoted(label: str, text: str, width: int, tone: Tone = "") -> list[TextLine]:
    """Wrap a text that the desk did not write; the mark before each row says so, and no such text has that mark."""
    lines = wrapped(label, text, width - len(QUOTED), tone)
    return [(Cell(begin.text, begin.tone), Cell(QUOTED, "muted"), part) for begin, part in lines]


def continued(label: str, text: str, width: int, tone: Tone = "") -> list[TextLine]:
    """Wrap a line of the desk that names words of another: those may begin a further row, which has the mark."""
    first, *rest = in_rows(text, width - len(label) - len(QUOTED)) or [""]
    begin = Cell(" " * len(label), "muted")
    return [
        (Cell(label, "muted"), Cell(first, tone)),
        *((begin, Cell(QUOTED, "muted"), Cell(part, tone)) for part in rest),
    ]


def two(left: TextLine, right: Iterable[TextLine], *, width: int) -> list[TextLine]:
    """Place `left` and the figures of the second column side by side; figures without room go below."""
    lines: list[TextLine] = []
    line, is_first = left, True
    for figure in right:
        if not joined(figure):
            continue
        begin = max(_length(line) + 2, RIGHT if is_first else RIGHT + GROUP)
        if begin + _length(figure) > width:
            lines.append(line)
            line = ()
            begin = max(0, min(RIGHT, width - _length(figure)))
        line = (*line, Cell(" " * (begin - _length(line))), *figure)
        is_first = False
    return [*lines, line]


def _length(line: TextLine) -> int:
    return cell_len(joined(line))


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _figure(label: str, value: str, tone: Tone = "") -> TextLine:
    return (Cell(f"{label} ", "muted"), Cell(value, tone))


def _cost(view: TicketView) -> list[TextLine]:
    """Return its cost or worth; for an exit without a limit at the price of its result, so that both move together."""
    figures, order = view.ticket.figures, view.ticket.order
    word = "cost" if order.side is Side.BUY else "worth"
    cost, share = figures.cost, figures.share_of_equity
    is_live = order.effect.only_reduces and order.limit_price is None
    if is_live and (leaves_at := _leaves_at(view)) is not None:
        cost = order.cost(leaves_at)
        share = Fraction(share * cost / figures.cost) if share is not None and figures.cost else None
    return [
        _figure(word, f"{f.money(cost)} USD"),
        (Cell(f"{f.percent(share)} of equity"),) if share is not None else (),
    ]


TO_VWAP = "vwap"
"""The strategy that exits when the price is back at its signal's reference."""


def _opening(view: TicketView) -> Iterator[tuple[TextLine, list[TextLine]]]:
    """Yield the stop with the loss, the target with the gain, and the position and buying power afterwards."""
    stop, figures = view.ticket.stop, view.ticket.figures
    cap = _figure("size capped by", view.capped_by) if view.capped_by else ()
    if isinstance(stop, StopPlan):
        tone: Tone = "warning" if stop.holder is StopHolder.YOU else ""
        is_signed = stop.holder is StopHolder.DESK and bool(view.ticket.unattended)
        holds = "this desk sells when it is hit" if is_signed else HOLDS[stop.holder]
        where = (
            f.price(stop.price)
            if stop.behind is None
            else f"{f.price(stop.behind)} behind the best price from its fill"
        )
        words = f"STOP {where}, {holds}"
        yield (Cell(words, tone),), [_figure("lose", f"{f.money(figures.worst_loss)} USD"), cap]
    else:
        yield (Cell(f"NO STOP: {stop.reason}", "warning"),), [(Cell("the loss has no bound", "warning"),), cap]
    if isinstance(stop, StopPlan) and stop.holder is StopHolder.DESK:
        yield (Cell(ALONE_SIGNED if view.ticket.unattended else ALONE, "muted"),), []
    if view.ticket.order.legs:
        yield (Cell("a partial fill has NO STOP until all is filled or d cancels the rest", "muted"),), []
    after = _after_fill(view)
    gain, taken = _gain(view), _target(view.ticket.order)
    if taken is not None:
        yield (Cell(f"target {f.price(taken)}, the broker holds it"),), [_figure("gain", f"{f.money(gain)} USD"), after]
    elif gain is None:
        is_signed = bool(view.ticket.unattended)
        yield (
            (Cell("no target: its exits go out unattended" if is_signed else "no target: you close it"),),
            [after],
        )
    elif view.proposal.strategy != TO_VWAP:  # other strategies' reference is not an exit price
        yield (Cell(f"exit: by the strategy, {_acts(view)}"),), [after]
    else:
        first = view.exits[0]
        target = f"{first.words} {f.price(first.price)}, {_acts(view)}"
        yield (Cell(target),), [_figure("gain", f"{f.money(gain)} USD"), after]
    power = figures.buying_power_after
    signed: list[TextLine] = [(Cell(_signed(view.stops_until, "stop")),)] if view.stops_until is not None else []
    yield (
        _figure("buying power after", f"{f.money(power)} USD") if power is not None else _unknown("buying power after"),
        signed,
    )


def _signed(until: datetime, what: str) -> str:
    """Up to when the desk may send the stop without a further key (OP-02)."""
    return f"desk may send {what} to {f.day_and_minute(until)}"


def _other_exits(view: TicketView, width: int) -> list[TextLine]:
    """Describe the other exits, besides stop and target, and who acts (OP-06)."""
    shown = view.exits[1:] if _gain(view) is not None and _target(view.ticket.order) is None else view.exits
    is_all_above = not shown and not view.ticket.unattended and bool(view.exits)
    if not watches(view) or is_all_above:
        return []
    words = "; ".join(exit.words if exit.price is None else f"{exit.words} {f.price(exit.price)}" for exit in shown)
    if view.ticket.unattended:
        return wrapped(
            "exits  ", f"{words or 'as above'}: UNATTENDED until the close; u asks for your key", width, "warning"
        )
    if not shown:
        return wrapped("exits  ", "as above; u signs them unattended", width)
    if shown == shown[:1]:
        return wrapped("exits  ", f"{words}: on your key; u pre-approves it", width)
    each = [text if number else f"the first of: {text}" for number, text in enumerate(words.split("; "))]
    each[-1] += "; each on your key, u signs them"
    labels = ("exits  ", *(" " * len("exits  ") for _ in each[1:]))
    return [line for label, text in zip(labels, each, strict=True) for line in wrapped(label, text, width)]


def watches(view: TicketView) -> bool:
    """Return whether this desk watches an exit of the position."""
    stop = view.ticket.stop
    return bool(view.exits) or (isinstance(stop, StopPlan) and stop.holder is StopHolder.DESK)


def _acts(view: TicketView) -> str:
    return "goes out unattended" if view.ticket.unattended else "needs your key"


def _hours(view: TicketView) -> str:
    """Say when the order is active, and that no stop works then (RK-20)."""
    acts = "it acts also before the open and after the close"
    if view.ticket.order.effect.only_reduces:
        return acts
    return f"{acts}; until the open nothing guards what it fills: its stop rests till then"


def _margin(margin: MarginView, width: int) -> list[TextLine]:
    """Format the initial margin, and the excess over maintenance after and before (RK-14)."""
    night = f"; over the night {f.money(margin.overnight)} USD at most" if margin.overnight is not None else ""
    excess = f"excess liquidity {f.percent(margin.before)} → {f.percent(margin.after)}"
    return wrapped("", f"Initial margin {f.money(margin.initial)} USD; {excess}{night}", width)


def _target(order: OrderRequest) -> Decimal | None:
    leg = order.leg(LegRole.TARGET)
    return None if leg is None else leg.limit_price


def _gain(view: TicketView) -> Decimal | None:
    order = view.ticket.order
    aim = _target(order) or next((exit.price for exit in view.exits[:1]), None)
    start = order.limit_price or _touch(view)
    if aim is None or start is None or (order.limit_price is None and _target(order) is None):
        return None
    way = aim - start if order.side is Side.BUY else start - aim
    return order.instrument.notional(order.quantity, way)


def _closing(view: TicketView) -> Iterator[tuple[TextLine, list[TextLine]]]:
    """Yield the purchase price of the closed quantity, the result, and the remaining quantity."""
    order, paid = view.ticket.order, view.average_price
    after = _after_fill(view)
    if paid is None:
        yield _unknown("what was paid"), [after]
        return
    if (stop := order.leg(LegRole.STOP)) is not None:
        yield (Cell(f"or STOP {f.price(stop.stop_price)}: whichever fills cancels the other"),), []
    word = "paid" if order.side is Side.SELL else "sold short at"
    price = _leaves_at(view)
    if price is None:
        yield _figure(word, f"{f.price(paid)} a share"), [_unknown("result"), after]
        return
    gained = price - paid if order.side is Side.SELL else paid - price
    result = order.instrument.notional(order.quantity, gained)
    yield (
        _figure(word, f"{f.price(paid)} a share"),
        [
            _figure("result", f"{f.signed(result)} USD", f.tone_of(result)),
            after,
        ],
    )


def _unknown(what: str) -> TextLine:
    return (Cell(f"{what} not known", "warning"),)


def _leaves_at(view: TicketView) -> Decimal | None:
    """Where an exit sells or covers: at its limit, at its stop, a trailing one as far behind as it would stand now."""
    order, touch = view.ticket.order, _touch(view)
    if order.type.trails and touch is not None:
        return order.stop_behind(Price(touch))
    return order.limit_price or order.stop_price or touch


def _touch(view: TicketView) -> Decimal | None:
    if isinstance(view.quote, NoQuote):
        return None
    return view.quote.ask if view.ticket.order.side is Side.BUY else view.quote.bid


def _held(quantity: Decimal) -> str:
    """Format `47 long`, `5 short`, `flat`."""
    return f"{plain(abs(quantity))} {'long' if quantity > 0 else 'short'}" if quantity else "flat"


def _after_fill(view: TicketView) -> TextLine:
    """Return what the account then holds of the symbol, of every strategy, and with its other working entries."""
    after = view.quantity_after if view.account_after is None else view.account_after
    words = _held(after)
    if view.entries_working:
        words += f"; {_held(after + view.entries_working)} with working entries"
    return _figure("after fill:", words)


def _quote(quote: Quote | NoQuote, now: datetime) -> TextLine:
    if isinstance(quote, NoQuote):
        return (Cell(f"no quote: {quote.reason}", "warning"),)
    return _figure("quote ", quote_in_words(quote, now))


def quote_in_words(quote: Quote, now: datetime) -> str:
    """Format bid, ask, age and feed."""
    return f"{f.price(quote.bid)} × {f.price(quote.ask)}  {f.age(quote.at, now):>5}  {quote.feed.value}"


def _moved(view: TicketView) -> TextLine:
    """Return the price change since the signal, or since the ticket opened for a manual order."""
    if view.moved is not None:
        return _figure("since the signal", f.signed_percent(view.moved))
    before, now = view.ticket.price_at_opening, _touch(view)
    if not before or now is None:
        return ()
    return _figure("since it opened", f.signed_percent((now - before) / before))


def _why(view: TicketView, now: datetime) -> str:
    strategy, row = view.proposal.strategy, view.proposal
    if view.draft is not None:
        return f"{drafted_by(view.draft.agent, view.draft.number)}, {f.dated_clock(view.signal_time, now)} {f.PLACE}"
    if row.replaces is not None or row.is_guard:
        return f"{view.reason}, {f.dated_clock(row.staged_at, now)} {f.PLACE}"
    if strategy == MANUAL or view.proposal.exit_reason in (ExitReason.MANUAL, ExitReason.KILL):
        return f"{view.reason}, {f.dated_clock(view.signal_time, now)} {f.PLACE}"
    return f"{strategy.upper()}, bar {f.day_before(view.signal_time, now)}{f.minute(view.signal_time)}: {view.reason}"


# ── checks and waiting exits ─────────────────────────────────────────────────────────────────────────────────────────


def checks(review: Review, width: int, told: str = "") -> list[TextLine]:
    """Return each refusal and warning once, then counts of the passed checks and of refusals already stated above."""
    refusals, warnings = review.refusals, review.warnings
    untold = [verdict for verdict in refusals if _in_words(verdict) not in told]
    said = f"{len(review.verdicts) - len(refusals) - len(warnings)} checks pass"
    worst: list[tuple[Verdict, str, Tone]] = [(verdict, "REFUSES", "urgent") for verdict in untold]
    worst += [(verdict, "warns", "warning") for verdict in warnings]
    if len(worst) == 1 and len(refusals) == len(untold):
        verdict, word, tone = worst[0]
        line = f"{said} · 1 {word}: {_in_words(verdict)}"
        if cell_len(line) <= width:
            return [(Cell(said), Cell(" · "), Cell(line[len(said) + 3 :], tone))]
    above = "" if untold else ", see above"
    counts = [f"{len(refusals)} REFUSE{above}"] if refusals else []
    counts += [f"{len(warnings)} warn"] if warnings else []
    lines: list[TextLine] = [(Cell(" · ".join([said, *counts])),)]
    for verdict in untold:
        lines += wrapped("  NO   ", _in_words(verdict), width, "urgent")
    for verdict in warnings:
        lines += wrapped("  warn ", _in_words(verdict), width, "warning")
    return lines


def _in_words(verdict: Verdict) -> str:
    return f"{verdict.check}: {verdict.reason}"


def exit_lines(waiting: Sequence[ProposalRow], now: datetime, width: int) -> list[TextLine]:
    """Return the most urgent exit waiting beside the ticket, and the number of others."""
    if not waiting:
        return []
    row = waiting[0]
    waits = f.span(now - row.staged_at)
    if row.exit_reason is ExitReason.STOP_LOSS:
        why = f"{waits} past its stop"
    else:
        why = f"{exit_word(row.exit_reason, row.strategy, row.agent) if row.exit_reason else 'asked for'} {waits} ago"
    moved = f", {f.signed(row.moved)} USD since" if row.moved is not None else ""
    more = f", {len(waiting) - 1} more" if len(waiting) > 1 else ""
    text = f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol}, {why}{moved}{more}"
    label = "!  EXIT WAITS  "
    return [
        (Cell(label if number == 0 else " " * len(label), "strong"), Cell(part, "warning"))
        for number, part in enumerate(in_rows(text, width - len(label)))
    ]


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
    if row.agent:
        return [*lines, *quoted(WHY, row.reason, width, GREY)]
    return [*lines, *wrapped(WHY, f"{row.strategy.upper()}: {row.reason}", width, GREY)]
