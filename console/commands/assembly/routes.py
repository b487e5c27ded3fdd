"""An engine that never runs, to read off what one does: no account, no disk, no session."""

from __future__ import annotations

from datetime import date

from core.engine import Engine
from core.market.calendar import ExchangeCalendar
from core.model.account import Mode
from core.runtime.routes import Routes
from state.journal import MemoryJournal


def routes() -> Routes:
    """Of the engine as this release puts it together."""
    return Routes(Engine("none", Mode.PAPER, ExchangeCalendar(date.min, date.min, (), {}), MemoryJournal()))
