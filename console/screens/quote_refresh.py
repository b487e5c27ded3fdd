"""Keeps a symbol's quote alive for as long as somebody reads it: asked for where no stream brings one."""

from __future__ import annotations

from datetime import timedelta

from console.screens.dialog_host import DialogHost
from core.messages.commands import LookAt
from core.model.values import Symbol
from core.views import DeskView

EVERY = 3.0
"""Seconds between two questions, and the age of a quote that needs none."""


class QuoteRefresh:
    """One reader's."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._asked_at = float("-inf")

    def look(self, symbol: Symbol, view: DeskView) -> None:
        """Called at each picture; asks seldom, and only for a symbol of this desk."""
        row = next((row for row in view.symbols if row.symbol == symbol), None)
        now = self.behind.now()
        if row is None or now - self._asked_at < EVERY:
            return
        if row.quote is not None and self.behind.engine_now() - row.quote.at < timedelta(seconds=EVERY):
            return
        self._asked_at = now
        self.behind.handle.send(LookAt(symbol))
