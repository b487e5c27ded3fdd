"""Connection statuses in the status lines: one symbol for each, and a line of text for each unhealthy connection.

Statuses differ by shape and word, not by colour alone. Without connections, as on the simulated exchange, nothing is
shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.model.account import Channel, ConnectionState, ConnectionStatus
from widgets import format as f
from widgets.lines import Cell, TextLine

SHAPES: Mapping[ConnectionState, str] = {
    ConnectionState.UP: "●",
    ConnectionState.POLLING: "◐",
    ConnectionState.SILENT: "◐",
    ConnectionState.CONNECTING: "○",
    ConnectionState.DOWN: "○",
    ConnectionState.REFUSED: "×",
}
CALM = frozenset({ConnectionState.UP, ConnectionState.CONNECTING})
AWAY = frozenset({ConnectionState.DOWN, ConnectionState.REFUSED})
MEANS: Mapping[tuple[Channel, ConnectionState], str] = {
    (Channel.BROKER, ConnectionState.DOWN): "no entry can leave; exits and cancels are tried",
    (Channel.DATA, ConnectionState.POLLING): "bars and quotes are asked for meanwhile",
    (Channel.DATA, ConnectionState.SILENT): "bars and quotes are asked for meanwhile",
    (Channel.DATA, ConnectionState.DOWN): "no bar comes; no strategy can see one",
    (Channel.TRADES, ConnectionState.POLLING): "orders are asked for meanwhile",
    (Channel.TRADES, ConnectionState.SILENT): "orders are asked for meanwhile",
    (Channel.TRADES, ConnectionState.DOWN): "fills are heard late, by asking",
}
"""The consequence for the operator, if the words of the status do not state it."""


def is_broker_away(lamps: Sequence[ConnectionStatus]) -> bool:
    """Return whether the broker answers no requests; an entry confirmed meanwhile is refused (OP-03)."""
    return any(lamp.line is Channel.BROKER and lamp.state in AWAY for lamp in lamps)


def lamps_in_brief(lamps: Sequence[ConnectionStatus], *, is_wide: bool) -> TextLine:
    """Format `● trades  ● data`; on a narrow terminal only unhealthy connections."""
    shown = [lamp for lamp in lamps if is_wide or lamp.state not in CALM]
    cells: list[Cell] = []
    for lamp in shown:
        word = lamp.line.value if lamp.state is ConnectionState.UP else f"{lamp.line.value} {lamp.state.value.upper()}"
        word += f", {len(lamp.polled)} polled" if lamp.polled else ""
        cells.append(Cell(f"{SHAPES[lamp.state]} {word}  ", "" if lamp.state in CALM else "warning"))
    return tuple(cells)


def lamps_in_words(lamps: Sequence[ConnectionStatus], now: datetime, width: int) -> list[TextLine]:
    """Describe each unhealthy connection: since when, the number of attempts, the error and its consequence."""
    lines: list[TextLine] = []
    for lamp in lamps:
        if lamp.state in CALM and not lamp.words:
            continue
        tried = f", try {lamp.tries}" if lamp.tries > 1 else ""
        what = "; ".join(filter(None, (lamp.words, MEANS.get((lamp.line, lamp.state), ""))))
        state = "" if lamp.state is ConnectionState.UP else f" {lamp.state.value}"
        head = f"{lamp.line.value.upper()}{state} for {f.span(now - lamp.since)}{tried}"
        text = f"{head}: {what}" if what else head
        lines += [(Cell(part, "warning"),) for part in textwrap.wrap(text, width, max_lines=2, placeholder=" …")]
    return lines
