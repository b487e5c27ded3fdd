"""Keep a symbol's quote current while it is shown, by polling if no stream delivers it."""

from __future__ import annotations

from datetime import timedelta

from console.screens.dialog_host import DialogHost
from core.messages.commands import LookAt
from core.model.symbols import SHARE
from core.model.values import Symbol
from core.views import DeskView

EVERY = 3.0
"""Seconds between requests, and the age of a quote that needs none."""
STANDS = 0.7
"""Seconds for which an unknown symbol must be unchanged, so that partial input is not requested."""


class QuoteRefresh:
    """The refresh of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._asked_at = float("-inf")
        self._symbol, self._stands_since = Symbol(""), 0.0

    def look(self, symbol: Symbol, view: DeskView) -> None:
        """Called at each view; sends few requests."""
        now = self.behind.now()
        if symbol != self._symbol:
            self._symbol, self._stands_since = symbol, now
            self._asked_at = float("-inf")
        if now - self._asked_at < EVERY or not SHARE.fullmatch(symbol):
            return
        row = next((row for row in view.symbols if row.symbol == symbol), None)
        if row is None and now - self._stands_since < STANDS:
            return
        quote = None if row is None else row.quote
        if quote is not None and self.behind.engine_now() - quote.at < timedelta(seconds=EVERY):
            return
        self._asked_at = now
        self.behind.handle.send(LookAt(symbol))
