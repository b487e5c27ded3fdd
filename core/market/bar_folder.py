"""Files of bars by symbol: their names, their rows, and which one a symbol has in the operator's folders (MD-11).

A file that `keyturn bars` wrote says what it is in its name: `SPY_daily_adjusted_iex.csv` has daily bars of SPY,
adjusted for splits, of the feed iex. A file of the operator's own has the symbol alone at the beginning of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from core.model.bar import Bar
from core.model.instrument import symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.values import Symbol, plain
from core.ports import OperatorError

VIX = Symbol("VIX")
SIMULATED = "simulated"
"""The feed of bars that the built-in exchange made."""


class Period(StrEnum):
    """The length of a file's bars, as in its name."""

    MINUTE = "1min"
    DAY = "daily"

    @property
    def option(self) -> str:
        """The option of `keyturn bars`."""
        return "--minutes" if self is Period.MINUTE else "--days"


class Prices(StrEnum):
    """Whether prices before a split are in shares of today, as in a file's name."""

    ADJUSTED = "adjusted"
    RAW = "raw"


HEADERS = {Period.MINUTE: "timestamp,open,high,low,close,volume", Period.DAY: "date,open,high,low,close,volume"}
_NAME = re.compile(r"([A-Z.]+)_(1min|daily)_(adjusted|raw)_([a-z0-9]+)\.csv")


@dataclass(frozen=True, slots=True)
class BarSet:
    """The bars of one file. `feed` is where they are from: a feed of the source, or `SIMULATED`."""

    symbol: Symbol
    period: Period
    prices: Prices
    feed: str

    @property
    def file_name(self) -> str:
        return f"{self.symbol}_{self.period}_{self.prices}_{self.feed}.csv"


def set_of(file_name: str) -> BarSet | None:
    """Return the bars that a file's name says; None for a file of the operator's own."""
    found = _NAME.fullmatch(file_name)
    return found and BarSet(Symbol(found[1]), Period(found[2]), Prices(found[3]), found[4])


def row_of(bar: Bar, period: Period) -> str:
    """Return the line of a bar, without its end; the first column is that of `HEADERS`."""
    when = f"{XNYS.day_of(bar.start)}" if period is Period.DAY else f"{bar.start:%Y-%m-%dT%H:%M:%SZ}"
    return ",".join((when, *map(plain, (bar.open, bar.high, bar.low, bar.close, bar.volume))))


def files_of(folders: Iterable[Path], symbol: Symbol, period: Period) -> list[Path]:
    """Return the CSV files with bars of a symbol in the first of the folders that has one; every file of the VIX is
    daily.
    """
    from core.market.csv_source import is_daily, symbol_of  # a desk at a broker starts without it

    for folder in folders:
        named = [path for path in sorted(folder.glob("*.csv")) if (symbol_of(path) or symbol_in(path.stem)) == symbol]
        found = [path for path in named if symbol == VIX or is_daily(path) is (period is Period.DAY)]
        if found:
            return found
    return []


def file_of(folders: Iterable[Path], symbol: Symbol, period: Period) -> Path | None:
    """Return the file of a symbol, if it has one. Raises `OperatorError` for two of them."""
    found = files_of(folders, symbol, period)
    if len(found) > 1:
        raise OperatorError(f"{found[1]}: {found[0].name} is of {symbol} too; keep one {period} file of a symbol")
    return found[0] if found else None


def require_alike(paths: Iterable[Path]) -> None:
    """Refuse files of different prices or feeds beside each other. Raises `OperatorError`."""
    known = [found for path in paths if (found := set_of(path.name)) is not None]
    if other := next((each for each in known if (each.prices, each.feed) != (known[0].prices, known[0].feed)), None):
        raise OperatorError(
            f"{known[0].file_name} and {other.file_name} are of different prices or feeds and are not mixed; move one "
            "of them away and fetch it like the other"
        )


def simulated_in(file_names: Iterable[str]) -> str:
    """Return the warning for bars that the built-in exchange made; empty without such."""
    made = [name for name in file_names if (found := set_of(name)) is not None and found.feed == SIMULATED]
    return f"SIMULATED, no prices of a market: {', '.join(made)}" if made else ""
