"""Read a basket from the operator's CSV file; every invalid row is reported with its place (OP-05).

A file with an invalid row is refused as a whole: half of a rebalancing is a different trade.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from core.files.csv_files import FIRST_ROW, Record, Row, Table, TableError, shown
from core.messages.commands import BasketRow
from core.model.basket import Deployment
from core.model.instrument import small_letters, symbol_in
from core.model.order import TYPED, Effect, OrderType, TimeInForce
from core.model.values import Fraction, Money, Price, Quantity
from core.staging.resting_entries import LONGEST_TTL

NEEDED = ("symbol", "side")
OPTIONAL = (
    "quantity",
    "notional",
    "type",
    "limit_price",
    "stop_price",
    "time_in_force",
    "trigger_price",
    "trail",
    "ttl_seconds",
)
COLUMNS = (*NEEDED, *OPTIONAL)
SIDES: Mapping[str, Effect] = {
    "buy": Effect.OPEN,
    "sell": Effect.CLOSE,
    "short": Effect.SHORT,
    "cover": Effect.COVER,
}
HUNDRED = Decimal(100)
LASTS = {"day": TimeInForce.DAY, "gtc": TimeInForce.GTC}
LARGEST = Decimal(1_000_000_000)
MOST_ROWS = 200
"""More orders than a person reads before signing."""
LARGEST_FILE = 1_000_000
"""The maximum size in bytes; the maximum of rows needs less."""
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
"""A number in plain ASCII digits, without exponent or separators."""


class BasketFileError(TableError):
    """Invalid rows; `faults` has one line for each, with its place."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def read_plan(path: Path, text: str, deploy: Deployment | None = None) -> tuple[BasketRow, ...]:
    """Return every order of a file; opening rows may lack a size if there is a deployment for them.

    Raises
    ------
    BasketFileError
        Names each invalid row.
    TableError
        The file is not a table with these columns.
    """
    table = Table(path, text, "order")
    _require_known(table)
    if len(table.rows) > MOST_ROWS:
        raise TableError(f"{path}: {len(table.rows)} orders, {MOST_ROWS} at most are signed at once; split the file")
    name = path.name.replace(":", "_")
    faults: list[str] = []
    read: list[BasketRow] = []
    for line, row in enumerate(table.rows, FIRST_ROW):
        try:
            one = _row(_record(f"{name}:{line}", table.header, row))
            _not_twice(one, read)
            read.append(one)
        except TableError as error:
            faults.append(str(error))
    unsized = [row for row in read if not row.effect.only_reduces and row.quantity is None and row.notional is None]
    if deploy is None:
        faults += [f"{row.place}: no quantity and no notional; write one, or --deploy an amount" for row in unsized]
    if faults:
        raise BasketFileError(tuple(sorted(faults, key=lambda fault: int(fault.split(":")[1]))))
    if deploy is not None and not unsized:
        raise TableError(f"{path}: every row names its size, so that there is nothing to deploy; leave --deploy out")
    return tuple(read)


def _require_known(table: Table) -> None:
    """Refuse unknown columns: a misspelt limit price would otherwise make a market order."""
    table.columns(NEEDED)
    if unknown := [name for name in table.header if name not in COLUMNS]:
        known = ",".join(COLUMNS)
        raise TableError(f"{table.path}:1: no column is called {shown(','.join(unknown))}; there are {known}")
    table.columns(table.header)


def _record(place: str, header: Sequence[str], row: Row) -> Record:
    if len(row) != len(header):
        raise TableError(f"{place}: the line has {len(row)} fields, the header {len(header)}; make them equal")
    return Record(place, dict(zip(header, map(str.strip, row), strict=True)))


