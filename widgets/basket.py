"""Text lines of a basket: its orders with the buying power after each, events while it runs, the broker's final report.

No line is wider than the given width. A list that is longer than its room shows the part around the selected order and
says how many orders there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.model.account import Mode
from core.model.basket import BasketOrderState, BasketPhase, BasketSource
from core.model.values import ZERO, ProposalId, plain
from core.views import BasketRowView, BasketView
from widgets import format as f
from widgets.lines import Cell, TextLine, Tone, spread
from widgets.ticket_text import HOLDS, wrapped

NOT_OF_THE_BROKER = "THE BROKER DID NOT ANSWER: this is what the desk knows; Orders has the rest"
NONE_MARKED = "Nothing is marked yet. BUYING POWER is as if all valid orders were."
NO_ORDERS = "This basket holds no order any more: what it was made of has left Proposals."
SHORT = {
    BasketOrderState.WAITING: ("waits", "muted"),
    BasketOrderState.CHECKING: ("checking…", "strong"),
    BasketOrderState.CLEARING: ("clearing stop", "strong"),
    BasketOrderState.SENT: ("sent…", "strong"),
    BasketOrderState.IN_DOUBT: ("IN DOUBT", "urgent"),
    BasketOrderState.WORKING: ("working", "strong"),
    BasketOrderState.FILLED: ("filled", ""),
    BasketOrderState.ENDED: ("ENDED", "warning"),
    BasketOrderState.REFUSED: ("NOT SENT", "urgent"),
    BasketOrderState.TAKING_BACK: ("taking back…", "strong"),
    BasketOrderState.TAKEN_BACK: ("taken back", ""),
}
NAMED = 3
"""Number of skipped rows that are named; the others are counted."""
STATE = 14
"""Width of a state in cells."""


def title_of(view: BasketView, mode: Mode) -> str:
    """Return the title, such as `PAPER ─ Basket ─ flatten everything`."""
    what = view.name if view.source is BasketSource.FILE else view.source.value
    return f"{mode.value.upper()} ─ Basket ─ {what}"


def head_lines(view: BasketView, now: datetime, width: int) -> list[TextLine]:
    """Return the totals of an open basket, or the progress of a running one."""
    lines: list[TextLine] = []
    if view.is_open:
        lines += [_sum(view, width), *_loss(view, width)]
        if view.left:
            lines += wrapped("LEAVES ", ", ".join(view.left), width, "warning")
        for reason in view.refused_because:
            lines += wrapped("NOT SIGNED ", reason, width, "urgent")
    elif view.runs:
        word = view.phase.value.upper()
        since = Cell(f"for {f.span(now - view.phase_since)} ", "muted")
        lines.append(spread((Cell(word, "strong"),), (since,), width))
        if view.phase_reason:
            tone: Tone = "urgent" if view.phase is BasketPhase.ASKING else ""
            lines += wrapped("", view.phase_reason, width, tone)
    else:
        end = view.end.value.upper() if view.end is not None else "OVER"
        lines += wrapped(
            f"{end}  ", f"{view.end_reason}, {f.dated_clock(view.phase_since, now)} {f.PLACE}", width, "strong"
        )
    for row in view.skipped[:NAMED]:
        lines += wrapped("left out ", f"{row.place}: {row.reason}", width, "warning")
    if len(view.skipped) > NAMED:
        lines.append((Cell(f"left out {len(view.skipped) - NAMED} rows more; the log names them", "warning"),))
    return lines


def _sum(view: BasketView, width: int) -> TextLine:
    """Format `5 of 14 go, +39,000.00, −24,002.40      power 989.60 → 15,987.20`: freed first, then spent."""
    going = view.going
    if not view.rows or not any(row.is_marked for row in view.rows):
        return (Cell(NONE_MARKED, "strong"),)
    orders = [row for row in view.rows if not row.is_taken_back]
    entries = f"{len(view.taken_back)} of {len(view.rows) - len(orders)} entries taken back first"
    if not orders:
        return (Cell(entries, "strong"),)
    sells = [row for row in going if row.effect.only_reduces]
    parts = [entries] if len(orders) < len(view.rows) else []
    parts += [f"{len(going)} of {len(orders)} go"]
    parts += [f"+{f.money(view.frees)}"] if sells else []
    parts += [f"−{f.money(view.costs)}"] if view.opens else []
    after = going[-1].power_after if going else view.power_now
    tone: Tone = "urgent" if after is not None and after < ZERO else ""
    power = (Cell("power ", "muted"), Cell(f"{f.money(view.power_now)} → {f.money(after)}", tone))
    return spread((Cell(", ".join(parts), "strong"),), power, width)


def _loss(view: BasketView, width: int) -> list[TextLine]:
    """Return the loss at the stops of all opening orders, and the symbols without a stop, whose loss has no bound."""
    opening = [row for row in view.going if not row.effect.only_reduces]
    if not opening:
        return []
    unprotected = [row.symbol for row in opening if row.stop_holder is None]
    unknown = [row.symbol for row in opening if row.stop_holder is not None and row.worst_loss is None]
    told = [f"lose {f.money(view.lost_at_stops)} USD at their stops"] if len(unprotected) < len(opening) else []
    told += [f"NO STOP, the loss has no bound: {', '.join(unprotected)}"] if unprotected else []
    told += [f"not known: {', '.join(unknown)}"] if unknown else []
    return wrapped("", "; ".join(told), width, "warning" if unprotected or unknown else "")


# ── the orders ───────────────────────────────────────────────────────────────────────────────────────────────────────


def order_lines(view: BasketView, selected: ProposalId | None, width: int, room: int) -> list[TextLine]:
    """Return a header and as many orders around the selected one as fit."""
    if not view.rows:
        return wrapped("", NO_ORDERS, width, "warning")
    shown, first = _window(view.rows, selected, max(1, room - 1))
    more = f"{first + 1}–{first + len(shown)} of {len(view.rows)} " if len(shown) < len(view.rows) else ""
    if view.is_open:
        header = f"   MARK {'ORDER':<14}{'QTY':>7} {'SYM':<6}{'AT':<13}{'POWER ±':>12}{'BUYING POWER':>13}"
        rows = [_open_row(row, row.proposal_id == selected) for row in shown]
    else:
        header = f"   {'ORDER':<14}{'QTY':>7} {'SYM':<6}{'EXPECTED':>9}{'FILLED':>7}{'AT':>10}  STATE"
        rows = [_run_row(row, row.proposal_id == selected) for row in shown]
    if not more:
        return [(Cell(header, "muted"),), *rows]
    if len(header) + len(more) < width:
        return [spread((Cell(header, "muted"),), (Cell(more, "muted"),), width), *rows]
    return [(Cell(header, "muted"),), *rows, (Cell(f"   {more}", "muted"),)]


def _window(
    rows: Sequence[BasketRowView], selected: ProposalId | None, room: int
) -> tuple[Sequence[BasketRowView], int]:
    place = next((number for number, row in enumerate(rows) if row.proposal_id == selected), 0)
    if len(rows) > room:
        room = max(1, room - 1)  # the line that says which of them are shown
    first = max(0, min(place - room // 2, len(rows) - room))
    return rows[first : first + room], first


def _effect(row: BasketRowView) -> str:
    """Format the effect, such as `SELL to close`; for an entry to cancel, `cancel` and its effect."""
    return f"cancel {row.effect.value}" if row.is_taken_back else f.doing(row.side, row.effect)


def _open_row(row: BasketRowView, is_selected: bool) -> TextLine:
    cursor = Cell("▸ " if is_selected else "  ", "strong")
    mark = Cell(f"{'[x]' if row.is_marked else '[ ]'}", "strong" if row.is_marked else "muted")
    flag = Cell("NO " if row.refusals else " ! " if row.warnings else "   ", "urgent" if row.refusals else "warning")
    sign = "+" if row.effect.only_reduces else "−"
    cost = f"{sign}{f.money(row.cost)}" if row.cost is not None else f.UNKNOWN
    after = "rejected" if row.refusals else f.money(row.power_after)
    if row.is_taken_back:
        cost, after = "", ""
    return (
        cursor,
        mark,
        flag,
        Cell(f"{_effect(row):<14}"),
        Cell(f"{f.quantity(row.quantity):>7} {row.symbol:<6}"),
        Cell(f"{_terms(row):<13}"),
        Cell(f"{cost:>12}"),
        Cell(f"{after:>13}", "urgent" if row.refusals else ""),
    )


def _run_row(row: BasketRowView, is_selected: bool) -> TextLine:
    if row.standing is None:
        words, tone = "left out", "muted"
    else:
        words, tone = SHORT[row.standing]
        if row.standing is BasketOrderState.ENDED and row.status is not None:
            words = row.status.value
    filled = "" if not row.filled else plain(row.filled)
    average = "" if row.average is None else f.at_tick(row.average)
    return (
        Cell("▸  " if is_selected else "   ", "strong"),
        Cell(f"{_effect(row):<14}"),
        Cell(f"{f.quantity(row.quantity):>7} {row.symbol:<6}"),
        Cell(f"{'' if row.expected is None else f.at_tick(row.expected):>9}"),
        Cell(f"{filled:>7}{average:>10}"),
        Cell(f"  {words:<{STATE}}", tone),  # type: ignore[arg-type]
    )


def _terms(row: BasketRowView) -> str:
    """Format the terms for a narrow column, such as `lim 166.76`."""
    return f.short_terms(row.terms).replace("limit ", "lim ")


def detail_lines(row: BasketRowView | None, width: int) -> list[TextLine]:
    """Describe the selected order: refusals, warnings, its stop and the orders that are cancelled for it."""
    if row is None:
        return []
    lines: list[TextLine] = []
    for reason in row.refusals:
        lines += wrapped("  NO   ", reason, width, "urgent" if row.is_marked else "warning")
    if row.exit_waits_since is not None:
        since = f.clock(row.exit_waits_since)
        lines += wrapped("  waits ", f"for the broker's limit of requests since {since}; its stop is in force", width)
    if row.standing is not None:
        return lines
    for reason in row.warnings:
        lines += wrapped("  warn ", reason, width, "warning")
    for words in row.cancels:
        lines += wrapped("  first ", f"cancels {words}, then sends this", width)
    if row.cancels:
        lines += wrapped("  then  ", _comes_back(row), width)
    if row.type.has_stop and row.type.has_limit:
        lines += wrapped("  terms ", f.terms(row.terms), width)
    if not row.effect.only_reduces and not row.is_taken_back:
        lines += _stop(row, width)
    return lines + wrapped("  why   ", row.reason, width, "muted")


def _comes_back(row: BasketRowView) -> str:
    """Say which of the cancelled orders are placed again afterwards and which are not (EX-21)."""
    if not row.left:
        return "flat; no stop is placed again"
    stops = ", ".join(row.put_back)
    told = (
        f"asks for a stop for what is left: {stops}" if stops else f"no stop comes back for the {plain(row.left)} left"
    )
    return told + "".join(f"; {order} is gone for good" for order in row.lost)


def _stop(row: BasketRowView, width: int) -> list[TextLine]:
    if row.stop_holder is None:
        return wrapped("  stop  ", "NO STOP: the loss has no bound", width, "warning")
    loss = f"lose {f.money(row.worst_loss)} USD" if row.worst_loss is not None else "what it loses is not known"
    if row.trails_behind is not None:
        trails = f"{f.price(row.trails_behind)} behind the best price from its fill"
        return wrapped("  stop  ", f"{trails}, {HOLDS[row.stop_holder]}; {loss}", width)
    return wrapped("  stop  ", f"{f.price(row.stop_price)}, {HOLDS[row.stop_holder]}; {loss}", width)


# ── while it runs, and its end ───────────────────────────────────────────────────────────────────────────────────────


def event_lines(view: BasketView, now: datetime, width: int, room: int) -> list[TextLine]:
    """Return the latest events, the newest last."""
    told = view.events[-room:] if room > 0 else ()
    lines: list[TextLine] = []
    for at, words in told:
        lines += wrapped(f"{f.dated_clock(at, now)} ", words, width)
    return lines[-room:] if room > 0 else []


def report_lines(view: BasketView, width: int) -> list[TextLine]:
    """Return the broker's report: positions held, fills against expected prices, buying power (EX-10)."""
    report = view.report
    if report is None:
        return []
    lines: list[TextLine] = []
    figures = f"buying power {f.money(report.power_before)} → {f.money(report.power_after)}"
    if (used := view.power_used) is not None:
        figures += f", {'used' if used >= 0 else 'freed'} {f.money(abs(used))}"
    lines += wrapped("", figures + " USD", width, "strong")
    if (worse := view.worse_fills) is not None:
        lines += wrapped("", f"fills against expected prices: {_in_all(worse)}", width)
    if not report.is_of_the_broker:
        lines += wrapped(
            "", "THE BROKER DID NOT ANSWER: this is what the desk knows; Orders has the rest", width, "urgent"
        )
    if report.left:
        lines += wrapped("LEFT   ", "; ".join(report.left), width, "warning")
    if report.is_of_the_broker and report.positions:
        held = ", ".join(f"{symbol} {f.quantity(quantity)}" for symbol, quantity in report.positions)
        lines += wrapped("the broker holds ", held, width)
    return lines


def _in_all(worse: Decimal) -> str:
    return f"{f.money(abs(worse))} USD {'worse' if worse > 0 else 'better'} in all" if worse else "as expected"
