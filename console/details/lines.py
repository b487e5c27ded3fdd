"""The layout of details: a label with text beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.views import DeskView
from widgets import format as f
from widgets.grid_cells import Tone
from widgets.lines import TextLine
from widgets.ticket import wrapped

Telling = Callable[[DeskView, str, datetime], list[TextLine] | None]
"""Returns the details of a row by its key; None if it is not on the desk."""
WIDTH = 74
"""Width inside the frame of a reading dialog, in cells."""
LABEL = 15
"""Cells of the longest label and its gap."""


def field(label: str, text: str, tone: Tone = "") -> list[TextLine]:
    """Return one field; long text has a hanging indent."""
    return wrapped(f"{label:<{LABEL}}", text, WIDTH, tone)


def usd(text: str) -> str:
    """Append the unit to a figure; a dash stays a dash."""
    return text if text == f.UNKNOWN else f"{text} USD"


def instant(at: datetime | None, now: datetime) -> str:
    """Format `10:51:07 London, 12 s ago`."""
    return f.UNKNOWN if at is None else f"{f.dated_clock(at, now)} {f.PLACE}, {f.age(at, now)} ago"


def ahead(at: datetime | None, now: datetime) -> str:
    """Format `15:45:00 London, in 4:12:00`."""
    return f.UNKNOWN if at is None else f"{f.dated_clock(at, now)} {f.PLACE}, in {f.countdown(at, now)}"
