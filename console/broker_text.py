"""Texts of the questions about the broker: what happens to a warned order, and what clearing the breaker allows."""

from __future__ import annotations

from datetime import datetime

from console.screens.question import WIDTH
from core.model.account import Channel, ConnectionState
from core.views import DeskView, OrderRow
from widgets import format as f
from widgets.lines import TextLine
from widgets.ticket import wrapped


def fate_of(order: OrderRow) -> str:
    """Return what happens to an order whose warning is not confirmed."""
    if order.taken_back_at is not None:
        return f"Unless you let it stand, it is cancelled at {f.clock(order.taken_back_at)} {f.PLACE}."
    if order.status.is_working:
        return "It only reduces, and stands either way: your key says that you have read this."
    return "It has ended, and what it filled stays: your key confirms that you have read this."


def breaker_in_words(view: DeskView, now: datetime) -> list[TextLine]:
    """Return why the breaker is open, whether the broker answers now, and what clearing it allows."""
    why = view.wire.breaker_reason or f"{view.wire.breaker}: one entry is let through"
    lines = wrapped("", f"It is {why}.", WIDTH, "warning")
    lamp = next((lamp for lamp in view.status.lamps if lamp.line is Channel.BROKER), None)
    if lamp is not None:
        how = "the broker answers" if lamp.state is ConnectionState.UP else f"the broker is {lamp.state.value.upper()}"
        lines += wrapped("now    ", f"{how}, for {f.span(now - lamp.since)}", WIDTH)
    return [*lines, (), *wrapped("", "Cleared, entries may leave at once. Exits and cancels always may.", WIDTH)]