def _row(row: Record) -> BasketRow:
    symbol, side = symbol_in(row["symbol"]), small_letters(row["side"])
    if symbol is None:
        raise row.fault("symbol", "is no symbol such as SPY")
    if side not in SIDES:
        raise row.fault("side", f"must be {', '.join(SIDES)}")
    effect = SIDES[side]
    quantity, notional = _number(row, "quantity"), _number(row, "notional")
    if quantity is not None and notional is not None:
        raise TableError(f"{row.place}: quantity and notional are both there; leave one of them empty")
    limit, stop = _number(row, "limit_price"), _number(row, "stop_price")
    if stop is not None and effect.only_reduces:
        raise TableError(f"{row.place}: stop_price is the stop of an entry; a sale has none, leave it empty")
    word = small_letters(row["type"])
    if word and word not in TYPED:
        raise row.fault("type", f"must be {', '.join(TYPED)}; a basket takes no other")
    kind = TYPED.get(word, OrderType.MARKET if limit is None else OrderType.LIMIT)
    if kind.waits and effect.only_reduces:
        raise TableError(f"{row.place}: a {kind.word} order of a basket opens; a sale is market or limit")
    if kind.has_limit and limit is None:
        raise TableError(f"{row.place}: a {kind.word} order needs a limit_price; write it")
    if not kind.has_limit and limit is not None:
        raise TableError(f"{row.place}: a {kind.word} order has no limit_price; leave it empty, or write limit")
    trigger = _number(row, "trigger_price")
    trail, part = _trail(row)
    _has(row, kind, "trigger_price", is_there=trigger is not None, is_needed=kind.has_stop)
    trails = trail is not None or part is not None
    _has(row, kind, "trail", is_there=trails, is_needed=kind.trails)
    return BasketRow(
        place=row.place,
        symbol=symbol,
        effect=effect,
        quantity=None if quantity is None else Quantity(quantity),
        notional=None if notional is None else Money(notional),
        type=kind,
        limit_price=None if limit is None else Price(limit),
        stop_price=None if stop is None else Price(stop),
        time_in_force=_lasts(row),
        trigger_price=None if trigger is None else Price(trigger),
        trail_price=trail,
        trail_fraction=part,
        ttl_seconds=_ttl(row, effect),
    )


def _has(row: Record, kind: OrderType, name: str, *, is_there: bool, is_needed: bool) -> None:
    if is_needed and not is_there:
        raise TableError(f"{row.place}: a {kind.word} order needs a {name}; write it")
    if is_there and not is_needed:
        raise TableError(f"{row.place}: a {kind.word} order has no {name}; leave it empty")


def _trail(row: Record) -> tuple[Price | None, Fraction | None]:
    """Parse `1.50`, USD, or `2%` of the price."""
    text = row["trail"]
    number = _number(Record(row.place, {"trail": text.removesuffix("%").strip()}), "trail")
    if number is None or not text.endswith("%"):
        return (None if number is None else Price(number)), None
    if number >= HUNDRED:
        raise row.fault("trail", "must be under 100%")
    return None, Fraction(number / HUNDRED)


def _ttl(row: Record, effect: Effect) -> int | None:
    text = row["ttl_seconds"]
    if not text:
        return None
    if effect.only_reduces:
        raise TableError(f"{row.place}: ttl_seconds is an entry's own time; a sale has none, leave it empty")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_TTL:
        raise row.fault("ttl_seconds", f"must be whole seconds, from 1 to {LONGEST_TTL}")
    return int(text)


def _lasts(row: Record) -> TimeInForce:
    word = small_letters(row["time_in_force"])
    if word and word not in LASTS:
        raise row.fault("time_in_force", f"must be {' or '.join(LASTS)}")
    return LASTS.get(word, TimeInForce.DAY)


def _number(row: Record, name: str) -> Decimal | None:
    text = row[name]
    if not text:
        return None
    number = number_of(text)
    if number is None:
        raise row.fault(name, "is no number such as 12.5: digits, and one point at most")
    if not 0 < number <= LARGEST:
        raise row.fault(name, f"must be above zero and at most {LARGEST:,}")
    return number


def number_of(text: str) -> Decimal | None:
    """Parse a number in plain digits with at most one point; otherwise return None."""
    return Decimal(text) if PLAIN.fullmatch(text) else None


def _not_twice(row: BasketRow, read: list[BasketRow]) -> None:
    for other in read:
        if (other.symbol, other.effect) == (row.symbol, row.effect):
            raise TableError(f"{row.place}: {row.symbol} stands at {other.place} already; write one row for it")
