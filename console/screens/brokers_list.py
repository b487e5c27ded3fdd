"""Check whether symbols are in the broker's asset list: the engine is asked for one after the other, each once."""

from __future__ import annotations

from collections.abc import Iterable

from console.screens.dialog_host import DialogHost
from core.model.symbols import SHARE
from core.model.values import Symbol

AGAIN = 1.0
"""Seconds until a question is repeated: an answer may be under way, or the list missing."""


def not_listed(symbol: Symbol) -> str:
    return f"the broker's list does not have {symbol}"


class BrokersList:
    """The checks of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._said: dict[Symbol, bool] = {}
        self._asked: tuple[Symbol, float] = (Symbol(""), float("-inf"))

    def lacks(self, symbols: Iterable[Symbol]) -> Symbol | None:
        """Return the first symbol that the list does not have; None if it has all, or if that is unknown yet."""
        for symbol in symbols:
            if SHARE.fullmatch(symbol) is None:
                continue
            if symbol not in self._said and not self._look_up(symbol):
                return None
            if not self._said[symbol]:
                return symbol
        return None

    def _look_up(self, symbol: Symbol) -> bool:
        """Return whether the engine has answered; an engine in this process answers at once."""
        if not self._take(symbol) and (symbol != self._asked[0] or self.behind.now() - self._asked[1] >= AGAIN):
            self._asked = symbol, self.behind.now()
            self.behind.handle.search(symbol)
        return self._take(symbol)

    def _take(self, symbol: Symbol) -> bool:
        found = self.behind.handle.found
        if found is None or found.asked != symbol or not found.is_listed:
            return False
        self._said[symbol] = any(match.symbol == symbol for match in found.matches)
        return True
