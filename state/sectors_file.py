"""The sector of each symbol, from `sectors.toml` beside the settings, one line per symbol: `XOM = "energy"` (RK-23).

A fault is reported in one line with the symbol. Without a file there are no sectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.model.symbols import SYMBOL
from core.ports import OperatorError
from state.toml_file import tables_of

NAME = "sectors.toml"
SECTOR = re.compile(r"[a-z][a-z0-9 &/_-]{0,31}")
MOST = 5000
"""The maximum of symbols: the journal holds them with each change of the settings."""


class SectorsError(OperatorError):
    """An invalid sectors file; the message is one line for the operator."""


def read_sectors(path: Path) -> dict[str, str]:
    """Return the sectors by symbol; case and surrounding spaces of a sector are ignored. Raises `SectorsError`."""
    found: dict[str, str] = {}
    for symbol, sector in _lines(tables_of(path, "sectors", SectorsError)):
        place = f"{path.name}: {symbol[:20]}"
        if SYMBOL.fullmatch(symbol) is None:
            raise SectorsError(f'{place} is not how a symbol is written; write XOM = "energy"')
        if not isinstance(sector, str):
            raise SectorsError(f'{place}: its sector must be a text, as in {symbol} = "energy"')
        name = " ".join(sector.lower().split())
        if SECTOR.fullmatch(name) is None:
            raise SectorsError(
                f"{place} = {sector[:40]!r}: a sector is called by 1 to 32 letters, digits, spaces, &, /, - or _, "
                "a letter first"
            )
        found[symbol] = name
    if len(found) > MOST:
        raise SectorsError(f"{path.name}: {len(found):,} symbols, {MOST:,} at most; name those that you trade")
    return found


def _lines(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield symbols and values; `BRK.B = "financials"` is equal with and without quotation marks around its symbol."""
    waiting: list[tuple[str, Mapping[str, object]]] = [("", values)]
    while waiting:
        prefix, table = waiting.pop()
        for name, value in table.items():
            if isinstance(value, Mapping):
                waiting.append((f"{prefix}{name}.", value))
            else:
                yield f"{prefix}{name}", value
