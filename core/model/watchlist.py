"""A named list of quoted symbols, whether or not they are traded (MD-06)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.model.values import Symbol

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
