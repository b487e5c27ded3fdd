"""An engine that never runs, to read its routes from: without account, disk or session."""

from __future__ import annotations

from datetime import date

from core.engine import Engine
from core.market.calendar import ExchangeCalendar
from core.model.account import Mode
from core.runtime.routes import Routes
from state.journal import MemoryJournal


def routes() -> Routes:
    """Return the routes of this release's engine."""
    return Routes(Engine("none", Mode.PAPER, ExchangeCalendar(date.min, date.min, (), {}), MemoryJournal()))
