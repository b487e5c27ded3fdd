"""The positions whose risk is computed, and their CSV file. Cash has no risk here and is not part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from core.files.csv_files import Record, Table, TableError, shown, text_of
from core.model.instrument import ANY_SHARE, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.values import MOST, ZERO, Money, Price, Quantity, Symbol

NEEDED = ("symbol", "quantity")
OPTIONAL = ("price",)
VIX = Symbol("VIX")
NO_PRICE = "no price of it is known; write one into a file for --positions"
LARGEST_FILE = 1_000_000
"""Bytes of a file of positions."""


@dataclass(frozen=True, slots=True)
class Position:
    """Shares held; `quantity` is below zero for a short, `price` in USD, None if unknown."""

    symbol: Symbol
    quantity: Quantity
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Valued:
    """A position with its value, USD; below zero for a short."""

    symbol: Symbol
    quantity: Quantity
    price: Price

    @property
    def value(self) -> Money:
        return ANY_SHARE.notional(self.quantity, self.price)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A position without a usable history, and why. Only a shock of its own symbol includes it."""

    symbol: Symbol
    quantity: Quantity
    price: Price | None
    reason: str

    @property
    def value(self) -> Money | None:
        """USD, below zero for a short; None without a price."""
        return None if self.price is None else ANY_SHARE.notional(self.quantity, self.price)


def netted(positions: Iterable[Position]) -> tuple[Position, ...]:
    """Add the positions of each symbol, as those of several strategies; a sum of zero is left out.

    The last known price of a symbol counts.
    """
    quantities: dict[Symbol, Decimal] = {}
    prices: dict[Symbol, Price] = {}
    for each in positions:
        quantities[each.symbol] = quantities.get(each.symbol, ZERO) + each.quantity
        if each.price is not None:
            prices[each.symbol] = each.price
    return tuple(
        Position(symbol, Quantity(quantity), prices.get(symbol)) for symbol, quantity in quantities.items() if quantity
    )


def valued(
    positions: Iterable[Position], closes: Mapping[Symbol, Price], missing: Mapping[Symbol, str]
) -> tuple[tuple[Valued, ...], tuple[LeftOut, ...]]:
    """Value each position at its price, or else at the last close of its history; separate those without a history.

    Parameters
    ----------
    closes
        The last close of each history, USD.
    missing
        Why a symbol has no usable history.
    """
    found: list[Valued] = []
    left_out: list[LeftOut] = []
    for each in positions:
        price = each.price if each.price is not None else closes.get(each.symbol)
        if each.symbol in missing or price is None:
            left_out.append(LeftOut(each.symbol, each.quantity, price, missing.get(each.symbol, NO_PRICE)))
        else:
            found.append(Valued(each.symbol, each.quantity, price))
    return tuple(found), tuple(left_out)


def read_positions(path: Path) -> tuple[Position, ...]:
    """Return the positions of a file: `symbol,quantity` and, as needed, `price`; empty for a header alone.

    Raises
    ------
    TableError
        At the first invalid row, or a symbol that is there twice.
    """
    table = Table(path, text_of(path, LARGEST_FILE), "position", may_be_none=True)
    if unknown := [name for name in table.header if name not in (*NEEDED, *OPTIONAL)]:
        raise TableError(
            f"{path}:1: no column is called {shown(','.join(unknown))}; there are {','.join((*NEEDED, *OPTIONAL))}"
        )
    places: dict[Symbol, str] = {}
    found = []
    for row in table.records((*NEEDED, *(name for name in OPTIONAL if name in table.header))):
        position = _position(row)
        if position.symbol in places:
            raise row.fault("symbol", f"is at {places[position.symbol]} already; write one row for it")
        places[position.symbol] = row.place
        found.append(position)
    return tuple(found)


def _position(row: Record) -> Position:
    symbol = symbol_in(row["symbol"])
    if symbol is None:
        raise row.fault("symbol", "is no symbol such as SPY")
    if symbol == VIX:
        raise row.fault("symbol", "is an index and no position; remove the row")
    quantity = row.number("quantity", "100, or -100 for a short")
    if not 0 < abs(quantity) < MOST:
        raise row.fault("quantity", f"must be other than zero and under {MOST:,}; remove the row or fix it")
    if not row["price"]:
        return Position(symbol, Quantity(quantity))
    price = row.number("price", "12.5")
    if not 0 < price < MOST:
        raise row.fault("price", f"must be above zero and under {MOST:,}; leave it empty for the last close")
    return Position(symbol, Quantity(quantity), Price(price))
