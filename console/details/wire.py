"""Health of the broker connection: latencies of today's orders, rejections, and requests (EX-16, EX-17)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from console.details.lines import field
from core.model.account import PERCENTILES, LatencySpan
from core.model.values import percent
from core.views import DeskView
from widgets.lines import Cell, TextLine

NAME, FIGURE = 28, 9
MINUTE = 60


def wire(view: DeskView, _key: str, _now: datetime) -> list[TextLine]:
    found = view.wire
    share = f", {percent(Decimal(found.rejected) / found.sent, 1)} of them" if found.sent else ""
    lines = [
        *field("breaker", found.breaker, "warning" if found.breaker_reason else ""),
        *(field("because", found.breaker_reason) if found.breaker_reason else ()),
        *field("sent today", f"{found.sent}; refused by the broker {found.rejected}{share}"),
        *field("never sent", f"{found.invalid}, refused here by a rule of the broker's"),
        (),
        (Cell(f"{'from … to':<{NAME}}{'orders':>7}" + "".join(f"{f'p{p}':>{FIGURE}}" for p in PERCENTILES), "muted"),),
        *(_span(span) for span in found.spans),
    ]
    if not found.spans:
        lines += field("", "no order was confirmed today")
    odd = [(lamp.line.value, what, count) for lamp in view.status.lamps for what, count in lamp.odd]
    for number, (line, what, count) in enumerate(odd):
        lines += field("left out" if not number else "", f"{count:>6}  {line}: {what}", "warning")
    lines.append(())
    for number, (endpoint, count) in enumerate(found.calls):
        lines += field("calls" if not number else "", f"{count:>6}  {endpoint}")
    return lines if found.calls else [*lines, *field("calls", "none is counted: the exchange is in this process")]


def _span(span: LatencySpan) -> TextLine:
    figures = "".join(f"{in_words(took):>{FIGURE}}" for took in span.percentiles)
    return (Cell(f"{span.name:<{NAME}}{span.orders:>7}{figures}"),)


def in_words(took: timedelta) -> str:
    """Format `2.4 ms`, `1.20 s` or `2:05`, with the precision that fits."""
    seconds = took.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < MINUTE:
        return f"{seconds:.2f} s"
    return f"{int(seconds) // MINUTE}:{int(seconds) % MINUTE:02d}"
