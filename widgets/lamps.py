"""The connections in the status lines: a lamp each, and a line of words for each that is not well.

A lamp differs by shape and word, not by colour alone. Where there are no connections, as on the simulated exchange,
there are no lamps.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.model.connection import Lamp, Line, LineState
from widgets import format as f
from widgets.lines import Cell, TextLine

SHAPES: Mapping[LineState, str] = {
    LineState.UP: "●",
    LineState.POLLING: "◐",
    LineState.SILENT: "◐",
    LineState.CONNECTING: "○",
    LineState.DOWN: "○",
    LineState.REFUSED: "×",
}
CALM = frozenset({LineState.UP, LineState.CONNECTING})
AWAY = frozenset({LineState.DOWN, LineState.REFUSED})
MEANS: Mapping[tuple[Line, LineState], str] = {
    (Line.BROKER, LineState.DOWN): "no entry can leave; exits and cancels are tried",
    (Line.DATA, LineState.POLLING): "bars and quotes are asked for meanwhile",
    (Line.DATA, LineState.SILENT): "bars and quotes are asked for meanwhile",
    (Line.DATA, LineState.DOWN): "no bar comes; no strategy can see one",
    (Line.TRADES, LineState.POLLING): "orders are asked for meanwhile",
    (Line.TRADES, LineState.SILENT): "orders are asked for meanwhile",
    (Line.TRADES, LineState.DOWN): "fills are heard late, by asking",
}
"""What it means for the operator, where the lamp's own words do not say."""


def is_broker_away(lamps: Sequence[Lamp]) -> bool:
    """Whether no request is answered now: an entry that is confirmed meanwhile is refused (OP-03)."""
    return any(lamp.line is Line.BROKER and lamp.state in AWAY for lamp in lamps)


def lamps_in_brief(lamps: Sequence[Lamp], *, is_wide: bool) -> TextLine:
    """`● trades  ● data`; narrow, only those that are not well."""
    shown = [lamp for lamp in lamps if is_wide or lamp.state not in CALM]
    cells: list[Cell] = []
    for lamp in shown:
        word = lamp.line.value if lamp.state is LineState.UP else f"{lamp.line.value} {lamp.state.value.upper()}"
        cells.append(Cell(f"{SHAPES[lamp.state]} {word}  ", "" if lamp.state in CALM else "warning"))
    return tuple(cells)


def lamps_in_words(lamps: Sequence[Lamp], now: datetime, width: int) -> list[TextLine]:
    """For each that is not well: since when, how often it was tried, what is wrong, what that means."""
    lines: list[TextLine] = []
    for lamp in lamps:
        if lamp.state in CALM and not lamp.words:
            continue
        tried = f", try {lamp.tries}" if lamp.tries > 1 else ""
        what = "; ".join(filter(None, (lamp.words, MEANS.get((lamp.line, lamp.state), ""))))
        state = "" if lamp.state is LineState.UP else f" {lamp.state.value}"
        head = f"{lamp.line.value.upper()}{state} for {f.span(now - lamp.since)}{tried}"
        text = f"{head}: {what}" if what else head
        lines += [(Cell(part, "warning"),) for part in textwrap.wrap(text, width, max_lines=2, placeholder=" …")]
    return lines
