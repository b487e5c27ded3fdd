"""Symbols: how one is parsed, the lists of symbols without entries, and the watchlists (RK-26, MD-06).

Parse a symbol typed by a person or read from a file; the only place that does (SY-06).
Only ASCII letters: `str.upper` would turn `ſpy` into SPY and a ligature into FF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from string import ascii_lowercase, ascii_uppercase

from core.model.values import Symbol

SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,9}")
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def capitals(text: str) -> str:
    """Convert ASCII lower-case letters to capitals; other characters stay."""
    return text.translate(_CAPITALS)


def small_letters(text: str) -> str:
    """Lower the ASCII capitals alone: `str.lower` turns the kelvin sign into a k."""
    return text.translate(_SMALL)


def symbol_in(text: str) -> Symbol | None:
    """Return the symbol, in either case; None if it is not one."""
    written = capitals(text)
    return Symbol(written) if SYMBOL.fullmatch(written) else None


LONGEST_REASON = 80
"""Characters."""


class ListKind(Enum):
    """The lists; one symbol may be on several. All of them block entries alone."""

    NEVER = "never trade"
    CLOSE_ONLY = "close only"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class ListedSymbol:
    """A symbol on a list.

    Attributes
    ----------
    since, at
        The trading day, and the instant, at which it was added.
    until
        For a restriction, the first trading day on which entries pass again; else None: the operator ends it.
    """

    symbol: Symbol
    kind: ListKind
    reason: str
    since: date
    at: datetime
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.until is None or day < self.until

    @property
    def words(self) -> str:
        """As in `never trade since 2026-11-19: no borrow`; `restricted until 2026-12-01, since 2026-11-19:
        earnings`.
        """
        until = "" if self.until is None else f" until {self.until},"
        return f"{self.kind.value}{until} since {self.since}: {self.reason}"


SHARE = re.compile(r"[A-Z]{1,5}([.][A-Z]{1,2})?")
"""The form of a share's symbol, which excludes options and coins."""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,15}")
LONGEST_NAME = 16
MAIN = "main"
"""The list that always exists: the symbols of the settings, until a list of this name is saved."""
HELD = "held"
"""The desk's own list, of what is held, ordered and proposed: no list of the operator's has its name."""
MOST_LISTS = 12
MOST_SYMBOLS = 200
"""Of all lists together, each symbol counted once: every one costs quotes, and a part of the broker's limit."""


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list in the operator's order."""

    name: str
    symbols: tuple[Symbol, ...]


def fault_of(wanted: Watchlist, others: Mapping[str, tuple[Symbol, ...]]) -> str | None:
    """Return why it cannot be saved beside the others; None if it can. Saving an empty list removes it."""
    if NAME.fullmatch(wanted.name) is None:
        return f"{wanted.name[:20]!r}: a list is called by 1 to 16 small letters, digits, - or _, a letter first"
    if wanted.name == HELD and wanted.symbols:
        return f"{HELD} is the desk's own list, of what is held; give yours another name"
    if odd := [symbol for symbol in wanted.symbols if SHARE.fullmatch(symbol) is None]:
        return f"{odd[0][:20]!r} is not how a share is written"
    if twice := [symbol for number, symbol in enumerate(wanted.symbols) if symbol in wanted.symbols[:number]]:
        return f"{twice[0]} stands there twice"
    kept = {name: symbols for name, symbols in others.items() if name != wanted.name}
    if wanted.symbols and len(kept) >= MOST_LISTS:
        return f"there are {MOST_LISTS} lists; remove one first"
    many = len({*wanted.symbols, *(symbol for symbols in kept.values() for symbol in symbols)})
    return f"{many} symbols in all lists, at most {MOST_SYMBOLS}" if many > MOST_SYMBOLS else None
