"""Symbols that Alpaca refuses: one of them makes it refuse the whole request, for all others too.

A refused request is repeated by halves, until the refused part is one symbol. It is reported and left out for a while.
If every symbol is refused, the symbols are not the reason: then none is left out, and the refusal is raised.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from core.market.alpaca.requests import AskError
from core.messages.inputs import MarketDataBroken
from core.model.values import Symbol

LEFT_OUT = timedelta(hours=1)
"""Then it is requested again: it may have been listed meanwhile, or the refusal may have ended."""
PLACE = "Alpaca's symbols"

Answer = TypeVar("Answer")


class SymbolBlocklist:
    """Thread-safe. `now` is the machine's clock, UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[Symbol, datetime] = {}
        self._lock = threading.Lock()

    def others_of(self, symbols: Sequence[Symbol]) -> list[Symbol]:
        """Return the symbols that may be requested."""
        now = self._now()
        with self._lock:
            return [symbol for symbol in symbols if self._until.get(symbol, now) <= now]

    def ask(
        self, symbols: Sequence[Symbol], question: Callable[[Sequence[Symbol]], list[Answer]]
    ) -> list[Answer | MarketDataBroken]:
        """Return the answers for symbols that are not refused, after a report of each newly refused one.

        Raises
        ------
        AskError
            The request failed, or every symbol of it is refused.
        """
        asked = self.others_of(symbols)
        if not asked:
            return []
        try:
            return [*question(asked)]
        except AskError as error:
            if not error.failure.may_be_a_symbol or len(asked) == 1:
                raise
            found, refused = self._by_halves(asked, question)
            if len(refused) == len(asked):
                raise
        return [*self._leave_out(refused), *found]

    def _by_halves(
        self, symbols: Sequence[Symbol], question: Callable[[Sequence[Symbol]], list[Answer]]
    ) -> tuple[list[Answer], dict[Symbol, str]]:
        """Return the answers, and the symbols that are refused alone with their messages."""
        found: list[Answer] = []
        refused: dict[Symbol, str] = {}
        middle = len(symbols) // 2
        for half in (symbols[:middle], symbols[middle:]):
            try:
                found += question(half)
            except AskError as error:
                if not error.failure.may_be_a_symbol:
                    raise
                if len(half) == 1:
                    refused[half[0]] = str(error)
                    continue
                answers, bad = self._by_halves(half, question)
                found += answers
                refused |= bad
        return found, refused

    def _leave_out(self, refused: dict[Symbol, str]) -> list[MarketDataBroken]:
        """Block the symbols; report each once while it is blocked."""
        now = self._now()
        with self._lock:
            news = [symbol for symbol in refused if self._until.get(symbol, now) <= now]
            self._until |= dict.fromkeys(news, now + LEFT_OUT)
        return [
            MarketDataBroken(
                PLACE, f"{symbol} is left out for an hour, the others go on; take it out of symbols: {refused[symbol]}"
            )
            for symbol in news
        ]
